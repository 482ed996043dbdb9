//! The record of packets that the kernel dropped.

use std::{net::IpAddr, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Vrid;

/// VRRP packets of one sender that the kernel of this host dropped for one reason at one place. The
/// direction tells whether they came in or were to leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DropRecord {
    /// Their sender.
    pub source: IpAddr,
    /// Their virtual router; absent where too little of the packet was there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vrid: Option<Vrid>,
    /// The kernel's reason, such as `NETFILTER_DROP`: `enum skb_drop_reason` without its prefix.
    /// Absent on kernels before 5.17.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<Arc<str>>,
    /// Function and offset in the kernel, such as `nf_hook_slow+0xa6`. Absent where the kernel hides
    /// it (sysctl kernel.kptr_restrict).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<Arc<str>>,
    /// How many.
    pub count: u64,
    /// For how long drops were counted, in milliseconds; in `run` since the suspicion, which is a
    /// little longer.
    pub counted_ms: u64,
    /// What to do about it.
    pub advice: String,
}
