//! What an observer makes of its own blindness: nothing, but that it is blind.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use vrrp_tests::vrrp::Message;
use vrrp_user::{
    input::News,
    model::Vrid,
    record::{Body, ChangeReason, Code, LossReason, Status, Step, What},
    sight::{Blindness, Seat},
};

use crate::stage::{ONE, Played, SECOND, Script, Stage, TWO, VIP, message, seat, time};

fn blind(why: Blindness) -> Seat {
    Seat {
        blind: Some(why),
        ..seat("eth0")
    }
}

/// Plays frames, and changes of what can be seen beside them; what is sent in a time that is not seen
/// does not come in.
fn play(script: Script, seats: &[(u64, Vec<Seat>)], until: u64) -> Played {
    let mut stage = Stage::new();
    stage
        .observer
        .handle(time(0), &News::Seats(vec![seat("eth0")]).into());
    let mut seats = seats.iter().peekable();
    let mut seen = true;
    for (at, frame) in script.in_order() {
        while let Some((when, now)) = seats.next_if(|(when, _)| *when <= at) {
            seen = now.iter().all(|seat| seat.blind.is_none()) && !now.is_empty();
            stage
                .observer
                .handle(time(*when), &News::Seats(now.clone()).into());
        }
        if seen {
            stage.frame(at, frame);
        }
    }
    for (when, now) in seats {
        stage
            .observer
            .handle(time(*when), &News::Seats(now.clone()).into());
    }
    stage.observer.handle(time(until), &News::Time.into());
    stage.collect();
    Played(stage.records)
}

fn incidents(played: &Played) -> usize {
    let bodies = played.0.iter().map(|record| &record.body);
    bodies
        .filter(|body| matches!(body, Body::Incident(_)))
        .count()
}

#[test]
fn a_link_that_is_down_for_a_time_says_nothing_of_the_master() {
    for why in [Blindness::Down, Blindness::NoCarrier, Blindness::Detached] {
        let script = Script::default().adverts(0, 40 * SECOND, ONE, &message(150));
        let played = play(
            script,
            &[(10_500, vec![blind(why)]), (20_500, vec![seat("eth0")])],
            40 * SECOND,
        );
        assert_eq!(played.codes(), [Code::Blind], "{why:?}");
        let (at, finding) = played.raised(Code::Blind);
        assert_eq!(at, 10_500);
        assert!(
            finding.message.contains(why.describe()),
            "{}",
            finding.message
        );
        assert_eq!(finding.addresses, [std::net::IpAddr::V4(VIP)]);
        assert_eq!(played.cleared(Code::Blind), 20_500);
        let reasons: Vec<_> = played.changes().iter().map(|(_, it)| it.reason).collect();
        assert_eq!(
            reasons,
            [ChangeReason::FirstSeen],
            "it was active all the time"
        );
        assert_eq!(incidents(&played), 0);
    }
}

#[test]
fn what_was_asked_for_by_name_is_blind_from_the_start() {
    let named = |blind| Seat {
        named: true,
        blind,
        ..seat("eth0")
    };
    let mut stage = Stage::new();
    let down = Some(Blindness::NoCarrier);
    stage
        .observer
        .handle(time(0), &News::Seats(vec![named(down)]).into());
    stage
        .observer
        .handle(time(5000), &News::Seats(vec![named(down)]).into());
    stage
        .observer
        .handle(time(9000), &News::Seats(vec![named(None)]).into());
    stage.collect();
    let played = Played(std::mem::take(&mut stage.records));
    assert_eq!(played.raised(Code::Blind).0, 0);
    assert_eq!(played.cleared(Code::Blind), 9000);

    // What is watched because it happens to be there, and has no virtual router, is nobody's loss.
    let mut stage = Stage::new();
    let unnamed = blind(Blindness::NoCarrier);
    stage
        .observer
        .handle(time(0), &News::Seats(vec![unnamed]).into());
    stage.collect();
    assert_eq!(Played(stage.records).codes(), []);
}

#[test]
fn an_interface_that_is_gone_is_blind_for_good_and_no_master_is_missed() {
    let script = Script::default().adverts(0, 10 * SECOND, ONE, &message(150));
    let played = play(script, &[(10_500, Vec::new())], 100 * SECOND);
    assert_eq!(played.codes(), [Code::Blind]);
    assert!(played.raised(Code::Blind).1.message.contains("is gone"));
    assert!(
        played
            .findings()
            .all(|(_, finding)| finding.status != Status::Cleared)
    );
}

