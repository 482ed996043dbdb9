//! Where a virtual router lives.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{frame::Origin, wire::VlanStack};

/// A broadcast domain, as far as it can be told: the same VRID on another interface or in another
/// VLAN is another virtual router.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Segment {
    /// Name of the interface; `None` in a capture file that names none.
    pub interface: Option<Arc<str>>,
    /// VLANs.
    pub vlan: VlanStack,
}

impl Segment {
    /// The same after an interface was given another name.
    pub(crate) fn renamed(self, formerly: &str, name: &Arc<str>) -> Self {
        if self.interface.as_deref() == Some(formerly) {
            Self {
                interface: Some(name.clone()),
                ..self
            }
        } else {
            self
        }
    }

    /// The segment of a frame.
    pub(crate) fn of(origin: &Origin, vlan: &VlanStack) -> Self {
        Self {
            interface: origin.interface.clone(),
            vlan: vlan.clone(),
        }
    }
}
