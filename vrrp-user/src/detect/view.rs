//! What a detector sees and says.

use std::{cell::OnceCell, collections::BTreeSet, net::IpAddr};

use super::rivals::Rivalry;
use crate::{
    daemon::{Belief, Daemons, Host},
    log::LogEvent,
    machine::Machine,
    model::{AddressList, MacAddr, Span, Timestamp},
    record::{Cause, Code, Evidence},
    tracker::{Router, Speaker, SpeakerId, probed::Probed},
};

/// A virtual router at a point in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) router: &'a Router,
    /// The routers that are active beside the active one, once somebody has asked.
    pub(super) rivalry: &'a OnceCell<Option<Rivalry>>,
    /// What the daemons say of themselves.
    pub(super) daemons: &'a Daemons,
    /// What this host shows of itself.
    pub(super) machine: &'a Machine,
    /// This host has one of its addresses, and neighbours that ask get an answer.
    pub(super) held: bool,
    /// Whether adverts to its group come to this host.
    pub(super) multicast: Multicast,
    /// Another virtual router that has addresses of it is active on this host.
    pub(super) served_by_kin: bool,
    /// Whether the finding in question is open.
    pub(super) open: bool,
    pub(super) now: Timestamp,
}

/// Whether what is sent to a group comes to this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Multicast {
    /// It does, or nothing says otherwise.
    Arrives,
    /// A switch that snoops IGMP or MLD may withhold it: this host has not joined the group, and has
    /// heard nothing since that others sent to it.
    MayBeWithheld,
}

impl<'a> View<'a> {
    /// Whether adverts that are missing prove nothing.
    pub(super) fn is_deaf(&self) -> bool {
        self.multicast == Multicast::MayBeWithheld
    }

    /// The active router, if it is alive.
    pub(super) fn live(&self) -> Option<&'a Speaker> {
        self.router.live(self.now)
    }

    /// What the daemons believe of the virtual router.
    pub(super) fn beliefs(&self) -> impl Iterator<Item = (&'a Host, &'a Belief)> + use<'a> {
        self.daemons.about(self.router.id())
    }

    /// The same of the daemon on the watched host: only there what is seen is what comes and goes.
    pub(super) fn beliefs_here(&self) -> impl Iterator<Item = (&'a Host, &'a Belief)> + use<'a> {
        self.beliefs().filter(|(host, _)| host.here)
    }

    /// What the daemons believe whose logs would have these lines, had they been written since:
    /// only of them may be concluded what needs a line to be missing. What was found before lines
    /// went missing stays found.
    pub(super) fn telling(
        &self,
        lines: &'static [LogEvent],
    ) -> impl Iterator<Item = (&'a Host, &'a Belief)> + use<'a> {
        let view = *self;
        self.beliefs()
            .filter(move |(host, belief)| view.tells(host, belief, lines))
    }

    /// Whether the log of this daemon would have these lines, had they been written since.
    pub(super) fn tells(&self, host: &Host, belief: &Belief, lines: &[LogEvent]) -> bool {
        self.open || self.covers(host, belief, lines)
    }

    /// The same, whatever was found before.
    pub(super) fn covers(&self, host: &Host, belief: &Belief, lines: &[LogEvent]) -> bool {
        let since = belief.state.map_or(Timestamp::default(), |(_, at)| at.end);
        lines
            .iter()
            .all(|line| host.coverage.covers(*line, since, self.now))
    }

    /// The routers of this host.
    pub(super) fn own(&self) -> impl Iterator<Item = &'a Speaker> + use<'a> {
        let daemons = self.daemons;
        self.router
            .speakers()
            .filter(move |speaker| daemons.is_own(speaker.source))
    }

    /// The interval of the virtual router, as far as it is known.
    pub(super) fn interval(&self) -> Span {
        self.router
            .active()
            .map_or(Span::from_secs(1), Speaker::interval)
    }

    pub(super) fn speaker(&self, id: SpeakerId) -> Option<&'a Speaker> {
        self.router.speaker(id)
    }

    /// Until when an open finding is not over only because its signs are missing: frames were lost, and
    /// they may have been among them.
    pub(super) fn overlooks_until(&self) -> Option<Timestamp> {
        self.router
            .overlooks_until()
            .filter(|until| self.open && self.now < *until)
    }
}

/// What a detector says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Assessment {
    /// It is not so.
    Absent,
    /// It is not so any more, and how that was seen.
    Over(String),
    /// There has been no sign of it for long: it may be over, or not.
    Lapsed,
    /// It cannot be told: an open finding stays open, and none is raised.
    Undecided,
    /// It is so.
    Present(Sign),
}

