//! The records of a run itself: its start, its losses, its end.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Code, Severity};
use crate::model::{Family, Timestamp, Vrid};

/// The program began to watch, or what it watches changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Start {
    /// Version of vrrpwatch.
    pub program_version: String,
    /// Version of the form of the records: see docs/stability.md.
    pub schema: u32,
    /// Release of the running kernel; absent in replay.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kernel: Option<String>,
    /// What is attached where; empty in replay.
    pub attachments: Vec<Attachment>,
    /// The files that are replayed; empty in live capture.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub files: Vec<String>,
    /// The logs and the configuration that are read, each in words; empty in replay.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sources: Vec<String>,
    /// What a reader should know: why a mode was chosen, what cannot be seen.
    pub notes: Vec<String>,
}

/// Version of the form of the records. It changes when a key goes or means something else, and not when
/// one comes.
pub const SCHEMA: u32 = 1;

/// What is attached to an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// Name of the interface.
    pub interface: String,
    /// Its index.
    pub index: u32,
    /// How what comes in is seen: `xdp-native`, `xdp-generic`, `tcx` or `clsact`.
    pub ingress: String,
    /// How what goes out is seen: `tcx` or `clsact`; absent where it is not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub egress: Option<String>,
    /// Why these.
    pub reason: String,
    /// State of the interface: `up`, `down`, or `no-carrier`.
    pub link: String,
}

/// Why frames that should have been reported were not.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum LossReason {
    /// The ring buffer between kernel and daemon was full.
    RingFull,
    /// Frames of any kind and interface that a CPU of this host had no room for, where it was one in a
    /// hundred or more.
    HostBacklog,
    /// The kernel program could not read the frame.
    Unreadable,
    /// A later fragment of a VRRP packet has no header to decode.
    LaterFragment,
    /// IPv6 with more extension headers than the filter follows.
    ExtensionsTooDeep,
    /// An event that does not parse: kernel object and program do not fit each other.
    BadEvent,
    /// More frames than could be looked at in time: those of senders that are not known were passed
    /// over.
    PassedOver,
    /// Adverts of known routers beyond what they send by their intervals.
    KnownFlood,
    /// Adverts like those of known routers, of senders that are not known, beyond their budget.
    AlikeFlood,
    /// Adverts of single senders that are not known, beyond the budget of each.
    SenderFlood,
    /// Adverts of senders that are not known, beyond the budget of all of them.
    VrrpFlood,
    /// ARP and neighbour discovery beyond the budget of its senders, or of all that are not known.
    NeighbourFlood,
    /// The capture file says that packets were dropped when it was recorded.
    CaptureDropped,
    /// The capture file has frames of a link that is not read.
    ForeignLink,
    /// The clock of the frames was set back or far ahead: what was known until then was given up.
    ClockStepped,
    /// A single frame in the file has a time far from those around it, and is taken to be of theirs.
    StrayTime,
    /// Frames in the file have no time: what needs time is not found in them.
    Untimed,
    /// The output was slower than the network: records were left out.
    OutputFull,
    /// The output or the file of `--write` took nothing for a while, as on a full disk: records or frames
    /// are missing there.
    OutputFailed,
    /// Frames of senders that are not known, and changes and findings about them, more than anybody
    /// reads: they were looked at, and not written.
    OutputFlood,
    /// More virtual routers than are kept: the one that was silent longest was forgotten.
    TrackerFull,
    /// Dropped packets of more senders, for more reasons or at more places than are counted.
    DropsUncounted,
    /// Traffic of more addresses, interfaces and VLANs than are counted: frames of it were not.
    TrafficFull,
}

impl LossReason {
    /// As written in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RingFull => "ring-full",
            Self::HostBacklog => "host-backlog",
            Self::Unreadable => "unreadable",
            Self::LaterFragment => "later-fragment",
            Self::ExtensionsTooDeep => "extensions-too-deep",
            Self::BadEvent => "bad-event",
            Self::PassedOver => "passed-over",
            Self::KnownFlood => "known-flood",
            Self::AlikeFlood => "alike-flood",
            Self::SenderFlood => "sender-flood",
            Self::VrrpFlood => "vrrp-flood",
            Self::NeighbourFlood => "neighbour-flood",
            Self::CaptureDropped => "capture-dropped",
            Self::ForeignLink => "foreign-link",
            Self::ClockStepped => "clock-stepped",
            Self::StrayTime => "stray-time",
            Self::Untimed => "untimed",
            Self::OutputFull => "output-full",
            Self::OutputFailed => "output-failed",
            Self::OutputFlood => "output-flood",
            Self::TrackerFull => "tracker-full",
            Self::DropsUncounted => "drops-uncounted",
            Self::TrafficFull => "traffic-full",
        }
    }
}

/// Frames were lost since the last record of this kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Loss {
    /// How many, by reason; never zero.
    pub lost: BTreeMap<LossReason, u64>,
}

/// What a run saw, at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Frames that came to the decoder.
    pub frames: u64,
    /// VRRP adverts among them.
    pub adverts: u64,
    /// CARP advertisements.
    pub carp: u64,
    /// ARP packets.
    pub arp: u64,
    /// Neighbour discovery messages.
    pub nd: u64,
    /// Lines of VRRP daemons' logs.
    #[serde(default)]
    pub log: u64,
    /// Second sightings of a frame on another hook, interface or file, not reported again.
    pub duplicates: u64,
    /// Frames that are none of ours.
    pub ignored: u64,
    /// Lost over the whole run, by reason.
    pub lost: BTreeMap<LossReason, u64>,
    /// ARP and neighbour discovery that concerned no watched address and was only counted.
    pub unwatched: u64,
    /// The findings that are in force at the end.
    #[serde(default)]
    pub open: Vec<OpenFinding>,
}

/// A finding that is in force at the end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenFinding {
    /// Its number, as in the `finding` record that raised it.
    pub id: u64,
    /// What is wrong.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Virtual router concerned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vrid: Option<Vrid>,
    /// Family of the virtual router.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub family: Option<Family>,
    /// Interface concerned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<Arc<str>>,
    /// When it was raised.
    pub since: Timestamp,
}
