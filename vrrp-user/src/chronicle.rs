//! The recent past, out of which incidents are put together.
//!
//! Everything that may belong to a takeover is noted as it comes: adverts, announcements, answers,
//! log lines. When the tracker reports that a takeover is complete, what belongs to it is picked out
//! and put in order. Bounded in number and in time.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    sync::Arc,
};

use crate::{
    log::{Entry, Life, LogEvent, Window},
    model::{Family, MacAddr, Priority, Span, Timestamp, Vrid},
    record::{Body, ChangeReason, IncidentRecord, Record, StateRecord, Step, What},
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
        vrid: Option<Vrid>,
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
/// What came so long before the last advert of the old router may have set the takeover off.
const PRELUDE: Span = Span::from_secs(3);
/// An incident that has no beginning begins so long before the takeover.
const UNKNOWN_PRELUDE: Span = Span::from_secs(4);
/// A daemon logs that it became master within so long of its first advert.
const BESIDE: Span = Span::from_millis(500);
/// For so long after it became active a router may be telling its neighbours.
const ANNOUNCEMENTS: Span = Span::from_millis(2500);
/// Steps of an incident.
const MAX_STEPS: usize = 200;

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
    pub(crate) fn note_log(&mut self, now: Timestamp, entry: &Entry, vrid: Option<Vrid>) {
        if !tells(entry.reading.event) {
            return;
        }
        let time = entry
            .line
            .time
            .unwrap_or_else(|| Window::new(now, Span::ZERO));
        let subject = Subject::Log {
            host: entry.line.host.clone(),
            vrid,
            address: entry.reading.details.address,
            event: entry.reading.event,
            text: entry.line.text.clone(),
            sets_off: sets_off(entry),
        };
        self.note(time, None, subject);
    }

    /// Takes in a record of a takeover. Returns the incident once it is complete.
    pub(crate) fn takeover(&mut self, record: &Record) -> Option<Record> {
        let Body::State(state) = &record.body else {
            return None;
        };
        match state.completes {
            None => {
                if self.open.len() >= MAX_OPEN {
                    self.open.pop_front();
                }
                self.open.push_back(record.clone());
                None
            }
            Some(time) => {
                self.open
                    .retain(|open| open.time != time || !is_same(open, state));
                Some(self.incident(record, state, time, false))
            }
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
                Body::State(state) => Some(self.incident(record, state, record.time, true)),
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
                    Some(self.incident(record, state, record.time, false))
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

    fn incident(
        &self,
        record: &Record,
        state: &StateRecord,
        taken: Timestamp,
        beside: bool,
    ) -> Record {
        let outage = state.outage_ms.map(Span::from_millis);
        let last = outage.map(|outage| taken - outage);
        let begin = last.map_or(taken - UNKNOWN_PRELUDE, |last| last - PRELUDE);
        let mut gathering = Gathering {
            state,
            taken,
            begin,
            beside,
            steps: Vec::new(),
            announced: BTreeMap::new(),
            answered: BTreeMap::new(),
            last_advert: None,
            insists: false,
            said: None,
        };
        for note in &self.notes {
            let elsewhere = note.interface.is_some() && note.interface != record.interface;
            if note.end >= begin && !elsewhere {
                gathering.take(note);
            }
        }
        Record {
            time: taken,
            body: Body::Incident(gathering.finish()),
            ..record.clone()
        }
    }
}

fn is_same(open: &Record, state: &StateRecord) -> bool {
    matches!(&open.body, Body::State(other) if other.vrid == state.vrid
        && other.family == state.family
        && other.to == state.to)
}

/// What belongs to one incident.
struct Gathering<'a> {
    state: &'a StateRecord,
    taken: Timestamp,
    begin: Timestamp,
    /// The old router stays active.
    beside: bool,
    steps: Vec<(Timestamp, Timestamp, What)>,
    /// First time and number, by address and MAC.
    announced: BTreeMap<(IpAddr, MacAddr), (Timestamp, u64)>,
    answered: BTreeMap<(IpAddr, MacAddr), Timestamp>,
    last_advert: Option<(Timestamp, What)>,
    /// The old router was heard again.
    insists: bool,
    /// The last line before the takeover that may be its reason.
    said: Option<String>,
}

impl Gathering<'_> {
    fn take(&mut self, note: &Note) {
        match &note.subject {
            Subject::Advert {
                vrid,
                source,
                priority,
            } => {
                let ours = *vrid == self.state.vrid && Family::of(*source) == self.state.family;
                if ours {
                    self.advert(note.time, *source, *priority);
                }
            }
            Subject::Announcement { address, mac } => {
                if note.time + PRELUDE >= self.taken && self.state.addresses.contains(address) {
                    let announced = self.announced.entry((*address, *mac));
                    announced.or_insert((note.time, 0)).1 += 1;
                }
            }
            Subject::Answer { address, mac } => {
                if note.time >= self.taken && self.state.addresses.contains(address) {
                    self.answered.entry((*address, *mac)).or_insert(note.time);
                }
            }
            Subject::Log {
                host,
                vrid,
                address,
                event,
                text,
                sets_off,
            } => {
                let about_another = vrid.is_some_and(|vrid| vrid != self.state.vrid)
                    || address.is_some_and(|address| !self.state.addresses.contains(&address));
                if !about_another {
                    if *sets_off && note.time <= self.taken {
                        self.said = Some(text.clone());
                    }
                    let what = What::Log {
                        host: host.clone(),
                        event: *event,
                        text: text.clone(),
                    };
                    self.steps.push((note.time, note.end, what));
                }
            }
        }
    }

    fn advert(&mut self, time: Timestamp, source: IpAddr, priority: Priority) {
        let from_old = Some(source) == self.state.from;
        let what = if time == self.taken && source == self.state.to {
            What::FirstAdvert { source, priority }
        } else if from_old && priority == Priority::RESIGN && time <= self.taken {
            What::Resigned { source }
        } else if from_old && time < self.taken {
            self.last_advert = Some((time, What::LastAdvert { source }));
            return;
        } else if from_old && source != self.state.to && !self.insists && time > self.taken {
            self.insists = true;
            What::StillAdvertises { source }
        } else {
            return;
        };
        self.steps.push((time, time, what));
    }

    fn finish(mut self) -> IncidentRecord {
        let resigned = self
            .steps
            .iter()
            .any(|(_, _, what)| matches!(what, What::Resigned { .. }));
        if let Some((time, what)) = self.last_advert.take()
            && !resigned
        {
            self.steps.push((time, time, what));
        }
        for ((address, mac), (time, count)) in &self.announced {
            let what = What::Announced {
                address: *address,
                mac: *mac,
                count: *count,
            };
            self.steps.push((*time, *time, what));
        }
        for ((address, mac), time) in &self.answered {
            let what = What::Answered {
                address: *address,
                mac: *mac,
            };
            self.steps.push((*time, *time, what));
        }
        self.steps.sort_by_key(|(time, end, _)| (*time, *end));
        self.steps.truncate(MAX_STEPS);
        let trigger = self.trigger();
        let missing = self.missing(resigned);
        let first = self.steps.first().map_or(self.begin, |(time, ..)| *time);
        let state = self.state;
        IncidentRecord {
            vrid: state.vrid,
            family: state.family,
            addresses: state.addresses.clone(),
            from: state.from,
            to: state.to,
            reason: Some(state.reason).filter(|_| !self.beside),
            trigger,
            outage_ms: state.outage_ms,
            steps: self
                .steps
                .into_iter()
                .map(|(time, end, what)| Step {
                    time,
                    offset_ms: millis(time.since(first)),
                    uncertain_ms: Some(millis(end.since(time))).filter(|ms| *ms > 0),
                    what,
                })
                .collect(),
            missing,
        }
    }

    /// What set it off: what the wire shows, and what a daemon said about it before.
    fn trigger(&self) -> String {
        let old = self.state.from.map(|from| from.to_string());
        let old = old.as_deref().unwrap_or("the old router");
        let new = self.state.to;
        let wire = match self.state.reason {
            _ if self.beside => format!("{new} became active beside {old}"),
            ChangeReason::FirstSeen => format!("{new} became active"),
            ChangeReason::Resigned => format!("{old} resigned"),
            ChangeReason::Timeout => format!("{old} went silent"),
            ChangeReason::Preempted => format!("{new} has the higher priority"),
            ChangeReason::PriorityLowered => format!("{old} lowered its priority"),
            ChangeReason::TieBreak => format!("{new} has the higher address"),
            ChangeReason::Restarted => format!("{new} came back"),
        };
        // Who was never seen otherwise did not take over from anybody.
        let said = self.said.as_ref();
        let said = said.filter(|_| self.state.reason != ChangeReason::FirstSeen);
        match said {
            Some(text) => format!("{wire}; logged before it: {text}"),
            None => wire,
        }
    }

    fn missing(&self, resigned: bool) -> Vec<String> {
        let state = self.state;
        let mut missing = Vec::new();
        if state.reason == ChangeReason::Timeout
            && !self.beside
            && !resigned
            && let Some(from) = state.from
        {
            missing.push(format!("a resignation of {from}"));
        }
        // Where it is not known yet what was announced, nothing is missing.
        if state.announced.is_some() {
            let announced = |address: &IpAddr| self.announced.keys().any(|(one, _)| one == address);
            let silent = state.addresses.iter().filter(|address| !announced(address));
            missing.extend(silent.map(|address| format!("an announcement of {address}")));
        }
        missing
    }
}

/// Whether a line tells of the course of events.
const fn tells(event: LogEvent) -> bool {
    !matches!(
        event,
        LogEvent::Other
            | LogEvent::GarpQ
            | LogEvent::GarpTx
            | LogEvent::NaTx
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

fn millis(span: Span) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
