//! The record of a finding: something is wrong with a virtual router.

use std::{fmt, net::IpAddr, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Family, MacAddr, Priority, Timestamp, Vrid};

/// Something is wrong, or no longer is.
///
/// A finding is `raised` once, when it can be known. While it lasts nothing is repeated; only if
/// what it says changes (its cause, its routers, its addresses) it is reported as `updated`. When
/// it ends it is `cleared`. Where there is no room to follow it any longer it is `forgotten`, and may go
/// on. The same thing happening again is a new finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingRecord {
    /// Its number in this run, from 1: the same in all records of this finding.
    pub id: u64,
    /// What is wrong.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it begins, changes or ends.
    pub status: Status,
    /// Virtual router concerned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vrid: Option<Vrid>,
    /// Family of the virtual router.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub family: Option<Family>,
    /// Virtual addresses concerned.
    pub addresses: Vec<IpAddr>,
    /// Routers concerned: the source addresses of their adverts.
    pub sources: Vec<IpAddr>,
    /// The finding in one sentence.
    pub message: String,
    /// Why, where it can be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<Cause>,
    /// All causes, where there were several; `cause` is the one that came most often.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub causes: Vec<Cause>,
    /// What proves it.
    pub evidence: Vec<Evidence>,
    /// What to do about it; empty when the finding is cleared.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub advice: String,
    /// When the finding was raised.
    pub since: Timestamp,
    /// How often it was seen, for findings that are about single packets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub count: Option<u64>,
    /// How many changes an update sums up, where it is more than one: there is at most one a second.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub changes: Option<u64>,
}

/// Whether a finding begins, changes, ends or is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It begins.
    Raised,
    /// It goes on, with another cause, other routers or other addresses.
    Updated,
    /// It ends.
    Cleared,
    /// There is no room to follow it any longer; it may go on.
    Forgotten,
}

impl Status {
    /// As written in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Updated => "updated",
            Self::Cleared => "cleared",
            Self::Forgotten => "forgotten",
        }
    }
}

/// How bad a finding is; the worse is the greater.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Will hurt sooner or later, or has hurt for a moment.
    Warning,
    /// Hurts now: addresses are unreachable or held twice.
    Critical,
}

impl Severity {
    /// As written in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// A piece of proof: what was seen, or not seen, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// When it was seen; of something missing, when it was due at the latest.
    pub time: Timestamp,
    /// Whose packet it was: source address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<IpAddr>,
    /// Whose packet it was: MAC.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mac: Option<MacAddr>,
    /// Virtual router of the packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vrid: Option<Vrid>,
    /// Priority in the packet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub priority: Option<Priority>,
    /// What it shows.
    pub what: String,
}

macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident $doc:literal,)*) => {
        /// What can be wrong.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            JsonSchema,
        )]
        pub enum Code {
            $(#[doc = $doc] #[serde(rename = $name)] $variant,)*
        }

        impl Code {
            /// All of them, the worst first.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As written in records and asked for by `vrrpwatch explain`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// How bad it is.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity,)*
                }
            }

            /// What it is, in half a sentence.
            pub const fn summary(self) -> &'static str {
                match self {
                    $(Self::$variant => $doc,)*
                }
            }
        }
    };
}

