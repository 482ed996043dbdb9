//! The open findings.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

use super::{
    incident::Report,
    view::{Assessment, Description, Sign, View},
};
use crate::{
    model::{Family, Span, Timestamp, Vrid},
    record::{Body, Code, FindingRecord, OpenFinding, Record, Severity, Status},
    tracker::{RouterId, Segment},
};

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Subject {
    /// A virtual router.
    Router(RouterId),
    /// Two virtual routers, the earlier first.
    Pair(RouterId, RouterId),
    /// What can be seen of an interface.
    Interface(Arc<str>),
    /// The packets of a sender.
    Sender(Segment, IpAddr, Option<Vrid>),
}

/// Identifies a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) subject: Subject,
    pub(super) code: Code,
}

/// The open findings, by what they are about. Bounded by what the tracker and the incidents keep.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    open: HashMap<Key, Open>,
    /// What is open about a subject: one look here spares many there, for all detectors are asked
    /// with every advert and hardly any ever finds anything.
    codes: HashMap<Subject, Codes>,
    /// Findings that were raised.
    raised: u64,
    /// For each virtual router the later ones it has a finding with.
    pairs: BTreeMap<(RouterId, RouterId), u32>,
}

/// A set of codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Codes(u64);

const _: () = assert!(Code::ALL.len() <= 64);

impl Codes {
    const fn bit(code: Code) -> u64 {
        1 << code as u32
    }

    pub(super) const fn contains(self, code: Code) -> bool {
        self.0 & Self::bit(code) != 0
    }
}

#[derive(Debug)]
struct Open {
    /// As it was told last.
    sign: Sign,
    segment: Segment,
    record: FindingRecord,
    /// When the last update was told.
    updated: Option<Timestamp>,
    /// What it has become since, and how often it changed.
    untold: Option<(Sign, u64)>,
}

/// At most one update of a finding in this time.
const UPDATE_PACE: Span = Span::from_secs(1);

impl Open {
    /// Whether an update may be told; what is not told is counted.
    fn may_update(&mut self, sign: &Sign, now: Timestamp) -> bool {
        let changes = match self.untold.take() {
            Some((before, changes)) if before == *sign => changes,
            Some((_, changes)) => changes + 1,
            None => 1,
        };
        self.untold = Some((sign.clone(), changes));
        self.due().is_none_or(|due| due <= now)
    }

    /// When an update that waits may be told.
    fn due(&self) -> Option<Timestamp> {
        self.untold.as_ref()?;
        Some(self.updated? + UPDATE_PACE)
    }
}

impl Ledger {
    /// What is open about a subject.
    pub(super) fn codes(&self, subject: &Subject) -> Codes {
        self.codes.get(subject).copied().unwrap_or_default()
    }

    /// Brings a finding in line with its detector's assessment. Returns what there is to report.
    pub(super) fn settle(
        &mut self,
        key: Key,
        view: &View<'_>,
        assessment: Assessment,
        describe: impl FnOnce(&Sign) -> Description,
    ) -> Option<Record> {
        let sign = match assessment {
            Assessment::Undecided => return None,
            Assessment::Absent => return self.end(&key, view.now),
            Assessment::Lapsed => return self.forget(&key, view.now),
            Assessment::Over(how) => {
                return self.close(&key, Status::Cleared, Some(&how), view.now);
            }
            Assessment::Present(sign) => sign,
        };
        let (id, status, since, changes) = match self.open.get_mut(&key) {
            Some(open) if open.sign == sign => {
                open.untold = None;
                return None;
            }
            Some(open) => {
                if !open.may_update(&sign, view.now) {
                    return None;
                }
                let changes = open.untold.take().map(|(_, changes)| changes);
                (open.record.id, Status::Updated, open.record.since, changes)
            }
            None => (self.number(), Status::Raised, view.now, None),
        };
        let Description {
            sources,
            message,
            evidence,
            advice,
        } = describe(&sign);
        let finding = FindingRecord {
            id,
            code: key.code,
            severity: key.code.severity(),
            status,
            vrid: Some(view.router.vrid),
            family: Some(view.router.family),
            addresses: sign.addresses.to_vec(),
            sources,
            message,
            cause: sign.cause.clone(),
            causes: sign.causes.clone(),
            evidence,
            advice,
            since,
            count: None,
            changes: changes.filter(|changes| *changes > 1),
        };
        Some(self.open(key, &view.router.segment, sign, finding, view.now))
    }

