//! From which MACs the adverts of a router come.
//!
//! Whoever advertises in the name of another has a MAC of his own: it is the only trace that he
//! leaves.

use crate::model::{MacAddr, Span, Timestamp};

/// The MACs of a router's adverts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Senders {
    usual: Option<Sender>,
    other: Option<Sender>,
}

/// A MAC that adverts came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    pub(crate) mac: MacAddr,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) adverts: u64,
}

/// Adverts after which a MAC is the usual one: a network card that was replaced stays.
const SETTLED: u64 = 10;
/// How long it is told that there was another.
const MEMORY: Span = Span::from_mins(1);

impl Sender {
    const fn new(mac: MacAddr, now: Timestamp) -> Self {
        Self {
            mac,
            first: now,
            last: now,
            adverts: 1,
        }
    }

    const fn note(&mut self, now: Timestamp) {
        self.last = now;
        self.adverts += 1;
    }
}

impl Senders {
    /// Takes in where an advert came from.
    pub(super) fn note(&mut self, mac: MacAddr, now: Timestamp) {
        let Some(usual) = &mut self.usual else {
            self.usual = Some(Sender::new(mac, now));
            return;
        };
        if usual.mac == mac {
            usual.note(now);
            return;
        }
        match &mut self.other {
            Some(other) if other.mac == mac => {
                other.note(now);
                // It comes alone since.
                if other.adverts >= SETTLED && other.first > usual.last {
                    std::mem::swap(usual, other);
                }
            }
            _ => self.other = Some(Sender::new(mac, now)),
        }
    }

    /// Whether it is another MAC than the usual one.
    pub(super) fn is_strange(&self, mac: MacAddr) -> bool {
        self.usual
            .is_some_and(|usual| usual.adverts > 1 && usual.mac != mac)
    }

    /// The usual MAC and another one that adverts came from of late. A MAC that was seen once before
    /// the other is no habit.
    pub(crate) fn two(&self, now: Timestamp) -> Option<(Sender, Sender)> {
        let (usual, other) = (self.usual?, self.other?);
        (usual.adverts.max(other.adverts) > 1 && now < other.last + MEMORY)
            .then_some((usual, other))
    }

    /// When the other one is history.
    pub(crate) fn over(&self) -> Option<Timestamp> {
        self.other.map(|other| other.last + MEMORY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);
    const TWO: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 2]);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_parts(seconds, 0)
    }

    #[test]
    fn a_card_that_was_replaced_becomes_the_usual_one() {
        let mut senders = Senders::default();
        for second in 0..20 {
            senders.note(ONE, at(second));
        }
        assert!(senders.two(at(20)).is_none());
        for second in 20..40 {
            senders.note(TWO, at(second));
        }
        let (usual, other) = senders.two(at(40)).expect("both are told");
        assert_eq!((usual.mac, other.mac), (TWO, ONE));
        assert!(senders.two(at(19 + 60)).is_none());
    }

    #[test]
    fn a_single_advert_from_elsewhere_is_told_for_a_minute() {
        let mut senders = Senders::default();
        for second in 0..100 {
            senders.note(ONE, at(second));
            if second == 30 {
                senders.note(TWO, at(second));
            }
            let told = senders.two(at(second)).is_some();
            assert_eq!(told, (30..90).contains(&second), "after {second} s");
        }
    }
}
