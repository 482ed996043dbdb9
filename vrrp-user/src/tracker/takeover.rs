//! What a router tells its neighbours when it becomes active.

use std::{collections::BTreeMap, net::IpAddr};

use super::{
    RouterId, Speaker, Tracker, router::Router, speaker::SpeakerId, timers::announcement_window,
};
use crate::{
    model::{Family, Span, Timestamp},
    record::{AnnouncedRecord, Announcement, Body, ChangeReason, StateRecord},
};

/// A change of the active router, and the announcements that followed it.
#[derive(Clone, Debug)]
pub(crate) struct Takeover {
    pub(crate) speaker: SpeakerId,
    pub(crate) reason: ChangeReason,
    pub(super) from: Option<IpAddr>,
    pub(super) interregnum: Interregnum,
    /// The router may not know that it had lost its role: it has nothing to announce.
    pub(crate) returning: bool,
    /// How many adverts came at once with the first.
    pub(crate) at_once: u32,
    pub(crate) time: Timestamp,
    /// Since when it has been active in its own view, beside the old one.
    pub(super) claiming_since: Option<Timestamp>,
    /// How often each address was announced, and when first.
    pub(super) announced: BTreeMap<IpAddr, (u64, Timestamp)>,
    /// When a question of this host was first answered by the new router.
    pub(super) converged: Option<Timestamp>,
    /// It may have been so before there was anything to be seen: nobody took over from anybody, and
    /// what is announced is no news.
    pub(super) standing: bool,
    /// The window for announcements is over.
    pub(crate) completed: bool,
}

impl Takeover {
    /// The active router was silent and is heard again, and no other took over meanwhile.
    pub(crate) fn is_reunion(&self) -> bool {
        self.reason == ChangeReason::Restarted && self.returning
    }
}

/// What is known of the time between two active routers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Interregnum {
    /// For how long no active router advertised.
    pub(super) silence: Option<Span>,
    /// For how long nobody held the addresses. That a router is silent does not tell: the kernel
    /// of a killed daemon holds its addresses and answers for them.
    pub(super) outage: Option<Span>,
}

/// A router that resigns answers no longer than this.
const RELINQUISHED: Span = Span::from_millis(100);

impl Tracker {
    /// Takes in that the active router of a virtual router was not active before it was first heard.
    pub(crate) fn witness_takeover(&mut self, id: RouterId) {
        if let Some(router) = self.routers.get_mut(&id) {
            router.witness_takeover();
        }
    }
}

impl Router {
    /// What is known of the time since `last`, the last advert of an active router, which resigned
    /// by it or fell silent after it.
    pub(super) fn interregnum(
        &self,
        last: Timestamp,
        resigned: bool,
        now: Timestamp,
    ) -> Interregnum {
        if !self.saw_everything_since(last) {
            return Interregnum::default();
        }
        let answered = self
            .neighbours
            .answered
            .values()
            .any(|answer| *answer > last + RELINQUISHED);
        let vacant = resigned && !answered && !self.is_served_elsewhere();
        let unanswered = self
            .neighbours
            .probed()
            .filter_map(|(_, probed)| probed.unanswered_since)
            .filter(|since| *since >= last)
            .min();
        let since = if vacant { Some(last) } else { unanswered };
        Interregnum {
            silence: Some(now.since(last)),
            outage: since.map(|since| now.since(since)),
        }
    }

    pub(super) fn open_takeover(&mut self, mut takeover: Takeover) {
        let Some(interval) = self.active().map(Speaker::interval) else {
            return;
        };
        // Neighbours may be told before the first advert: FRR is an interval late with IPv6.
        let early = match self.family {
            Family::Ipv4 => Span::from_millis(200),
            Family::Ipv6 => interval * 3 / 2,
        };
        let claiming = takeover
            .claiming_since
            .map_or(Span::ZERO, |since| takeover.time.since(since));
        let early = early.max(claiming);
        for (address, announcement) in &mut self.neighbours.announcements {
            // One virtual MAC serves all: what the router before announced is not the next one's.
            let credited = announcement.in_tenure == Some(announcement.time);
            announcement.in_tenure = None;
            let by_active = announcement
                .speaker
                .is_none_or(|speaker| speaker == takeover.speaker);
            if by_active && !credited && takeover.time.since(announcement.time) <= early {
                announcement.in_tenure = Some(announcement.time);
                takeover.announced.insert(*address, (1, announcement.time));
            }
        }
        self.neighbours.mixed = None;
        self.takeover = Some(takeover);
        self.report_takeover();
    }

