//! What this observer can see: of which interface, since when, and if not, why not.
//!
//! Absence proves something only where it would have been seen. Every rule that concludes from what
//! is missing asks the `Sight` of its virtual router, and while there is none, nothing is found
//! there and nothing is cleared. `Sights` keeps them by interface, from what the shell tells of
//! its seats, and from losses.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// Why nothing of an interface is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Blindness {
    /// The interface is gone.
    Gone,
    /// It was taken down on this host.
    Down,
    /// It has no carrier: the cable, or the port of the switch.
    NoCarrier,
    /// Somebody took the programs off the interface.
    Detached,
}

impl Blindness {
    /// In words, as what is said of an interface.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Gone => "is gone",
            Self::Down => "was taken down on this host",
            Self::NoCarrier => "has no carrier",
            Self::Detached => "lost its filter: another program detached it",
        }
    }
}

/// What is seen from an interface of this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// Name of the interface, as frames bear it.
    pub interface: Arc<str>,
    /// The name it had before, if it was renamed.
    pub formerly: Option<Arc<str>>,
    /// Why nothing is seen; `None` where all is.
    pub blind: Option<Blindness>,
    /// Whether what this host sends there is seen.
    pub egress: bool,
    /// Whether it was asked for by name: that nothing is seen is worth a word even where no virtual
    /// router is known.
    pub named: bool,
}

/// What is seen at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sight {
    /// Since when nothing was missed; `None` while nothing is seen.
    since: Option<Timestamp>,
    /// Whether what this host sends is seen.
    egress: bool,
}

impl Sight {
    /// Everything is seen since `time`.
    pub(crate) const fn since(time: Timestamp) -> Self {
        Self {
            since: Some(time),
            egress: true,
        }
    }

    /// Whether anything is seen now.
    pub(crate) const fn is_open(self) -> bool {
        self.since.is_some()
    }

    /// Since when everything has been seen; `None` where something is not.
    pub(crate) fn complete_since(self) -> Option<Timestamp> {
        self.since.filter(|_| self.egress)
    }

    /// The same, for one who came at `time`.
    pub(crate) fn from(self, time: Timestamp) -> Self {
        Self {
            since: self.since.map(|since| since.max(time)),
            ..self
        }
    }
}

/// A place began or ended to be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) interface: Arc<str>,
    /// Why nothing is seen any more; `None` where it is seen again.
    pub(crate) blind: Option<Blindness>,
}

/// What is seen of every interface.
#[derive(Debug, Default)]
pub(crate) struct Sights {
    /// Since when nothing has been missed anywhere; `None` before the start.
    since: Option<Timestamp>,
    places: BTreeMap<Arc<str>, Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    sight: Sight,
    blind: Option<Blindness>,
    named: bool,
}

