//! Where frames come from: the kernel programs and the ring buffer they write to.
//!
//! [`KernelHalf`] loads the programs and hangs them on interfaces, [`Ring`] yields what they
//! matched. [`DropCounter`], which is there on suspicion only, counts the VRRP packets that the kernel
//! drops. Everything here is undone by dropping it.

mod attach;
mod backlog;
mod budgets;
mod clsact;
mod counters;
mod debug_log;
mod drops;
mod flows;
mod kernel_types;
mod netlink;
mod object;
mod program;
mod readable;
mod requirements;
mod ring;
mod symbols;

pub use self::{
    attach::{AttachError, Attachment, Ingress, Interface, Mode, NoXdp, TcFlavour},
    backlog::Backlog,
    budgets::Suppressed,
    counters::Counts,
    debug_log::DebugLog,
    drops::{DropCounter, DropsError},
    kernel_types::{KernelTypes, TypesError},
    object::{LoadSettings, open},
    program::{CaptureError, KernelHalf},
    requirements::{Capability, OLDEST_KERNEL, Requirement},
    ring::{Event, Ring},
};