    /// Takes in that the active router answered a question of this host.
    pub(super) fn note_converged(&mut self, now: Timestamp) {
        if let Some(takeover) = &mut self.takeover {
            takeover.converged.get_or_insert(now);
        }
    }

    /// When the announcements after the last takeover are all made.
    pub(super) fn takeover_due(&self) -> Option<Timestamp> {
        let takeover = self
            .takeover
            .as_ref()
            .filter(|takeover| !takeover.completed)?;
        let interval = self.speakers.get(&takeover.speaker)?.interval();
        let window = announcement_window(interval);
        // A long list of addresses takes its time.
        let going_on = self
            .neighbours
            .last_announcement(takeover.speaker)
            .map(|last| last.min(takeover.time + window * 10) + Span::from_secs(1));
        let due = takeover.time + window;
        Some(going_on.map_or(due, |going_on| due.max(going_on)))
    }

    /// When the active router was first heard, if it may have been active before that.
    pub(crate) fn standing_since(&self) -> Option<Timestamp> {
        let takeover = self.takeover.as_ref()?;
        (takeover.standing && !takeover.completed).then_some(takeover.time)
    }

    /// Takes in that it was not active before.
    pub(super) fn witness_takeover(&mut self) {
        if let Some(takeover) = &mut self.takeover {
            takeover.standing = false;
        }
    }

    /// Reports what was announced, once that is known or will not be.
    pub(super) fn close_takeover(&mut self, now: Timestamp) {
        let Some(takeover) = self
            .takeover
            .as_mut()
            .filter(|takeover| !takeover.completed)
        else {
            return;
        };
        takeover.completed = true;
        let is_news = !takeover.standing && !takeover.announced.is_empty();
        if takeover.reason.is_unseen() && !is_news {
            return;
        }
        self.report_announcements(now);
    }

    fn report_takeover(&mut self) {
        let Some((takeover, to)) = self.taking_over() else {
            return;
        };
        let record = StateRecord {
            vrid: self.vrid,
            family: self.family,
            group: self.group,
            peers: self.peers.iter().copied().collect(),
            from: takeover.from,
            to: to.source,
            mac: to.mac,
            priority: to.priority,
            addresses: to.addresses().collect(),
            reason: takeover.reason,
            silence_ms: takeover.interregnum.silence.map(millis),
            outage_ms: takeover.interregnum.outage.map(millis),
        };
        self.reports.push((takeover.time, Body::State(record)));
    }

    fn report_announcements(&mut self, now: Timestamp) {
        let Some((takeover, to)) = self.taking_over() else {
            return;
        };
        let announcement = |(address, (count, first)): (&IpAddr, &(u64, Timestamp))| Announcement {
            address: *address,
            count: *count,
            first_ms: millis(first.since(takeover.time)),
        };
        let record = AnnouncedRecord {
            vrid: self.vrid,
            family: self.family,
            group: self.group,
            peers: self.peers.iter().copied().collect(),
            to: to.source,
            since: takeover.time,
            announcements: takeover.announced.iter().map(announcement).collect(),
            delayed: (takeover.is_reunion() && takeover.at_once > 1).then_some(takeover.at_once),
            converged_ms: takeover
                .converged
                .filter(|_| !takeover.reason.is_unseen())
                .map(|converged| millis(converged.since(takeover.time))),
        };
        self.reports.push((now, Body::Announced(record)));
    }

    /// The last takeover, and who took over.
    fn taking_over(&self) -> Option<(&Takeover, &Speaker)> {
        let takeover = self.takeover.as_ref()?;
        Some((takeover, self.speakers.get(&takeover.speaker)?))
    }
}

fn millis(span: Span) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
