//! What the watched host shows when the watch begins, beside what is advertised. The seat is `ONE`;
//! another router is active.

use vrrp_tests::vrrp::Message;
use vrrp_user::{
    frame::Direction,
    input::News,
    link::{Link, LinkKind},
    observer::Request,
    record::{Cause, Code, FindingRecord, Status},
};

use crate::{
    seat::{ACTIVE, PASSWORD, SOCKET, STOPPED, Seat, is_incident, link},
    stage::{ONE, SECOND, TWO, VIP, advert, seen, time},
};

#[test]
fn a_daemon_is_gone_whose_address_the_configuration_has() {
    let mut seat = Seat::holding();
    seat.conf("gone", PASSWORD);
    seat.look(10, &[]);
    seat.adverts(500, 8500, ACTIVE);
    let played = seat.end();
    let (at, finding) = played.raised(Code::DaemonDied);
    assert!(at < SECOND, "raised at {at}");
    assert_eq!(finding.addresses, [std::net::IpAddr::V4(VIP)]);
    assert!(
        finding.advice.contains("Start keepalived"),
        "{}",
        finding.advice
    );
    assert!(
        !finding.advice.contains("address del"),
        "{}",
        finding.advice
    );
    assert_eq!(played.codes(), [Code::DaemonDied]);
}

#[test]
fn a_daemon_is_gone_that_was_master_by_its_log() {
    let mut seat = Seat::holding();
    seat.recall("(VI_1) Entering MASTER STATE");
    seat.recall(&format!("Sending gratuitous ARP on eth0 for {VIP}"));
    seat.look(10, &[]);
    seat.adverts(500, 8500, ACTIVE);
    assert_eq!(seat.end().codes(), [Code::DaemonDied]);
}

#[test]
fn a_daemon_that_comes_back_ends_it() {
    let mut seat = Seat::holding();
    seat.conf("back", PASSWORD);
    seat.look(10, &[]);
    seat.adverts(500, 2500, ACTIVE);
    seat.look(3000, &[SOCKET]);
    seat.adverts(3200, 6200, (ONE, 51, 150));
    let played = seat.end();
    assert_eq!(played.codes(), [Code::DaemonDied]);
    assert_eq!(played.cleared(Code::DaemonDied), 3000);
}

#[test]
fn a_daemon_that_is_stopped_is_stalled() {
    let mut seat = Seat::holding();
    seat.look(10, &[STOPPED]);
    seat.adverts(500, 8500, ACTIVE);
    let (at, _) = seat.end().raised(Code::DaemonStalled);
    assert!(at < SECOND, "raised at {at}");
}

#[test]
fn a_daemon_that_listens_on_a_port_of_a_bridge_hears_nothing() {
    for sends in [true, false] {
        let port = Link {
            master: Some(3),
            ..link("eth0", true, &[ONE.ip, VIP])
        };
        let bridge = Link {
            kind: LinkKind::Bundle,
            ..link("br-int", true, &[])
        };
        let mut seat = Seat::with([Some(port), Some(bridge)], ONE.ip);
        seat.look(10, &[SOCKET]);
        for round in 0..10 {
            let at = 500 + round * SECOND;
            seat.adverts(at, at, ACTIVE);
            if sends {
                seat.adverts(at + 300, at + 300, (ONE, 51, 50));
            }
        }
        let played = seat.end();
        let (at, finding) = played.raised(Code::LocalDrop);
        assert!(at < 5 * SECOND, "raised at {at}");
        assert_eq!(finding.cause, Some(Cause::WrongInterface));
        assert!(
            finding.advice.contains("`interface br-int`"),
            "{}",
            finding.advice
        );
        // It is the cause of the split brain where this host is heard, and nothing else is wrong.
        let beside = if sends { &[Code::SplitBrain][..] } else { &[] };
        let others: Vec<Code> = played
            .codes()
            .into_iter()
            .filter(|code| *code != Code::LocalDrop)
            .collect();
        assert_eq!(others, beside, "sends: {sends}");
    }
}

#[test]
fn an_address_that_is_nobodys_is_claimed_by_this_host() {
    let mut seat = Seat::holding();
    seat.look(10, &[]);
    seat.adverts(500, 8500, ACTIVE);
    let played = seat.end();
    let (_, finding) = played.raised(Code::VipConflict);
    assert_eq!(finding.cause, Some(Cause::Outsider));
    assert!(
        finding.message.contains("of this host"),
        "{}",
        finding.message
    );
    assert_eq!(played.codes(), [Code::VipConflict]);
}

