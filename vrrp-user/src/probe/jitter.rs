//! Small deviations, so that several watchers do not ask in step.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use crate::model::Span;

/// A sequence of deviations that its seed determines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jitter {
    seed: u64,
    drawn: u64,
}

impl Jitter {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// A span within a tenth of this one.
    pub(super) fn around(&mut self, span: Span) -> Span {
        let mut hasher = SipHasher13::new_with_keys(self.seed, self.drawn);
        hasher.write_u64(self.drawn);
        self.drawn += 1;
        let permille = 900 + hasher.finish() % 201;
        // At most 1100, which fits.
        span * u32::try_from(permille).unwrap_or(1000) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_stay_within_a_tenth_and_differ() {
        let span = Span::from_secs(30);
        let mut jitter = Jitter::new(7);
        let drawn: Vec<Span> = (0..100).map(|_| jitter.around(span)).collect();
        assert!(
            drawn
                .iter()
                .all(|one| (span * 9 / 10..=span * 11 / 10).contains(one))
        );
        assert!(drawn.iter().any(|one| *one < span) && drawn.iter().any(|one| *one > span));
        let mut same = Jitter::new(7);
        assert_eq!(drawn[0], same.around(span));
    }
}
