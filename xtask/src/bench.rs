//! `cargo xtask bench`: what vrrpwatch costs.

mod kernel;
mod live;
mod replay;

use anyhow::Result;
use clap::Subcommand;

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Subject {
    /// The kernel programs: nanoseconds a frame, against programs that do nothing.
    Kernel,
    /// Reading a large capture file, against tcpdump.
    Replay,
    /// A TCP stream and small frames of an interface that is watched, against one that is not.
    Live,
}

pub(crate) fn bench(subject: Subject) -> Result<()> {
    match subject {
        Subject::Kernel => kernel::kernel(),
        Subject::Replay => replay::replay(),
        Subject::Live => live::live(),
    }
}