#[test]
fn a_standby_with_the_address_is_a_conflict_once_it_had_time_to_say_otherwise() {
    let mut seat = Seat::holding();
    seat.look(10, &[SOCKET]);
    seat.adverts(500, 8500, ACTIVE);
    assert!(seat.wants_drops());
    let played = seat.end();
    let (at, finding) = played.raised(Code::VipConflict);
    assert!(at >= 3 * SECOND, "raised at {at}");
    assert_eq!(finding.cause, Some(Cause::Standby));
}

#[test]
fn adverts_that_the_kernel_drops_on_their_way_out_are_blocked() {
    let mut seat = Seat::holding();
    seat.look(10, &[SOCKET]);
    seat.adverts(500, 1500, ACTIVE);
    assert!(seat.wants_drops());
    seat.drops(2000, Direction::Out, ONE);
    seat.adverts(2500, 8500, ACTIVE);
    let played = seat.end();
    let (_, finding) = played.raised(Code::EgressBlocked);
    assert_eq!(finding.cause, Some(Cause::Kernel("NETFILTER_DROP".into())));
    assert_eq!(played.codes(), [Code::EgressBlocked]);
}

#[test]
fn a_daemon_with_another_password_is_the_silent_side_of_a_split_brain() {
    let mut seat = Seat::holding();
    let auth = "authentication {\n auth_type PASS\n auth_pass other\n }";
    seat.conf("password", auth);
    seat.look(10, &[SOCKET]);
    seat.adverts(500, 8500, ACTIVE);
    let played = seat.end();
    let (_, finding) = played.raised(Code::SplitBrain);
    assert_eq!(finding.cause, Some(Cause::AuthMismatch));
    assert_eq!(played.codes(), [Code::SplitBrain]);
}

#[test]
fn one_advert_of_the_silent_side_is_enough_while_it_has_the_address() {
    let mut seat = Seat::holding();
    seat.look(10, &[SOCKET]);
    let other = Message {
        auth_data: *b"otherpas",
        ..Message::v2(51, 150, [VIP.into()])
    };
    let frame = seen(200, advert(ONE, &other), Some(Direction::Out));
    seat.stage
        .observer
        .handle(frame.time, &News::Frame(frame).into());
    seat.adverts(500, 12_500, ACTIVE);
    let played = seat.end();
    let (_, finding) = played.raised(Code::SplitBrain);
    assert_eq!(finding.cause, Some(Cause::AuthMismatch));
    let cleared = |it: &FindingRecord| it.code == Code::SplitBrain && it.status == Status::Cleared;
    assert!(!played.findings().any(|(_, it)| cleared(it)));
}

#[test]
fn an_address_that_nobody_advertises_any_more_is_told_by_the_configuration() {
    for (sockets, code) in [
        (vec![], Some(Code::DaemonDied)),
        (vec![STOPPED], Some(Code::DaemonStalled)),
        (vec![SOCKET], None),
    ] {
        let mut seat = Seat::holding();
        seat.conf(&format!("orphan-{code:?}"), PASSWORD);
        seat.look(10, &sockets);
        assert_eq!(seat.stage.records.len(), 1, "adverts may still come");
        // When they would have come, the daemons are looked at again.
        let due = time(4 * SECOND);
        assert!(seat.stage.observer.poll_timeout() <= Some(due));
        seat.requests.clear();
        seat.stage.observer.handle(due, &News::Time.into());
        seat.collect();
        assert!(seat.requests.contains(&Request::FindDaemon));
        seat.look(4 * SECOND, &sockets);
        assert_eq!(seat.end().codes(), Vec::from_iter(code));
    }
}

#[test]
fn an_address_that_nobody_advertises_any_more_is_told_by_the_log() {
    let mut seat = Seat::holding();
    seat.recall("(VI_1) Entering MASTER STATE");
    seat.recall(&format!(
        "(VI_1) Sending/queueing gratuitous ARPs on eth0 for {VIP}"
    ));
    seat.look(4 * SECOND, &[]);
    assert_eq!(seat.end().codes(), [Code::DaemonDied]);
}

