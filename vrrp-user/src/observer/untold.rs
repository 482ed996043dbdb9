//! Losses that wait to be told: a flood of frames must not make a flood of records.

use std::collections::BTreeMap;

use crate::{
    model::{Span, Timestamp},
    record::LossReason,
};

/// At most one record in this time.
const PACE: Span = Span::from_secs(1);

/// What was lost and is not told yet.
#[derive(Debug, Default)]
pub(super) struct Untold {
    lost: BTreeMap<LossReason, u64>,
    /// Before this nothing more is told.
    next: Option<Timestamp>,
}

impl Untold {
    pub(super) fn add(&mut self, lost: &BTreeMap<LossReason, u64>) {
        for (reason, count) in lost {
            *self.lost.entry(*reason).or_default() += count;
        }
    }

    /// When there is something to tell.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.next.filter(|_| !self.lost.is_empty())
    }

    /// What is to be told now: the first loss at once, and then sums.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<BTreeMap<LossReason, u64>> {
        if self.lost.is_empty() || self.next.is_some_and(|next| now < next) {
            return None;
        }
        self.next = Some(now + PACE);
        Some(std::mem::take(&mut self.lost))
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> Option<BTreeMap<LossReason, u64>> {
        Some(std::mem::take(&mut self.lost)).filter(|lost| !lost.is_empty())
    }
}
