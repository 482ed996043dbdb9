//! What vrrpwatch reports: one [`Record`] a line, the same from live capture and from replay.
//!
//! These are the serialised types, apart from those of the decoder and the tracker, so that the
//! JSON stays stable while the code behind it changes. docs/records.md describes them and
//! docs/records.schema.json is made from them. Records can be read back: [`Record`] deserialises
//! what it serialises.

mod advert;
mod drop;
mod finding;
mod incident;
mod log;
mod neighbour;
mod probe;
mod run;
mod session;
mod state;
mod traffic;
mod unread;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use advert::{AdvertRecord, AuthKind, CarpRecord};
pub use drop::DropRecord;
pub use finding::{Cause, Code, Evidence, FindingRecord, ParseCodeError, Severity, Status};
pub use incident::{IncidentRecord, Step, What};
pub use log::LogRecord;
pub use neighbour::{ArpRecord, NdRecord};
pub use probe::{Answer, Outcome, ProbeRecord, Role};
pub use run::RunId;
pub use session::{Attachment, Loss, LossReason, OpenFinding, SCHEMA, Start, Summary};
pub use state::{AnnouncedRecord, Announcement, ChangeReason, StateRecord};
pub use traffic::{TrafficRecord, Volume};
pub use unread::{Unread, UnreadRecord};

use crate::{frame::Direction, model::Timestamp};

/// One line of output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// When it happened: of a frame, when the kernel or the capture saw it.
    pub time: Timestamp,
    /// The run that made the record: another one each time that the program starts.
    #[serde(default)]
    pub run: RunId,
    /// Number of the record in its run, from 1 and without holes: one that is missing was not written.
    #[serde(default)]
    pub seq: u64,
    /// Where it is told late: the latest time of the records that stand before it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub emitted: Option<Timestamp>,
    /// Interface concerned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<Arc<str>>,
    /// VLAN identifiers, the outer first.
    #[serde(default)]
    pub vlan: Vec<u16>,
    /// Which way the frame went, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub direction: Option<Direction>,
    /// Name of the observing host; absent in replay of captures.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub observer: Option<Arc<str>>,
    /// What happened.
    #[serde(flatten)]
    pub body: Body,
}

impl Record {
    /// A record that concerns no interface in particular. Who tells it, in which run and as which of its
    /// records, is added when it is told.
    pub fn new(time: Timestamp, body: Body) -> Self {
        Self {
            time,
            run: RunId::default(),
            seq: 0,
            emitted: None,
            interface: None,
            vlan: Vec::new(),
            direction: None,
            observer: None,
            body,
        }
    }
}

/// The kinds of records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename_all = "lowercase")]
pub enum Body {
    /// The program began to watch, or what it watches changed.
    Start(Start),
    /// Frames were lost.
    Loss(Loss),
    /// The program ended.
    Summary(Summary),
    /// A VRRP advertisement.
    Advert(AdvertRecord),
    /// A CARP advertisement.
    Carp(CarpRecord),
    /// An ARP packet.
    Arp(ArpRecord),
    /// A neighbour solicitation or advertisement.
    Nd(NdRecord),
    /// A virtual router has another active router.
    State(StateRecord),
    /// What the new active router announced.
    Announced(AnnouncedRecord),
    /// An address was asked for, or could not be.
    Probe(ProbeRecord),
    /// The kernel dropped VRRP packets.
    Drop(DropRecord),
    /// What went to and from an address in a while.
    Traffic(TrafficRecord),
    /// Something is wrong, or no longer is.
    Finding(FindingRecord),
    /// A line of a VRRP daemon's log.
    Log(Box<LogRecord>),
    /// A log that was to be read and told nothing.
    Unread(UnreadRecord),
    /// A takeover, put together from the wire and the logs.
    Incident(IncidentRecord),
}

/// The kind of a record, as named in the key `record` and by `--only`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The program began to watch, or what it watches changed.
    Start,
    /// Frames were lost.
    Loss,
    /// The program ended.
    Summary,
    /// A VRRP advertisement.
    Advert,
    /// A CARP advertisement.
    Carp,
    /// An ARP packet.
    Arp,
    /// A neighbour solicitation or advertisement.
    Nd,
    /// A virtual router has another active router.
    State,
    /// What the new active router announced.
    Announced,
    /// An address was asked for, or could not be.
    Probe,
    /// The kernel dropped VRRP packets.
    Drop,
    /// What went to and from an address in a while.
    Traffic,
    /// Something is wrong, or no longer is.
    Finding,
    /// A line of a VRRP daemon's log.
    Log,
    /// A log that was to be read and told nothing.
    Unread,
    /// A takeover, put together from the wire and the logs.
    Incident,
}

impl Body {
    /// The kind of the record.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Start(_) => Kind::Start,
            Self::Loss(_) => Kind::Loss,
            Self::Summary(_) => Kind::Summary,
            Self::Advert(_) => Kind::Advert,
            Self::Carp(_) => Kind::Carp,
            Self::Arp(_) => Kind::Arp,
            Self::Nd(_) => Kind::Nd,
            Self::State(_) => Kind::State,
            Self::Announced(_) => Kind::Announced,
            Self::Probe(_) => Kind::Probe,
            Self::Drop(_) => Kind::Drop,
            Self::Traffic(_) => Kind::Traffic,
            Self::Finding(_) => Kind::Finding,
            Self::Log(_) => Kind::Log,
            Self::Unread(_) => Kind::Unread,
            Self::Incident(_) => Kind::Incident,
        }
    }
}
