//! Addresses and daemons that come and go.

use std::collections::BTreeSet;

use super::*;
use crate::link::{Assigned, Link, LinkKind, LinkState, Links};

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 77, 0, 100));
const DAEMON: u32 = 4242;
const OTHER: u32 = 77;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_nanos(millis * 1_000_000)
}

fn change(present: bool, by: Option<u32>) -> AddressChange {
    AddressChange {
        address: ADDRESS,
        present,
        by,
    }
}

/// A host with these addresses on eth0.
fn host(addresses: &[IpAddr], answers: bool) -> Host {
    let link = Link {
        name: Arc::from("eth0"),
        state: LinkState::Up,
        broadcast: true,
        answers,
        arp_ignore: false,
        mac: Some(MacAddr::new([2, 0, 0, 0, 0, 0xa0])),
        kind: LinkKind::Other,
        lower: None,
        master: None,
        addresses: BTreeSet::new(),
        assigned: addresses
            .iter()
            .map(|address| Assigned {
                address: *address,
                prefix: 24,
                usable: true,
                duplicate: false,
            })
            .collect(),
        strips_tags: false,
    };
    Host::new(&Links::new([(2, link)]), &BTreeSet::from([2]))
}

/// A socket of keepalived that takes what is sent to the group.
const SOCKET: VrrpSocket = VrrpSocket {
    inode: 7,
    of_group: true,
    unread: 0,
    dropped: 0,
    process: None,
};

fn look(sockets: &[VrrpSocket]) -> HostLook {
    HostLook {
        sockets: sockets.to_vec(),
        ..HostLook::default()
    }
}

#[test]
fn what_the_daemon_takes_away_is_not_lost() {
    let mut machine = Machine::default();
    machine.note_change(&change(true, Some(DAEMON)), at(0));
    // Somebody looks at it.
    machine.survey(&host(&[ADDRESS], true), at(100));
    assert!(machine.holds(ADDRESS));
    machine.note_change(&change(false, Some(DAEMON)), at(1000));
    assert!(!machine.holds(ADDRESS));
    assert!(machine.gone.is_empty());
}

#[test]
fn who_takes_it_away_is_known_by_the_port() {
    let mut machine = Machine::default();
    machine.note_change(&change(true, Some(DAEMON)), at(0));
    machine.note_change(&change(false, Some(OTHER)), at(1000));
    assert!(machine.gone[&ADDRESS].foreign);
    assert!(machine.lost(ADDRESS).is_none(), "nobody misses it yet");
    machine.note_change(&change(true, None), at(1100));
    assert!(machine.gone.is_empty());
}

#[test]
fn what_goes_unseen_may_have_been_given_up() {
    let mut machine = Machine::default();
    machine.survey(&host(&[ADDRESS], true), at(0));
    machine.survey(&host(&[], true), at(100));
    assert!(!machine.gone[&ADDRESS].foreign);
}

#[test]
fn a_daemon_is_gone_only_where_one_was() {
    let mut machine = Machine::default();
    machine.note_daemon(look(&[]), at(0));
    assert_eq!(machine.daemon_gone(at(0)), None);
    machine.note_daemon(look(&[SOCKET]), at(1000));
    machine.note_daemon(look(&[]), at(2000));
    machine.note_daemon(look(&[]), at(3000));
    assert_eq!(machine.daemon_gone(at(1500)), Some(at(2000)));
    assert_eq!(
        machine.daemon_gone(at(2500)),
        None,
        "it has advertised since"
    );
    machine.note_daemon(look(&[SOCKET]), at(4000));
    assert_eq!(machine.daemon_gone(at(1500)), None);
}

#[test]
fn silence_is_looked_into_for_a_while() {
    let mut pulses = Pulses::default();
    let interval = Span::from_millis(200);
    pulses.beat(RouterId::FIRST, at(0), interval);
    assert_eq!(pulses.next_due(), Some(at(250)));
    pulses.beat(RouterId::FIRST, at(200), interval);
    assert!(!pulses.pause(at(449)));
    assert!(pulses.pause(at(450)));
    assert_eq!(pulses.next_due(), Some(at(1450)));
    assert!(pulses.pause(at(70_000)));
    assert_eq!(pulses.next_due(), None, "nobody waits for ever");
    pulses.beat(RouterId::FIRST, at(80_000), interval);
    pulses.end(RouterId::FIRST);
    assert_eq!(pulses.next_due(), None, "it has resigned");
}

#[test]
fn only_what_neighbours_get_an_answer_for_is_kept() {
    let mut machine = Machine::default();
    machine.survey(&host(&[ADDRESS], false), at(0));
    assert!(machine.holds(ADDRESS) && machine.holding(ADDRESS).is_none());
    machine.survey(&host(&[ADDRESS], true), at(1000));
    machine.survey(&host(&[ADDRESS], true), at(2000));
    let (since, holding) = machine.holding(ADDRESS).expect("it is held");
    assert_eq!((since, &*holding.interface), (at(1000), "eth0"));
    machine.note_change(&change(false, None), at(3000));
    assert!(machine.holding(ADDRESS).is_none());
}

#[test]
fn a_stopped_process_or_a_socket_that_fills_is_a_daemon_that_does_not_run() {
    let process = |state| VrrpSocket {
        process: Some(state),
        ..SOCKET
    };
    let mut machine = Machine::default();
    machine.note_daemon(look(&[process(ProcessState::Runs)]), at(0));
    assert_eq!(machine.daemon_stopped(), None);
    machine.note_daemon(look(&[process(ProcessState::Stopped)]), at(1000));
    machine.note_daemon(look(&[process(ProcessState::Stopped)]), at(2000));
    assert_eq!(machine.daemon_stopped(), Some(at(1000)));
    machine.note_daemon(look(&[process(ProcessState::Runs)]), at(3000));
    assert_eq!(machine.daemon_stopped(), None);

    // In a container nothing is known of processes.
    let unread = |unread, dropped| VrrpSocket {
        unread,
        dropped,
        ..SOCKET
    };
    let mut machine = Machine::default();
    machine.note_daemon(look(&[unread(832, 0)]), at(0));
    machine.note_daemon(look(&[unread(1664, 0)]), at(100));
    assert_eq!(machine.daemon_stopped(), None, "it may be about to");
    machine.note_daemon(look(&[unread(1664, 0)]), at(1000));
    assert_eq!(machine.daemon_stopped(), Some(at(1000)));
    machine.note_daemon(look(&[unread(0, 0)]), at(2000));
    assert_eq!(machine.daemon_stopped(), None);
    // What is full stays as it is, and drops.
    machine.note_daemon(look(&[unread(212_992, 3)]), at(3000));
    machine.note_daemon(look(&[unread(212_992, 4)]), at(4000));
    assert_eq!(machine.daemon_stopped(), Some(at(4000)));
}
