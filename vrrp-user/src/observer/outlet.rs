//! How much is written about senders that are not known.
//!
//! The kernel lets through what a start or a takeover brings at once, which is thousands of frames: of a
//! flood, as many would be written before it is known to be one, and made-up routers bring changes and
//! findings with them. All of it is looked at. What is about known senders is always written. All others
//! share one budget: of it, frames leave half to changes and findings. Those that are beyond it wait until
//! a sender of theirs is known, which takes two of its adverts; frames are counted.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
};

use super::{Known, Observer};
use crate::{
    escape,
    model::{Pace, Timestamp, Vrid},
    record::{Body, Code, LossReason, Record},
    tracker::Segment,
    wire::{self, Packet},
};

/// Bytes of JSON in a second, and at once. Together with what is written about the routers that are known
/// it is below the 100 KiB that a second of a flood may bring.
const PACE: (u32, u32) = (24 * 1024, 40 * 1024);
/// Of this, frames leave so much to changes and findings.
const RESERVE: u32 = PACE.1 / 2;
/// Records that wait at most, of a KiB or two each: a state, a finding and what belongs to it of every VRID
/// there is, over IPv4 and IPv6.
const MAX_WAITING: usize = 2048;

/// Records about senders that are not known.
#[derive(Debug)]
pub(super) struct Outlet {
    /// In bytes.
    pace: Pace,
    /// What was beyond it, in order.
    waiting: VecDeque<Record>,
}

impl Default for Outlet {
    fn default() -> Self {
        let (rate, depth) = PACE;
        Self {
            pace: Pace::new(rate, depth),
            waiting: VecDeque::new(),
        }
    }
}

impl Outlet {
    /// Takes the room that a record needs, if so much is left.
    fn take(&mut self, record: &Record, left: u32, now: Timestamp) -> bool {
        if self.pace.ready_for(left) > now {
            return false;
        }
        let length = escape::json(record).map_or(0, |json| json.len() + 1);
        self.pace
            .take_many(u32::try_from(length).unwrap_or(u32::MAX), now)
    }

    /// Whether a change or a finding may be written now: not if it belongs to one that waits.
    fn admits(&mut self, record: &Record, now: Timestamp) -> bool {
        let about = |record: &Record| (subject(record).0, record.interface.clone());
        let wanted = about(record);
        let follows = self.waiting.iter().any(|before| about(before) == wanted);
        !follows && self.take(record, 1, now)
    }

    /// Has a record wait. Where there is no more room, the oldest has to go: returns whether it had.
    fn keep(&mut self, record: Record) -> bool {
        self.waiting.push_back(record);
        self.waiting.len() > MAX_WAITING && self.waiting.pop_front().is_some()
    }
}

/// The virtual router and the senders that a record is about, if it is about any.
fn subject(record: &Record) -> (Option<Vrid>, Vec<IpAddr>) {
    match &record.body {
        Body::State(state) => {
            let routers = [state.to].into_iter().chain(state.from).collect();
            (Some(state.vrid), routers)
        }
        Body::Incident(incident) => {
            let routers = [incident.to].into_iter().chain(incident.from).collect();
            (Some(incident.vrid), routers)
        }
        Body::Finding(finding) if finding.code != Code::Flood => {
            (finding.vrid, finding.sources.clone())
        }
        _ => (None, Vec::new()),
    }
}

impl Observer {
    /// Writes the record of a frame, if it is of a known sender or there is room. Returns whether it did.
    pub(super) fn write_frame(
        &mut self,
        segment: &Segment,
        packet: &Packet,
        record: Record,
    ) -> bool {
        let known = self.outlet.is_none() || self.is_of_known(segment, packet);
        let now = self.now;
        let outlet = self.outlet.as_mut().filter(|_| !known);
        if outlet.is_some_and(|outlet| !outlet.take(&record, RESERVE, now)) {
            self.lose(&BTreeMap::from([(LossReason::OutputFlood, 1)]));
            return false;
        }
        self.push(record);
        true
    }

    /// Writes a change or a finding, now or when somebody it is about is known.
    pub(super) fn write(&mut self, record: Record) {
        let known = self.outlet.is_none() || self.is_about_known(&record);
        let now = self.now;
        let outlet = self.outlet.as_mut().filter(|_| !known);
        if outlet.is_none_or(|outlet| outlet.admits(&record, now)) {
            self.push(record);
        } else if self
            .outlet
            .as_mut()
            .is_some_and(|outlet| outlet.keep(record))
        {
            self.lose(&BTreeMap::from([(LossReason::OutputFlood, 1)]));
        }
    }

    /// Writes what waited for somebody to be known.
    pub(super) fn release(&mut self) {
        let Some(outlet) = &mut self.outlet else {
            return;
        };
        let waiting = std::mem::take(&mut outlet.waiting).into_iter();
        let (known, unknown): (Vec<_>, Vec<_>) =
            waiting.partition(|record| self.is_about_known(record));
        for record in known {
            self.push(record);
        }
        if let Some(outlet) = &mut self.outlet {
            outlet.waiting = unknown.into();
        }
    }

    /// The end: what still waits is not written.
    pub(super) fn close_outlet(&mut self) {
        let outlet = self.outlet.as_mut();
        let count = outlet.map_or(0, |outlet| outlet.waiting.drain(..).len());
        if count > 0 {
            self.lose(&BTreeMap::from([(LossReason::OutputFlood, count as u64)]));
        }
    }

    fn is_of_known(&self, segment: &Segment, packet: &Packet) -> bool {
        match &packet.body {
            wire::Body::Advert(advert) => advert.vrid.is_some_and(|vrid| {
                let (source, destination) = (advert.source, advert.destination);
                let tracker = &self.world.tracker;
                tracker.is_established(segment, vrid, source, destination)
            }),
            wire::Body::Arp(_) | wire::Body::Nd(_) => packet
                .source_mac
                .is_some_and(|mac| self.acquaintances.has(Known::Machine(mac))),
            wire::Body::Carp(_) => false,
        }
    }

    fn is_about_known(&self, record: &Record) -> bool {
        let (vrid, senders) = subject(record);
        let known = |sender: &IpAddr| {
            vrid.is_some_and(|vrid| self.acquaintances.has(Known::Router(*sender, vrid)))
        };
        senders.is_empty() || senders.iter().any(known)
    }
}
