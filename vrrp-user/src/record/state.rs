//! The record of a change of the active router.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Family, MacAddr, Priority, Timestamp, Vrid};

/// A virtual router has another active router.
///
/// The record comes at once. Which addresses the new one announces is known only a little later, and is
/// a record of its own, `announced`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateRecord {
    /// Virtual router.
    pub vrid: Vrid,
    /// Its family.
    pub family: Family,
    /// The group it advertises to; absent where it advertises to unicast peers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<IpAddr>,
    /// The routers that advertise to each other by unicast.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub peers: Vec<IpAddr>,
    /// The router that was active; absent where none was known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<IpAddr>,
    /// The router that is active now.
    pub to: IpAddr,
    /// MAC that the adverts of the active router come from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mac: Option<MacAddr>,
    /// Priority of the active router.
    pub priority: Priority,
    /// Virtual addresses it advertises.
    pub addresses: Vec<IpAddr>,
    /// How the change came about.
    pub reason: ChangeReason,
    /// Time without an advert of an active router, in milliseconds: from the last of the old one
    /// to the first of the new one. Absent where adverts never stopped, and where they were not
    /// watched all the time. The address may have been held and have answered meanwhile.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub silence_ms: Option<u64>,
    /// Time for which nobody held the addresses, in milliseconds, where that can be concluded:
    /// until the first advert of the new router, since the old one resigned or, with `--probe`,
    /// since a question of this host found no answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outage_ms: Option<u64>,
}

/// What the new active router of a virtual router announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnnouncedRecord {
    /// Virtual router.
    pub vrid: Vrid,
    /// Its family.
    pub family: Family,
    /// The group it advertises to; absent where it advertises to unicast peers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub group: Option<IpAddr>,
    /// The routers that advertise to each other by unicast.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub peers: Vec<IpAddr>,
    /// The router that became active, as in the `state` record.
    pub to: IpAddr,
    /// When it became active: the time of the `state` record.
    pub since: Timestamp,
    /// The addresses that it announced by gratuitous ARP or unsolicited neighbour advertisement.
    pub announcements: Vec<Announcement>,
    /// How many adverts came at once when a router that was silent was heard again: they were
    /// delayed, not lost.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delayed: Option<u32>,
    /// Time from its first advert to its first answer to a question of this host for one of the
    /// addresses, in milliseconds; only where they are asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub converged_ms: Option<u64>,
}

/// How an address was announced after a takeover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Announcement {
    /// The address.
    pub address: IpAddr,
    /// How often, until the record was made.
    pub count: u64,
    /// When first, in milliseconds after the first advert; 0 for one that came before it.
    pub first_ms: u64,
}

/// How a router became active.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeReason {
    /// No router was known to be active before.
    FirstSeen,
    /// The old one gave its role up.
    Resigned,
    /// The old one went silent.
    Timeout,
    /// The new one has the higher priority.
    Preempted,
    /// The old one had lowered its priority below that of the new one.
    PriorityLowered,
    /// The priorities are equal and the new one has the higher address.
    TieBreak,
    /// The old one is the new one: it had resigned or gone silent.
    Restarted,
    /// It happened while this host could not see the segment, or lost frames.
    Unobserved,
}

impl ChangeReason {
    /// Whether the change itself was not seen, only what came of it.
    pub const fn is_unseen(self) -> bool {
        matches!(self, Self::FirstSeen | Self::Unobserved)
    }

    /// As written in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstSeen => "first-seen",
            Self::Resigned => "resigned",
            Self::Timeout => "timeout",
            Self::Preempted => "preempted",
            Self::PriorityLowered => "priority-lowered",
            Self::TieBreak => "tie-break",
            Self::Restarted => "restarted",
            Self::Unobserved => "unobserved",
        }
    }
}
