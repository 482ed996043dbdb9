//! Scenes made to order, for what no recording shows.

use etherparse::ArpOperation;
use vrrp_tests::{frames::GROUP_V4, vrrp::Message};
use vrrp_user::{
    frame::Direction,
    input::News,
    record::{Cause, ChangeReason, Code, LossReason},
    sight::Seat,
};

use crate::stage::{
    Host, ONE, SECOND, Script, Stage, THIRD, TWO, VIP, advert, advert_to, arp, message,
    numbered_advert, pair, seat, time,
};

#[test]
fn a_crossing_advert_in_a_preemption_is_no_split_brain() {
    let played = Script::default()
        .adverts(0, 5 * SECOND, TWO, &message(100))
        .announce(1, TWO, VIP)
        .advert(4900, ONE, &message(150))
        .announce(4901, ONE, VIP)
        .adverts(5900, 15 * SECOND, ONE, &message(150))
        .play();
    assert_eq!(played.codes(), []);
    let reasons: Vec<_> = played.changes().iter().map(|(_, it)| it.reason).collect();
    assert_eq!(reasons, [ChangeReason::FirstSeen, ChangeReason::Preempted]);
}

#[test]
fn an_end_of_the_capture_proves_nothing() {
    let played = pair().advert(5500, ONE, &message(0)).play();
    assert_eq!(played.codes(), []);
    assert_eq!(pair().play().codes(), []);
}

#[test]
fn nobody_takes_over_after_a_resignation() {
    let played = pair()
        .advert(5500, ONE, &message(0))
        .quiet_until(20 * SECOND)
        .adverts(21 * SECOND, 22 * SECOND, ONE, &message(150))
        .announce(21 * SECOND, ONE, VIP)
        .play();
    let (at, finding) = played.raised(Code::NoMaster);
    // The worst backup has a skew of 255/256 s.
    assert!((6500..7500).contains(&at), "raised at {at}");
    assert!(finding.message.contains("resigned"), "{}", finding.message);
    assert_eq!(played.cleared(Code::NoMaster), 21 * SECOND);
}

#[test]
fn nobody_takes_over_after_silence() {
    let played = pair().quiet_until(20 * SECOND).play();
    let (at, _) = played.raised(Code::NoMaster);
    assert!((8600..9600).contains(&at), "raised at {at}");
}

#[test]
fn after_a_loss_silence_proves_nothing_for_a_while() {
    let mut stage = Stage::new();
    for (at, frame) in pair().in_order() {
        stage.frame(at, frame);
    }
    let lost = std::collections::BTreeMap::from([(LossReason::RingFull, 10)]);
    stage
        .observer
        .handle(time(8 * SECOND), &News::Loss(lost).into());
    stage.observer.handle(time(11 * SECOND), &News::Time.into());
    stage.collect();
    let early = crate::stage::Played(std::mem::take(&mut stage.records));
    assert_eq!(early.codes(), []);
    stage.observer.handle(time(13 * SECOND), &News::Time.into());
    stage.collect();
    crate::stage::Played(stage.records).raised(Code::NoMaster);
}

#[test]
fn where_egress_is_unseen_this_host_may_be_the_active_router() {
    let mut stage = Stage::new();
    let deaf = Seat {
        egress: false,
        ..seat("eth0")
    };
    stage
        .observer
        .handle(time(0), &News::Seats(vec![deaf]).into());
    for (at, frame) in pair().in_order() {
        stage.frame(at, frame);
    }
    stage.observer.handle(time(60 * SECOND), &News::Time.into());
    stage.collect();
    assert_eq!(crate::stage::Played(stage.records).codes(), []);
}

#[test]
fn a_takeover_without_announcement_is_found_until_it_is_made_up_for() {
    let played = pair()
        .advert(5500, ONE, &message(0))
        .adverts(6110, 20 * SECOND, TWO, &message(100))
        .announce(15 * SECOND, TWO, VIP)
        .play();
    let (at, finding) = played.raised(Code::GarpMissing);
    assert!((7000..9700).contains(&at), "raised at {at}");
    assert_eq!(finding.addresses, [std::net::IpAddr::V4(VIP)]);
    assert_eq!(played.cleared(Code::GarpMissing), 15 * SECOND);
    assert_eq!(played.codes(), [Code::GarpMissing]);
}

