//! How fast something may go on.

use super::{Span, Timestamp};

/// A token bucket: so many a second, and some at once when it has rested.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Time in which a token grows.
    period: Span,
    /// Tokens that it holds.
    depth: u32,
    /// When the bucket is full again.
    full_at: Timestamp,
}

impl Pace {
    /// So many a second, at least one, and no more than `depth` at once.
    pub(crate) fn new(rate: u32, depth: u32) -> Self {
        Self {
            period: Span::from_secs(1) / rate.max(1),
            depth: depth.max(1),
            full_at: Timestamp::default(),
        }
    }

    /// When there is a token, at the earliest.
    pub(crate) fn ready_at(&self) -> Timestamp {
        self.ready_for(1)
    }

    /// When there are this many tokens, or it is full.
    pub(crate) fn ready_for(&self, count: u32) -> Timestamp {
        self.full_at - self.period * self.depth.saturating_sub(count)
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&mut self, now: Timestamp) -> bool {
        self.take_many(1, now)
    }

    /// Takes this many, if there is one at least: what is lacking has to grow before the next.
    pub(crate) fn take_many(&mut self, count: u32, now: Timestamp) -> bool {
        if self.ready_at() > now {
            return false;
        }
        self.full_at = self.full_at.max(now) + self.period * count;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_parts(100, 0) + Span::from_millis(millis)
    }

    #[test]
    fn no_second_sees_more_than_the_rate_and_what_was_saved() {
        let mut pace = Pace::new(20, 2);
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

    #[test]
    fn what_is_taken_in_advance_is_waited_for() {
        let mut pace = Pace::new(1000, 100);
        assert!(pace.take_many(300, at(0)));
        assert!(!pace.take(at(200)));
        assert!(pace.take(at(201)));
    }
}
