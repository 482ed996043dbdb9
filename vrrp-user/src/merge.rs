//! Items of several sources in the order of their times.

use std::cmp::{Ordering, Reverse};

use crate::model::Timestamp;

/// The next item of a source, to be put on a heap from which the earliest comes first; among equals
/// the one of the first source. What the item is does not count.
#[derive(Debug)]
pub(crate) struct Pending<T> {
    pub(crate) time: Timestamp,
    /// Number of the source.
    pub(crate) source: usize,
    pub(crate) item: T,
}

impl<T> Pending<T> {
    const fn rank(&self) -> Reverse<(Timestamp, usize)> {
        Reverse((self.time, self.source))
    }
}

impl<T> PartialEq for Pending<T> {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl<T> Eq for Pending<T> {}

impl<T> PartialOrd for Pending<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Pending<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BinaryHeap;

    use super::*;

    #[test]
    fn the_earliest_comes_first_and_of_equals_the_first_source() {
        let mut heap: BinaryHeap<_> = [(2, 0), (1, 1), (1, 0)]
            .into_iter()
            .map(|(second, source)| Pending {
                time: Timestamp::from_parts(second, 0),
                source,
                item: (),
            })
            .collect();
        let order: Vec<_> = std::iter::from_fn(|| heap.pop())
            .map(|next| (next.time.as_nanos() / 1_000_000_000, next.source))
            .collect();
        assert_eq!(order, [(1, 0), (1, 1), (2, 0)]);
    }
}