codes! {
    SplitBrain "split-brain" Critical
        "Two routers are active for one virtual router and hold the same address.",
    VridCollision "vrid-collision" Critical
        "Two services with different addresses use one VRID.",
    VipInTwoVrids "vip-in-two-vrids" Critical
        "One address is advertised under two VRIDs of a segment.",
    OwnerConflict "owner-conflict" Critical
        "Two routers advertise priority 255.",
    VipConflict "vip-conflict" Critical
        "A virtual address is claimed by a MAC that is not the active router's.",
    VipUnanswered "vip-unanswered" Critical
        "The active router advertises, but its address does not answer.",
    VipWrongAnswer "vip-wrong-answer" Critical
        "Only a machine that is not active answers for a virtual address.",
    VipWithoutMaster "vip-without-master" Critical
        "An address answers, and no router advertises it.",
    NoMaster "no-master" Critical
        "The active router stopped and nobody took over in time.",
    UnheardMaster "unheard-master" Critical
        "No router is heard, but a machine announces the address: its adverts do not arrive here.",
    LocalDrop "local-drop" Critical
        "Adverts arrive at this host, and it drops them before its daemon gets them.",
    EgressBlocked "egress-blocked" Critical
        "The daemon is master by its log, and none of its adverts leaves the host.",
    AddressLost "address-lost" Critical
        "A virtual address was removed from the master.",
    DuplicateAddress "duplicate-address" Critical
        "A router cannot use an address: duplicate address detection failed.",
    DaemonDied "daemon-died" Critical
        "The daemon is gone, and its host still answers for the addresses.",
    PeerUnreachable "peer-unreachable" Warning
        "A unicast peer does not answer: there is no backup.",
    FalseOwner "false-owner" Warning
        "Priority 255 from a router that owns none of the addresses.",
    SilentFailover "silent-failover" Warning
        "The active router stopped without resigning and another took over.",
    Flapping "flapping" Warning
        "The active router changed three times or more within a minute.",
    AdvertGap "advert-gap" Warning
        "An advert came later than one and a half intervals.",
    IntervalMismatch "interval-mismatch" Warning
        "Routers of one virtual router advertise different intervals.",
    VersionMismatch "version-mismatch" Warning
        "Routers of one virtual router speak different versions of VRRP.",
    AuthMismatch "auth-mismatch" Warning
        "Routers of one virtual router authenticate differently.",
    AddressListMismatch "address-list-mismatch" Warning
        "Routers of one virtual router advertise different addresses.",
    ChecksumVariantMismatch "checksum-variant-mismatch" Warning
        "Routers of one virtual router compute the checksum differently.",
    UnicastMulticastMix "unicast-multicast-mix" Warning
        "Routers of one virtual router advertise by unicast and by multicast.",
    BadChecksum "bad-checksum" Warning
        "Adverts whose checksum is wrong in every variant.",
    BadTtl "bad-ttl" Warning
        "Multicast adverts whose TTL or hop limit is not 255.",
    MalformedAdvert "malformed-advert" Warning
        "Adverts that break the format and are dropped by their receivers.",
    NewSender "new-sender" Warning
        "The adverts of a router come from another MAC than before.",
    VmacMismatch "vmac-mismatch" Warning
        "The virtual MAC belongs to another VRID, or adverts and ARP use different MACs.",
    GarpMissing "garp-missing" Warning
        "A router took over and did not announce an address.",
    StaleGarp "stale-garp" Warning
        "The last announcement of an address came from a router that is not active.",
    TrafficAtStandby "traffic-at-standby" Warning
        "New connections for an address keep arriving at a host that is not active.",
    Flood "flood" Warning
        "Unknown senders send more VRRP, ARP or ND than any network needs.",
    ReflectedAdvert "reflected-advert" Warning
        "The same advert twice at once, or our own coming back.",
    DaemonStalled "daemon-stalled" Warning
        "The daemon stopped advertising without a word: frozen, starved of CPU, or killed.",
    GarpNotSent "garp-not-sent" Warning
        "The log says that an address was announced, and no frame left.",
    LogWireDisagree "log-wire-disagree" Warning
        "The log says one state and the adverts another.",
    ConfigDrift "config-drift" Warning
        "keepalived.conf says one thing and the adverts another.",
    LogGap "log-gap" Info
        "Lines of the log are missing.",
    Blind "blind" Critical
        "This host does not see a segment on which it has seen virtual routers.",
    PlaintextAuth "plaintext-auth" Info
        "The VRRP password is readable on the wire.",
    CarpNeighbour "carp-neighbour" Info
        "CARP shares protocol number and group with VRRP.",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// There is no finding of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no finding is called {0:?}; `vrrpwatch explain` lists them")]
pub struct ParseCodeError(String);

impl std::str::FromStr for Code {
    type Err = ParseCodeError;

    fn from_str(text: &str) -> Result<Self, ParseCodeError> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
            .ok_or_else(|| ParseCodeError(text.to_owned()))
    }
}

/// Why something is wrong.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The routers speak different versions.
    VersionMismatch,
    /// They authenticate differently.
    AuthMismatch,
    /// Their intervals differ, which VRRPv2 does not tolerate.
    IntervalMismatch,
    /// Both say that they own the addresses.
    OwnerConflict,
    /// They compute the checksum differently.
    ChecksumVariant,
    /// Their address lists differ.
    AddressListMismatch,
    /// One advertises by unicast, the other by multicast.
    UnicastMulticastMix,
    /// The frames of one do not go to the group's MAC.
    WrongDestinationMac,
    /// Nothing in the adverts explains it: they do not reach each other.
    NotReceived,
    /// The daemon listens on a port of a bridge or bond, to which nothing is delivered.
    WrongInterface,
    /// The adverts of the better one reach this host, and its daemon does not get them.
    LocalDrop,
    /// A router's priority goes up and down.
    PriorityChange,
    /// Adverts stay away.
    Loss,
    /// A router stops and starts.
    Restart,
    /// A router with a higher priority takes over.
    Preemption,
    /// Adverts come late and together: they are delayed, not lost.
    Delay,
    /// A router that was active has kept the address.
    Leftover,
    /// A router that is not active has the address.
    Standby,
    /// A machine goes on announcing the address as an active router does, and its adverts do not arrive.
    Unheard,
    /// A machine that is none of the routers has the address.
    Outsider,
    /// A machine answers for addresses of others.
    ProxyArp,
    /// Two machines answer with the virtual MAC.
    SharedMac,
    /// The kernel's own reason for dropping packets, such as `NETFILTER_DROP`; on kernels before
    /// 5.17, which give none, the function that dropped them.
    #[serde(untagged)]
    Kernel(Arc<str>),
}

impl Cause {
    /// As written in records.
    pub fn as_str(&self) -> &str {
        match self {
            Self::VersionMismatch => "version-mismatch",
            Self::AuthMismatch => "auth-mismatch",
            Self::IntervalMismatch => "interval-mismatch",
            Self::OwnerConflict => "owner-conflict",
            Self::ChecksumVariant => "checksum-variant",
            Self::AddressListMismatch => "address-list-mismatch",
            Self::UnicastMulticastMix => "unicast-multicast-mix",
            Self::WrongDestinationMac => "wrong-destination-mac",
            Self::NotReceived => "not-received",
            Self::LocalDrop => "local-drop",
            Self::WrongInterface => "wrong-interface",
            Self::PriorityChange => "priority-change",
            Self::Loss => "loss",
            Self::Restart => "restart",
            Self::Preemption => "preemption",
            Self::Delay => "delay",
            Self::Leftover => "leftover",
            Self::Standby => "standby",
            Self::Unheard => "unheard",
            Self::Outsider => "outsider",
            Self::ProxyArp => "proxy-arp",
            Self::SharedMac => "shared-mac",
            Self::Kernel(reason) => reason,
        }
    }
}