#[test]
fn an_address_that_nobody_spoke_of_may_be_elsewhere() {
    let played = Script::default()
        .adverts(0, 5 * SECOND, ONE, &message(150))
        .advert(5500, ONE, &message(0))
        .adverts(6110, 20 * SECOND, TWO, &message(100))
        .play();
    assert_eq!(played.codes(), []);
}

#[test]
fn the_same_vrid_elsewhere_is_another_virtual_router() {
    let mut stage = Stage::new();
    for second in 0..10 {
        stage.frame(second * SECOND, advert(ONE, &message(150)));
        let tagged = vrrp_tests::frames::tagged(&advert(TWO, &message(100)), &[(0x8100, 20)]);
        stage.frame(second * SECOND + 500, tagged);
    }
    assert_eq!(crate::stage::Played(stage.records).codes(), []);
}

#[test]
fn a_stranger_that_answers_for_other_addresses_is_a_proxy() {
    let mut script = Script::default()
        .adverts(0, 15 * SECOND, ONE, &message(150))
        .announce(10, ONE, VIP);
    for at in [4100, 6100] {
        script = script
            .ask(at, ONE.ip, &[ONE, THIRD])
            .ask(at + 100, VIP, &[ONE, THIRD]);
    }
    // Proxy ARP is switched off: asked again, only the active router answers.
    let played = script.ask(10 * SECOND, VIP, &[ONE]).play();
    let (at, finding) = played.raised(Code::VipConflict);
    assert_eq!(finding.cause, Some(Cause::ProxyArp));
    assert!(at <= 5 * SECOND, "raised at {at}");
    let cleared = played.cleared(Code::VipConflict);
    assert!((10_000..12_000).contains(&cleared), "cleared at {cleared}");
    assert_eq!(played.codes(), [Code::VipConflict]);
}

#[test]
fn a_probe_is_no_claim() {
    let probe = arp(
        ArpOperation::REQUEST,
        THIRD,
        std::net::Ipv4Addr::UNSPECIFIED,
        VIP,
    );
    let played = Script::default()
        .adverts(0, 15 * SECOND, ONE, &message(150))
        .frame(5 * SECOND, probe)
        .play();
    assert_eq!(played.codes(), []);
}

#[test]
fn two_machines_behind_one_address_are_a_split_brain() {
    // FRR over IPv6: the source address is made of the virtual MAC, and the same on both.
    let shared = Host {
        ip: ONE.ip,
        mac: [0, 0, 0x5e, 0, 1, 51],
    };
    let played = Script::default()
        .adverts(0, 20 * SECOND, shared, &Message::v3(51, 150, [VIP.into()]))
        .adverts(
            5400,
            20 * SECOND,
            shared,
            &Message::v3(51, 100, [VIP.into()]),
        )
        .play();
    let (at, finding) = played.raised(Code::SplitBrain);
    assert!(at <= 11 * SECOND, "raised at {at}");
    assert_eq!(finding.cause, Some(Cause::NotReceived));
}

#[test]
fn two_machines_behind_one_address_may_take_turns() {
    let shared = Host {
        ip: ONE.ip,
        mac: [0, 0, 0x5e, 0, 1, 51],
    };
    let v3 = |priority| Message::v3(51, priority, [VIP.into()]);
    let played = Script::default()
        .adverts(0, 5 * SECOND, shared, &v3(150))
        .advert(5300, shared, &v3(0))
        .adverts(6 * SECOND, 12 * SECOND, shared, &v3(100))
        .adverts(12_500, 20 * SECOND, shared, &v3(150))
        .announce(1, shared, VIP)
        .announce(6 * SECOND, shared, VIP)
        .announce(12_500, shared, VIP)
        .play();
    assert_eq!(played.codes(), []);
}

#[test]
fn a_late_advert_is_a_gap() {
    let played = Script::default()
        .adverts(0, 5 * SECOND, ONE, &message(150))
        .adverts(7200, 20 * SECOND, ONE, &message(150))
        .play();
    let (at, finding) = played.raised(Code::AdvertGap);
    assert_eq!(at, 7200);
    assert!(finding.message.contains("2.2 s"), "{}", finding.message);
    assert!(
        finding.message.contains("1.4 s before a backup"),
        "{}",
        finding.message
    );
    assert!(played.cleared(Code::AdvertGap) < 7200 + 3700);
}

