//! The beginning of a watch: what was there before is no news.

use std::net::Ipv4Addr;

use etherparse::ArpOperation;
use vrrp_user::{
    model::MacAddr,
    record::{ChangeReason, Code},
};

use crate::{
    seat::{PASSWORD, SOCKET, Seat, announced, is_incident},
    stage::{Host, ONE, Played, SECOND, TWO, VIP, arp},
};

/// A third host, from the moment its watch begins.
fn third() -> Seat {
    Seat::new(&[Ipv4Addr::new(10, 77, 0, 50)], None)
}

fn refresh() -> Vec<u8> {
    arp(ArpOperation::REQUEST, ONE, VIP, VIP)
}

#[test]
fn the_start_of_the_watch_is_no_takeover() {
    let mut seat = third();
    seat.advert(600, (ONE, 51, 150));
    seat.stage.frame(900, refresh());
    for second in 1..12 {
        seat.advert(second * SECOND + 600, (ONE, 51, 150));
        seat.stage.frame(second * SECOND + 900, refresh());
    }
    let played = seat.end();
    assert!(!played.0.iter().any(is_incident));
    assert!(!played.0.iter().any(announced));
    assert_eq!(played.codes(), []);
}

#[test]
fn two_that_were_there_before_did_not_preempt_each_other() {
    let mut seat = third();
    for second in 0..9 {
        seat.advert(second * SECOND + 200, (TWO, 51, 100));
        seat.advert(second * SECOND + 400, (ONE, 51, 150));
    }
    let played = seat.end();
    let reasons: Vec<_> = played.changes().iter().map(|(_, it)| it.reason).collect();
    assert_eq!(reasons, [ChangeReason::FirstSeen, ChangeReason::FirstSeen]);
    assert!(!played.0.iter().any(is_incident));
    assert_eq!(played.codes(), [Code::SplitBrain]);
}

#[test]
fn a_router_that_starts_later_is_news() {
    let mut seat = third();
    seat.stage
        .frame(500, arp(ArpOperation::REQUEST, TWO, TWO.ip, TWO.ip));
    seat.advert(4 * SECOND, (ONE, 51, 150));
    for _ in 0..5 {
        seat.stage.frame(4 * SECOND + 1, refresh());
    }
    seat.adverts(5 * SECOND, 9 * SECOND, (ONE, 51, 150));
    let played = seat.end();
    assert!(played.0.iter().any(announced));
    assert!(played.0.iter().any(is_incident));
}

#[test]
fn a_neighbour_entry_that_leads_elsewhere_is_told_if_it_lasts() {
    let mac = |host: Host| MacAddr::new(host.mac);
    for (then, later, found) in [
        (TWO, TWO, true),
        // It is renewed.
        (TWO, ONE, false),
        (ONE, ONE, false),
    ] {
        let mut seat = third();
        seat.neighbours.insert((2, VIP.into()), Some(mac(then)));
        seat.look(10, &[]);
        seat.adverts(500, 2500, (ONE, 51, 150));
        seat.neighbours.insert((2, VIP.into()), Some(mac(later)));
        seat.look(3000, &[]);
        seat.adverts(3500, 8500, (ONE, 51, 150));
        let expected = if found { vec![Code::StaleGarp] } else { vec![] };
        assert_eq!(seat.end().codes(), expected);
    }
}

#[test]
fn a_unicast_peer_that_never_answered_is_told_without_a_single_advert() {
    let peers = "unicast_src_ip 10.77.0.10\n unicast_peer {\n 10.77.0.11\n }";
    for (mac, found) in [
        (None, vec![Code::PeerUnreachable]),
        (Some(MacAddr::new(TWO.mac)), vec![]),
    ] {
        let mut seat = Seat::holding();
        seat.conf("peers", peers);
        seat.neighbours.insert((2, TWO.ip.into()), mac);
        seat.look(10, &[SOCKET]);
        seat.look(4100, &[SOCKET]);
        assert_eq!(seat.end().codes(), found);
    }
}

#[test]
fn a_configuration_that_was_changed_has_drifted_if_it_is_not_reloaded() {
    let mut seat = Seat::holding();
    seat.conf("before", PASSWORD);
    seat.look(10, &[SOCKET]);
    seat.adverts(0, 3000, (ONE, 51, 150));
    seat.change_conf(3500, "after", "advert_int 2");
    seat.adverts(4000, 12_000, (ONE, 51, 150));
    seat.change_conf(12_500, "before", PASSWORD);
    seat.adverts(13_000, 15_000, (ONE, 51, 150));
    let played = Played(std::mem::take(&mut seat.stage.records));
    assert_eq!(played.raised(Code::ConfigDrift).0, 8500, "it has 5 s");
    assert_eq!(played.cleared(Code::ConfigDrift), 12_500);
}
