//! The host's clocks: frames carry the boot clock, records the wall clock.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::model::Timestamp;

/// Turns the boot clock into wall time by an offset taken once, so that the time between two
/// records is real even when NTP steps the wall clock meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    boot_to_wall: Duration,
}

/// A clock that every Linux has could not be read.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the system's clock cannot be read")]
pub struct ClockError(#[source] nix::errno::Errno);

impl Clock {
    /// Measures the offset.
    ///
    /// # Errors
    /// The clocks cannot be read.
    pub fn new() -> Result<Self, ClockError> {
        let boot = read(ClockId::CLOCK_BOOTTIME)?;
        let wall = read(ClockId::CLOCK_REALTIME)?;
        Ok(Self {
            boot_to_wall: wall.saturating_sub(boot),
        })
    }

    /// The time now.
    ///
    /// # Errors
    /// The clock cannot be read.
    pub fn now(&self) -> Result<Timestamp, ClockError> {
        let boot = read(ClockId::CLOCK_BOOTTIME)?;
        Ok(Timestamp::from_nanos(0) + boot + self.boot_to_wall)
    }

    /// The boot clock at this time.
    pub(super) fn boot_nanos(&self, time: Timestamp) -> u64 {
        (time - self.boot_to_wall).as_nanos()
    }

    /// The time of an event that the kernel stamped.
    pub fn of_boot_nanos(&self, nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos) + self.boot_to_wall
    }
}

fn read(clock: ClockId) -> Result<Duration, ClockError> {
    clock_gettime(clock).map(Duration::from).map_err(ClockError)
}