    /// Counts an incident, and raises its finding if it is the first.
    pub(super) fn count(
        &mut self,
        key: Key,
        segment: &Segment,
        report: Report,
        now: Timestamp,
    ) -> Option<Record> {
        if let Some(open) = self.open.get_mut(&key) {
            open.record.count = open.record.count.map(|count| count + 1);
            return None;
        }
        let id = self.number();
        let description = report.description;
        let finding = FindingRecord {
            id,
            code: key.code,
            severity: report.severity,
            status: Status::Raised,
            vrid: report.vrid,
            family: Some(Family::of(report.source)),
            addresses: report.addresses,
            sources: description.sources,
            message: description.message,
            cause: None,
            causes: Vec::new(),
            evidence: description
                .evidence
                .into_iter()
                .map(|evidence| crate::record::Evidence {
                    time: now,
                    ..evidence
                })
                .collect(),
            advice: description.advice,
            since: now,
            count: Some(1),
            changes: None,
        };
        Some(self.open(key, segment, Sign::default(), finding, now))
    }

    /// Raises a finding that nothing but its end changes.
    pub(super) fn declare(
        &mut self,
        key: Key,
        segment: &Segment,
        addresses: Vec<IpAddr>,
        description: Description,
        now: Timestamp,
    ) -> Record {
        let id = self.number();
        let finding = FindingRecord {
            id,
            code: key.code,
            severity: key.code.severity(),
            status: Status::Raised,
            vrid: None,
            family: None,
            addresses,
            sources: description.sources,
            message: description.message,
            cause: None,
            causes: Vec::new(),
            evidence: description.evidence,
            advice: description.advice,
            since: now,
            count: None,
            changes: None,
        };
        self.open(key, segment, Sign::default(), finding, now)
    }

    /// An interface has another name.
    pub(super) fn rename(&mut self, formerly: &str, name: &Arc<str>) {
        for open in self.open.values_mut() {
            if open.segment.interface.as_deref() == Some(formerly) {
                open.segment.interface = Some(name.clone());
            }
        }
        let [old, new] = [Arc::from(formerly), name.clone()].map(Subject::Interface);
        if let Some(codes) = self.codes.remove(&old) {
            self.codes.insert(new.clone(), codes);
        }
        for code in Code::ALL {
            let key = |subject: &Subject| Key {
                subject: subject.clone(),
                code: *code,
            };
            if let Some(open) = self.open.remove(&key(&old)) {
                self.open.insert(key(&new), open);
            }
        }
    }

    fn open(
        &mut self,
        key: Key,
        segment: &Segment,
        sign: Sign,
        finding: FindingRecord,
        now: Timestamp,
    ) -> Record {
        if let Subject::Pair(one, other) = key.subject
            && finding.status == Status::Raised
        {
            *self.pairs.entry((one, other)).or_default() += 1;
            *self.pairs.entry((other, one)).or_default() += 1;
        }
        let open = Open {
            sign,
            segment: segment.clone(),
            updated: (finding.status == Status::Updated).then_some(now),
            untold: None,
            record: finding.clone(),
        };
        self.codes.entry(key.subject.clone()).or_default().0 |= Codes::bit(key.code);
        self.open.insert(key, open);
        record(segment, now, Body::Finding(finding))
    }

    /// The number of the next finding.
    const fn number(&mut self) -> u64 {
        self.raised += 1;
        self.raised
    }

    /// The findings that are open, in the order in which they were raised.
    pub(super) fn all(&self) -> Vec<OpenFinding> {
        let mut all: Vec<OpenFinding> = self
            .open
            .values()
            .map(|open| OpenFinding {
                id: open.record.id,
                code: open.record.code,
                severity: open.record.severity,
                vrid: open.record.vrid,
                family: open.record.family,
                interface: open.segment.interface.clone(),
                since: open.record.since,
            })
            .collect();
        all.sort_by_key(|open| open.id);
        all
    }