impl Sights {
    /// Begins to see, if it has not begun.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        self.since.get_or_insert(now);
    }

    /// Since when nothing has been missed where frames are seen at all.
    pub(crate) const fn everywhere_since(&self) -> Option<Timestamp> {
        self.since
    }

    /// What is seen of an interface. Of one that no seat was told of, as in a recording, everything
    /// is.
    pub(crate) fn of(&self, interface: Option<&str>, now: Timestamp) -> Sight {
        interface
            .and_then(|interface| self.places.get(interface))
            .map_or(Sight::since(self.since.unwrap_or(now)), |place| place.sight)
    }

    /// The interfaces of which nothing is seen: why, and whether they were asked for by name.
    pub(crate) fn blind(&self) -> impl Iterator<Item = (&Arc<str>, Blindness, bool)> {
        self.places
            .iter()
            .filter_map(|(interface, place)| Some((interface, place.blind?, place.named)))
    }

    /// The same, as seen from a clock that shows `time` now.
    pub(crate) fn from(mut self, time: Timestamp) -> Self {
        self.since = self.since.map(|_| time);
        for place in self.places.values_mut() {
            place.sight.since = place.sight.since.map(|_| time);
        }
        self
    }

    /// Takes in that frames were lost until `now`, wherever they came from.
    pub(crate) fn lose(&mut self, now: Timestamp) {
        self.since = Some(now);
        for place in self.places.values_mut() {
            place.sight = place.sight.from(now);
        }
    }

    /// Takes in what there is to see from; an interface that is not among it any more is gone.
    /// Returns what has changed.
    pub(crate) fn update(&mut self, seats: &[Seat], now: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        for seat in seats {
            if let Some(formerly) = &seat.formerly
                && let Some(place) = self.places.remove(formerly)
            {
                self.places.insert(seat.interface.clone(), place);
            }
            let known = self.places.get(&seat.interface).copied();
            let before = known.map_or(Some(Blindness::Gone), |place| place.blind);
            let since = match known {
                _ if seat.blind.is_some() => None,
                // An interface that is new was not seen before.
                Some(place) if place.blind.is_none() => place.sight.since,
                Some(_) | None => Some(now),
            };
            let sight = Sight {
                since,
                egress: seat.egress,
            };
            let place = Place {
                sight,
                blind: seat.blind,
                named: seat.named,
            };
            self.places.insert(seat.interface.clone(), place);
            if before != seat.blind {
                changes.push(Change {
                    interface: seat.interface.clone(),
                    blind: seat.blind,
                });
            }
        }
        for (interface, place) in &mut self.places {
            let is_there = seats.iter().any(|seat| seat.interface == *interface);
            if !is_there && place.blind != Some(Blindness::Gone) {
                place.sight.since = None;
                place.blind = Some(Blindness::Gone);
                changes.push(Change {
                    interface: interface.clone(),
                    blind: place.blind,
                });
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_parts(seconds, 0)
    }

    fn seat(interface: &str, blind: Option<Blindness>) -> Seat {
        Seat {
            interface: Arc::from(interface),
            formerly: None,
            blind,
            egress: true,
            named: false,
        }
    }

    #[test]
    fn sight_begins_anew_when_it_comes_back() {
        let mut sights = Sights::default();
        sights.begin(at(1));
        assert_eq!(sights.update(&[seat("eth0", None)], at(1)).len(), 1);
        assert_eq!(sights.update(&[seat("eth0", None)], at(2)), []);
        assert_eq!(sights.of(Some("eth0"), at(2)), Sight::since(at(1)));
        let lost = sights.update(&[seat("eth0", Some(Blindness::NoCarrier))], at(3));
        assert_eq!(lost[0].blind, Some(Blindness::NoCarrier));
        assert!(!sights.of(Some("eth0"), at(4)).is_open());
        sights.lose(at(4));
        assert!(!sights.of(Some("eth0"), at(4)).is_open(), "still blind");
        let back = sights.update(&[seat("eth0", None)], at(5));
        assert_eq!(back[0].blind, None);
        assert_eq!(sights.of(Some("eth0"), at(6)), Sight::since(at(5)));
    }

    #[test]
    fn a_renamed_interface_is_the_same_and_a_missing_one_is_gone() {
        let mut sights = Sights::default();
        sights.begin(at(1));
        sights.update(&[seat("eth0", None)], at(1));
        let renamed = Seat {
            formerly: Some(Arc::from("eth0")),
            ..seat("lan0", None)
        };
        assert_eq!(sights.update(&[renamed], at(2)), []);
        assert_eq!(sights.of(Some("lan0"), at(2)), Sight::since(at(1)));
        let gone = sights.update(&[], at(3));
        assert_eq!(gone[0].blind, Some(Blindness::Gone));
        assert_eq!(sights.update(&[], at(4)), [], "told once");
    }

    #[test]
    fn what_is_lost_ends_what_was_seen_until_then() {
        let mut sights = Sights::default();
        sights.begin(at(1));
        sights.update(&[seat("eth0", None)], at(1));
        sights.lose(at(7));
        assert_eq!(sights.everywhere_since(), Some(at(7)));
        assert_eq!(sights.of(Some("eth0"), at(8)), Sight::since(at(7)));
        assert_eq!(sights.of(None, at(8)), Sight::since(at(7)));
        let deaf = Seat {
            egress: false,
            ..seat("eth0", None)
        };
        sights.update(&[deaf], at(9));
        assert_eq!(sights.of(Some("eth0"), at(9)).complete_since(), None);
        assert!(sights.of(Some("eth0"), at(9)).is_open());
    }
}
