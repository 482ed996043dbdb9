//! Looks at one frame: judge it, then deliver it, count it or leave it alone.
//!
//! XDP and TC, ingress and egress, run this one path over a [`Frame`]. Everything is inlined into
//! the entry points, so that a frame nobody asked for costs a few compares and touches no map.

mod accept;
mod bounds;
mod budget;
mod counter;
mod deliver;
mod drops;
mod ip;
mod neighbour;
mod traffic;

use vrrp_ebpf::Counter;

pub(crate) use self::drops::count_drop;
use self::{bounds::Frame, budget::Subject};

/// What is to be done with a frame.
enum Judgement {
    /// It is none of ours.
    Pass,
    /// It is ours but has nothing to tell; only its number matters.
    Count(Counter),
    /// It is IPv6 and has to be looked into. All three ways through the tags lead here, so that the
    /// verifier need not go through that on each of them.
    Inside {
        /// Offset of the IPv6 header.
        at: usize,
        /// Type of what follows it.
        next: u8,
    },
    /// It goes to user space.
    Take {
        /// What it is and of whom.
        subject: Subject,
        /// Bytes of the frame, from its start, that the protocol covers: what follows is padding.
        /// May be more than the frame has.
        extent: u32,
    },
}

/// Judges the frame and acts on it; `hook` is one of [`mod@vrrp_ebpf::hook`].
#[inline(always)]
pub(crate) fn observe(frame: &impl Frame, hook: u8) {
    let judgement = match accept::judge(frame, hook) {
        Judgement::Inside { at, next } => ip::look_inside(frame, at, next),
        judgement => judgement,
    };
    match judgement {
        Judgement::Pass | Judgement::Inside { .. } => {}
        Judgement::Count(counter) => counter::count(counter),
        Judgement::Take { subject, extent } => {
            let outcome = match budget::judge(frame, subject) {
                Ok(standing) => deliver::deliver(frame, hook, subject.kind, standing, extent),
                Err(counter) => counter,
            };
            counter::count(outcome);
        }
    }
}