#[test]
fn adverts_that_arrive_and_are_not_heeded_are_dropped_here() {
    let mut seat = Seat::holding();
    seat.look(10, &[SOCKET]);
    for second in 0..9 {
        seat.advert(second * SECOND + 200, (ONE, 51, 100));
        seat.advert(second * SECOND + 700, (TWO, 51, 150));
        if second == 4 {
            seat.drops(second * SECOND + 800, Direction::In, TWO);
        }
    }
    assert!(seat.wants_drops());
    assert!(seat.requests.contains(&Request::StopCounting));
    let played = seat.end();
    let (_, split) = played.raised(Code::SplitBrain);
    assert_eq!(split.cause, Some(Cause::LocalDrop));
    assert!(!split.message.contains("do not reach"), "{}", split.message);
    let (_, finding) = played.raised(Code::LocalDrop);
    assert_eq!(finding.cause, None);
    let updated = played
        .findings()
        .find(|(_, it)| it.code == Code::LocalDrop && it.status == Status::Updated);
    let (_, updated) = updated.expect("the kernel's answer");
    assert_eq!(updated.cause, Some(Cause::Kernel("NETFILTER_DROP".into())));
    assert!(played.0.iter().all(|record| !is_incident(record)));
}

#[test]
fn the_better_side_of_a_split_brain_knows_that_it_hears_the_other() {
    let mut seat = Seat::holding();
    seat.look(10, &[SOCKET]);
    for second in 0..9 {
        seat.advert(second * SECOND + 200, (ONE, 51, 150));
        seat.advert(second * SECOND + 700, (TWO, 51, 100));
    }
    let played = seat.end();
    let (_, split) = played.raised(Code::SplitBrain);
    assert_eq!(split.cause, Some(Cause::NotReceived));
    assert!(split.message.contains("arrive here"), "{}", split.message);
    assert_eq!(played.codes(), [Code::SplitBrain]);
}

#[test]
fn nothing_is_wrong_with_a_healthy_host() {
    let standby = || Seat::new(&[ONE.ip], None);
    let real_server = || Seat::new(&[ONE.ip], Some(link("lo", false, &[VIP])));
    let macvlan = || Seat::new(&[ONE.ip], Some(link("vrrp4-2-1", false, &[VIP])));
    let elsewhere = || Seat::new(&[ONE.ip], Some(link("eth1", true, &[VIP])));
    let cases: [(&dyn Fn() -> Seat, Vec<vrrp_user::machine::VrrpSocket>); 6] = [
        (&standby, vec![SOCKET]),
        (&standby, vec![]),
        (&real_server, vec![]),
        (&real_server, vec![SOCKET]),
        (&macvlan, vec![SOCKET]),
        // Another network that uses the same address.
        (&elsewhere, vec![]),
    ];
    for (seat, sockets) in cases {
        let mut seat = seat();
        seat.look(10, &sockets);
        seat.adverts(500, 15_500, ACTIVE);
        assert_eq!(seat.end().codes(), []);
    }
}

#[test]
fn nothing_is_wrong_with_a_healthy_master() {
    let mut seat = Seat::holding();
    seat.conf("healthy", PASSWORD);
    seat.look(10, &[SOCKET]);
    seat.adverts(500, 15_500, (ONE, 51, 150));
    assert_eq!(seat.end().codes(), []);
    let mut unseen = Seat::holding();
    unseen.conf("unseen", PASSWORD);
    unseen.adverts(500, 15_500, ACTIVE);
    assert_eq!(unseen.end().codes(), [], "nobody looked for the daemon");
}

#[test]
fn an_address_that_another_virtual_router_of_this_host_serves_is_no_leftover() {
    let mut seat = Seat::holding();
    seat.look(10, &[SOCKET]);
    for second in 0..9 {
        seat.advert(second * SECOND + 200, (ONE, 52, 150));
        seat.advert(second * SECOND + 700, ACTIVE);
    }
    assert_eq!(seat.end().codes(), [Code::VipInTwoVrids]);
}

#[test]
fn a_router_that_preempts_has_the_address_for_a_reason() {
    let mut seat = Seat::new(&[ONE.ip], None);
    seat.look(10, &[SOCKET]);
    seat.adverts(500, 4500, ACTIVE);
    let change = vrrp_user::machine::AddressChange {
        address: VIP.into(),
        present: true,
        by: Some(7),
    };
    seat.stage
        .observer
        .handle(time(4600), &News::Address(change).into());
    seat.adverts(4610, 12_610, (ONE, 51, 150));
    assert_eq!(seat.end().codes(), []);
}