    /// When an update of a finding that waits its time is to be told.
    pub(super) fn update_due(&self, key: &Key) -> Option<Timestamp> {
        self.open.get(key)?.due()
    }

    /// Whether there is something open about a virtual router that somebody should know.
    pub(super) fn is_open(&self, id: RouterId) -> bool {
        let worth = |codes: Codes| {
            Code::ALL
                .iter()
                .any(|code| codes.contains(*code) && code.severity() > Severity::Info)
        };
        worth(self.codes(&Subject::Router(id)))
            || self
                .pairs
                .range((id, RouterId::FIRST)..=(id, RouterId::LAST))
                .next()
                .is_some()
    }

    /// Whether a finding is open.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.open.contains_key(key)
    }

    /// Clears a finding, if it is open.
    pub(super) fn end(&mut self, key: &Key, now: Timestamp) -> Option<Record> {
        self.close(key, Status::Cleared, None, now)
    }

    /// Gives a finding up, if it is open, for want of room or of signs: it may go on.
    pub(super) fn forget(&mut self, key: &Key, now: Timestamp) -> Option<Record> {
        self.close(key, Status::Forgotten, None, now)
    }

    /// `words`: how it came to an end, where that can be told.
    fn close(
        &mut self,
        key: &Key,
        status: Status,
        words: Option<&str>,
        now: Timestamp,
    ) -> Option<Record> {
        let Open {
            segment,
            record: finding,
            ..
        } = self.open.remove(key)?;
        if let Some(codes) = self.codes.get_mut(&key.subject) {
            codes.0 &= !Codes::bit(key.code);
            if *codes == Codes::default() {
                self.codes.remove(&key.subject);
            }
        }
        if let Subject::Pair(one, other) = key.subject {
            for pair in [(one, other), (other, one)] {
                if let Some(count) = self.pairs.get_mut(&pair) {
                    *count -= 1;
                    if *count == 0 {
                        self.pairs.remove(&pair);
                    }
                }
            }
        }
        let lasted = now.since(finding.since);
        let lasted = lasted.as_secs_f64();
        let was = &finding.message;
        let message = match (status, words) {
            (Status::Forgotten, _) => {
                format!("No longer followed after {lasted:.1} s; it may go on. It was: {was}")
            }
            (_, Some(words)) => format!("Resolved after {lasted:.1} s: {words}"),
            (_, None) => format!("Resolved after {lasted:.1} s. It was: {was}"),
        };
        let cleared = FindingRecord {
            status,
            message,
            changes: None,
            evidence: Vec::new(),
            advice: String::new(),
            ..finding
        };
        Some(record(&segment, now, Body::Finding(cleared)))
    }

    /// The open findings between a virtual router and others that are to be found out.
    pub(super) fn partners(&self, id: RouterId, lost: impl Fn(RouterId) -> bool) -> Vec<Key> {
        self.pairs
            .range((id, RouterId::FIRST)..=(id, RouterId::LAST))
            .map(|((_, other), _)| *other)
            .filter(|other| lost(*other))
            .flat_map(|other| self.keys(Subject::Pair(id.min(other), id.max(other))))
            .collect()
    }

    /// The open findings about a virtual router and those it shares an address with.
    pub(super) fn about(&self, id: RouterId, kin: &[RouterId]) -> Vec<Key> {
        let pairs = kin
            .iter()
            .map(|other| Subject::Pair(id.min(*other), id.max(*other)));
        [Subject::Router(id)]
            .into_iter()
            .chain(pairs)
            .flat_map(|subject| self.keys(subject))
            .collect()
    }

    fn keys(&self, subject: Subject) -> impl Iterator<Item = Key> {
        let open = self.codes(&subject);
        Code::ALL
            .iter()
            .filter(move |code| open.contains(**code))
            .map(move |code| Key {
                subject: subject.clone(),
                code: *code,
            })
    }
}

/// A record about a segment.
pub(super) fn record(segment: &Segment, time: Timestamp, body: Body) -> Record {
    Record {
        interface: segment.interface.clone(),
        vlan: segment.vlan.ids().to_vec(),
        ..Record::new(time, body)
    }
}
