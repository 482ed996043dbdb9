//! What is to be done next, and when.

use std::collections::{BTreeMap, BTreeSet};

use super::Timestamp;

/// Keys in the order of what each is due at: a time, or anything else that has an order. Among equals the
/// least key comes first.
#[derive(Clone, Debug)]
pub(crate) struct Agenda<K, T = Timestamp> {
    due: BTreeMap<K, T>,
    /// The same in order.
    order: BTreeSet<(T, K)>,
}

impl<K, T> Default for Agenda<K, T> {
    fn default() -> Self {
        Self {
            due: BTreeMap::new(),
            order: BTreeSet::new(),
        }
    }
}

impl<K: Ord + Clone, T: Ord + Copy> Agenda<K, T> {
    /// Enters a key, or moves it. Returns what it was due at before.
    pub(crate) fn set(&mut self, key: K, due: T) -> Option<T> {
        let before = self.due.insert(key.clone(), due);
        if before == Some(due) {
            return before;
        }
        if let Some(before) = before {
            self.order.remove(&(before, key.clone()));
        }
        self.order.insert((due, key));
        before
    }

    /// Strikes a key out. Returns what it was due at.
    pub(crate) fn remove(&mut self, key: &K) -> Option<T> {
        let due = self.due.remove(key)?;
        self.order.remove(&(due, key.clone()));
        Some(due)
    }

    /// What a key is due at.
    pub(crate) fn get(&self, key: &K) -> Option<T> {
        self.due.get(key).copied()
    }

    /// Whether a key is there.
    pub(crate) fn has(&self, key: &K) -> bool {
        self.due.contains_key(key)
    }

    /// The first key.
    pub(crate) fn first(&self) -> Option<(T, &K)> {
        self.order.first().map(|(due, key)| (*due, key))
    }

    /// Takes the first key out.
    pub(crate) fn pop(&mut self) -> Option<(T, K)> {
        let (due, key) = self.order.pop_first()?;
        self.due.remove(&key);
        Some((due, key))
    }

    /// Takes the first key out, if it is due by `now`.
    pub(crate) fn pop_due(&mut self, now: T) -> Option<(T, K)> {
        self.first().filter(|(due, _)| *due <= now)?;
        self.pop()
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }

    /// The same with other keys.
    pub(crate) fn renamed(self, rename: impl Fn(K) -> K) -> Self {
        let mut renamed = Self::default();
        for (key, due) in self.due {
            renamed.set(rename(key), due);
        }
        renamed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against the simplest thing that does the same.
        #[test]
        fn it_is_a_sorted_list(steps in prop::collection::vec((0_u8..4, 0_u8..8, 0_u32..16), 0..64)) {
            let mut agenda = Agenda::<u8, u32>::default();
            let mut list: Vec<(u32, u8)> = Vec::new();
            for (what, key, due) in steps {
                let place = list.iter().position(|(_, other)| *other == key);
                match what {
                    0 | 1 => {
                        let before = place.map(|place| list.remove(place).0);
                        list.push((due, key));
                        prop_assert_eq!(agenda.set(key, due), before);
                    }
                    2 => {
                        let before = place.map(|place| list.remove(place).0);
                        prop_assert_eq!(agenda.remove(&key), before);
                    }
                    _ => {
                        list.sort_unstable();
                        let first = list.first().copied().filter(|(first, _)| *first <= due);
                        if first.is_some() {
                            list.remove(0);
                        }
                        prop_assert_eq!(agenda.pop_due(due), first);
                    }
                }
                list.sort_unstable();
                prop_assert_eq!(agenda.first().map(|(due, key)| (due, *key)), list.first().copied());
                prop_assert_eq!(agenda.len(), list.len());
                prop_assert_eq!(agenda.has(&key), list.iter().any(|(_, other)| *other == key));
            }
        }
    }
}
