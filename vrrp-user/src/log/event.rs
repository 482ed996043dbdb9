//! What a line of a daemon says, once it is understood.

use std::{net::IpAddr, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Family, Vrid};

/// Declares the events once: variant, identifier in records, meaning.
macro_rules! events {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal,)+) => {
        /// What a line says. Lines that say nothing of the kind are [`LogEvent::Other`].
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            JsonSchema,
        )]
        pub enum LogEvent {
            $($(#[doc = $doc])+ #[serde(rename = $id)] $name,)+
        }

        impl LogEvent {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// As written in records.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)+
                }
            }
        }
    };
}

events! {
    /// Master, with the first advert sent and the addresses not added yet (keepalived 1.x).
    StateMasterPre = "state_master_pre",
    /// Master.
    StateMaster = "state_master",
    /// Backup.
    StateBackup = "state_backup",
    /// Backup, at the start or after a reload.
    StateBackupInit = "state_backup_init",
    /// Fault.
    StateFault = "state_fault",
    /// Fault, at the start or after a reload.
    StateFaultInit = "state_fault_init",
    /// Another state.
    StateAny = "state_any",
    /// Why the state became fault.
    FaultWhy = "fault_why",
    /// A synchronised group changes state.
    Group = "group",
    /// A backup heard no advert in time.
    AdvertTimeout = "advert_timeout",
    /// A master heard an advert of lower priority.
    RxLowerAsMaster = "rx_lower_as_master",
    /// A master heard an advert that beats its own.
    RxHigherAsMaster = "rx_higher_as_master",
    /// A backup heard an advert of lower priority.
    RxLowerAsBackup = "rx_lower_as_backup",
    /// A resignation was heard.
    RxPrio0 = "rx_prio0",
    /// A resignation was sent.
    TxPrio0 = "tx_prio0",
    /// An advert came in under our own address.
    SelfAdvert = "self_advert",
    /// Two routers claim to own the addresses.
    OwnerConflict = "owner_conflict",
    /// Whom a backup follows.
    MasterIs = "master_is",
    /// The delay of a preemption starts or ends.
    Preempt = "preempt",
    /// The priority changes.
    PrioChange = "prio_change",
    /// The interval is taken over from the master.
    IntvlAdopt = "intvl_adopt",
    /// An advert could not be sent.
    SendErr = "send_err",
    /// The daemon ran late.
    Stall = "stall",
    /// The daemon waits before it starts.
    StartupDelay = "startup_delay",
    /// A packet is dropped; the line before says why.
    Bogus = "bogus",
    /// The addresses differ.
    VipMismatch = "vip_mismatch",
    /// The number of addresses differs.
    VipCount = "vip_count",
    /// The intervals differ.
    Intvl = "intvl",
    /// The TTL or hop limit is wrong.
    Ttl = "ttl",
    /// The versions differ.
    Version = "version",
    /// The checksum is wrong.
    Cksum = "cksum",
    /// The old checksum of unicast VRRPv3 is adopted.
    CksumCompat = "cksum_compat",
    /// The authentication is wrong.
    Auth = "auth",
    /// The authentication header is wrong.
    Ah = "ah",
    /// The authentication trailer is wrong.
    Hmac = "hmac",
    /// The length is wrong.
    Len = "len",
    /// Unicast where multicast is expected, or the other way round, or an unknown peer.
    Unicast = "unicast",
    /// The VRID is unknown or used twice.
    Vrid = "vrid",
    /// The address owner ignores what others advertise.
    OwnerIgn = "owner_ign",
    /// Addresses are set or removed.
    Vips = "vips",
    /// Announcements of an address are sent or queued.
    GarpQ = "garp_q",
    /// A gratuitous ARP is sent.
    GarpTx = "garp_tx",
    /// An unsolicited neighbour advertisement is sent.
    NaTx = "na_tx",
    /// A gratuitous ARP could not be sent.
    GarpErr = "garp_err",
    /// An unsolicited neighbour advertisement could not be sent.
    NaErr = "na_err",
    /// A unicast backup announces its own address, not a virtual one.
    GarpSelf = "garp_self",
    /// The kernel reports that a virtual address came or went.
    IpChange = "ip_change",
    /// The kernel reports that an address of the host came or went.
    IpAssign = "ip_assign",
    /// The kernel found another holder of an IPv6 address before it used it.
    DuplicateAddress = "duplicate_address",
    /// A link went up or down.
    Link = "link",
    /// The MAC of an interface changed.
    Mac = "mac",
    /// A tracking script succeeded or failed.
    Script = "script",
    /// A tracked file changed.
    File = "file",
    /// A tracked process came or went.
    Proc = "proc",
    /// A tracked BFD session came or went.
    Bfd = "bfd",
    /// The daemon starts, reloads, stops or dies.
    Life = "life",
    /// The daemon was started with these options.
    CommandLine = "command_line",
    /// The configuration is wrong.
    Config = "config",
    /// An advert was heard (FRR's debugging output).
    RxAdvert = "rx_advert",
    /// Lines are missing.
    LogGap = "log_gap",
    /// None of these.
    Other = "other",
}

/// What became of a daemon.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// It starts.
    Starting,
    /// It reads its configuration anew.
    Reloading,
    /// It was asked to stop.
    Stopping,
    /// It stopped.
    Stopped,
    /// It died, and nobody asked it to.
    Died,
}

/// The states of an instance, as logs and notifications name them.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum LogState {
    /// It does not run yet, or no more.
    Init,
    /// It waits.
    Backup,
    /// It holds the addresses.
    Master,
    /// It cannot take part.
    Fault,
    /// It was stopped.
    Stop,
    /// It was removed from the configuration.
    Deleted,
}

impl LogState {
    /// The state of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "INIT" | "INITIALIZE" => Self::Init,
            "BACKUP" => Self::Backup,
            "MASTER" => Self::Master,
            "FAULT" => Self::Fault,
            "STOP" => Self::Stop,
            "DELETED" => Self::Deleted,
            _ => return None,
        })
    }
}

/// The values in a line, where it has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Details {
    /// Virtual router.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vrid: Option<Vrid>,
    /// Its family.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub family: Option<Family>,
    /// Interface concerned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interface: Option<String>,
    /// Address concerned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<IpAddr>,
    /// Sender of the packet in question.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<IpAddr>,
    /// Our side of a comparison: a priority, a count, an interval in the unit of the line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ours: Option<u64>,
    /// The other side of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub theirs: Option<u64>,
    /// Value before a change.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<u64>,
    /// Value after it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<u64>,
    /// State before a change.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<LogState>,
    /// State, or state after a change.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<LogState>,
    /// Whether something came (added, up, succeeded) or went.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub on: Option<bool>,
    /// What became of the daemon.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub life: Option<Life>,
    /// How late, or for how long, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub span_ms: Option<u64>,
    /// How many lines are missing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub count: Option<u64>,
    /// Name of a script, a file, a process.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The operating system's error, or another reason.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

impl Details {
    /// How late, or for how long.
    pub fn span(&self) -> Option<Duration> {
        self.span_ms.map(Duration::from_millis)
    }
}
