//! How many records a run writes before it ends.

use crate::record::{Kind, Record};

/// How many records about the network are still wanted; without a number, all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota(Option<u64>);

/// Whether a run wants more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appetite {
    /// Yes.
    More,
    /// No: the count is reached.
    Enough,
}

impl Quota {
    pub(super) const fn new(count: Option<u64>) -> Self {
        Self(count)
    }

    /// Whether a record is to be written. What is about the watch itself is, and does not count.
    pub(super) fn take(&mut self, record: &Record) -> bool {
        let kind = record.body.kind();
        if matches!(
            kind,
            Kind::Start | Kind::Loss | Kind::Unread | Kind::Summary
        ) {
            return true;
        }
        match &mut self.0 {
            None => true,
            Some(0) => false,
            Some(rest) => {
                *rest -= 1;
                true
            }
        }
    }

    pub(super) const fn appetite(self) -> Appetite {
        match self.0 {
            Some(0) => Appetite::Enough,
            _ => Appetite::More,
        }
    }
}
