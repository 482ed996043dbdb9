//! When to ask for which address, and what came back.
//!
//! Pure: the observer tells it the time, what adverts name, and which frames were seen, and takes
//! one [`Step`] after the other. For an address there is at most one question under way; all
//! together they keep the pace.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use super::{Host, Obstacle, ProbeSettings, Question, jitter::Jitter};
use crate::{
    model::{Agenda, MacAddr, Pace, Span, Timestamp},
    tracker::Segment,
};

/// Questions at once: what nobody asked for in a quiet minute must not be made up for in a second.
const DEPTH: u32 = 2;

/// An address on a segment.
pub(crate) type Key = (Segment, IpAddr);

/// Asks for addresses.
#[derive(Debug)]
pub(crate) struct Prober {
    settings: ProbeSettings,
    host: Host,
    pace: Pace,
    jitter: Jitter,
    targets: BTreeMap<Key, Target>,
    /// When to ask next; not those with a question under way.
    agenda: Agenda<Key>,
    /// When to stop waiting for answers.
    closings: Agenda<Key>,
    /// Segments without an address to ask from, which was said.
    said: BTreeSet<Segment>,
}

#[derive(Debug, Default)]
struct Target {
    /// When it was last advertised; nothing for one that was given.
    advertised: Option<Timestamp>,
    due: Timestamp,
    flight: Option<Flight>,
    /// Questions in quick succession that are left after a takeover.
    quick: u32,
    /// A question was given up.
    given_up: bool,
    /// Rounds in a row that were not as they should be.
    odd: u32,
    obstacle: Option<Obstacle>,
}

#[derive(Debug)]
struct Flight {
    question: Question,
    asked: Timestamp,
    /// When the question was seen leaving.
    left: Option<Timestamp>,
    /// How often it was: the kernel of this host asks, too.
    questions: u32,
    answers: Vec<(MacAddr, Span)>,
    /// How often each MAC answered.
    times: BTreeMap<MacAddr, u32>,
    /// Another question was given up for this one, and its answers may still come.
    crowded: bool,
}

/// What is to be done or told.
#[derive(Debug)]
pub(crate) enum Step {
    /// Ask.
    Ask(Segment, Question),
    /// It cannot be asked for; told once.
    Prevented(Segment, IpAddr, Obstacle),
}

/// A question and its answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Round {
    pub(crate) segment: Segment,
    pub(crate) address: IpAddr,
    pub(crate) source: IpAddr,
    pub(crate) asked: Timestamp,
    /// It was seen leaving.
    pub(crate) sent: bool,
    /// The MACs that answered, in order, and how long that took.
    pub(crate) answers: Vec<(MacAddr, Span)>,
    /// Those that answered more often than they were asked.
    pub(crate) repeated: Vec<MacAddr>,
    /// This host has the address.
    pub(crate) held: bool,
    /// When the next round is over, at the latest.
    pub(crate) next_within: Span,
}

/// When to ask again, after a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// All is well.
    Routine,
    /// Something is not as it should be: sooner.
    Recheck,
}

/// How long answers are waited for: a proxy takes up to 0.8 s.
const WINDOW: Span = Span::from_secs(1);
/// How long answers are waited for after a takeover, twice as long the next time, and so on.
const QUICK_WINDOW: Span = Span::from_millis(100);
const QUICK_ROUNDS: u32 = 5;
/// When the new router has had time to settle after a takeover.
const SETTLED: Span = Span::from_millis(1500);
/// Rounds that tell an accident from a fault, one right after the other.
const PROOF: u32 = 3;
/// How long an address is asked for that nobody advertises any more.
const LINGER: Span = Span::from_hours(1);
/// How long an address that was given waits to be asked for while nobody advertises it: adverts at the
/// usual interval would have come.
const PATIENCE: Span = Span::from_secs(4);
const MAX_TARGETS: usize = 4096;

impl Prober {
    pub(crate) fn new(settings: ProbeSettings) -> Self {
        Self {
            host: Host::default(),
            pace: Pace::new(settings.rate, DEPTH),
            jitter: Jitter::new(settings.seed),
            targets: BTreeMap::new(),
            agenda: Agenda::default(),
            closings: Agenda::default(),
            said: BTreeSet::new(),
            settings,
        }
    }

    pub(crate) const fn host(&self) -> &Host {
        &self.host
    }

    /// Takes in what this host is now.
    pub(crate) fn set_host(&mut self, host: Host, now: Timestamp) {
        self.host = host;
        let segments: Vec<Segment> = self.host.segments().cloned().collect();
        let given = self.settings.given.clone();
        for address in given {
            let able = |segment: &&Segment| {
                let question = self.host.question(segment, address, |_| false);
                question.is_ok()
            };
            let mut on: Vec<&Segment> = segments.iter().filter(able).collect();
            if on.is_empty() {
                // To say why not.
                on.extend(segments.first());
            }
            for segment in on {
                let key = (segment.clone(), address);
                if !self.targets.contains_key(&key) {
                    self.add(key, None, now + PATIENCE);
                }
            }
        }
    }

