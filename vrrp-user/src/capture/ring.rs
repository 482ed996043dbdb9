//! Drains the ring buffer that the kernel programs write to.

use std::io;

use aya::maps::{MapData, RingBuf};
use bytes::Bytes;
use tokio::io::unix::AsyncFd;
use vrrp_ebpf::EventHeader;

use super::readable;

/// A frame that the kernel programs matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, where and why.
    pub header: EventHeader,
    /// The first `header.captured_len` bytes of the frame, from the Ethernet header on.
    pub frame: Bytes,
}

/// The reader's end of the ring buffer.
pub struct Ring {
    buffer: AsyncFd<RingBuf<MapData>>,
    malformed: u64,
}

impl Ring {
    /// How many events one call of [`Ring::fill`] takes at most, so that a flood of frames does not
    /// keep its task from everything else.
    pub const BATCH: usize = 256;

    /// Watches the buffer; needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// Where the runtime cannot watch the map's file descriptor.
    pub(super) fn new(buffer: RingBuf<MapData>) -> io::Result<Self> {
        Ok(Self {
            buffer: readable::watch(buffer)?,
            malformed: 0,
        })
    }

    /// Waits until there are events and appends up to [`Ring::BATCH`] of them.
    ///
    /// May be cancelled at any time without losing an event: nothing is taken before the last wait
    /// is over.
    ///
    /// # Errors
    ///
    /// Where the runtime is shutting down.
    pub async fn fill(&mut self, events: &mut Vec<Event>) -> io::Result<()> {
        let Self { buffer, malformed } = self;
        loop {
            let mut ready = buffer.readable_mut().await?;
            let ring = ready.get_inner_mut();
            let before = events.len();
            while events.len() < before + Self::BATCH {
                let Some(item) = ring.next() else {
                    ready.clear_ready();
                    break;
                };
                match EventHeader::parse(&item) {
                    Some((header, frame)) => events.push(Event {
                        header,
                        frame: Bytes::copy_from_slice(frame),
                    }),
                    None => *malformed += 1,
                }
            }
            if events.len() > before {
                return Ok(());
            }
        }
    }

    /// Events that could not be read since the start: a bug, and never silent.
    pub const fn malformed(&self) -> u64 {
        self.malformed
    }
}
