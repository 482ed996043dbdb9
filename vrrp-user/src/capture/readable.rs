//! Waiting for a ring buffer of the kernel's; the one unsafe call of user space.
#![expect(
    unsafe_code,
    reason = "tokio has no safe way left to wait for a file descriptor of one's own"
)]

use std::{io, os::fd::AsRawFd};

use aya::maps::{MapData, RingBuf};
use aya_log::EbpfLogger;
use tokio::io::{Interest, unix::AsyncFd};

/// What owns the file descriptor of a map: it is open as long as the owner lives, and is always the
/// same one. Implement it for nothing else.
pub(super) trait MapOwner: AsRawFd {}

impl MapOwner for RingBuf<MapData> {}
impl MapOwner for EbpfLogger<&'static dyn log::Log> {}

/// Lets the runtime watch the map; to be called inside one.
pub(super) fn watch<T: MapOwner>(owner: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: the implementors own an open descriptor for all their life and never change it.
    let watched = unsafe { AsyncFd::register_with_interest(owner, Interest::READABLE) };
    watched.map_err(|failed| failed.into_parts().1)
}