#[test]
fn an_advert_that_comes_twice_is_reflected() {
    let played = Script::default()
        .adverts(0, 10 * SECOND, ONE, &message(150))
        .adverts(2000, 5 * SECOND, ONE, &message(150))
        .play();
    assert_eq!(played.codes(), [Code::ReflectedAdvert]);
    let cleared = played.cleared(Code::ReflectedAdvert);
    assert!((5000..=9000).contains(&cleared), "cleared at {cleared}");
}

#[test]
fn two_adverts_in_one_go_are_no_reflection() {
    let mut stage = Stage::new();
    for number in 0..6_u16 {
        // Two each second, at the same moment, each a packet of its own.
        let at = u64::from(number / 2) * SECOND;
        let frame = numbered_advert(ONE, &message(150), GROUP_V4, number);
        stage.frame_going(at, frame, Some(Direction::In));
    }
    let played = crate::stage::Played(stage.records);
    assert_eq!(played.codes(), []);
}

#[test]
fn our_own_advert_comes_back() {
    let mut stage = Stage::new();
    for second in 0..3 {
        let frame = advert(ONE, &message(150));
        stage.frame_going(second * SECOND, frame.clone(), Some(Direction::Out));
        stage.frame_going(second * SECOND + 8, frame, Some(Direction::In));
    }
    let played = crate::stage::Played(stage.records);
    assert_eq!(played.codes(), [Code::ReflectedAdvert]);
}

#[test]
fn a_made_up_advert_is_no_split_brain() {
    let stray = Message {
        auth_data: *b"otherpas",
        ..message(60)
    };
    let played = Script::default()
        .adverts(0, 30 * SECOND, ONE, &message(150))
        .advert(5500, THIRD, &stray)
        .play();
    assert_eq!(played.codes(), [Code::AuthMismatch]);
}

#[test]
fn routers_that_silence_each_other_are_a_split_brain() {
    // The better one comes second. The other drops its adverts for their password, and is kept
    // from sending its own; that it still has the address shows in ARP.
    let other = Message {
        auth_data: *b"otherpas",
        ..message(150)
    };
    let played = Script::default()
        .adverts(0, 5 * SECOND, TWO, &message(100))
        .announce(1, TWO, VIP)
        .adverts(5400, 20 * SECOND, ONE, &other)
        .announce(5401, ONE, VIP)
        .ask(7 * SECOND, VIP, &[ONE, TWO])
        .play();
    let (at, finding) = played.raised(Code::SplitBrain);
    assert!(at < 10 * SECOND, "raised at {at}");
    assert_eq!(finding.cause, Some(Cause::AuthMismatch));
    assert_eq!(played.codes(), [Code::AuthMismatch, Code::SplitBrain]);
}

#[test]
fn unicast_and_multicast_do_not_meet() {
    let mut script = Script::default().adverts(0, 15 * SECOND, ONE, &message(150));
    for second in 4..15 {
        let frame = advert_to(TWO, &message(100), ONE.ip);
        script = script.frame(second * SECOND + 500, frame);
    }
    let played = script.play();
    let (_, finding) = played.raised(Code::SplitBrain);
    assert_eq!(finding.cause, Some(Cause::UnicastMulticastMix));
    played.raised(Code::UnicastMulticastMix);
    assert_eq!(
        played.codes(),
        [Code::UnicastMulticastMix, Code::SplitBrain]
    );
}

#[test]
fn a_foreign_virtual_mac_is_named() {
    let odd = Host {
        mac: [0, 0, 0x5e, 0, 1, 52],
        ..ONE
    };
    let played = Script::default()
        .adverts(0, 5 * SECOND, odd, &message(150))
        .play();
    assert_eq!(played.codes(), [Code::VmacMismatch]);
}

