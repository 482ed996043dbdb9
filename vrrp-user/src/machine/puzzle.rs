//! What this machine does otherwise than it should: it holds an address of a router that is active
//! elsewhere, or advertises beside a better one. Its daemons are looked at while that lasts, and the
//! kernel is asked once what it drops.

use std::{collections::BTreeMap, net::IpAddr};

use crate::{
    dropped::Dropped,
    frame::Direction,
    model::{Span, Timestamp, Vrid},
    tracker::RouterId,
};

/// What drops may explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Puzzle {
    /// It holds an address, and advertises nothing.
    Unsent(Option<Dropped>),
    /// It advertises, although the adverts of a better router arrive.
    Unheeded(IpAddr, Option<Dropped>),
}

/// By virtual router.
#[derive(Debug, Default)]
pub(super) struct Puzzles(BTreeMap<RouterId, Case>);

#[derive(Debug)]
struct Case {
    puzzle: Puzzle,
    since: Timestamp,
    /// When the daemons are to be looked at again.
    due: Timestamp,
    /// Whether the kernel was asked.
    asked: bool,
    /// When it first told what it had counted, and be it nothing.
    told: Option<Timestamp>,
}

/// Virtual routers that may puzzle at a time.
const MAX_CASES: usize = 64;
/// The daemons are looked at this often at first.
const PACE: Span = Span::from_secs(1);
/// When they are looked at less often.
const PATIENCE: Span = Span::from_mins(1);
/// That is, this often.
const ROUTINE: Span = Span::from_secs(10);

impl Puzzle {
    /// What the kernel drops that explains it.
    pub(crate) const fn dropped(&self) -> Option<&Dropped> {
        match self {
            Self::Unsent(dropped) | Self::Unheeded(_, dropped) => dropped.as_ref(),
        }
    }

    /// Whether it is the same, whatever explains it.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unsent(_), Self::Unsent(_)) => true,
            (Self::Unheeded(one, _), Self::Unheeded(other, _)) => one == other,
            (Self::Unsent(_), Self::Unheeded(..)) | (Self::Unheeded(..), Self::Unsent(_)) => false,
        }
    }

    /// Looks for the explanation. Returns whether it is there.
    fn explain(&mut self, vrid: Vrid, dropped: &[Dropped]) -> bool {
        let is_it = |it: &&Dropped| {
            let of_it = it.vrid.is_none_or(|its| its == vrid) && !it.is_capture_copy();
            of_it
                && match self {
                    Self::Unsent(_) => it.direction == Direction::Out,
                    Self::Unheeded(source, _) => {
                        it.direction == Direction::In && it.source == *source
                    }
                }
        };
        let most = dropped.iter().filter(is_it).max_by_key(|it| it.count);
        let most = most.cloned();
        let (Self::Unsent(explanation) | Self::Unheeded(_, explanation)) = self;
        *explanation = most;
        explanation.is_some()
    }
}

impl Puzzles {
    pub(super) fn get(&self, router: RouterId) -> Option<&Puzzle> {
        self.0.get(&router).map(|case| &case.puzzle)
    }

    /// Begins a case, goes on with one, or ends it.
    pub(super) fn set(&mut self, router: RouterId, puzzle: Option<Puzzle>, now: Timestamp) {
        let Some(puzzle) = puzzle else {
            self.0.remove(&router);
            return;
        };
        let known = self.0.get(&router);
        if known.is_some_and(|case| case.puzzle.is_same(&puzzle))
            || (known.is_none() && self.0.len() >= MAX_CASES)
        {
            return;
        }
        let case = Case {
            puzzle,
            since: now,
            due: now,
            asked: false,
            told: None,
        };
        self.0.insert(router, case);
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.0.values().map(|case| case.due).min()
    }

    /// Whether something is due at `now`; it is due again after a while.
    pub(super) fn pause(&mut self, now: Timestamp) -> bool {
        let mut any = false;
        for case in self.0.values_mut().filter(|case| case.due <= now) {
            any = true;
            let patient = now.since(case.since) < PATIENCE;
            case.due = now + if patient { PACE } else { ROUTINE };
        }
        any
    }

    /// Whether the kernel was not asked about one of them yet; it will be now. Only a daemon that
    /// `runs` sends something that may be dropped.
    pub(super) fn wants_drops(&mut self, runs: bool) -> bool {
        let mut any = false;
        for case in self.0.values_mut().filter(|case| !case.asked) {
            case.asked = runs || matches!(case.puzzle, Puzzle::Unheeded(..));
            any |= case.asked;
        }
        any
    }

    /// Since when the kernel counts for a case, and since when there is one.
    pub(super) fn counted_since(&self, router: RouterId) -> Option<(Option<Timestamp>, Timestamp)> {
        let case = self.0.get(&router)?;
        Some((case.told, case.since))
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.values().any(|case| case.puzzle.dropped().is_none())
    }

    /// Looks for explanations. Returns the virtual routers for which there are some.
    pub(super) fn explain(
        &mut self,
        dropped: &[Dropped],
        vrid: impl Fn(RouterId) -> Option<Vrid>,
        now: Timestamp,
    ) -> Vec<RouterId> {
        for case in self.0.values_mut().filter(|case| case.asked) {
            case.told.get_or_insert(now);
        }
        let unexplained = self
            .0
            .iter_mut()
            .filter(|(_, case)| case.puzzle.dropped().is_none());
        unexplained
            .filter_map(|(router, case)| {
                let vrid = vrid(*router)?;
                case.puzzle.explain(vrid, dropped).then_some(*router)
            })
            .collect()
    }
}
