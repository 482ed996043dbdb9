//! The record of an incident: a takeover, put together from the wire and the logs.

use std::{net::IpAddr, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ChangeReason;
use crate::{
    log::LogEvent,
    model::{Family, MacAddr, Priority, Timestamp, Vrid},
};

/// A takeover: what set it off, what followed, what should have followed and did not.
///
/// It comes when the neighbours have been told, or will not be: some seconds after the takeover,
/// whose time is the record's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentRecord {
    /// Virtual router.
    pub vrid: Vrid,
    /// Its family.
    pub family: Family,
    /// Virtual addresses of the router that took over.
    pub addresses: Vec<IpAddr>,
    /// The router that was active; absent where none was known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<IpAddr>,
    /// The router that took over.
    pub to: IpAddr,
    /// How it came by its role; absent where it became active beside a router that stayed so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<ChangeReason>,
    /// What set it off, in words.
    pub trigger: String,
    /// Time without an advert of an active router, in milliseconds, as in the `state` record.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub silence_ms: Option<u64>,
    /// Time for which nobody held the addresses, in milliseconds, where that can be concluded, as
    /// in the `state` record.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outage_ms: Option<u64>,
    /// Time from the first advert of the new router to its first answer to a question of this
    /// host, in milliseconds; only where the addresses are asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub converged_ms: Option<u64>,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// What was expected and did not come.
    pub missing: Vec<String>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// When; of several, the first.
    pub time: Timestamp,
    /// Milliseconds after the first step.
    pub offset_ms: u64,
    /// Milliseconds by which it may have been later; absent below one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uncertain_ms: Option<u64>,
    /// What it was.
    #[serde(flatten)]
    pub what: What,
}

/// The kinds of steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum What {
    /// The last advert of the old router.
    LastAdvert {
        /// Name of that host, where its log is read.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        host: Option<Arc<str>>,
        /// Its sender.
        source: IpAddr,
    },
    /// The old router gave its role up.
    Resigned {
        /// Name of that host, where its log is read.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        host: Option<Arc<str>>,
        /// Which one.
        source: IpAddr,
    },
    /// The first advert of the new router.
    FirstAdvert {
        /// Name of that host, where its log is read.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        host: Option<Arc<str>>,
        /// Its sender.
        source: IpAddr,
        /// Its priority.
        priority: Priority,
    },
    /// The old router still advertises.
    StillAdvertises {
        /// Name of that host, where its log is read.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        host: Option<Arc<str>>,
        /// Which one.
        source: IpAddr,
    },
    /// An address was announced by gratuitous ARP or unsolicited neighbour advertisement.
    Announced {
        /// The address.
        address: IpAddr,
        /// Where it is, by the announcement.
        mac: MacAddr,
        /// How often.
        count: u64,
    },
    /// An address was answered for.
    Answered {
        /// The address.
        address: IpAddr,
        /// Where it is, by the answer.
        mac: MacAddr,
    },
    /// A daemon logged something.
    Log {
        /// Host that wrote it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        host: Option<Arc<str>>,
        /// Instance it is about.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        instance: Option<String>,
        /// What it says.
        event: LogEvent,
        /// The line.
        text: String,
    },
}
