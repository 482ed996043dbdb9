//! Evidence, and what it comes to.

use std::collections::BTreeMap;

use super::*;
use crate::{
    model::{MacAddr, Priority, Span, Timestamp, Vrid},
    record::{LossReason, Role, Volume},
};

const LB0: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 0xa0]);
const LB1: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 0xa1]);

fn router(last: u8, mac: MacAddr) -> Advertised {
    Advertised {
        source: [10, 77, 0, last].into(),
        mac: Some(mac),
        vrid: Vrid::new(51),
        priority: Priority::new(100),
        interface: Some("eth0".to_owned()),
        vlan: Vec::new(),
        this_host: false,
    }
}

fn answer(mac: MacAddr, role: Option<Role>) -> Answered {
    Answered {
        first: Answer {
            mac,
            role,
            router: None,
            rtt_us: 60,
        },
        answers: 1,
        surplus: 0,
        moved: false,
    }
}

fn judge(advertised: Vec<Advertised>, answered: Vec<Answered>, held: bool) -> (Verdict, String) {
    evidence(advertised, answered, held).judge()
}

fn evidence(advertised: Vec<Advertised>, answered: Vec<Answered>, held: bool) -> Who {
    Who {
        time: Timestamp::default(),
        address: [10, 77, 0, 100].into(),
        verdict: Verdict::Nobody,
        message: String::new(),
        advertised,
        answered,
        held: held.then(|| Held {
            interface: "eth0".to_owned(),
            answers: true,
        }),
        not_asked: None,
        services: Vec::new(),
        traffic: None,
        lost: BTreeMap::new(),
        waited_ms: 3500,
    }
}

#[test]
fn what_may_have_been_lost_is_not_missing() {
    let lost = BTreeMap::from([(LossReason::RingFull, 7)]);
    let judge = |advertised: Vec<Advertised>, answered: Vec<Answered>, held| {
        let mut evidence = evidence(advertised, answered, held);
        evidence.add_losses(&lost);
        let Who {
            verdict, message, ..
        } = evidence;
        let tells = message.contains("7 frames were lost");
        assert_eq!(tells, verdict == Verdict::Unknown, "{message}");
        verdict
    };
    let (active, other) = (|| router(10, LB0), || router(11, LB1));
    let right = || answer(LB0, Some(Role::ActiveRouter));
    let wrong = || answer(LB1, Some(Role::Outsider));
    // Its advert or its answer may be among them.
    assert_eq!(judge(vec![], vec![], false), Verdict::Unknown);
    assert_eq!(judge(vec![], vec![], true), Verdict::Unknown);
    assert_eq!(judge(vec![], vec![wrong()], false), Verdict::Unknown);
    assert_eq!(judge(vec![active()], vec![], false), Verdict::Unknown);
    // What was seen was there.
    let one = vec![active()];
    assert_eq!(judge(one.clone(), vec![right()], false), Verdict::Agreed);
    assert_eq!(judge(one, vec![wrong()], false), Verdict::Conflict);
    let two = vec![active(), other()];
    assert_eq!(judge(two, vec![], false), Verdict::Conflict);
    let two = vec![right(), wrong()];
    assert_eq!(judge(vec![], two, false), Verdict::Conflict);
}

#[test]
fn traffic_belongs_to_the_active_router() {
    let active = || answer(LB0, Some(Role::ActiveRouter));
    let here = || Advertised {
        this_host: true,
        ..router(10, LB0)
    };
    let traffic = |packets| {
        let arrived = Volume {
            packets,
            bytes: 60 * packets,
            syns: packets,
        };
        Seen::new(arrived, Volume::default(), Span::from_secs(5))
    };
    let mut at_standby = evidence(vec![router(10, LB0)], vec![active()], false);
    at_standby.add_traffic(traffic(0));
    assert_eq!(at_standby.verdict, Verdict::Agreed);
    at_standby.add_traffic(traffic(12));
    assert_eq!(at_standby.verdict, Verdict::Conflict);
    let told = "2.4 packets a second for it arrive at this host, which is not active";
    assert!(at_standby.message.ends_with(told), "{}", at_standby.message);
    for packets in [0, 12] {
        let mut at_active = evidence(vec![here()], vec![], true);
        at_active.add_traffic(traffic(packets));
        assert_eq!(at_active.verdict, Verdict::Agreed, "{}", at_active.message);
    }
}

