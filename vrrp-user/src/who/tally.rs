//! What `arping` tells: every answer, and their number at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::{is_zero, shares};
use crate::{
    model::{MacAddr, Timestamp},
    probe::Reply,
    record::{LossReason, Role},
    tracker::whose::Whose,
};

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename = "answer")]
pub struct AnswerLine {
    /// When it came.
    pub time: Timestamp,
    /// The address.
    pub address: IpAddr,
    /// Number of the question, from 1.
    pub sequence: u64,
    /// The MAC that has the address.
    pub mac: MacAddr,
    /// Whose MAC it is; absent where nobody was heard to advertise the address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
    /// Source address of the router whose MAC it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub router: Option<IpAddr>,
    /// Time from the question to the answer, in microseconds.
    pub rtt_us: u64,
    /// Another MAC has answered the same question.
    pub duplicate: bool,
}

/// The answers in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename = "statistics")]
pub struct Tally {
    /// The address.
    pub address: IpAddr,
    /// Questions.
    pub sent: u64,
    /// Answers.
    pub received: u64,
    /// Questions that nobody answered.
    pub unanswered: u64,
    /// Answers beyond the first to a question.
    pub duplicates: u64,
    /// By MAC, in the order of their first answers.
    pub macs: Vec<MacTally>,
    /// The interface of this host that has the address: a host cannot ask for its own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub held: Option<String>,
    /// Frames that were lost on this host meanwhile, by reason: answers may be among them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub lost: BTreeMap<LossReason, u64>,
    /// MACs that have answered one and the same question.
    #[serde(skip)]
    together: BTreeSet<(MacAddr, MacAddr)>,
    /// Those that have answered the last question.
    #[serde(skip)]
    latest: (u64, BTreeSet<MacAddr>),
}

/// Pairs of MACs that are kept: more would not say more.
const MAX_PAIRS: usize = 64;

/// The answers of one MAC in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MacTally {
    /// The MAC.
    pub mac: MacAddr,
    /// Whose it is, by all that was heard.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
    /// Source address of the router whose MAC it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub router: Option<IpAddr>,
    /// Answers.
    pub answers: u64,
    /// Answers beyond one to each question.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub surplus: u64,
    /// The quickest, in microseconds.
    pub min_us: u64,
    /// The mean, in microseconds.
    pub avg_us: u64,
    /// The slowest, in microseconds.
    pub max_us: u64,
}

impl Tally {
    /// Nothing sent yet.
    pub const fn new(address: IpAddr, held: Option<String>) -> Self {
        Self {
            address,
            sent: 0,
            received: 0,
            unanswered: 0,
            duplicates: 0,
            macs: Vec::new(),
            held,
            lost: BTreeMap::new(),
            together: BTreeSet::new(),
            latest: (0, BTreeSet::new()),
        }
    }

    /// Counts an answer to the question of this number; `first`: nobody has answered it before.
    pub(crate) fn count(
        &mut self,
        reply: &Reply,
        whose: Option<Whose>,
        first: bool,
        time: Timestamp,
    ) -> AnswerLine {
        let rtt_us = u64::try_from(reply.span.as_micros()).unwrap_or(u64::MAX);
        if self.latest.0 != self.sent {
            self.latest = (self.sent, BTreeSet::new());
        }
        for other in &self.latest.1 {
            if *other != reply.mac && self.together.len() < MAX_PAIRS {
                self.together
                    .insert((*other.min(&reply.mac), *other.max(&reply.mac)));
            }
        }
        if self.latest.1.len() < MAX_PAIRS {
            self.latest.1.insert(reply.mac);
        }
        self.received += 1;
        self.duplicates += u64::from(!first);
        let position = self.macs.iter().position(|tally| tally.mac == reply.mac);
        let position = position.unwrap_or_else(|| {
            self.macs.push(MacTally {
                mac: reply.mac,
                role: None,
                router: None,
                answers: 0,
                surplus: 0,
                min_us: u64::MAX,
                avg_us: 0,
                max_us: 0,
            });
            self.macs.len() - 1
        });
        let tally = &mut self.macs[position];
        let total = tally.avg_us * tally.answers + rtt_us;
        tally.answers += 1;
        tally.surplus += u64::from(reply.surplus);
        tally.avg_us = total / tally.answers;
        tally.min_us = tally.min_us.min(rtt_us);
        tally.max_us = tally.max_us.max(rtt_us);
        AnswerLine {
            time,
            address: self.address,
            sequence: self.sent,
            mac: reply.mac,
            role: whose.map(|whose| whose.role),
            router: whose.and_then(|whose| whose.router),
            rtt_us,
            duplicate: !first,
        }
    }

    /// Takes in whose each MAC is.
    pub(crate) fn identify(&mut self, whose: impl Fn(MacAddr) -> Option<Whose>) {
        for tally in &mut self.macs {
            let whose = whose(tally.mac);
            tally.role = whose.map(|whose| whose.role);
            tally.router = whose.and_then(|whose| whose.router);
        }
    }

    /// Whether several machines answer one question: where one answers after the other, the address has
    /// moved. The virtual MAC and the active router's own are one machine; two that have the virtual MAC
    /// answer each question twice.
    pub fn is_conflict(&self) -> bool {
        let of = |mac: MacAddr| self.macs.iter().find(|tally| tally.mac == mac);
        let rightful = |tally: &MacTally| tally.role.is_some_and(Role::is_rightful);
        let is_one = |one: MacAddr, other: MacAddr| match (of(one), of(other)) {
            (Some(one), Some(other)) => {
                rightful(one) && rightful(other) && one.router == other.router
            }
            _ => false,
        };
        let two = self.together.iter();
        let two = two.copied().any(|(one, other)| !is_one(one, other));
        let shared = self
            .macs
            .iter()
            .any(|tally| shares(tally.mac, tally.surplus));
        shared || two
    }
}
