//! The clsact queueing discipline that TC programs hang on before kernel 6.6.
//!
//! Unlike links, its filters outlive the process that set them. So ours are removed at exit, and
//! what a killed run left behind is removed at the next start.

use std::io;

use aya::programs::{
    TcAttachType,
    tc::{self, TcError},
};
use nix::errno::Errno;
use tracing::{debug, warn};
use vrrp_ebpf::program;

use super::{attach::Interface, netlink};

/// The discipline on one interface; dropping it removes it if it was made for us and nobody else
/// has come to use it. To be dropped after the filters.
#[derive(Debug)]
pub(super) struct Clsact {
    ifindex: u32,
    ours: bool,
}

impl Clsact {
    /// Makes sure that the interface has the discipline and that no stale filter of ours is on it.
    pub(super) fn prepare(interface: &Interface) -> Result<Self, TcError> {
        match tc::qdisc_add_clsact(&interface.name) {
            Ok(()) => Ok(Self {
                ifindex: interface.index,
                ours: true,
            }),
            Err(TcError::NetlinkError(error))
                if error.raw_os_error() == Some(Errno::EEXIST as i32) =>
            {
                let stale = remove_stale(interface)?;
                // One that carried nothing but our stale filters was made by the run that left
                // them.
                let ours = stale && !in_use(interface.index);
                Ok(Self {
                    ifindex: interface.index,
                    ours,
                })
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for Clsact {
    fn drop(&mut self) {
        if !self.ours || in_use(self.ifindex) {
            return;
        }
        if let Err(error) = netlink::remove_clsact(index(self.ifindex)) {
            // Usually the interface itself is gone.
            debug!(ifindex = self.ifindex, %error, "clsact is not removed");
        }
    }
}

/// Removes filters with our programs' names; says whether there were any.
fn remove_stale(interface: &Interface) -> Result<bool, TcError> {
    let mut found = false;
    for (attach_type, name) in [
        (TcAttachType::Ingress, program::TC_INGRESS),
        (TcAttachType::Egress, program::TC_EGRESS),
    ] {
        match tc::qdisc_detach_program(&interface.name, attach_type, name) {
            Ok(()) => {
                warn!(
                    interface = interface.name,
                    filter = name,
                    "removed a filter that an earlier run left behind"
                );
                found = true;
            }
            Err(TcError::IoError(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// What cannot be told counts as used: better to leave a discipline than to take somebody's filter.
fn in_use(ifindex: u32) -> bool {
    netlink::has_filters(index(ifindex)).unwrap_or(true)
}

/// rtnetlink's traffic control messages carry the interface index as a signed number.
fn index(ifindex: u32) -> i32 {
    i32::try_from(ifindex).unwrap_or(i32::MAX)
}
