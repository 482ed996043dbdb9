//! The counters of virtual addresses, read in time.

use std::time::Duration;

use super::taps::Taps;
use crate::{
    capture::{CaptureError, KernelHalf},
    model::Timestamp,
    traffic::{Meter, Traffic},
};

/// Reads the counters.
pub(super) struct Counting {
    meter: Meter,
    interval: Duration,
    due: Timestamp,
}

impl Counting {
    pub(super) fn new(now: Timestamp, interval: Duration) -> Self {
        Self {
            meter: Meter::new(now),
            interval,
            due: now + interval,
        }
    }

    /// When they are to be read next.
    pub(super) const fn due(&self) -> Timestamp {
        self.due
    }

    /// What was counted since the last call. Counters of interfaces that are no longer watched make
    /// room for others.
    pub(super) fn read(
        &mut self,
        now: Timestamp,
        kernel: &mut KernelHalf,
        taps: &Taps,
    ) -> Result<Vec<Traffic>, CaptureError> {
        // A reading that came late does not make the next one come early.
        self.due = now + self.interval;
        let flows = kernel.flows()?;
        let watched = taps.indices();
        if flows.keys().any(|flow| !watched.contains(&flow.ifindex)) {
            kernel.forget_flows(|flow| !watched.contains(&flow.ifindex))?;
        }
        Ok(self.meter.read(now, flows, |index| taps.whole(index)))
    }
}
