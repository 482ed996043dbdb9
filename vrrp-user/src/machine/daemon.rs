//! The VRRP daemons of this machine: whether there is one, and whether it runs.
//!
//! A daemon needs a raw socket for the protocol, which ends with it however it ends, and which it
//! keeps while it is stopped. What arrives meanwhile waits in that socket.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::model::{Family, MacAddr, Span, Timestamp};

/// What the kernel shows at one moment of the VRRP daemons of this machine, and of its neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostLook {
    /// The raw sockets for VRRP.
    pub sockets: Vec<VrrpSocket>,
    /// The interfaces that have joined the group of VRRP, by family.
    pub joined: BTreeSet<(Arc<str>, Family)>,
    /// Where this machine sends what is for a neighbour, by the index of the interface: entries of its
    /// neighbour table that are in use. `None` where the neighbour does not answer.
    #[serde(with = "crate::model::pairs")]
    pub neighbours: BTreeMap<(u32, IpAddr), Option<MacAddr>>,
}

/// A raw socket for VRRP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VrrpSocket {
    /// Its number, the same in each look.
    pub inode: u64,
    /// It takes what is sent to the group, and is there to be read. Others may only be for sending.
    pub of_group: bool,
    /// Bytes that wait to be read.
    pub unread: u64,
    /// Packets for which there was no room.
    pub dropped: u64,
    /// What its process does, where that can be told.
    pub process: Option<ProcessState>,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProcessState {
    /// It runs, or waits for something to do.
    Runs,
    /// It was stopped by a signal or a debugger.
    Stopped,
}

/// What is known of the VRRP daemons.
#[derive(Clone, Debug, Default)]
pub(super) struct Daemon {
    /// The last look, and when it was taken.
    look: Option<(Timestamp, HostLook)>,
    /// The last time one was found.
    pub(super) found: Option<Timestamp>,
    /// Since when none is to be found any more.
    pub(super) missing: Option<Timestamp>,
    /// Since when it is known not to run although it is there.
    pub(super) stopped: Option<Timestamp>,
}

/// A daemon that has not read what waits for it for half a second does not run.
const UNREAD: Span = Span::from_millis(500);

impl Daemon {
    /// Takes in a look that was taken at `now`.
    pub(super) fn note(&mut self, look: HostLook, now: Timestamp) {
        if look.sockets.is_empty() {
            self.stopped = None;
            if self.found.is_some() {
                self.missing.get_or_insert(now);
            }
        } else {
            self.found = Some(now);
            self.missing = None;
            if self.is_stopped(&look, now) {
                self.stopped.get_or_insert(now);
            } else if has_read(&look) {
                self.stopped = None;
            }
        }
        // Two looks in quick succession show nothing that waits for longer.
        let recent = |(time, _): &(Timestamp, HostLook)| now.since(*time) < UNREAD;
        let keep = self.look.as_ref().is_some_and(recent)
            && self.look.as_ref().is_some_and(|(_, before)| {
                before.joined == look.joined && inodes(before) == inodes(&look)
            });
        if !keep {
            self.look = Some((now, look));
        }
    }

    /// When a look was last taken.
    pub(super) fn looked(&self) -> Option<Timestamp> {
        self.look.as_ref().map(|(time, _)| *time)
    }

    /// Whether the last look found none.
    pub(super) fn is_absent(&self) -> bool {
        self.look
            .as_ref()
            .is_some_and(|(_, look)| look.sockets.is_empty())
    }

    /// Whether the last look found one.
    pub(super) fn is_there(&self) -> bool {
        self.look
            .as_ref()
            .is_some_and(|(_, look)| !look.sockets.is_empty())
    }

    /// The interfaces that have joined the group.
    pub(super) fn joined(&self, family: Family) -> impl Iterator<Item = &Arc<str>> {
        let looks = self.look.iter();
        looks
            .flat_map(|(_, look)| &look.joined)
            .filter(move |(_, of)| *of == family)
            .map(|(interface, _)| interface)
    }

    /// Whether one of these interfaces has joined the group; `None` where that is not known.
    pub(super) fn has_joined(
        &self,
        family: Family,
        is_one: impl Fn(&Arc<str>) -> bool,
    ) -> Option<bool> {
        let (_, look) = self.look.as_ref()?;
        let mut joined = look.joined.iter();
        Some(joined.any(|(interface, of)| *of == family && is_one(interface)))
    }

    fn is_stopped(&self, look: &HostLook, now: Timestamp) -> bool {
        let mut states = look.sockets.iter().filter_map(|socket| socket.process);
        let any_runs = states.clone().any(|state| state == ProcessState::Runs);
        let any_stopped = states.any(|state| state == ProcessState::Stopped);
        if any_runs || any_stopped {
            return any_stopped && !any_runs;
        }
        // Whose sockets these are cannot be told: that they fill can.
        let Some((time, before)) = &self.look else {
            return false;
        };
        now.since(*time) >= UNREAD
            && readable(look).any(|socket| {
                readable(before).any(|then| {
                    let more = (socket.unread, socket.dropped) > (then.unread, then.dropped);
                    let waits = then.unread > 0 && socket.unread >= then.unread;
                    then.inode == socket.inode && waits && more
                })
            })
    }
}

/// Whether a look shows that it runs: by its process, or where nothing waits for it.
fn has_read(look: &HostLook) -> bool {
    let by_process = look
        .sockets
        .iter()
        .any(|socket| socket.process == Some(ProcessState::Runs));
    by_process || readable(look).all(|socket| socket.unread == 0)
}

fn readable(look: &HostLook) -> impl Iterator<Item = &VrrpSocket> {
    look.sockets.iter().filter(|socket| socket.of_group)
}

fn inodes(look: &HostLook) -> BTreeSet<u64> {
    look.sockets.iter().map(|socket| socket.inode).collect()
}
