//! The course of a takeover: what is known of the time between two active routers, and what is not.

use std::net::Ipv4Addr;

use vrrp_tests::vrrp::Message;
use vrrp_user::input::News;
use vrrp_user::record::{
    Body, Cause, ChangeReason, Code, IncidentRecord, LossReason, StateRecord, Status,
};

use crate::stage::{Host, ONE, Played, SECOND, Script, Stage, TWO, VIP, message, pair, time};

impl Played {
    /// The last change of the active router.
    fn change(&self) -> &StateRecord {
        self.changes().last().expect("a change").1
    }

    fn incident(&self) -> &IncidentRecord {
        let mut incidents = self.0.iter().filter_map(|record| match &record.body {
            Body::Incident(incident) => Some(incident),
            _ => None,
        });
        incidents.next_back().expect("an incident")
    }
}

#[test]
fn silence_is_no_outage() {
    // A killed daemon leaves its addresses to a kernel that goes on answering.
    let played = pair()
        .adverts(8609, 20 * SECOND, TWO, &message(100))
        .announce(8610, TWO, VIP)
        .play();
    let change = played.change();
    assert_eq!(change.reason, ChangeReason::Timeout);
    assert_eq!((change.silence_ms, change.outage_ms), (Some(3609), None));
    let incident = played.incident();
    assert_eq!(
        (incident.silence_ms, incident.outage_ms),
        (Some(3609), None)
    );
}

#[test]
fn a_resignation_is_an_outage_until_the_next_takes_over() {
    let resigned = pair().advert(5500, ONE, &message(0));
    let next = |script: Script| script.adverts(6110, 20 * SECOND, TWO, &message(100));
    let change = |script: Script| {
        let played = next(script).play();
        let change = played.change();
        assert_eq!(change.reason, ChangeReason::Resigned);
        (change.silence_ms, change.outage_ms)
    };
    assert_eq!(change(resigned.clone()), (Some(610), Some(610)));
    // Somebody has it all the same.
    let answered = resigned.ask(5800, VIP, &[ONE]);
    assert_eq!(change(answered), (Some(610), None));
}

#[test]
fn a_router_that_yields_leaves_no_gap() {
    let played = Script::default()
        .adverts(0, 5 * SECOND, TWO, &message(100))
        .adverts(5900, 15 * SECOND, ONE, &message(150))
        .announce(5901, ONE, VIP)
        .play();
    let change = played.change();
    assert_eq!(change.reason, ChangeReason::Preempted);
    assert_eq!((change.silence_ms, change.outage_ms), (None, None));
}

#[test]
fn of_what_was_not_seen_no_length_is_told() {
    let mut stage = Stage::new();
    for (at, frame) in pair().in_order() {
        stage.frame(at, frame);
    }
    let lost = std::collections::BTreeMap::from([(LossReason::RingFull, 10)]);
    stage
        .observer
        .handle(time(6 * SECOND), &News::Loss(lost).into());
    let later = Script::default().adverts(8609, 20 * SECOND, TWO, &message(100));
    for (at, frame) in later.in_order() {
        stage.frame(at, frame);
    }
    let played = Played(stage.records);
    let change = played.change();
    assert_eq!(change.reason, ChangeReason::Unobserved);
    assert_eq!((change.silence_ms, change.outage_ms), (None, None));
    assert!(!played.codes().contains(&Code::SilentFailover));
}

#[test]
fn a_router_that_was_not_watched_for_a_while_did_not_restart() {
    let mut stage = Stage::new();
    for (at, frame) in pair().in_order() {
        stage.frame(at, frame);
    }
    let lost = std::collections::BTreeMap::from([(LossReason::RingFull, 10)]);
    stage
        .observer
        .handle(time(11 * SECOND), &News::Loss(lost).into());
    let later = Script::default().adverts(12 * SECOND, 20 * SECOND, ONE, &message(150));
    for (at, frame) in later.in_order() {
        stage.frame(at, frame);
    }
    let played = Played(stage.records);
    assert_eq!(played.change().reason, ChangeReason::FirstSeen);
}

#[test]
fn an_address_that_another_vrid_serves_is_not_lost_with_its_own() {
    let other = Message::v2(52, 100, [VIP.into()]);
    let given_up = Script::default()
        .adverts(0, 20 * SECOND, ONE, &message(150))
        .advert(20_500, ONE, &message(0))
        .adverts(18 * SECOND, 40 * SECOND, ONE, &other);
    let served = given_up.clone().play();
    assert!(!served.codes().contains(&Code::NoMaster));
    // Until that one stops, too.
    let played = given_up.quiet_until(60 * SECOND).play();
    let raised: Vec<_> = played
        .findings()
        .filter(|(_, finding)| finding.code == Code::NoMaster && finding.status == Status::Raised)
        .map(|(at, finding)| {
            (
                at > 43 * SECOND,
                finding.vrid.map(vrrp_user::model::Vrid::get),
            )
        })
        .collect();
    assert_eq!(raised, [(true, Some(51)), (true, Some(52))]);
}

