//! The evidence of who has an address.

use std::{collections::BTreeMap, net::IpAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Seen, Service, Verdict};
use crate::{
    model::{MacAddr, Priority, Span, Timestamp, Vrid},
    probe::{Host, Obstacle, Reply},
    record::{Answer, LossReason, Role},
    tracker::{Speaker, Tracker},
};

/// Who has an address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename = "who")]
pub struct Who {
    /// When the evidence was complete.
    pub time: Timestamp,
    /// The address.
    pub address: IpAddr,
    /// What the evidence comes to.
    pub verdict: Verdict,
    /// The same in one sentence.
    pub message: String,
    /// The routers that advertise it.
    pub advertised: Vec<Advertised>,
    /// The MACs that answer for it.
    pub answered: Vec<Answered>,
    /// This host has it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub held: Option<Held>,
    /// Why it was not asked for, if it was not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_asked: Option<Obstacle>,
    /// What services show at the address and at its routers.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub services: Vec<Service>,
    /// What of its traffic this host gets, if that was counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub traffic: Option<Seen>,
    /// Frames that were lost on this host meanwhile, by reason: an advert or an answer may be among them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub lost: BTreeMap<LossReason, u64>,
    /// For how long adverts were waited for, in milliseconds.
    pub waited_ms: u64,
}

/// A router that advertises the address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Advertised {
    /// Its own address: the source of its adverts.
    pub source: IpAddr,
    /// MAC of its adverts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mac: Option<MacAddr>,
    /// Virtual router.
    pub vrid: Vrid,
    /// Its priority.
    pub priority: Priority,
    /// Interface that its adverts come to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<String>,
    /// VLAN identifiers, the outer first.
    pub vlan: Vec<u16>,
    /// It is this host.
    pub this_host: bool,
}

/// A MAC that answers for the address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answered {
    /// Its first answer.
    #[serde(flatten)]
    pub first: Answer,
    /// How often it answered.
    pub answers: u64,
    /// How often it answered beyond what it was asked.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub surplus: u64,
    /// It has not answered since, and another has: the address has moved.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub moved: bool,
}

/// Whether there is nothing to be told.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
pub(super) const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// This host has the address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// The interface that has it.
    pub interface: String,
    /// Whether this host answers for it there. A real server behind LVS does not.
    pub answers: bool,
}

/// Within this time all have answered, proxies as well, which wait up to 0.8 s.
const ANSWERED: Span = Span::from_secs(1);

/// A network repeats a frame by accident. One that comes twice as often as it was asked for, each
/// time, is of two machines.
const REPEATED: u64 = 2;

impl Answered {
    /// Whether who answered may do so.
    pub(super) fn is_rightful(&self) -> bool {
        self.first.role.is_some_and(Role::is_rightful)
    }

    /// Whether two machines have the MAC: the virtual one, which each has that is active.
    pub(super) fn is_shared(&self) -> bool {
        shares(self.first.mac, self.surplus)
    }
}

/// Whether two machines answer with a MAC that has answered this much more often than it was asked.
pub(super) fn shares(mac: MacAddr, surplus: u64) -> bool {
    mac.virtual_router().is_some() && surplus >= REPEATED
}

impl Who {
    /// Puts the evidence about an address together and weighs it.
    pub fn new(
        address: IpAddr,
        tracker: &Tracker,
        host: &Host,
        replies: &[Reply],
        not_asked: Option<Obstacle>,
        (since, now): (Timestamp, Timestamp),
    ) -> Self {
        let waited = now.since(since);
        let mut who = Self {
            time: now,
            address,
            verdict: Verdict::Nobody,
            message: String::new(),
            advertised: advertised(address, tracker, host, now),
            answered: answered(address, tracker, host, replies, now),
            held: host.holding(address).map(|holding| Held {
                interface: holding.interface.to_string(),
                answers: host.answers_for(address),
            }),
            not_asked,
            services: Vec::new(),
            traffic: None,
            lost: BTreeMap::new(),
            waited_ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
        };
        (who.verdict, who.message) = who.judge();
        who
    }

