//! The recent past, out of which incidents are put together.
//!
//! Everything that may belong to a takeover is noted as it comes: adverts, announcements, answers,
//! log lines. When the tracker reports that a takeover is complete, what belongs to it is picked out
//! and put in order. Bounded in number and in time.

pub(crate) mod account;
pub(crate) mod contest;
mod gathering;

use std::{collections::VecDeque, net::IpAddr, sync::Arc};

use gathering::{Gathering, How};

use crate::{
    daemon::BESIDE,
    log::{Entry, Life, LogEvent, Window},
    model::{MacAddr, Priority, Span, Timestamp, Vrid},
    record::{AnnouncedRecord, Body, ChangeReason, Record, StateRecord},
    wire::{self, ArpKind, NdKind, Packet},
};

/// What was noted lately.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    notes: VecDeque<Note>,
    /// Takeovers that are not complete.
    open: VecDeque<Record>,
    /// Routers that became active beside another, and when all is known about that.
    contests: VecDeque<(Timestamp, Record)>,
}

#[derive(Debug)]
struct Note {
    time: Timestamp,
    end: Timestamp,
    interface: Option<Arc<str>>,
    subject: Subject,
}

#[derive(Debug)]
enum Subject {
    Advert {
        vrid: Vrid,
        source: IpAddr,
        priority: Priority,
    },
    Announcement {
        address: IpAddr,
        mac: MacAddr,
    },
    Answer {
        address: IpAddr,
        mac: MacAddr,
    },
    Log {
        host: Option<Arc<str>>,
        /// None where it is not known, or all are meant.
        vrids: Vec<Vrid>,
        instance: Option<String>,
        address: Option<IpAddr>,
        event: LogEvent,
        text: String,
        /// It may be the reason for a takeover.
        sets_off: bool,
    },
}

/// Notes that are kept.
const MAX_NOTES: usize = 4096;
/// For how long.
const MEMORY: Span = Span::from_mins(2);
/// Takeovers under way.
const MAX_OPEN: usize = 64;
/// What came within 3 s before the last advert of the old router may have set the takeover off.
const PRELUDE: Span = Span::from_secs(3);
/// An incident that has no beginning begins 4 s before the takeover: longer than three intervals.
const UNKNOWN_PRELUDE: Span = Span::from_secs(4);
/// A router tells its neighbours within 2.5 s after it became active.
const ANNOUNCEMENTS: Span = Span::from_millis(2500);

impl Chronicle {
    /// Notes a packet.
    pub(crate) fn note_packet(
        &mut self,
        time: Timestamp,
        interface: Option<&Arc<str>>,
        packet: &Packet,
    ) {
        let subject = match &packet.body {
            wire::Body::Advert(advert) => match (advert.vrid, advert.priority) {
                (Some(vrid), Some(priority)) => Subject::Advert {
                    vrid,
                    source: advert.source,
                    priority,
                },
                _ => return,
            },
            wire::Body::Arp(arp) => {
                let (address, mac) = (arp.sender_ip.into(), arp.sender_mac);
                match arp.kind {
                    ArpKind::Gratuitous | ArpKind::Announcement => {
                        Subject::Announcement { address, mac }
                    }
                    ArpKind::Reply => Subject::Answer { address, mac },
                    ArpKind::Request | ArpKind::Probe => return,
                }
            }
            wire::Body::Nd(nd) => {
                let Some(mac) = nd.link_address.or(packet.source_mac) else {
                    return;
                };
                let address = nd.target.into();
                match nd.kind {
                    NdKind::Announcement => Subject::Announcement { address, mac },
                    NdKind::Reply => Subject::Answer { address, mac },
                    NdKind::Request | NdKind::Probe => return,
                }
            }
            wire::Body::Carp(_) => return,
        };
        self.note(Window::new(time, Span::ZERO), interface.cloned(), subject);
    }

    /// Notes a line of a log.
    pub(crate) fn note_log(&mut self, now: Timestamp, entry: &Entry, vrids: &[Vrid]) {
        if !tells(entry.reading.event) {
            return;
        }
        let time = entry
            .line
            .time
            .unwrap_or_else(|| Window::new(now, Span::ZERO));
        let subject = Subject::Log {
            host: entry.line.host.clone(),
            vrids: vrids.to_vec(),
            instance: entry.reading.instance.clone(),
            address: entry.reading.details.address,
            event: entry.reading.event,
            text: entry.line.text.clone(),
            sets_off: sets_off(entry),
        };
        self.note(time, None, subject);
    }

    /// Takes in a record of a takeover. Returns the incident once it is complete.
    pub(crate) fn takeover(&mut self, record: &Record) -> Option<Record> {
        match &record.body {
            // Nobody saw how it came about.
            Body::State(state) if state.reason == ChangeReason::Unobserved => None,
            Body::State(_) => {
                if self.open.len() >= MAX_OPEN {
                    self.open.pop_front();
                }
                self.open.push_back(record.clone());
                None
            }
            Body::Announced(announced) => {
                let is_it =
                    |open: &Record| open.time == announced.since && is_same(open, announced);
                let place = self.open.iter().position(is_it)?;
                let open = self.open.remove(place)?;
                let Body::State(state) = &open.body else {
                    return None;
                };
                Some(self.incident(&open, state, How::Announced(announced)))
            }
            _ => None,
        }
    }

