//! Drains the ring buffer that the kernel programs write to.

use std::io;

use aya::maps::{MapData, RingBuf};
use bytes::Bytes;
use tokio::io::unix::AsyncFd;
use vrrp_ebpf::{EventHeader, RING_BYTES, SIZE_CLASSES};

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

    /// How many events the buffer holds at most.
    const ROUND: usize = RING_BYTES as usize / SIZE_CLASSES[0];

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
            let before = events.len();
            if take(ready.get_inner_mut(), events, malformed) < Self::BATCH {
                ready.clear_ready();
            }
            if events.len() > before {
                return Ok(());
            }
        }
    }

    /// Appends up to [`Ring::BATCH`] events that are there already and returns how many. After it
    /// returned less than that, everything that the programs had seen by then was taken.
    pub fn drain(&mut self, events: &mut Vec<Event>) -> usize {
        take(self.buffer.get_mut(), events, &mut self.malformed)
    }

    /// Goes through what is there already, once round the buffer at most: appends the events that
    /// are marked as worth more, and returns how many others there were.
    pub fn pass_over(&mut self, events: &mut Vec<Event>) -> u64 {
        let mut passed_over = 0;
        for _ in 0..Self::ROUND {
            let Some(item) = self.buffer.get_mut().next() else {
                break;
            };
            match EventHeader::parse(&item) {
                Some((header, frame)) if header.is_known() => events.push(Event {
                    header,
                    frame: Bytes::copy_from_slice(frame),
                }),
                Some(_) => passed_over += 1,
                None => self.malformed += 1,
            }
        }
        passed_over
    }

    /// Events that could not be read since the start: a bug, and never silent.
    pub const fn malformed(&self) -> u64 {
        self.malformed
    }
}

/// Takes up to [`Ring::BATCH`] events and returns how many there were, unreadable ones included.
fn take(ring: &mut RingBuf<MapData>, events: &mut Vec<Event>, malformed: &mut u64) -> usize {
    for taken in 0..Ring::BATCH {
        let Some(item) = ring.next() else {
            return taken;
        };
        match EventHeader::parse(&item) {
            Some((header, frame)) => events.push(Event {
                header,
                frame: Bytes::copy_from_slice(frame),
            }),
            None => *malformed += 1,
        }
    }
    Ring::BATCH
}