#[test]
fn one_machine_and_all_evidence_names_it() {
    let active = answer(LB0, Some(Role::ActiveRouter));
    let (verdict, message) = judge(vec![router(10, LB0)], vec![active], false);
    assert_eq!(verdict, Verdict::Agreed);
    assert_eq!(
        message,
        "10.77.0.100 is held by 10.77.0.10 (02:00:00:00:00:a0): adverts and ARP agree"
    );
    let here = Advertised {
        this_host: true,
        ..router(10, LB0)
    };
    assert_eq!(judge(vec![here], vec![], true).0, Verdict::Agreed);
}

#[test]
fn whatever_does_not_fit_is_a_conflict() {
    let active = || answer(LB0, Some(Role::ActiveRouter));
    let outsider = || answer(LB1, Some(Role::Outsider));
    let here = || Advertised {
        this_host: true,
        ..router(10, LB0)
    };
    for (advertised, answered, held) in [
        (
            vec![router(10, LB0), router(11, LB1)],
            vec![active()],
            false,
        ),
        (vec![router(10, LB0)], vec![active(), outsider()], false),
        (vec![router(10, LB0)], vec![outsider()], false),
        (vec![router(10, LB0)], vec![], false),
        (vec![router(10, LB0)], vec![active()], true),
        (vec![here()], vec![outsider()], true),
        (vec![here()], vec![], false),
        (vec![], vec![], true),
    ] {
        let (verdict, message) = judge(advertised, answered, held);
        assert_eq!(verdict, Verdict::Conflict, "{message}");
    }
}

#[test]
fn nobody_is_nobody() {
    let (verdict, message) = judge(vec![], vec![], false);
    assert_eq!(verdict, Verdict::Nobody);
    assert_eq!(
        message,
        "nobody has 10.77.0.100: nobody advertises it in 3.5 s, and nobody answers for it"
    );
}

#[test]
fn one_that_answers_and_is_not_heard_may_have_unicast_peers() {
    let (verdict, message) = judge(vec![], vec![answer(LB0, None)], false);
    assert_eq!(verdict, Verdict::Unknown);
    assert!(
        message.contains("unicast peers, IGMP snooping"),
        "{message}"
    );
    let both = vec![answer(LB0, None), answer(LB1, None)];
    assert_eq!(judge(vec![], both, false).0, Verdict::Conflict);
}

#[test]
fn what_could_not_be_asked_for_is_not_known() {
    let mut who = evidence(vec![], vec![], false);
    who.not_asked = Some(Obstacle::BeyondSubnet);
    let (verdict, message) = who.judge();
    assert_eq!(verdict, Verdict::Unknown);
    assert!(
        message.starts_with("cannot tell who has 10.77.0.100"),
        "{message}"
    );
    assert!(Verdict::Conflict > Verdict::Nobody && Verdict::Nobody > Verdict::Unknown);
}

#[test]
fn an_address_that_this_host_does_not_answer_for_is_no_conflict() {
    let active = answer(LB0, Some(Role::ActiveRouter));
    let mut who = evidence(vec![router(10, LB0)], vec![active], true);
    who.held = Some(Held {
        interface: "lo".to_owned(),
        answers: false,
    });
    assert_eq!(who.judge().0, Verdict::Agreed);
    // Nor does it make up for nobody.
    let mut alone = evidence(vec![], vec![], true);
    alone.held = who.held;
    assert_eq!(alone.judge().0, Verdict::Nobody);
}

#[test]
fn two_machines_with_the_virtual_mac_are_two() {
    let vmac = MacAddr::new([0, 0, 0x5e, 0, 1, 51]);
    for (surplus, expected) in [
        (0, Verdict::Agreed),
        (1, Verdict::Agreed),
        (2, Verdict::Conflict),
    ] {
        let twice = Answered {
            surplus,
            ..answer(vmac, Some(Role::VirtualMac))
        };
        let (verdict, message) = judge(vec![router(10, vmac)], vec![twice], false);
        assert_eq!(verdict, expected, "{message}");
    }
}

#[test]
fn who_answered_before_the_address_moved_is_none_of_two() {
    let before = Answered {
        moved: true,
        ..answer(LB1, Some(Role::FormerRouter))
    };
    let now = answer(LB0, Some(Role::ActiveRouter));
    let (verdict, message) = judge(vec![router(10, LB0)], vec![before, now], false);
    assert_eq!(verdict, Verdict::Agreed, "{message}");
    assert!(
        message.contains("moved there from 02:00:00:00:00:a1"),
        "{message}"
    );
}
