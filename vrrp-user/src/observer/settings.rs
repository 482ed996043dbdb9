//! What an observer is told once, at the start.

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    model::{FingerprintKey, Span},
    probe::ProbeSettings,
    record::RunId,
};

/// What an observer is told once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Secret under which passwords are fingerprinted; random for each run.
    #[serde(skip, default = "recorded")]
    pub key: FingerprintKey,
    /// Which ARP and neighbour discovery is reported.
    pub arp: ArpMode,
    /// Addresses to watch from the start, beside those learned from adverts.
    pub watched: Vec<IpAddr>,
    /// Which addresses to ask for; none without.
    pub probe: Option<ProbeSettings>,
    /// How often to tell what was counted of the traffic of virtual addresses, and of those in
    /// `watched`; never without.
    pub traffic: Option<Span>,
    /// Whether of senders that are not known only so much is written.
    pub limited: bool,
    /// Whether frames that are reported are handed back, to be kept.
    #[serde(skip)]
    pub frames: bool,
    /// Which run it is, for the records.
    pub run: RunId,
    /// Name of this host, for the records; `None` in replay.
    pub observer: Option<Arc<str>>,
}

impl Settings {
    /// Watches what concerns virtual routers, asks for nothing, and counts nothing. The run has yet to be
    /// given its number.
    pub const fn new(key: FingerprintKey) -> Self {
        Self {
            key,
            arp: ArpMode::Watched,
            watched: Vec::new(),
            probe: None,
            traffic: None,
            limited: false,
            frames: false,
            run: RunId::new(0),
            observer: None,
        }
    }
}

/// The key of a run that is replayed from its recording.
const fn recorded() -> FingerprintKey {
    FingerprintKey::RECORDED
}

/// Which ARP and neighbour discovery messages are reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArpMode {
    /// All of it.
    All,
    /// What concerns a watched address, and whatever is gratuitous or announced.
    #[default]
    Watched,
    /// None.
    Off,
}
