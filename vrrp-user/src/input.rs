//! What comes in: one type for everything that an observer is told, by the network, the host, its
//! logs, or the shell around it.
//!
//! Live capture, replay, recordings and tests all make these, and nothing behind them can tell which of
//! them did. An input says from which observer it comes, so that one of another machine is no special
//! case.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    dropped::Dropped,
    frame::Frame,
    keepalived_conf::Conf,
    log::Entry,
    machine::{AddressChange, HostLook},
    model::Vrid,
    probe::Host,
    record::{LossReason, Start, UnreadRecord},
    sight::Seat,
    traffic::Traffic,
};

/// Something that an observer is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Name of the host that tells it; `None` where nobody says, as in a capture file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub observer: Option<Arc<str>>,
    /// What it tells.
    pub news: News,
}

impl From<News> for Input {
    /// The input of nobody in particular.
    fn from(news: News) -> Self {
        Self {
            observer: None,
            news,
        }
    }
}

/// What an observer can be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum News {
    /// A run starts, or what it watches has changed.
    Start(Start),
    /// A frame was seen, at its own time.
    Frame(Frame),
    /// Frames were lost since this was last told: how many, for which reason.
    Loss(BTreeMap<LossReason, u64>),
    /// The kernel suppressed adverts of these virtual routers: there were more than their budgets allow.
    Suppressed(BTreeSet<Vrid>),
    /// The kernel left alone this many more ARP and neighbour discovery frames about addresses that are
    /// not watched.
    Unwatched(u64),
    /// A log has a line.
    Log(Entry),
    /// A log has a line from before the run: it says what the daemon is, not what it did.
    Recall(Entry),
    /// A log has a line from after the end of the capture. It is reported, but nothing is concluded:
    /// what would prove it was not captured.
    Afterword(Entry),
    /// A log told nothing.
    Unread(UnreadRecord),
    /// The configuration of keepalived on the watched host, as it is when the run starts.
    Conf(Conf),
    /// That configuration was changed.
    ConfChanged(Conf),
    /// What this host holds, and from where it may ask for addresses. Without it nothing is asked for.
    Host(Host),
    /// What is seen of this host's interfaces, all of them: one that is not named any more is gone.
    Seats(Vec<Seat>),
    /// An address of this host came or went.
    Address(AddressChange),
    /// A look at the VRRP daemons of this host, taken at that time.
    Daemon(HostLook),
    /// All that the kernel has dropped since it was asked to count.
    Drops(Vec<Dropped>),
    /// What went to and from the counted addresses, in an interval that ends at that time.
    Traffic(Vec<Traffic>),
    /// Time has come so far.
    Time,
    /// The run ends: what is left to tell is told, and the summary is the last record.
    Finish,
}