    /// Takes in that a router became active, by its log, beside one that stays so.
    pub(crate) fn contest(&mut self, record: Record, logged: Window) {
        let Body::State(state) = &record.body else {
            return;
        };
        let first = self.notes.iter().find(|note| {
            let own = matches!(note.subject, Subject::Advert { source, .. } if source == state.to);
            own && logged.meets(note.time, BESIDE)
        });
        let time = first.map_or(logged.start, |note| note.time);
        if self.contests.len() >= MAX_OPEN {
            self.contests.pop_front();
        }
        let due = logged.end.max(time) + ANNOUNCEMENTS;
        self.contests.push_back((due, Record { time, ..record }));
    }

    /// An interface has another name.
    pub(crate) fn rename(&mut self, formerly: &str, name: &Arc<str>) {
        let records = self.contests.iter_mut().map(|(_, record)| record);
        let noted = self.notes.iter_mut().map(|note| &mut note.interface);
        let told = self.open.iter_mut().chain(records);
        for interface in noted.chain(told.map(|record| &mut record.interface)) {
            if interface.as_deref() == Some(formerly) {
                *interface = Some(name.clone());
            }
        }
    }

    /// When [`Chronicle::expire`] has something to return.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.contests.iter().map(|(due, _)| *due).min()
    }

    /// The incidents about which all is known at `now`.
    pub(crate) fn expire(&mut self, now: Timestamp) -> Vec<Record> {
        if self.next_due().is_none_or(|due| due > now) {
            return Vec::new();
        }
        let (ripe, unripe) = std::mem::take(&mut self.contests)
            .into_iter()
            .partition(|(due, _)| *due <= now);
        self.contests = unripe;
        self.incidents(&ripe)
    }

    fn incidents(&self, contests: &VecDeque<(Timestamp, Record)>) -> Vec<Record> {
        contests
            .iter()
            .filter_map(|(_, record)| match &record.body {
                Body::State(state) => Some(self.incident(record, state, How::Beside)),
                _ => None,
            })
            .collect()
    }

    /// The takeovers that were under way at the end.
    pub(crate) fn finish(&mut self) -> Vec<Record> {
        let open = std::mem::take(&mut self.open);
        let contests = std::mem::take(&mut self.contests);
        let contests = self.incidents(&contests);
        open.iter()
            .filter_map(|record| match &record.body {
                // Nobody took over from anybody: the capture began.
                Body::State(state) if state.reason != ChangeReason::FirstSeen => {
                    Some(self.incident(record, state, How::Unfinished))
                }
                _ => None,
            })
            .chain(contests)
            .collect()
    }

    fn note(&mut self, time: Window, interface: Option<Arc<str>>, subject: Subject) {
        let Window { start, end } = time;
        while self.notes.len() >= MAX_NOTES
            || self
                .notes
                .front()
                .is_some_and(|note| note.end + MEMORY < start)
        {
            self.notes.pop_front();
        }
        self.notes.push_back(Note {
            time: start,
            end,
            interface,
            subject,
        });
    }

    /// The last advert of the old router before the new one took over.
    fn last_advert(
        &self,
        record: &Record,
        state: &StateRecord,
        taken: Timestamp,
    ) -> Option<Timestamp> {
        let of_old = |note: &&Note| {
            let is_it = matches!(note.subject, Subject::Advert { vrid, source, .. }
                if vrid == state.vrid && Some(source) == state.from);
            is_it && note.time < taken && note.interface == record.interface
        };
        self.notes.iter().rfind(of_old).map(|note| note.time)
    }

    fn incident(&self, record: &Record, state: &StateRecord, how: How<'_>) -> Record {
        let taken = record.time;
        let last = match how {
            How::Beside => None,
            How::Announced(_) | How::Unfinished => self.last_advert(record, state, taken),
        };
        let begin = last.map_or(taken - UNKNOWN_PRELUDE, |last| last - PRELUDE);
        let mut gathering = Gathering::new(state, taken, begin, how);
        for note in &self.notes {
            let elsewhere = note.interface.is_some() && note.interface != record.interface;
            if note.end >= begin && !elsewhere {
                gathering.take(note);
            }
        }
        Record {
            body: Body::Incident(gathering.finish()),
            ..record.clone()
        }
    }
}

fn is_same(open: &Record, announced: &AnnouncedRecord) -> bool {
    matches!(&open.body, Body::State(state) if state.vrid == announced.vrid
        && state.family == announced.family
        && state.to == announced.to)
}

/// Whether a line tells of the course of events.
const fn tells(event: LogEvent) -> bool {
    !matches!(
        event,
        LogEvent::Other
            | LogEvent::GarpQ
            | LogEvent::GarpTx
            | LogEvent::NaTx
            | LogEvent::Vips
            | LogEvent::CommandLine
            | LogEvent::RxAdvert
            | LogEvent::RxLowerAsBackup
    )
}

/// Whether what a line tells of may be the reason for a takeover.
fn sets_off(entry: &Entry) -> bool {
    let details = &entry.reading.details;
    match entry.reading.event {
        LogEvent::Script | LogEvent::Proc | LogEvent::Bfd | LogEvent::Link => {
            details.on == Some(false)
        }
        LogEvent::Life => matches!(details.life, Some(Life::Stopping | Life::Died)),
        event => matches!(
            event,
            LogEvent::File
                | LogEvent::FaultWhy
                | LogEvent::Stall
                | LogEvent::SendErr
                | LogEvent::PrioChange
        ),
    }
}
