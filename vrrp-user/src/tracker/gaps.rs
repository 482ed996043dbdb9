//! How regular the adverts of a router are.

use crate::model::Span;

/// Upper bounds of the buckets, in percent of the interval. The last bucket has none.
pub const GAP_BOUNDS: [u32; 7] = [50, 90, 110, 150, 200, 300, 400];

/// A histogram of the gaps between adverts, measured in intervals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Gaps by [`GAP_BOUNDS`], and above the last of them.
    pub buckets: [u64; GAP_BOUNDS.len() + 1],
    /// Number of gaps.
    pub count: u64,
    /// The longest.
    pub longest: Span,
    /// Smoothed distance of a gap from the interval, as RFC 3550 section 6.4.1 computes jitter.
    pub jitter: Span,
}

impl Gaps {
    /// Gaps of about an interval, give or take a half.
    pub fn regular(&self) -> u64 {
        self.buckets[1..4].iter().sum()
    }

    pub(super) fn record(&mut self, gap: Span, interval: Span) {
        let percent = gap.as_nanos() * 100 / interval.as_nanos().max(1);
        let bucket = GAP_BOUNDS
            .iter()
            .position(|bound| percent <= u128::from(*bound))
            .unwrap_or(GAP_BOUNDS.len());
        self.buckets[bucket] += 1;
        self.count += 1;
        self.longest = self.longest.max(gap);
        self.jitter = (self.jitter * 15 + gap.abs_diff(interval)) / 16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_counted_in_intervals() {
        let mut gaps = Gaps::default();
        let interval = Span::from_millis(200);
        for millis in [200, 201, 310, 900] {
            gaps.record(Span::from_millis(millis), interval);
        }
        assert_eq!(gaps.buckets, [0, 0, 2, 0, 1, 0, 0, 1]);
        assert_eq!(gaps.longest, Span::from_millis(900));
    }
}
