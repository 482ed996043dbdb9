//! What a daemon believes of one of its instances.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use crate::{
    dropped::Dropped,
    frame::Direction,
    log::{Details, Entry, LogEvent, LogState, Window},
    model::{Family, Priority, Span, Timestamp, Vrid},
    tracker::RouterId,
};

/// An instance, as its daemon's log shows it.
#[derive(Clone, Debug)]
pub struct Belief {
    /// Its name.
    pub name: String,
    /// VRID, where it is known.
    pub vrid: Option<Vrid>,
    /// Family, where it is known.
    pub family: Option<Family>,
    /// Addresses that were named with it.
    pub addresses: BTreeSet<IpAddr>,
    /// Senders whose adverts it speaks of.
    pub peers: BTreeSet<IpAddr>,
    /// The virtual router that it is.
    pub(crate) router: Option<RouterId>,
    /// Its state, and since when.
    pub state: Option<(LogState, Window)>,
    /// Its priority, where a line told of a change.
    pub(crate) priority: Option<Priority>,
    /// Whose adverts it ignored last, for it has the higher priority.
    pub(crate) ignored: Option<(IpAddr, Window)>,
    /// When it became master for want of adverts that it should have heard, and whose.
    pub(crate) unheard: Option<Unheard>,
    /// When it last heard a router resign.
    pub(crate) resignation: Option<Window>,
    /// The last time an advert could not be sent, and the error.
    pub(crate) send_error: Option<(Window, String)>,
    /// Addresses that it says to have announced, when last, and whether that failed.
    pub(crate) announced: BTreeMap<IpAddr, Announcing>,
    /// Addresses that went although it was master.
    pub(crate) removed: BTreeMap<IpAddr, Window>,
    /// Addresses that its host's kernel says another machine has.
    pub(crate) duplicates: BTreeMap<IpAddr, Window>,
    /// It has begun to leave its state: what it gives up now it gives up on purpose.
    pub(crate) leaving: Option<Window>,
}

/// A master whose adverts were seen here and not by the daemon.
#[derive(Clone, Debug)]
pub(crate) struct Unheard {
    /// Whose.
    pub(crate) source: IpAddr,
    /// The last of them before the daemon gave up.
    pub(crate) last: Timestamp,
    /// When the daemon gave up.
    pub(crate) given_up: Window,
    /// What the kernel makes of them, where it was asked and told.
    pub(crate) dropped: Option<Dropped>,
}

/// An announcement that a log speaks of.
#[derive(Clone, Debug)]
pub(crate) struct Announcing {
    /// When last.
    pub(crate) time: Window,
    /// When first since a frame was seen that may be it.
    pub(crate) since: Window,
    /// Where.
    pub(crate) interface: Option<String>,
    /// The error, where it failed.
    pub(crate) error: Option<String>,
}

/// Addresses and senders that are kept of an instance.
const MAX_ADDRESSES: usize = 512;

/// A frame leaves within this time of the line about it.
pub(crate) const SENDING: Span = Span::from_millis(750);

impl Announcing {
    /// Whether a frame that was seen at `seen`, the last one, may be the announcement.
    pub(crate) fn is_followed(&self, seen: Option<Timestamp>) -> bool {
        seen.is_some_and(|seen| seen + SENDING >= self.since.start)
    }
}

/// What goes within this time of a change of state goes because of it.
pub(crate) const CHANGE: Span = Span::from_secs(1);

impl Unheard {
    /// Looks for the adverts among what the kernel dropped. Returns whether they are there.
    pub(super) fn explain(&mut self, vrid: Vrid, dropped: &[Dropped]) -> bool {
        let is_it = |it: &&Dropped| {
            it.direction == Direction::In
                && it.source == self.source
                && it.vrid.is_none_or(|its| its == vrid)
                && !it.is_capture_copy()
        };
        let most = dropped.iter().filter(is_it).max_by_key(|it| it.count);
        self.dropped = most.cloned();
        self.dropped.is_some()
    }
}

impl Belief {
    pub(super) const fn new(name: String) -> Self {
        Self {
            name,
            vrid: None,
            family: None,
            addresses: BTreeSet::new(),
            peers: BTreeSet::new(),
            router: None,
            state: None,
            priority: None,
            ignored: None,
            unheard: None,
            resignation: None,
            send_error: None,
            announced: BTreeMap::new(),
            removed: BTreeMap::new(),
            duplicates: BTreeMap::new(),
            leaving: None,
        }
    }

    /// Since when it believes to be master, if it does.
    pub fn master_since(&self) -> Option<Window> {
        match self.state {
            Some((LogState::Master, since)) => Some(since),
            _ => None,
        }
    }

    /// Whether it is master and means to stay so.
    pub(crate) fn is_settled_master(&self) -> bool {
        self.master_since()
            .is_some_and(|since| self.leaving.is_none_or(|leaving| leaving.end < since.start))
    }

    /// Whether it has ignored adverts of this router since.
    pub(super) fn ignores(&self, source: IpAddr, since: Timestamp) -> bool {
        self.ignored
            .is_some_and(|(ignored, time)| ignored == source && time.end >= since)
    }

