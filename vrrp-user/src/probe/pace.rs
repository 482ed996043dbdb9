//! How fast questions may follow each other, over all addresses.

use crate::model::{Span, Timestamp};

/// A token bucket. It holds two tokens and no more: what nobody asked for in a quiet minute must
/// not be made up for in a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Time in which a token grows.
    period: Span,
    /// When the bucket is full again.
    full_at: Timestamp,
}

const DEPTH: u32 = 2;

impl Pace {
    /// So many questions a second; at least one.
    pub(super) fn new(rate: u32) -> Self {
        Self {
            period: Span::from_secs(1) / rate.max(1),
            full_at: Timestamp::default(),
        }
    }

    /// When there is a token, at the earliest.
    pub(super) fn ready_at(&self) -> Timestamp {
        self.full_at - self.period * (DEPTH - 1)
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        if self.ready_at() > now {
            return false;
        }
        self.full_at = self.full_at.max(now) + self.period;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_sees_more_than_the_rate_and_what_was_saved() {
        let mut pace = Pace::new(20);
        let at = |millis: u64| Timestamp::from_parts(100, 0) + Span::from_millis(millis);
        let taken: Vec<u64> = (0..3000).filter(|millis| pace.take(at(*millis))).collect();
        assert_eq!(taken[..4], [0, 1, 50, 100][..]);
        for start in 0..2000 {
            let within = taken
                .iter()
                .filter(|time| (start..start + 1000).contains(*time));
            assert!(within.count() <= 22, "from {start} ms");
        }
        assert_eq!(pace.ready_at(), at(3000));
    }
}