#[test]
fn what_fails_after_sight_has_come_back_is_found() {
    let script = Script::default()
        .adverts(0, 25 * SECOND, ONE, &message(150))
        .quiet_until(60 * SECOND);
    let played = play(
        script,
        &[
            (10_500, vec![blind(Blindness::Down)]),
            (20_500, vec![seat("eth0")]),
        ],
        60 * SECOND,
    );
    assert_eq!(played.codes(), [Code::Blind, Code::NoMaster]);
    assert!(played.raised(Code::NoMaster).0 > 28 * SECOND);
}

#[test]
fn nobody_heard_after_sight_has_come_back_is_found_in_its_time() {
    // It stopped while nothing was seen.
    let script = Script::default()
        .adverts(0, 12 * SECOND, ONE, &message(150))
        .quiet_until(60 * SECOND);
    let played = play(
        script,
        &[
            (10_500, vec![blind(Blindness::Down)]),
            (20_500, vec![seat("eth0")]),
        ],
        60 * SECOND,
    );
    let (at, _) = played.raised(Code::NoMaster);
    assert!((24_000..26_000).contains(&at), "{at}");
}

#[test]
fn a_change_that_nobody_saw_is_told_as_that() {
    let script = Script::default()
        .adverts(0, 15 * SECOND, ONE, &message(150))
        .adverts(18 * SECOND, 40 * SECOND, TWO, &message(100));
    let played = play(
        script,
        &[
            (10_500, vec![blind(Blindness::NoCarrier)]),
            (20_500, vec![seat("eth0")]),
        ],
        40 * SECOND,
    );
    assert_eq!(played.codes(), [Code::Blind]);
    let changes = played.changes();
    let (_, change) = changes.last().expect("a change");
    assert_eq!(change.reason, ChangeReason::Unobserved);
    assert_eq!(change.outage_ms, None);
    assert_eq!(incidents(&played), 0);
}

#[test]
fn a_split_brain_that_is_out_of_sight_is_not_over() {
    let script = Script::default()
        .adverts(0, 40 * SECOND, ONE, &message(150))
        .adverts(5300, 40 * SECOND, TWO, &message(100));
    let played = play(
        script,
        &[
            (20_500, vec![blind(Blindness::Down)]),
            (30_500, vec![seat("eth0")]),
        ],
        40 * SECOND,
    );
    played.raised(Code::SplitBrain);
    let cleared = played
        .findings()
        .any(|(_, it)| it.code == Code::SplitBrain && it.status == Status::Cleared);
    assert!(!cleared, "it goes on");
}

#[test]
fn a_split_brain_on_a_machine_that_is_busy_is_not_over() {
    // Five adverts a second, and one comes late by more than an interval, by less than a backup waits.
    let quick = |priority| Message {
        interval: 20,
        ..Message::v3(51, priority, [VIP.into()])
    };
    let script = Script::default()
        .adverts(0, 20 * SECOND, ONE, &quick(150))
        .adverts(5300, 10 * SECOND, TWO, &quick(100))
        .adverts(10_550, 20 * SECOND, TWO, &quick(100));
    let played = script.play();
    played.raised(Code::SplitBrain);
    let cleared = played
        .findings()
        .any(|(_, it)| it.code == Code::SplitBrain && it.status == Status::Cleared);
    assert!(!cleared, "it goes on");
}

/// A split brain for ten seconds. Then what is lost hides one of the two, for another ten, after which it
/// goes on or not.
fn hidden(goes_on: bool, lose: impl Fn(&mut Stage, u64)) -> Played {
    let mut script = Script::default()
        .adverts(0, 40 * SECOND, ONE, &message(150))
        .adverts(300, 10 * SECOND, TWO, &message(100));
    if goes_on {
        script = script.adverts(20_300, 40 * SECOND, TWO, &message(100));
    }
    let mut stage = Stage::new();
    let mut next = 10 * SECOND;
    for (at, frame) in script.in_order() {
        while next <= at && next < 20 * SECOND {
            lose(&mut stage, next);
            next += 200;
        }
        stage.frame(at, frame);
    }
    Played(stage.records)
}

fn suppressed(stage: &mut Stage, at: u64) {
    let vrids = BTreeSet::from([Vrid::new(51)]);
    stage
        .observer
        .handle(time(at), &News::Suppressed(vrids).into());
}

fn overrun(stage: &mut Stage, at: u64) {
    let lost = BTreeMap::from([(LossReason::RingFull, 7)]);
    stage.observer.handle(time(at), &News::Loss(lost).into());
}