    /// Adds what a service shows, and weighs the evidence anew.
    pub fn add_service(&mut self, service: Service) {
        self.services.push(service);
        (self.verdict, self.message) = self.judge();
    }

    /// Adds what was counted of its traffic, and weighs the evidence anew.
    pub fn add_traffic(&mut self, traffic: Seen) {
        self.traffic = Some(traffic);
        (self.verdict, self.message) = self.judge();
    }

    /// Adds what was lost while the evidence was gathered, and weighs it anew.
    pub fn add_losses(&mut self, lost: &BTreeMap<LossReason, u64>) {
        self.lost.clone_from(lost);
        (self.verdict, self.message) = self.judge();
    }

    /// Whether adverts explain all there is: more waiting would not tell more.
    pub fn is_explained(&self) -> bool {
        let is_clear =
            |answer: &Answered| answer.is_rightful() && (answer.surplus == 0 || answer.is_shared());
        !self.advertised.is_empty() && self.current().all(is_clear)
    }

    /// The MACs that answer for it now.
    pub(super) fn current(&self) -> impl Iterator<Item = &Answered> {
        self.answered.iter().filter(|answer| !answer.moved)
    }
}

fn advertised(address: IpAddr, tracker: &Tracker, host: &Host, now: Timestamp) -> Vec<Advertised> {
    let mut advertised = Vec::new();
    for router in tracker.routers() {
        let active = router.active().map(Speaker::id);
        let rivals: Vec<_> = router.rivals(now).map(|rival| rival.id).collect();
        let alive = router
            .speakers()
            .filter(|speaker| {
                let is_active = Some(speaker.id()) == active && speaker.is_alive(now);
                is_active || router.is_advertising(speaker, now) || rivals.contains(&speaker.id())
            })
            .filter(|speaker| speaker.addresses().any(|other| other == address));
        for speaker in alive {
            advertised.push(Advertised {
                source: speaker.source,
                mac: speaker.mac,
                vrid: router.vrid,
                priority: speaker.priority,
                interface: router.segment.interface.as_deref().map(str::to_owned),
                vlan: router.segment.vlan.ids().to_vec(),
                this_host: host.holder(speaker.source).is_some(),
            });
        }
    }
    advertised
}

/// Whether a MAC that has answered once let a later question pass, which another answered.
fn has_moved(reply: &Reply, replies: &[Reply], now: Timestamp) -> bool {
    let here = || {
        replies
            .iter()
            .filter(|other| other.address == reply.address && other.segment == reply.segment)
    };
    let own = here().filter(|other| other.mac == reply.mac);
    let last = own.map(|own| own.question).max();
    here().any(|other| Some(other.question) > last && other.asked + ANSWERED <= now)
}

fn answered(
    address: IpAddr,
    tracker: &Tracker,
    host: &Host,
    replies: &[Reply],
    now: Timestamp,
) -> Vec<Answered> {
    let mut answered: Vec<Answered> = Vec::new();
    for reply in replies.iter().filter(|reply| reply.address == address) {
        if let Some(known) = answered.iter_mut().find(|one| one.first.mac == reply.mac) {
            known.answers += 1;
            known.surplus += u64::from(reply.surplus);
            continue;
        }
        let owner = (reply.mac, host.owns(reply.mac));
        let whose = tracker.whose(&reply.segment, address, owner, now);
        answered.push(Answered {
            first: Answer {
                mac: reply.mac,
                role: whose.map(|whose| whose.role),
                router: whose.and_then(|whose| whose.router),
                rtt_us: u64::try_from(reply.span.as_micros()).unwrap_or(u64::MAX),
            },
            answers: 1,
            surplus: u64::from(reply.surplus),
            moved: has_moved(reply, replies, now),
        });
    }
    answered
}
