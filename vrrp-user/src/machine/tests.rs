//! Addresses and daemons that come and go.

use super::*;

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

#[test]
fn what_the_daemon_takes_away_is_not_lost() {
    let mut machine = Machine::default();
    machine.note_change(&change(true, Some(DAEMON)), at(0));
    // Somebody looks at it.
    machine.survey([ADDRESS].into_iter(), at(100));
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
    machine.survey([ADDRESS].into_iter(), at(0));
    machine.survey(std::iter::empty(), at(100));
    assert!(!machine.gone[&ADDRESS].foreign);
}

#[test]
fn a_daemon_is_gone_only_where_one_was() {
    let mut machine = Machine::default();
    machine.note_daemon(false, at(0));
    assert_eq!(machine.daemon_gone(at(0)), None);
    machine.note_daemon(true, at(1000));
    machine.note_daemon(false, at(2000));
    machine.note_daemon(false, at(3000));
    assert_eq!(machine.daemon_gone(at(1500)), Some(at(2000)));
    assert_eq!(
        machine.daemon_gone(at(2500)),
        None,
        "it has advertised since"
    );
    machine.note_daemon(true, at(4000));
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