#[test]
fn a_split_brain_is_not_over_because_adverts_are_suppressed_or_lost() {
    for lose in [suppressed, overrun] {
        let played = hidden(true, lose);
        played.raised(Code::SplitBrain);
        let ended = played
            .findings()
            .any(|(_, it)| it.code == Code::SplitBrain && it.status != Status::Raised);
        assert!(!ended, "it goes on");
    }
}

#[test]
fn a_split_brain_that_ended_meanwhile_is_over_when_everything_is_seen_again() {
    for lose in [suppressed, overrun] {
        let at = hidden(false, lose).cleared(Code::SplitBrain);
        assert!((22 * SECOND..25 * SECOND).contains(&at), "{at}");
    }
}

#[test]
fn a_renamed_interface_keeps_its_virtual_routers() {
    let mut stage = Stage::new();
    stage
        .observer
        .handle(time(0), &News::Seats(vec![seat("eth1")]).into());
    // Frames of the stage come from eth0.
    let renamed = Seat {
        formerly: Some("eth1".into()),
        ..seat("eth0")
    };
    stage
        .observer
        .handle(time(1), &News::Seats(vec![renamed]).into());
    for (at, frame) in Script::default()
        .adverts(10, 10 * SECOND, ONE, &message(150))
        .in_order()
    {
        stage.frame(at, frame);
    }
    let down = Seat {
        blind: Some(Blindness::Down),
        ..seat("eth0")
    };
    stage
        .observer
        .handle(time(10_500), &News::Seats(vec![down]).into());
    let lan = Seat {
        formerly: Some("eth0".into()),
        ..seat("lan0")
    };
    stage
        .observer
        .handle(time(11_000), &News::Seats(vec![lan]).into());
    stage.collect();
    let played = Played(stage.records);
    assert_eq!(played.codes(), [Code::Blind]);
    assert_eq!(played.cleared(Code::Blind), 11_000);
    let last = played
        .0
        .last()
        .and_then(|record| record.interface.as_deref());
    assert_eq!(last, Some("lan0"));
}

#[test]
fn a_takeover_during_which_the_interface_is_renamed_is_told_whole() {
    let mut stage = Stage::new();
    stage
        .observer
        .handle(time(0), &News::Seats(vec![seat("eth1")]).into());
    let mut frames = Script::default()
        .adverts(10, 10 * SECOND, ONE, &message(150))
        .advert(10 * SECOND + 500, ONE, &message(0))
        .in_order();
    for (at, frame) in frames.drain(..) {
        let mut frame = crate::stage::seen(at, frame, None);
        frame.origin.interface = Some("eth1".into());
        stage
            .observer
            .handle(frame.time, &News::Frame(frame.clone()).into());
    }
    let renamed = Seat {
        formerly: Some("eth1".into()),
        ..seat("eth0")
    };
    stage
        .observer
        .handle(time(10 * SECOND + 700), &News::Seats(vec![renamed]).into());
    let after = Script::default()
        .adverts(11_110, 16 * SECOND, TWO, &message(100))
        .announce(11_120, TWO, VIP);
    for (at, frame) in after.in_order() {
        stage.frame(at, frame);
    }
    stage.collect();
    let incident = stage
        .records
        .iter()
        .find_map(|record| match &record.body {
            Body::Incident(incident) => Some(incident),
            _ => None,
        })
        .expect("an incident");
    let resigned = |step: &Step| matches!(step.what, What::Resigned { .. });
    assert!(incident.steps.iter().any(resigned), "{incident:#?}");
    assert_eq!(incident.missing, [""; 0], "{incident:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whenever and for whatever reason sight is lost, a healthy master stays one.
    #[test]
    fn blindness_accuses_nobody(
        spans in prop::collection::vec((1_u64..20_000, 1_u64..20_000, 0_usize..4), 1..4),
        priority in 1_u8..255,
    ) {
        let mut seats = Vec::new();
        let mut at = 5000;
        for (seen, unseen, why) in spans {
            at += seen;
            seats.push((at, match why {
                0 => vec![blind(Blindness::Down)],
                1 => vec![blind(Blindness::NoCarrier)],
                2 => vec![blind(Blindness::Detached)],
                _ => Vec::new(),
            }));
            at += unseen;
            seats.push((at, vec![seat("eth0")]));
        }
        let end = at + 10 * SECOND;
        let script = Script::default().adverts(0, end, ONE, &message(priority));
        let played = play(script, &seats, end);
        let accused: Vec<Code> = played
            .codes()
            .into_iter()
            .filter(|code| *code != Code::Blind)
            .collect();
        prop_assert_eq!(accused, vec![]);
        prop_assert_eq!(incidents(&played), 0);
        prop_assert_eq!(played.changes().len(), 1);
    }
}