#[test]
fn the_state_record_is_completed_by_what_was_announced() {
    let played = pair()
        .advert(5500, ONE, &message(0))
        .adverts(6110, 20 * SECOND, TWO, &message(100))
        .announce(6120, TWO, VIP)
        .play();
    let (at, change) = *played.changes().last().expect("a change");
    assert_eq!(at, 6110);
    assert_eq!(change.reason, ChangeReason::Resigned);
    assert_eq!(change.outage_ms, Some(610));
    let mut told = played.0.iter().filter_map(|record| match &record.body {
        vrrp_user::record::Body::Announced(announced) => Some(announced),
        _ => None,
    });
    let last = told.next_back().expect("known by now");
    assert_eq!(last.since, time(6110));
    let announced = &last.announcements;
    assert_eq!((announced[0].count, announced[0].first_ms), (5, 10));
}

/// Adverts of the healthy master do not arrive here, and it goes on announcing as only a master does.
#[test]
fn a_master_that_is_not_heard_is_no_leftover() {
    let mut script = pair().adverts(9110, 30 * SECOND, TWO, &message(100));
    script = script.announce(9111, TWO, VIP);
    // keepalived answers each advert of a lower priority with announcements.
    for second in 10..30 {
        script = script.announce(second * SECOND + 111, ONE, VIP);
    }
    let played = script.play();
    let (_, finding) = played
        .findings()
        .filter(|(_, finding)| finding.code == Code::VipConflict)
        .last()
        .expect("vip-conflict");
    assert_eq!(finding.cause, Some(Cause::Unheard), "{finding:?}");
    assert!(finding.advice.contains("do not arrive here"), "{finding:?}");
}

/// A machine that was killed keeps the address and answers for it, and announces nothing.
#[test]
fn what_a_dead_daemon_left_behind_is_a_leftover() {
    let mut script = pair()
        .adverts(9110, 30 * SECOND, TWO, &message(100))
        .announce(9111, TWO, VIP);
    for second in 12..20 {
        script = script.ask(second * SECOND + 500, VIP, &[ONE, TWO]);
    }
    let played = script.play();
    let (_, finding) = played.raised(Code::VipConflict);
    assert_eq!(finding.cause, Some(Cause::Leftover));
    assert!(!finding.advice.contains("address del"), "{finding:?}");
}

#[test]
fn who_announces_the_address_has_it_though_nobody_is_heard() {
    let played = pair()
        .announce(9 * SECOND, TWO, VIP)
        .quiet_until(30 * SECOND)
        .play();
    let (at, finding) = played.raised(Code::UnheardMaster);
    assert!((9000..10_000).contains(&at), "{at}");
    assert!(finding.message.contains("02:00:00:00:00:0b"), "{finding:?}");
    assert!(!played.codes().contains(&Code::NoMaster));
}

#[test]
fn announcements_beside_the_last_advert_are_no_holder() {
    let played = pair()
        .announce(5 * SECOND + 100, ONE, VIP)
        .quiet_until(30 * SECOND)
        .play();
    played.raised(Code::NoMaster);
    assert!(!played.codes().contains(&Code::UnheardMaster));
}

/// The unicast peer is asked for in place of each advert, and answers or not.
pub(crate) fn unicast(answers: bool) -> crate::stage::Played {
    let mut script = Script::default();
    for second in 0..10 {
        let at = second * SECOND;
        script = script.frame(at, advert_to(ONE, &message(150), TWO.ip));
        if second < 3 {
            script = script.frame(at + 10, advert_to(TWO, &message(100), ONE.ip));
        }
    }
    for second in 10..30 {
        let at = second * SECOND;
        script = script.frame(at, arp(ArpOperation::REQUEST, ONE, ONE.ip, TWO.ip));
        if answers {
            script = script.frame(at + 1, arp(ArpOperation::REPLY, TWO, TWO.ip, ONE.ip));
        }
    }
    script.quiet_until(40 * SECOND).play()
}

#[test]
fn a_router_that_seeks_its_peer_goes_on() {
    let played = unicast(false);
    let (at, _) = played.raised(Code::PeerUnreachable);
    assert_eq!(at, 12 * SECOND);
    // It stops asking at 29 s: what it would have had to send after that is missing.
    let (at, _) = played.raised(Code::NoMaster);
    assert!(at > 29 * SECOND, "{at}");
}

#[test]
fn a_peer_that_answers_is_no_reason_for_silence() {
    let played = unicast(true);
    assert!(!played.codes().contains(&Code::PeerUnreachable));
    let (at, _) = played.raised(Code::NoMaster);
    assert!(at < 15 * SECOND, "{at}");
}
