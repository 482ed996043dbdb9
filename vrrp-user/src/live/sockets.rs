//! Who speaks VRRP on this host: raw sockets for the protocol, whose processes they are, and which
//! interfaces have joined its group.
//!
//! Unlike names and numbers of processes, sockets and memberships show from within a container as
//! well. What a process does is told only where it can be seen.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
    sync::Arc,
};

use tokio::{sync::mpsc, task::spawn_blocking};

use super::neighbours;
use crate::{
    machine::{HostLook, ProcessState, VrrpSocket},
    model::{Family, Timestamp},
};

/// Raw sockets of this network namespace, of either family.
const SOCKETS: [&str; 2] = ["/proc/self/net/raw", "/proc/self/net/raw6"];

/// Groups that the interfaces of this network namespace have joined.
const GROUPS_V4: &str = "/proc/self/net/igmp";
const GROUPS_V6: &str = "/proc/self/net/igmp6";

/// VRRP, and the authentication header around it, as the lists write them.
const PROTOCOLS: [&str; 2] = ["0070", "0033"];

/// 224.0.0.18 and ff02::12, as the lists write them.
const GROUP_V4: &str = "120000E0";
const GROUP_V6: &str = "ff020000000000000000000000000012";

/// The names of daemons that speak VRRP, as far as the kernel keeps them.
const DAEMONS: [&str; 3] = ["keepalived", "vrrpd", "uvrrpd"];
/// Processes and files that are looked at: a host may have very many.
const MAX_PROCESSES: usize = 32_768;
const MAX_FILES: usize = 4096;

/// Looks at the daemons on another thread: a host may have thousands of processes, and the ring
/// buffer does not wait.
pub(super) struct Looks {
    sender: mpsc::Sender<(Timestamp, io::Result<HostLook>)>,
    taken: mpsc::Receiver<(Timestamp, io::Result<HostLook>)>,
    under_way: bool,
}

impl Looks {
    pub(super) fn new() -> Self {
        let (sender, taken) = mpsc::channel(1);
        Self {
            sender,
            taken,
            under_way: false,
        }
    }

    /// Takes a look, unless one is under way. What it shows is so at `now` or a moment later.
    pub(super) fn begin(&mut self, now: Timestamp) {
        if std::mem::replace(&mut self.under_way, true) {
            return;
        }
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let mut look = spawn_blocking(look)
                .await
                .unwrap_or_else(|error| Err(io::Error::other(error)));
            if let Ok(look) = &mut look {
                look.neighbours = neighbours::in_use().await;
            }
            // Nobody waits for it at the end of a run.
            let _: Result<(), _> = sender.send((now, look)).await;
        });
    }

    /// Waits for what a look shows. May be cancelled without loss.
    pub(super) async fn next(&mut self) -> (Timestamp, io::Result<HostLook>) {
        let look = self.taken.recv().await;
        self.under_way = false;
        match look {
            Some(look) => look,
            // It has a sender of its own.
            None => std::future::pending().await,
        }
    }
}

/// Whether a VRRP daemon has a socket in this network namespace.
///
/// # Errors
/// The kernel does not list its sockets.
pub fn is_daemon_here() -> io::Result<bool> {
    for path in SOCKETS {
        if sockets(&list(path)?).next().is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Looks at the daemons.
fn look() -> io::Result<HostLook> {
    let mut look = HostLook::default();
    for path in SOCKETS {
        look.sockets.extend(sockets(&list(path)?));
    }
    if !look.sockets.is_empty() {
        let states = processes();
        for socket in &mut look.sockets {
            socket.process = states.get(&socket.inode).copied();
        }
    }
    look.joined.extend(joined_v4(&list(GROUPS_V4)?));
    look.joined.extend(joined_v6(&list(GROUPS_V6)?));
    Ok(look)
}

/// A list; an empty one where the kernel knows no such family.
fn list(path: &str) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other,
    }
}

/// The sockets for VRRP: the protocol stands where other lists have the port.
fn sockets(list: &str) -> impl Iterator<Item = VrrpSocket> {
    list.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (local, protocol) = words.nth(1)?.rsplit_once(':')?;
        let (_, unread) = words.nth(2)?.split_once(':')?;
        let inode = words.nth(4)?.parse().ok()?;
        PROTOCOLS.contains(&protocol).then(|| VrrpSocket {
            inode,
            of_group: local == GROUP_V4,
            unread: u64::from_str_radix(unread, 16).unwrap_or_default(),
            dropped: words
                .last()
                .and_then(|word| word.parse().ok())
                .unwrap_or_default(),
            process: None,
        })
    })
}