    pub(super) fn enter(&mut self, state: LogState, time: Window) {
        if state != LogState::Master {
            self.unheard = None;
            self.announced.clear();
            self.send_error = None;
        }
        self.removed.clear();
        self.duplicates.clear();
        self.leaving = None;
        if self.state.is_none_or(|(before, _)| before != state) {
            self.state = Some((state, time));
        }
    }

    /// Keeps what it is, and none of what it did.
    pub(super) fn forget_deeds(&mut self) {
        self.unheard = None;
        self.send_error = None;
        self.announced.clear();
        self.removed.clear();
        self.duplicates.clear();
    }

    pub(super) fn learn_address(&mut self, address: Option<IpAddr>) {
        if self.addresses.len() < MAX_ADDRESSES {
            self.addresses.extend(address);
        }
    }

    pub(super) fn learn_peer(&mut self, source: Option<IpAddr>) {
        if self.peers.len() < MAX_ADDRESSES {
            self.peers.extend(source);
        }
    }

    /// Takes in that it says to have announced an address, or that it could not.
    pub(super) fn announce(&mut self, details: &Details, time: Window, error: Option<String>) {
        let Some(address) = details.address else {
            return;
        };
        let before = self.announced.get(&address);
        if self.announced.len() < MAX_ADDRESSES || before.is_some() {
            let announcing = Announcing {
                time,
                since: before.map_or(time, |before| before.since),
                interface: details.interface.clone(),
                error,
            };
            self.announced.insert(address, announcing);
        }
    }

    /// Takes in when an address was last seen announced: what was said before that is settled.
    pub(super) fn settle(&mut self, address: IpAddr, seen: Option<Timestamp>) {
        if let Some(announcing) = self.announced.get_mut(&address)
            && announcing.is_followed(seen)
        {
            announcing.since = announcing.time;
        }
    }

    /// Leaves out what was said where the frame could not have been seen: the line at `time` counts
    /// as the first. `saw` tells whether all frames have been seen since a time.
    pub(super) fn look_from(
        &mut self,
        address: IpAddr,
        time: Window,
        saw: impl Fn(Timestamp) -> bool,
    ) {
        if let Some(announcing) = self.announced.get_mut(&address)
            && !saw(announcing.since.start - SENDING)
        {
            announcing.since = time;
        }
    }
}

/// Whether it says that an address is announced.
pub(super) const fn announces(event: LogEvent) -> bool {
    matches!(event, LogEvent::GarpQ | LogEvent::GarpTx | LogEvent::NaTx)
}

/// Takes in what a line says of an instance.
pub(super) fn believe(belief: &mut Belief, entry: &Entry, time: Window) {
    let reading = &entry.reading;
    let details = &reading.details;
    belief.vrid = details.vrid.or(belief.vrid);
    belief.family = details.family.or(belief.family);
    belief.learn_peer(details.source);
    match reading.event {
        LogEvent::StateMaster | LogEvent::StateMasterPre => belief.enter(LogState::Master, time),
        LogEvent::StateBackup | LogEvent::StateBackupInit => belief.enter(LogState::Backup, time),
        LogEvent::StateFault | LogEvent::StateFaultInit => belief.enter(LogState::Fault, time),
        LogEvent::StateAny => {
            if let Some(state) = details.state {
                belief.enter(state, time);
            }
        }
        LogEvent::RxPrio0 => belief.resignation = Some(time),
        LogEvent::PrioChange => {
            let after = details.after.and_then(|number| u8::try_from(number).ok());
            belief.priority = after.map(Priority::new).or(belief.priority);
        }
        LogEvent::RxLowerAsBackup => {
            belief.ignored = details.source.map(|source| (source, time));
        }
        LogEvent::TxPrio0 | LogEvent::RxHigherAsMaster | LogEvent::FaultWhy => {
            belief.leaving = Some(time);
        }
        LogEvent::Vips if details.on == Some(false) => belief.leaving = Some(time),
        // One of a group leaves, and all do.
        LogEvent::Group if details.state.is_some_and(|state| state != LogState::Master) => {
            belief.leaving = Some(time);
        }
        LogEvent::SendErr => {
            let error = details.error.clone().unwrap_or_default();
            belief.send_error = Some((time, error));
        }
        event if announces(event) => {
            belief.learn_address(details.address);
            belief.announce(details, time, None);
        }
        LogEvent::GarpErr | LogEvent::NaErr => {
            let error = details.error.clone().unwrap_or_default();
            belief.announce(details, time, Some(error));
        }
        LogEvent::IpChange | LogEvent::IpAssign => {
            if let Some(address) = details.address {
                let settled = belief
                    .master_since()
                    .is_some_and(|since| time.start >= since.start)
                    && belief
                        .leaving
                        .is_none_or(|leaving| leaving.end + CHANGE < time.start);
                if details.on == Some(false) && settled {
                    belief.removed.insert(address, time);
                } else {
                    belief.removed.remove(&address);
                }
            }
        }
        LogEvent::DuplicateAddress => {
            let room = belief.duplicates.len() < MAX_ADDRESSES;
            belief.duplicates.extend(
                details
                    .address
                    .filter(|_| room)
                    .map(|address| (address, time)),
            );
        }
        _ => {}
    }
}
