//! Picking out of the recent past what belongs to one takeover.

use std::{collections::BTreeMap, net::IpAddr};

use super::{Note, PRELUDE, Subject};
use crate::{
    model::{AddressList, Family, MacAddr, Priority, Span, Timestamp},
    record::{AnnouncedRecord, ChangeReason, IncidentRecord, StateRecord, Step, What},
};

/// Steps of an incident.
const MAX_STEPS: usize = 200;

/// Announcements that are missed by name.
const MAX_MISSING: usize = 8;

/// What is known of the end of a takeover.
#[derive(Clone, Copy)]
pub(super) enum How<'a> {
    /// What was announced.
    Announced(&'a AnnouncedRecord),
    /// It was under way when the run ended.
    Unfinished,
    /// The old router stays active.
    Beside,
}

/// What belongs to one incident.
pub(super) struct Gathering<'a> {
    state: &'a StateRecord,
    /// Its addresses.
    addresses: AddressList,
    taken: Timestamp,
    begin: Timestamp,
    how: How<'a>,
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

impl<'a> Gathering<'a> {
    /// For the takeover of this record, of which `begin` is the earliest that matters.
    pub(super) fn new(
        state: &'a StateRecord,
        taken: Timestamp,
        begin: Timestamp,
        how: How<'a>,
    ) -> Self {
        Self {
            addresses: state.addresses.clone().into(),
            state,
            taken,
            begin,
            how,
            steps: Vec::new(),
            announced: BTreeMap::new(),
            answered: BTreeMap::new(),
            last_advert: None,
            insists: false,
            said: None,
        }
    }

    /// Takes a note, if it belongs here.
    pub(super) fn take(&mut self, note: &Note) {
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
                if note.time + PRELUDE >= self.taken && self.addresses.has(*address) {
                    let announced = self.announced.entry((*address, *mac));
                    announced.or_insert((note.time, 0)).1 += 1;
                }
            }
            Subject::Answer { address, mac } => {
                if note.time >= self.taken && self.addresses.has(*address) {
                    self.answered.entry((*address, *mac)).or_insert(note.time);
                }
            }
            Subject::Log {
                host,
                vrids,
                instance,
                address,
                event,
                text,
                sets_off,
            } => {
                let about_another = (!vrids.is_empty() && !vrids.contains(&self.state.vrid))
                    || address.is_some_and(|address| !self.addresses.has(address));
                if !about_another {
                    if *sets_off && note.time <= self.taken {
                        self.said = Some(text.clone());
                    }
                    let what = What::Log {
                        host: host.clone(),
                        instance: instance.clone(),
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
            What::FirstAdvert {
                host: None,
                source,
                priority,
            }
        } else if from_old && priority == Priority::RESIGN && time <= self.taken {
            What::Resigned { host: None, source }
        } else if from_old && time < self.taken {
            self.last_advert = Some((time, What::LastAdvert { host: None, source }));
            return;
        } else if from_old && source != self.state.to && !self.insists && time > self.taken {
            self.insists = true;
            What::StillAdvertises { host: None, source }
        } else {
            return;
        };
        self.steps.push((time, time, what));
    }

    /// The incident.
    pub(super) fn finish(mut self) -> IncidentRecord {
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
            reason: Some(state.reason).filter(|_| !self.is_beside()),
            trigger,
            silence_ms: state.silence_ms,
            outage_ms: state.outage_ms,
            converged_ms: match self.how {
                How::Announced(announced) => announced.converged_ms,
                How::Unfinished | How::Beside => None,
            },
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

    const fn is_beside(&self) -> bool {
        matches!(self.how, How::Beside)
    }

    /// What set it off: what the wire shows, and what a daemon said about it before.
    fn trigger(&self) -> String {
        let old = self.state.from.map(|from| from.to_string());
        let old = old.as_deref().unwrap_or("the old router");
        let new = self.state.to;
        let wire = match self.state.reason {
            _ if self.is_beside() => format!("{new} became active beside {old}"),
            ChangeReason::FirstSeen => format!("{new} became active"),
            ChangeReason::Unobserved => format!("{new} became active while this was not seen"),
            ChangeReason::Resigned => format!("{old} resigned"),
            ChangeReason::Timeout => format!("{old} went silent"),
            ChangeReason::Preempted => format!("{new} has the higher priority"),
            ChangeReason::PriorityLowered => format!("{old} lowered its priority"),
            ChangeReason::TieBreak => format!("{new} has the higher address"),
            ChangeReason::Restarted => match self.how {
                How::Announced(AnnouncedRecord {
                    delayed: Some(count),
                    ..
                }) => format!("its adverts were delayed, not lost: {count} came at once"),
                _ => format!("{new} came back"),
            },
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
            && !self.is_beside()
            && !resigned
            && let Some(from) = state.from
        {
            missing.push(format!("a resignation of {from}"));
        }
        // Who was silent, and in whose place nobody took over, has nothing to announce.
        let returning = state.reason == ChangeReason::Restarted && !resigned;
        // Where it is not known yet what was announced, nothing is missing.
        if !matches!(self.how, How::Unfinished) && !returning {
            let announced: AddressList = self.announced.keys().map(|(one, _)| *one).collect();
            let silent = self.addresses.without(&announced);
            let named = silent.iter().take(MAX_MISSING);
            missing.extend(named.map(|address| format!("an announcement of {address}")));
            if silent.len() > MAX_MISSING {
                let more = silent.len() - MAX_MISSING;
                missing.push(format!("announcements of {more} more addresses"));
            }
        }
        missing
    }
}

fn millis(span: Span) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
