//! What operators pasted over the years, and what becomes of it.

use jiff::tz::TimeZone;

use super::*;
use crate::log::{Calendar, Envelopes, LogEvent, LogState};

/// Reads an excerpt as keepalived's log of the watched host.
fn read(excerpt: &str) -> (Daemons, Vec<LogEvent>) {
    let now = "2014-10-15T10:43:30Z".parse().expect("a time");
    let envelopes = Envelopes::new(Calendar::new(TimeZone::UTC, now));
    let mut daemons = Daemons::default();
    let mut events = Vec::new();
    let mut lines = Vec::new();
    for (text, second) in excerpt.lines().zip(17..) {
        let raw = format!("Oct 15 10:43:{second} lb0 Keepalived_vrrp[4242]: {text}");
        envelopes.read(raw.as_bytes(), &mut lines);
    }
    for entry in lines.into_iter().filter_map(Entry::read) {
        events.push(entry.reading.event);
        daemons.handle(&entry, &Tracker::default(), now);
    }
    (daemons, events)
}

fn belief(daemons: &Daemons) -> &Belief {
    daemons
        .hosts
        .values()
        .find_map(|host| host.instance("VI_1"))
        .expect("an instance")
}

#[test]
fn a_backup_of_old_gives_its_address_up_on_purpose() {
    use LogEvent::{GarpQ, IpChange, StateBackup, StateMaster, StateMasterPre, Vips};
    let (daemons, events) = read(
        "VRRP_Instance(VI_1) Transition to MASTER STATE\n\
         VRRP_Instance(VI_1) Entering MASTER STATE\n\
         VRRP_Instance(VI_1) setting protocol VIPs.\n\
         Netlink reflector reports IP 10.93.144.58 added\n\
         VRRP_Instance(VI_1) Sending gratuitous ARPs on eth0 for 10.93.144.58\n\
         VRRP_Instance(VI_1) Entering BACKUP STATE\n\
         VRRP_Instance(VI_1) removing protocol VIPs.\n\
         Netlink reflector reports IP 10.93.144.58 removed",
    );
    let expected = [
        StateMasterPre,
        StateMaster,
        Vips,
        IpChange,
        GarpQ,
        StateBackup,
        Vips,
        IpChange,
    ];
    assert_eq!(events, expected);
    let belief = belief(&daemons);
    assert!(matches!(belief.state, Some((LogState::Backup, _))));
    assert!(belief.removed.is_empty(), "it was given up");
    assert!(
        belief
            .addresses
            .contains(&"10.93.144.58".parse().expect("an address"))
    );
}

#[test]
fn a_master_that_hears_a_better_one_yields() {
    use LogEvent::{RxHigherAsMaster, StateBackup, Vips};
    let (daemons, events) = read(
        "VRRP_Instance(VI_1) Received higher prio advert\n\
         VRRP_Instance(VI_1) Entering BACKUP STATE\n\
         VRRP_Instance(VI_1) removing protocol VIPs.",
    );
    assert_eq!(events, [RxHigherAsMaster, StateBackup, Vips]);
    assert!(belief(&daemons).master_since().is_none());
}

#[test]
fn an_address_that_goes_from_a_settled_master_is_lost() {
    let (daemons, _) = read(
        "VRRP_Instance(VI_1) Entering MASTER STATE\n\
         VRRP_Instance(VI_1) Sending gratuitous ARPs on eth0 for 10.93.144.58\n\
         Netlink reflector reports IP 10.93.144.58 removed",
    );
    assert_eq!(belief(&daemons).removed.len(), 1);
}