impl From<Option<Sign>> for Assessment {
    fn from(sign: Option<Sign>) -> Self {
        sign.map_or(Self::Absent, Self::Present)
    }
}

impl Assessment {
    /// The same, unless it concludes from absence that an open finding is over where its signs may have
    /// been overlooked.
    pub(super) fn seen_by(self, view: &View<'_>) -> Self {
        match self {
            Self::Absent if view.overlooks_until().is_some() => Self::Undecided,
            other => other,
        }
    }

    pub(super) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent | Self::Over(_) | Self::Lapsed)
    }

    pub(super) fn present_if(condition: bool, sign: impl FnOnce() -> Sign) -> Self {
        if condition {
            Self::Present(sign())
        } else {
            Self::Absent
        }
    }
}

/// What makes a finding the one it is: while this stays the same, there is nothing new to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sign {
    pub(super) cause: Option<Cause>,
    /// All causes, where there may be several.
    pub(super) causes: Vec<Cause>,
    pub(super) addresses: AddressList,
    pub(super) speakers: Vec<SpeakerId>,
    pub(super) macs: Vec<MacAddr>,
}

impl Sign {
    /// One that is about a single router, and all its addresses.
    pub(super) fn of(speaker: &Speaker) -> Self {
        Self {
            addresses: speaker.list(),
            speakers: vec![speaker.id()],
            ..Self::default()
        }
    }

    /// One that is about addresses that were asked for, and who answered.
    pub(super) fn answered(probed: &[(IpAddr, &Probed)]) -> Self {
        let macs: BTreeSet<MacAddr> = probed
            .iter()
            .flat_map(|(_, probed)| probed.macs.iter().copied())
            .collect();
        Self {
            addresses: probed.iter().map(|(address, _)| *address).collect(),
            macs: macs.into_iter().collect(),
            ..Self::default()
        }
    }
}

/// A finding in words.
#[derive(Clone, Debug, Default)]
pub(super) struct Description {
    pub(super) sources: Vec<IpAddr>,
    pub(super) message: String,
    pub(super) evidence: Vec<Evidence>,
    pub(super) advice: String,
}

/// What there may be to look at. Most virtual routers have one router that advertises and nothing
/// else to tell, with every advert: that has to be cheap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matter {
    /// A router that advertises.
    Adverts,
    /// Several that do, or did; this host has the addresses and may be one of them.
    Rivals,
    /// What came of asking for the addresses.
    Answers,
    /// What a daemon says of itself, or the watched host of it.
    Daemon,
}

/// What there is to look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matters {
    rivals: bool,
    answers: bool,
    daemon: bool,
}

impl Matters {
    pub(super) fn of(view: &View<'_>) -> Self {
        Self {
            rivals: view.router.speakers().nth(1).is_some() || view.held,
            answers: view.router.neighbours().probed().next().is_some(),
            daemon: view.beliefs().next().is_some() || view.own().next().is_some() || view.held,
        }
    }

    pub(super) const fn has(self, matter: Matter) -> bool {
        match matter {
            Matter::Adverts => true,
            Matter::Rivals => self.rivals,
            Matter::Answers => self.answers,
            Matter::Daemon => self.daemon,
        }
    }
}

/// Finds one thing that can be wrong with a virtual router.
pub(super) trait Detector: Sync {
    /// What it finds.
    fn code(&self) -> Code;

    /// What it looks at: where there is none, the finding is absent.
    fn matter(&self) -> Matter {
        Matter::Adverts
    }

    /// Whether it is so.
    fn assess(&self, view: &View<'_>) -> Assessment;

    /// The finding in words.
    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description;

    /// When the assessment may change without another packet, beyond the deadlines of the tracker.
    fn deadline(&self, _view: &View<'_>) -> Option<Timestamp> {
        None
    }
}

/// Finds one thing that can be wrong between two virtual routers that share an address.
pub(super) trait PairDetector: Sync {
    /// What it finds.
    fn code(&self) -> Code;

    /// Whether it is so.
    fn assess(&self, view: &View<'_>, other: &Router) -> Assessment;

    /// The finding in words.
    fn describe(&self, view: &View<'_>, other: &Router, sign: &Sign) -> Description;

    /// When the assessment may change without another packet, beyond the deadlines of the tracker.
    fn deadline(&self, _view: &View<'_>, _other: &Router) -> Option<Timestamp> {
        None
    }
}
