//! Findings about single packets: raised by the first, cleared when none has come for a while.

use std::net::IpAddr;

use super::{
    ledger::{Key, Subject},
    view::Description,
};
use crate::{
    model::{AdvertInterval, Agenda, MacAddr, Span, Timestamp, Vrid},
    record::{Code, Evidence, Severity},
    tracker::Segment,
    wire::Advert,
};

/// A packet that should not be.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) code: Code,
    pub(super) severity: Severity,
    pub(super) source: IpAddr,
    pub(super) vrid: Option<Vrid>,
    pub(super) addresses: Vec<IpAddr>,
    /// If none follows for this time, it is over.
    pub(super) quiet: Span,
    pub(super) description: Description,
}

/// Senders whose packets are remembered.
const LIMIT: usize = 512;

/// The open findings about packets, by when they end.
#[derive(Debug, Default)]
pub(super) struct Incidents {
    ends: Agenda<Key>,
}

impl Incidents {
    /// Notes a packet. Returns the key of its finding, and that of one which had to give way.
    pub(super) fn note(
        &mut self,
        segment: &Segment,
        report: &Report,
        now: Timestamp,
    ) -> (Key, Option<Key>) {
        let key = Key {
            subject: Subject::Sender(segment.clone(), report.source, report.vrid),
            code: report.code,
        };
        let end = now + report.quiet;
        let displaced = if self.ends.len() >= LIMIT && !self.ends.has(&key) {
            self.ends.pop().map(|(_, first)| first)
        } else {
            None
        };
        self.ends.set(key.clone(), end);
        (key, displaced)
    }

    /// The findings that have ended by `now`.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<Key> {
        let ended = std::iter::from_fn(|| self.ends.pop_due(now));
        ended.map(|(_, key)| key).collect()
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.ends.first().map(|(end, _)| end)
    }
}

/// How long a sender of adverts may pause before it counts as gone: what a backup would wait.
pub(super) fn patience(advert: &Advert) -> Span {
    let interval = advert
        .interval
        .map_or(Span::from_secs(1), AdvertInterval::span);
    (interval * 4).clamp(Span::from_secs(1), Span::from_secs(164))
}

/// The evidence of an advert. Its time is set when the finding is raised.
pub(super) fn advert_evidence(advert: &Advert, mac: Option<MacAddr>, what: String) -> Evidence {
    Evidence {
        time: Timestamp::default(),
        source: Some(advert.source),
        mac,
        vrid: advert.vrid,
        priority: advert.priority,
        what,
    }
}
