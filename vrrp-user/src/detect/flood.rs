//! flood: more frames than routers and their neighbours send, for seconds on end.
//!
//! Counted are frames of senders that are not known, and those that the kernel suppressed because
//! there were too many.

use std::{collections::BTreeMap, net::IpAddr};

use super::{
    Analyst,
    ledger::{Key, Subject},
    view::Description,
};
use crate::{
    model::{MacAddr, Span, Timestamp},
    record::{Code, Evidence, LossReason},
    tracker::Segment,
};

/// What is counted together.
const WINDOW: Span = Span::from_secs(1);
/// Frames in a window that are too many. A takeover announces a thousand times, but not in two
/// windows in a row; a start brings two adverts of each router.
const MANY: u64 = 200;
/// Windows with too many in a row that are a flood.
const BEGINS: u32 = 2;
/// Windows without in a row that are its end.
const ENDS: u32 = 5;
/// Senders that are told apart.
const MAX_SENDERS: usize = 64;
/// Senders that are named.
const NAMED: usize = 4;

/// What is counted at the moment.
#[derive(Debug, Default)]
pub(super) struct Flood {
    began: Option<Timestamp>,
    adverts: u64,
    neighbours: u64,
    suppressed: u64,
    senders: BTreeMap<MacAddr, (u64, IpAddr)>,
    /// There are more senders than are told apart.
    countless: bool,
    segment: Option<Segment>,
    loud: u32,
    quiet: u32,
    open: Option<Key>,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Advert,
    Neighbour,
}

impl Flood {
    /// Takes in a frame of a sender that is not known.
    fn note(
        &mut self,
        segment: &Segment,
        kind: Kind,
        mac: Option<MacAddr>,
        source: IpAddr,
        now: Timestamp,
    ) {
        self.began.get_or_insert(now);
        match kind {
            Kind::Advert => self.adverts += 1,
            Kind::Neighbour => self.neighbours += 1,
        }
        if self.segment.is_none() {
            self.segment = Some(segment.clone());
        }
        let Some(mac) = mac else { return };
        if self.senders.len() < MAX_SENDERS || self.senders.contains_key(&mac) {
            self.senders.entry(mac).or_insert((0, source)).0 += 1;
        } else {
            self.countless = true;
        }
    }

    /// When the window ends.
    pub(super) fn due(&self) -> Option<Timestamp> {
        self.began.map(|began| began + WINDOW)
    }

    fn total(&self) -> u64 {
        self.adverts + self.neighbours + self.suppressed
    }

    fn describe(&self, now: Timestamp) -> Description {
        let mut senders: Vec<(&MacAddr, &(u64, IpAddr))> = self.senders.iter().collect();
        senders.sort_by_key(|(mac, (count, _))| (std::cmp::Reverse(*count), **mac));
        let seen = self.adverts + self.neighbours;
        let from = match senders[..] {
            [] => String::new(),
            [(mac, _)] => format!(" from {mac}"),
            _ if self.countless => {
                format!(" from more than {MAX_SENDERS} MACs, which is as if they were made up")
            }
            [(_, (count, _)), ..] if count * 4 < seen => format!(
                " from {} MACs, none of which sends much of it: as if they were made up",
                senders.len()
            ),
            [(mac, (count, _)), ..] => format!(
                " from {} MACs, most of them ({count} of {seen} that were looked at) from {mac}",
                senders.len()
            ),
        };
        let what = match (self.adverts, self.neighbours) {
            (_, 0) => "VRRP adverts",
            (0, _) => "ARP and neighbour discovery messages",
            _ => "VRRP adverts, ARP and neighbour discovery messages",
        };
        let place = self
            .segment
            .as_ref()
            .and_then(|segment| segment.interface.as_ref())
            .map_or_else(String::new, |interface| format!(" on {interface}"));
        Description {
            sources: senders
                .iter()
                .take(NAMED)
                .map(|(_, (_, source))| *source)
                .collect(),
            message: format!(
                "Flood: {} {what} a second from unknown senders{place}{from}.",
                self.total()
            ),
            evidence: senders
                .iter()
                .take(NAMED)
                .map(|(mac, (count, source))| Evidence {
                    time: now,
                    source: Some(*source),
                    mac: Some(**mac),
                    vrid: None,
                    priority: None,
                    what: format!("{count} frames in a second"),
                })
                .collect(),
            advice:
                "Find the port they come from in the switch (its counters show it; a loop sends \
                     the same frames again and again) and shut it or limit it there. Known routers \
                     are watched all the same; new ones may be overlooked while this lasts."
                    .to_owned(),
        }
    }

    fn start_anew(&mut self) {
        self.began = None;
        self.adverts = 0;
        self.neighbours = 0;
        self.suppressed = 0;
        self.senders.clear();
        self.countless = false;
        self.segment = None;
    }
}

/// Whether frames that are lost for this reason were too many.
const fn is_flood(reason: LossReason) -> bool {
    matches!(
        reason,
        LossReason::KnownFlood
            | LossReason::AlikeFlood
            | LossReason::SenderFlood
            | LossReason::VrrpFlood
            | LossReason::NeighbourFlood
            | LossReason::PassedOver
    )
}

impl Analyst {
    /// Takes in a frame of a sender that is not known.
    pub(super) fn note_stranger(
        &mut self,
        segment: &Segment,
        kind: Kind,
        mac: Option<MacAddr>,
        source: IpAddr,
    ) {
        self.flood.note(segment, kind, mac, source, self.now);
    }

    /// Takes in frames that were suppressed.
    pub(super) fn note_suppressed(&mut self, lost: &BTreeMap<LossReason, u64>) {
        let count: u64 = lost
            .iter()
            .filter(|(reason, _)| is_flood(**reason))
            .map(|(_, count)| *count)
            .sum();
        if count > 0 {
            self.flood.began.get_or_insert(self.now);
            self.flood.suppressed += count;
        }
    }

    /// Ends a window of counting.
    pub(super) fn judge_flood(&mut self) {
        let now = self.now;
        let flood = &mut self.flood;
        if flood.total() >= MANY {
            flood.loud += 1;
            flood.quiet = 0;
        } else {
            flood.loud = 0;
            flood.quiet += 1;
        }
        if flood.open.is_none() && flood.loud >= BEGINS {
            let segment = flood.segment.clone().unwrap_or(Segment {
                interface: None,
                vlan: crate::wire::VlanStack::default(),
            });
            let interface = segment.interface.clone().unwrap_or_default();
            let key = Key {
                subject: Subject::Interface(interface),
                code: Code::Flood,
            };
            let description = flood.describe(now);
            flood.open = Some(key.clone());
            let record = self
                .ledger
                .declare(key, &segment, Vec::new(), description, now);
            self.raise(Some(record));
        } else if flood.quiet >= ENDS
            && let Some(key) = flood.open.take()
        {
            let record = self.ledger.end(&key, now);
            self.records.extend(record);
        }
        let flood = &mut self.flood;
        flood.start_anew();
        // Until it is over the windows follow each other.
        if flood.open.is_some() || flood.loud > 0 {
            flood.began = Some(now);
        }
    }
}