    /// Takes in that an address is advertised.
    pub(crate) fn learn(&mut self, segment: &Segment, address: IpAddr, now: Timestamp) {
        let key = (segment.clone(), address);
        if let Some(target) = self.targets.get_mut(&key) {
            let first = target.advertised.replace(now).is_none();
            if first {
                self.set_due(&key, now);
            }
        } else if self.settings.learned {
            self.make_room();
            self.add(key, Some(now), now);
        }
    }

    /// Takes in that another router is active for these addresses.
    pub(crate) fn hurry(&mut self, segment: &Segment, addresses: &[IpAddr], now: Timestamp) {
        for address in addresses {
            let key = (segment.clone(), *address);
            if let Some(target) = self.targets.get_mut(&key) {
                target.quick = QUICK_ROUNDS;
                // What was asked of the old one is of no interest any more.
                if target.flight.take().is_some() {
                    target.given_up = true;
                    self.closings.remove(&key);
                }
                self.set_due(&key, now);
            }
        }
    }

    /// Asks for these addresses next.
    pub(crate) fn recheck(&mut self, segment: &Segment, addresses: &[IpAddr], now: Timestamp) {
        for address in addresses {
            self.set_due(&(segment.clone(), *address), now);
        }
    }

    /// Takes in that a question of this host was seen leaving.
    pub(crate) fn handle_question(
        &mut self,
        segment: &Segment,
        (wanted, source): (IpAddr, IpAddr),
        time: Timestamp,
    ) {
        if let Some(flight) = self.flight(segment, wanted, source) {
            flight.left.get_or_insert(time);
            flight.questions += 1;
        }
    }

    /// Takes in that somebody answered `to` that the address is at the MAC.
    pub(crate) fn handle_answer(
        &mut self,
        segment: &Segment,
        (address, to): (IpAddr, IpAddr),
        mac: MacAddr,
        time: Timestamp,
    ) {
        if let Some(flight) = self.flight(segment, address, to) {
            let times = flight.times.entry(mac).or_default();
            *times += 1;
            if *times == 1 {
                let span = time.since(flight.left.unwrap_or(flight.asked));
                flight.answers.push((mac, span));
            }
        }
    }

    /// When the next round is over.
    pub(crate) fn closing_due(&self) -> Option<Timestamp> {
        self.closings.first().map(|(time, _)| time)
    }

    /// A round that is over by `now`: all answers are in. To be followed by [`Prober::settle`].
    pub(crate) fn take_closed(&mut self, now: Timestamp) -> Option<Round> {
        let (_, key) = self.closings.pop_due(now)?;
        self.close(key)
    }

    /// The next thing to do. `now` has to be the time at which it is done: who is behind must not
    /// make up for it all at once.
    pub(crate) fn step(
        &mut self,
        now: Timestamp,
        is_virtual: impl Fn(&Segment, IpAddr) -> bool,
    ) -> Option<Step> {
        // What cannot be asked for takes no token, and waits for it all the same: who looks more often
        // must not be told of it sooner.
        while self.pace.ready_at() <= now
            && let Some((_, key)) = self.agenda.first().filter(|(time, _)| *time <= now)
        {
            let key = key.clone();
            if self.is_over(&key, now) {
                self.remove(&key);
                continue;
            }
            let (segment, address) = &key;
            let question = self
                .host
                .question(segment, *address, |own| is_virtual(segment, own));
            match question {
                Ok(question) => {
                    if !self.pace.take(now) {
                        return None;
                    }
                    self.agenda.remove(&key);
                    self.launch(&key, question, now);
                    return Some(Step::Ask(key.0, question));
                }
                Err(obstacle) => {
                    self.set_due(&key, now + self.settings.interval);
                    if self.is_news(&key, obstacle) {
                        return Some(Step::Prevented(key.0, key.1, obstacle));
                    }
                }
            }
        }
        None
    }

    /// Sets when to ask next, after a round that was closed.
    pub(crate) fn settle(&mut self, round: &Round, next: Next, now: Timestamp) {
        let key = (round.segment.clone(), round.address);
        let interval = self.settings.interval;
        let Some(target) = self.targets.get_mut(&key) else {
            return;
        };
        let due = match next {
            Next::Routine if target.quick > 0 => {
                target.quick = 0;
                now + SETTLED
            }
            Next::Routine => {
                target.odd = 0;
                now + self.jitter.around(interval.saturating_sub(WINDOW))
            }
            Next::Recheck if target.quick > 0 => {
                target.quick -= 1;
                now
            }
            Next::Recheck => {
                target.odd += 1;
                if target.odd < PROOF {
                    now
                } else {
                    now + (interval / 10).max(Span::from_millis(100))
                }
            }
        };
        self.set_due(&key, due);
    }

