//! The counters of virtual addresses, read in time.

use super::taps::Taps;
use crate::{
    capture::{CaptureError, KernelHalf},
    model::{Span, Timestamp},
    traffic::{Meter, Traffic},
};

/// Reads the counters.
pub(super) struct Counting {
    meter: Meter,
    since: Timestamp,
}

impl Counting {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self {
            meter: Meter::new(now),
            since: now,
        }
    }

    /// How long ago they were read last.
    pub(super) fn span(&self, now: Timestamp) -> Span {
        now.since(self.since)
    }

    /// When they are to be read next. A reading that came late does not make the next one come
    /// early.
    pub(super) fn due(&self, interval: Span) -> Timestamp {
        self.since + interval
    }

    /// What was counted since the last call. Counters of interfaces that are no longer watched make
    /// room for others.
    pub(super) fn read(
        &mut self,
        now: Timestamp,
        kernel: &mut KernelHalf,
        taps: &Taps,
    ) -> Result<Vec<Traffic>, CaptureError> {
        self.since = now;
        let flows = kernel.flows()?;
        let watched = taps.indices();
        if flows.keys().any(|flow| !watched.contains(&flow.ifindex)) {
            kernel.forget_flows(|flow| !watched.contains(&flow.ifindex))?;
        }
        Ok(self.meter.read(now, flows, |index| taps.whole(index)))
    }
}
