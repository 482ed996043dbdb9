//! Work takes turns, so that no kind of it keeps the task from everything else.

use std::{io, time::Duration};

use super::{Clock, ClockError};
use crate::{
    dropped::Dropped,
    link::WatchError,
    log::Entry,
    machine::{AddressChange, HostLook},
    model::Timestamp,
};

/// The most time that the ring buffer gets at once. A signal waits for no more than this and what
/// is left in the ring buffer to pass over, which together take less than 200 ms.
const LENGTH: Duration = Duration::from_millis(100);

/// A turn that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    end: Timestamp,
}

impl Turn {
    pub(super) fn begin(clock: &Clock) -> Result<Self, ClockError> {
        Ok(Self {
            end: clock.now()? + LENGTH,
        })
    }

    pub(super) fn is_over(self, clock: &Clock) -> Result<bool, ClockError> {
        Ok(clock.now()? >= self.end)
    }
}

/// What there is to do, none of it more urgent than the rest.
pub(super) enum Work {
    Deadline,
    Links(Result<Vec<AddressChange>, WatchError>),
    Frames(io::Result<()>),
    Drops(Vec<Dropped>),
    Look(Timestamp, io::Result<HostLook>),
    Lines(Vec<Entry>),
}