    /// When a round is over, or [`Prober::step`] has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        let due = self
            .agenda
            .first()
            .map(|(time, _)| time.max(self.pace.ready_at()));
        self.closing_due().into_iter().chain(due).min()
    }

    fn flight(&mut self, segment: &Segment, wanted: IpAddr, source: IpAddr) -> Option<&mut Flight> {
        self.targets
            .get_mut(&(segment.clone(), wanted))?
            .flight
            .as_mut()
            .filter(|flight| flight.question.source() == source)
    }

    /// An interface has another name: what is asked for on it stays so.
    pub(crate) fn rename(&mut self, formerly: &str, name: &Arc<str>) {
        let renamed = |(segment, address): Key| (segment.renamed(formerly, name), address);
        let targets = std::mem::take(&mut self.targets).into_iter();
        self.targets = targets
            .map(|(key, target)| (renamed(key), target))
            .collect();
        for queue in [&mut self.agenda, &mut self.closings] {
            *queue = std::mem::take(queue).renamed(renamed);
        }
    }

    fn add(&mut self, key: Key, advertised: Option<Timestamp>, due: Timestamp) {
        let target = Target {
            advertised,
            due,
            ..Target::default()
        };
        self.agenda.set(key.clone(), due);
        self.targets.insert(key, target);
    }

    fn remove(&mut self, key: &Key) {
        self.targets.remove(key);
        self.agenda.remove(key);
        self.closings.remove(key);
    }

    fn make_room(&mut self) {
        if self.targets.len() < MAX_TARGETS {
            return;
        }
        let oldest = self
            .targets
            .iter()
            .filter(|(key, _)| !self.settings.given.contains(&key.1))
            .min_by_key(|(_, target)| target.advertised)
            .map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            self.remove(&oldest);
        }
    }

    /// Whether nobody has advertised the address for long.
    fn is_over(&self, key: &Key, now: Timestamp) -> bool {
        let advertised = self.targets.get(key).and_then(|target| target.advertised);
        !self.settings.given.contains(&key.1)
            && advertised.is_none_or(|advertised| now.since(advertised) > LINGER)
    }

    fn set_due(&mut self, key: &Key, due: Timestamp) {
        let Some(target) = self.targets.get_mut(key) else {
            return;
        };
        target.due = due;
        if target.flight.is_none() {
            self.agenda.set(key.clone(), due);
        }
    }

    fn launch(&mut self, key: &Key, question: Question, now: Timestamp) {
        let Some(target) = self.targets.get_mut(key) else {
            return;
        };
        let window = match target.quick {
            0 => WINDOW,
            left => QUICK_WINDOW * 2_u32.pow(QUICK_ROUNDS.saturating_sub(left)),
        };
        let closes = now + window;
        target.obstacle = None;
        target.flight = Some(Flight {
            question,
            asked: now,
            left: None,
            questions: 0,
            answers: Vec::new(),
            times: BTreeMap::new(),
            crowded: std::mem::take(&mut target.given_up),
        });
        self.closings.set(key.clone(), closes);
    }

    fn close(&mut self, (segment, address): Key) -> Option<Round> {
        let key = (segment, address);
        let target = self.targets.get_mut(&key)?;
        let flight = target.flight.take()?;
        // Until it is settled.
        self.agenda.set(key.clone(), target.due);
        let repeated = flight
            .times
            .iter()
            .filter(|(_, times)| !flight.crowded && **times > flight.questions.max(1))
            .map(|(mac, _)| *mac)
            .collect();
        Some(Round {
            repeated,
            address,
            source: flight.question.source(),
            asked: flight.left.unwrap_or(flight.asked),
            sent: flight.left.is_some(),
            answers: flight.answers,
            held: self.host.holder(address).is_some(),
            next_within: self.settings.interval * 11 / 10 + WINDOW,
            segment: key.0,
        })
    }

    /// Whether it was not told yet that this address cannot be asked for. That an interface has no
    /// address is told once for all.
    fn is_news(&mut self, key: &Key, obstacle: Obstacle) -> bool {
        let Some(target) = self.targets.get_mut(key) else {
            return false;
        };
        let known = target.obstacle.replace(obstacle) == Some(obstacle);
        match obstacle {
            Obstacle::NoAddress => self.said.insert(key.0.clone()),
            Obstacle::BeyondSubnet | Obstacle::NoCarrier | Obstacle::NotSent => !known,
        }
    }
}

#[cfg(test)]
mod tests;