#[test]
fn an_address_that_nobody_serves_is_lost_with_its_vrid() {
    let second = Ipv4Addr::new(10, 77, 0, 101);
    let both = Message::v2(51, 150, [VIP.into(), second.into()]);
    let resigns = Message {
        priority: 0,
        ..both.clone()
    };
    let played = Script::default()
        .adverts(0, 20 * SECOND, ONE, &both)
        .advert(20_500, ONE, &resigns)
        .adverts(
            18 * SECOND,
            40 * SECOND,
            ONE,
            &Message::v2(52, 100, [VIP.into()]),
        )
        .play();
    let (at, finding) = played.raised(Code::NoMaster);
    assert!((21_500..23_000).contains(&at), "raised at {at}");
    assert_eq!(finding.addresses, [std::net::IpAddr::V4(second)]);
}

#[test]
fn adverts_that_come_at_once_were_delayed() {
    let script = (0..4).fold(pair(), |script, number| {
        script.advert(9900 + 4 * number, ONE, &message(150))
    });
    let played = script
        .adverts(10_500, 20 * SECOND, ONE, &message(150))
        .play();
    played.raised(Code::NoMaster);
    let ended = played
        .findings()
        .find(|(_, finding)| finding.code == Code::NoMaster && finding.status == Status::Cleared);
    let (at, ended) = ended.expect("the end of it");
    assert!((9900..10_200).contains(&at), "cleared at {at}");
    assert!(
        ended.message.contains("delayed, not lost: 4 came at once"),
        "{}",
        ended.message
    );
    let gaps: Vec<_> = played
        .findings()
        .filter(|(_, finding)| finding.code == Code::AdvertGap)
        .collect();
    assert_eq!(gaps[0].0, 9900);
    let (_, updated) = gaps[1];
    assert_eq!(
        (updated.status, updated.cause.as_ref()),
        (Status::Updated, Some(&Cause::Delay))
    );
    assert!(
        updated
            .message
            .contains("delayed, not lost: 4 came at once"),
        "{}",
        updated.message
    );
    assert_eq!(played.codes(), [Code::NoMaster, Code::AdvertGap]);
}

#[test]
fn a_long_delay_is_no_restart() {
    let script = (0..6).fold(pair(), |script, number| {
        script.advert(11_900 + 4 * number, ONE, &message(150))
    });
    let played = script
        .adverts(12_500, 20 * SECOND, ONE, &message(150))
        .play();
    let incident = played.incident();
    assert_eq!(incident.reason, Some(ChangeReason::Restarted));
    assert!(
        incident.trigger.contains("6 came at once"),
        "{}",
        incident.trigger
    );
    assert_eq!(
        (incident.silence_ms, incident.outage_ms),
        (Some(6900), None)
    );
    assert_eq!(incident.missing, [""; 0]);
}

#[test]
fn one_advert_after_a_silence_was_not_delayed() {
    let played = pair().adverts(9900, 20 * SECOND, ONE, &message(150)).play();
    let ended = played
        .findings()
        .find(|(_, finding)| finding.code == Code::NoMaster && finding.status == Status::Cleared);
    let (_, ended) = ended.expect("the end of it");
    assert!(
        ended.message.contains("advertises again"),
        "{}",
        ended.message
    );
    let gap = played.raised(Code::AdvertGap).1;
    assert_eq!(gap.cause, None);
}

#[test]
fn what_the_router_before_announced_is_not_the_next_ones() {
    let shared = |host: Host| Host {
        mac: [0, 0, 0x5e, 0, 1, 51],
        ..host
    };
    let (one, two) = (shared(ONE), shared(TWO));
    let script = Script::default()
        .adverts(0, 5 * SECOND, one, &message(150))
        .announce(10, one, VIP)
        .advert(5500, one, &message(0))
        .advert(6110, two, &message(100))
        .announce(6120, two, VIP)
        .adverts(6250, 20 * SECOND, one, &message(150));
    let played = script.clone().play();
    let (at, finding) = played.raised(Code::GarpMissing);
    assert!(at > 6250, "raised at {at}");
    assert_eq!(finding.sources, [std::net::IpAddr::V4(ONE.ip)]);
    let announced = script.announce(6260, one, VIP).play();
    assert!(!announced.codes().contains(&Code::GarpMissing));
    // Told before the first advert, when the router before has gone: that is the next one's.
    let early = Script::default()
        .adverts(0, 5 * SECOND, one, &message(150))
        .announce(10, one, VIP)
        .advert(5500, one, &message(0))
        .announce(6000, two, VIP)
        .adverts(6110, 20 * SECOND, two, &message(100))
        .play();
    assert_eq!(early.codes(), []);
}

#[test]
fn flapping_names_all_that_it_came_about_by() {
    let played = pair()
        .advert(5500, ONE, &message(0))
        .adverts(6110, 8200, TWO, &message(100))
        .adverts(8900, 12 * SECOND, ONE, &message(150))
        .adverts(15_600, 18 * SECOND, TWO, &message(100))
        .adverts(18_400, 25 * SECOND, ONE, &message(150))
        .play();
    let last = played
        .findings()
        .filter(|(_, finding)| finding.code == Code::Flapping)
        .filter(|(_, finding)| finding.status != Status::Cleared)
        .last();
    let (_, finding) = last.expect("it flaps");
    assert_eq!(
        finding.causes,
        [Cause::Loss, Cause::Preemption, Cause::Restart]
    );
    for words in [
        "once a router resigned",
        "once adverts stayed away",
        "one with a higher priority came",
    ] {
        assert!(finding.message.contains(words), "{}", finding.message);
    }
}
