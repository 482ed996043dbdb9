//! Claims of a machine that is not heard as a router: what they tell, and when they are over.

use std::net::Ipv4Addr;

use etherparse::ArpOperation;
use vrrp_tests::vrrp::Message;
use vrrp_user::record::{Cause, Code, Status};

use crate::{
    seat::is_incident,
    stage::{Host, ONE, SECOND, Script, THIRD, TWO, VIP, arp},
};

/// ONE is active and heard all the time.
fn active(until: u64) -> Script {
    Script::default().adverts(0, until, ONE, &Message::v2(51, 150, [VIP.into()]))
}

fn announcement(host: Host) -> Vec<u8> {
    arp(ArpOperation::REQUEST, host, VIP, VIP)
}

#[test]
fn a_volley_of_announcements_is_that_of_a_router_that_is_not_heard() {
    let played = active(20 * SECOND).announce(10_500, TWO, VIP).play();
    assert_eq!(played.codes(), [Code::VipConflict]);
    let (at, finding) = played.raised(Code::VipConflict);
    assert_eq!(at, 11 * SECOND, "the active router is heard once more");
    assert_eq!(finding.cause, Some(Cause::Unheard));
}

#[test]
fn the_same_in_the_first_seconds_of_the_watch() {
    let played = active(12 * SECOND).announce(500, TWO, VIP).play();
    let (at, finding) = played.raised(Code::VipConflict);
    assert_eq!((at, finding.cause.clone()), (SECOND, Some(Cause::Unheard)));
}

#[test]
fn one_announcement_is_that_of_any_machine_and_waited_for_more() {
    let played = active(20 * SECOND).frame(10_500, announcement(TWO)).play();
    let (at, finding) = played.raised(Code::VipConflict);
    assert_eq!(at, 11_500, "more could have come within a second");
    assert_eq!(finding.cause, Some(Cause::Outsider));
}

#[test]
fn who_claims_and_then_advertises_is_judged_by_its_adverts() {
    // The split heals: TWO is heard once, with a lower priority, and yields.
    let played = active(30 * SECOND)
        .announce(10_500, TWO, VIP)
        .advert(15_500, TWO, &Message::v2(51, 100, [VIP.into()]))
        .play();
    assert_eq!(played.codes(), [Code::VipConflict]);
    assert_eq!(played.cleared(Code::VipConflict), 15_500);
    let conflicts = played
        .findings()
        .filter(|(_, finding)| finding.code == Code::VipConflict);
    assert_eq!(conflicts.count(), 2, "old claims do not come back");
}

#[test]
fn a_claim_without_further_signs_is_not_called_over() {
    let played = active(90 * SECOND).announce(10_500, TWO, VIP).play();
    let ends: Vec<_> = played
        .findings()
        .filter(|(_, finding)| finding.status != Status::Raised)
        .map(|(at, finding)| (at, finding.status))
        .collect();
    assert_eq!(ends, [(70_500, Status::Forgotten)]);

    // Somebody asks, and only the active router answers.
    let played = active(90 * SECOND)
        .announce(10_500, TWO, VIP)
        .ask(20_200, VIP, &[ONE])
        .play();
    assert_eq!(played.cleared(Code::VipConflict), 21_700);
}

#[test]
fn announcements_of_other_addresses_claim_nothing() {
    let other = Ipv4Addr::new(10, 77, 0, 101);
    let played = active(20 * SECOND).announce(10_500, THIRD, other).play();
    assert_eq!(played.codes(), []);
}

#[test]
fn who_was_kept_silent_took_over_from_nobody_and_owes_no_announcement() {
    let other = Ipv4Addr::new(10, 77, 0, 101);
    let lower = Message::v2(51, 100, [VIP.into(), other.into()]);
    let better = Message::v2(51, 150, [VIP.into()]);
    let played = Script::default()
        .adverts(0, 4 * SECOND, TWO, &lower)
        .advert(4500, ONE, &better)
        .advert(8500, TWO, &lower)
        .advert(9500, ONE, &better)
        .quiet_until(11 * SECOND)
        .play();
    assert!(
        !played.codes().contains(&Code::GarpMissing),
        "{:?}",
        played.codes()
    );
}

#[test]
fn two_that_drop_each_others_adverts_are_heard_in_turn_and_nobody_took_over() {
    let better = Message::v2(51, 150, [VIP.into()]);
    let lower = Message {
        auth_data: *b"other\0\0\0",
        ..Message::v2(51, 100, [VIP.into()])
    };
    let played = Script::default()
        .adverts(0, 4 * SECOND, TWO, &lower)
        .advert(4500, ONE, &better)
        .advert(6500, TWO, &lower)
        .advert(7500, ONE, &better)
        .quiet_until(9 * SECOND)
        .play();
    assert!(!played.0.iter().any(is_incident));
    assert!(played.codes().contains(&Code::AuthMismatch));
}
