//! The record of a question who has an address, and of the answers.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    model::{MacAddr, Timestamp},
    probe::Obstacle,
};

/// An address was asked for, or could not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeRecord {
    /// The address.
    pub address: IpAddr,
    /// What came of it.
    pub outcome: Outcome,
    /// The address of this host that asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<IpAddr>,
    /// When the question left.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub asked: Option<Timestamp>,
    /// Who answered, in order.
    pub answers: Vec<Answer>,
    /// Those who answered more often than they were asked: two machines with one MAC, or a network
    /// that repeats frames.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub repeated: Vec<MacAddr>,
    /// Why it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<Obstacle>,
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Somebody answered.
    Answered,
    /// Nobody did.
    Unanswered,
    /// Nobody did, as it should be: this host has the address, and no host answers itself.
    HeldHere,
    /// It was not asked for; this is said once.
    NotAsked,
}

impl Outcome {
    /// As written in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Unanswered => "unanswered",
            Self::HeldHere => "held-here",
            Self::NotAsked => "not-asked",
        }
    }
}

/// Somebody says that the address is at its MAC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The MAC.
    pub mac: MacAddr,
    /// Whose it is; absent where no router is known to advertise the address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
    /// Source address of the router whose MAC it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub router: Option<IpAddr>,
    /// Time from the question to the answer, both as the kernel saw them, in microseconds.
    pub rtt_us: u64,
}

/// Whose MAC it is. In the order of how well it fits.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A router that is active; of two in a split brain, either.
    ActiveRouter,
    /// The virtual MAC, which belongs to whoever is active.
    VirtualMac,
    /// This host, which is not the active router.
    ThisHost,
    /// A router that is alive and not active.
    Standby,
    /// A router that was active before and is no longer heard of.
    FormerRouter,
    /// A machine that answers for addresses of others.
    ProxyArp,
    /// A machine that is none of the routers.
    Outsider,
}

impl Role {
    /// As written in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ActiveRouter => "active-router",
            Self::VirtualMac => "virtual-mac",
            Self::ThisHost => "this-host",
            Self::Standby => "standby",
            Self::FormerRouter => "former-router",
            Self::ProxyArp => "proxy-arp",
            Self::Outsider => "outsider",
        }
    }

    /// In words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::ActiveRouter => "active router",
            Self::VirtualMac => "virtual MAC",
            Self::ThisHost => "this host",
            Self::Standby => "backup router",
            Self::FormerRouter => "formerly active router",
            Self::ProxyArp => "proxy ARP",
            Self::Outsider => "not heard as a router",
        }
    }

    /// Whether who is this may answer.
    pub const fn is_rightful(self) -> bool {
        matches!(self, Self::ActiveRouter | Self::VirtualMac)
    }
}