/// The interfaces in a list of IPv4 that have joined the group: a line with a name, and one for each
/// of its groups.
fn joined_v4(list: &str) -> BTreeSet<(Arc<str>, Family)> {
    let mut interface = None;
    let mut joined = BTreeSet::new();
    for line in list.lines().skip(1) {
        let mut words = line.split_whitespace();
        if line.starts_with(char::is_whitespace) {
            if words.next() == Some(GROUP_V4) {
                joined.extend(interface.clone().map(|name| (name, Family::Ipv4)));
            }
        } else {
            interface = words.nth(1).map(Arc::from);
        }
    }
    joined
}

/// The same of IPv6, where each line has both.
fn joined_v6(list: &str) -> impl Iterator<Item = (Arc<str>, Family)> {
    list.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let interface = words.nth(1)?;
        (words.next() == Some(GROUP_V6)).then(|| (Arc::from(interface), Family::Ipv6))
    })
}

/// What the processes of VRRP daemons do, by their sockets.
fn processes() -> BTreeMap<u64, ProcessState> {
    let mut states = BTreeMap::new();
    let Ok(processes) = fs::read_dir("/proc") else {
        return states;
    };
    for process in processes.flatten().take(MAX_PROCESSES) {
        let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
        if !process.file_name().to_str().is_some_and(is_number) {
            continue;
        }
        let path = process.path();
        let is_daemon = |name: String| DAEMONS.contains(&name.trim_end());
        if fs::read_to_string(path.join("comm")).is_ok_and(is_daemon)
            && let Some(state) = state(&path)
        {
            states.extend(inodes(&path).map(|inode| (inode, state)));
        }
    }
    states
}

/// What a process does.
fn state(process: &Path) -> Option<ProcessState> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    match state_letter(&stat)? {
        'T' | 't' => Some(ProcessState::Stopped),
        'R' | 'S' | 'D' | 'I' => Some(ProcessState::Runs),
        _ => None,
    }
}

/// The state stands behind the name, which may hold anything, parentheses too.
fn state_letter(stat: &str) -> Option<char> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.trim_start().chars().next()
}

/// The sockets of a process.
fn inodes(process: &Path) -> impl Iterator<Item = u64> {
    let files = fs::read_dir(process.join("fd")).into_iter().flatten();
    files.flatten().take(MAX_FILES).filter_map(|file| {
        let target = fs::read_link(file.path()).ok()?;
        let number = target
            .to_str()?
            .strip_prefix("socket:[")?
            .strip_suffix(']')?;
        number.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_known_by_their_protocol() {
        const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when \
                            retrnsmt   uid  timeout inode ref pointer drops\n";
        let list = |socket: &str| {
            format!(
                "{HEAD} 177: {socket} 00000000:0000 07 00000000:00000680 00:00000000 00000000     \
                 0        0 64777 2 00000000bd5b9873 3\n"
            )
        };
        let expected = VrrpSocket {
            inode: 64777,
            of_group: true,
            unread: 0x680,
            dropped: 3,
            process: None,
        };
        let found = |socket| sockets(&list(socket)).collect::<Vec<_>>();
        assert_eq!(found("120000E0:0070"), [expected]);
        let other = VrrpSocket {
            of_group: false,
            ..expected
        };
        let v6 = "00000000000000000000000000000000:0070";
        assert_eq!(found(v6), [other]);
        assert_eq!(found("00000000:0033"), [other]);
        assert_eq!(found("00000000:0001"), []);
        assert_eq!(sockets(HEAD).count(), 0);
        assert_eq!(sockets("1: :0070 x y").count(), 0);
    }

    #[test]
    fn groups_are_those_of_their_interfaces() {
        let v4 = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n\
                  1\tlo        :     1      V3\n\
                  \t\t\t\t010000E0     1 0:00000000\t\t0\n\
                  2\teth0      :     2      V3\n\
                  \t\t\t\t120000E0     1 0:00000000\t\t0\n\
                  \t\t\t\t010000E0     1 0:00000000\t\t0\n";
        let eth0: Arc<str> = Arc::from("eth0");
        assert_eq!(joined_v4(v4), [(eth0.clone(), Family::Ipv4)].into());
        let v6 = "2    eth0            ff020000000000000000000000000012     1 00000004 0\n\
                  2    eth0            ff020000000000000000000000000001     1 0000000C 0\n";
        let joined: Vec<_> = joined_v6(v6).collect();
        assert_eq!(joined, [(eth0, Family::Ipv6)]);
    }

    #[test]
    fn the_state_stands_behind_the_name() {
        assert_eq!(state_letter("6733 (keepalived) T 6728"), Some('T'));
        assert_eq!(state_letter("6733 (a) S (b) R 6728"), Some('R'));
        assert_eq!(state_letter("6733"), None);
    }
}
