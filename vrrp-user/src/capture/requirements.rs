//! What the kernel programs need of the machine: a kernel young enough and the capabilities.

use std::fmt;

use aya::util::KernelVersion;
use caps::CapSet;
use thiserror::Error;

/// The oldest kernel that takes the programs: XDP with fragments and `bpf_xdp_load_bytes`.
pub const OLDEST_KERNEL: (u8, u8) = (5, 18);

/// The oldest kernel on which dropped packets can be counted: the ring buffer, which the object
/// declares, and the capabilities.
pub(super) const OLDEST_FOR_DROPS: (u8, u8) = (5, 8);

/// The kernel that brought TCX.
const TCX_KERNEL: (u8, u8) = (6, 6);

/// A capability that the process needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// `CAP_BPF`, to create maps and load programs.
    Bpf,
    /// `CAP_NET_ADMIN`, to load and attach network programs.
    NetAdmin,
    /// `CAP_PERFMON`, without which the verifier refuses what the programs do with pointers.
    Perfmon,
}

impl Capability {
    /// To watch interfaces.
    pub(super) const TO_WATCH: &[Self] = &[Self::Bpf, Self::NetAdmin, Self::Perfmon];
    /// To count what is dropped.
    pub(super) const TO_COUNT_DROPS: &[Self] = &[Self::Bpf, Self::Perfmon];

    const fn to_caps(self) -> caps::Capability {
        match self {
            Self::Bpf => caps::Capability::CAP_BPF,
            Self::NetAdmin => caps::Capability::CAP_NET_ADMIN,
            Self::Perfmon => caps::Capability::CAP_PERFMON,
        }
    }

    /// `CAP_SYS_ADMIN` stands for the two that were split from it.
    const fn in_sys_admin(self) -> bool {
        match self {
            Self::Bpf | Self::Perfmon => true,
            Self::NetAdmin => false,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bpf => "CAP_BPF",
            Self::NetAdmin => "CAP_NET_ADMIN",
            Self::Perfmon => "CAP_PERFMON",
        })
    }
}

/// Something the machine does not offer.
#[derive(Debug, Error)]
pub enum Requirement {
    /// The kernel is too old.
    #[error("kernel {found} is too old, {}.{} is needed", .needed.0, .needed.1)]
    Kernel {
        /// The running kernel.
        found: KernelVersion,
        /// The oldest that will do.
        needed: (u8, u8),
    },
    /// The process lacks capabilities.
    #[error(
        "missing {}: run as root (`sudo vrrpwatch run`), or grant them once: `sudo setcap \
         cap_bpf,cap_net_admin,cap_perfmon,cap_net_raw+ep /usr/local/bin/vrrpwatch`",
        list(.0)
    )]
    Capabilities(Vec<Capability>),
}

fn list(capabilities: &[Capability]) -> String {
    let names: Vec<_> = capabilities.iter().map(Capability::to_string).collect();
    names.join(", ")
}

/// Checks what can be known before the kernel is asked for anything.
pub(super) fn check(needed: (u8, u8), capabilities: &[Capability]) -> Result<(), Requirement> {
    if let Some(found) = older_than(needed) {
        return Err(Requirement::Kernel { found, needed });
    }
    let missing: Vec<_> = capabilities
        .iter()
        .copied()
        .filter(|&capability| !held(capability))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Requirement::Capabilities(missing))
    }
}

/// Whether the kernel has TCX.
pub(super) fn has_tcx() -> bool {
    older_than(TCX_KERNEL).is_none()
}

/// The running kernel, if it is known to be older than this.
fn older_than((major, minor): (u8, u8)) -> Option<KernelVersion> {
    let found = KernelVersion::current().ok()?;
    (found < KernelVersion::new(major, minor, 0)).then_some(found)
}

/// A set that cannot be read counts as full: then the kernel's own refusal is what the user sees.
fn held(capability: Capability) -> bool {
    let effective = |capability| caps::has_cap(None, CapSet::Effective, capability).unwrap_or(true);
    effective(capability.to_caps())
        || (capability.in_sys_admin() && effective(caps::Capability::CAP_SYS_ADMIN))
}
