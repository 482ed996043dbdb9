//! Tests of the prober: time is an argument, and the wire is played by the test.

use std::sync::Arc;

use super::*;
use crate::{
    link::{Assigned, Link, LinkKind, LinkState, Links},
    wire::VlanStack,
};

const MAC: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 0xa0]);

fn at(millis: u64) -> Timestamp {
    Timestamp::from_parts(1000, 0) + Span::from_millis(millis)
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([10, 77, 0, last])
}

fn segment() -> Segment {
    Segment {
        interface: Some(Arc::from("eth0")),
        vlan: VlanStack::default(),
    }
}

/// A host with these addresses on eth0.
fn host(addresses: &[IpAddr], prefix: u8) -> Host {
    let link = Link {
        name: Arc::from("eth0"),
        state: LinkState::Up,
        broadcast: true,
        answers: true,
        arp_ignore: false,
        mac: Some(MacAddr::new([2, 0, 0, 0, 0, 0xc3])),
        kind: LinkKind::Other,
        lower: None,
        master: None,
        addresses: BTreeSet::new(),
        assigned: addresses
            .iter()
            .map(|address| Assigned {
                address: *address,
                prefix,
                usable: true,
                duplicate: false,
            })
            .collect(),
        strips_tags: false,
    };
    Host::new(&Links::new([(2, link)]), &BTreeSet::from([2]))
}

fn prober(given: &[IpAddr]) -> Prober {
    let mut prober = Prober::new(ProbeSettings {
        learned: given.is_empty(),
        given: given.to_vec(),
        interval: Span::from_secs(30),
        rate: 20,
        seed: 7,
    });
    prober.set_host(host(&[address(50)], 24), at(0));
    prober
}

/// Plays the wire: every question leaves at once and is answered as `answer` says. Gives back when
/// each address was asked for until `end`.
fn play(
    prober: &mut Prober,
    end: Timestamp,
    answer: impl Fn(IpAddr) -> Option<MacAddr>,
) -> Vec<(Timestamp, IpAddr)> {
    let mut asked = Vec::new();
    while let Some(now) = prober.poll_timeout().filter(|time| *time <= end) {
        while let Some(round) = prober.take_closed(now) {
            let next = if round.answers.len() == 1 {
                Next::Routine
            } else {
                Next::Recheck
            };
            prober.settle(&round, next, now);
        }
        match prober.step(now, |_, _| false) {
            Some(Step::Ask(segment, question)) => {
                let (wanted, source) = (question.wanted(), question.source());
                asked.push((now, wanted));
                prober.handle_question(&segment, (wanted, source), now);
                if let Some(mac) = answer(wanted) {
                    let later = now + Span::from_millis(1);
                    prober.handle_answer(&segment, (wanted, source), mac, later);
                }
            }
            Some(Step::Prevented(..)) | None => {}
        }
    }
    asked
}

#[test]
fn an_advertised_address_is_asked_for_once_an_interval() {
    let mut prober = prober(&[]);
    prober.learn(&segment(), address(100), at(0));
    let asked = play(&mut prober, at(300_000), |_| Some(MAC));
    assert_eq!(asked[0], (at(0), address(100)));
    assert!((10..=12).contains(&asked.len()), "{asked:?}");
    let gaps = asked.windows(2).map(|pair| pair[1].0.since(pair[0].0));
    for gap in gaps {
        assert!((27..=33).contains(&gap.as_secs()), "{gap:?}");
    }
}

#[test]
fn silence_is_checked_at_once_and_then_every_tenth_of_the_interval() {
    let mut prober = prober(&[]);
    prober.learn(&segment(), address(100), at(0));
    let asked = play(&mut prober, at(10_000), |_| None);
    let times: Vec<_> = asked.iter().map(|(time, _)| *time).collect();
    assert_eq!(times, [at(0), at(1000), at(2000), at(6000), at(10_000)]);
}

#[test]
fn a_thousand_addresses_are_no_storm_and_all_have_their_turn() {
    let mut prober = prober(&[]);
    let many: Vec<IpAddr> = (0..1000_u32)
        .map(|number| IpAddr::from((0x0a4d_0000 + 256 + number).to_be_bytes()))
        .collect();
    prober.set_host(host(&[address(50)], 16), at(0));
    for wanted in &many {
        prober.learn(&segment(), *wanted, at(0));
    }
    let asked = play(&mut prober, at(60_000), |_| Some(MAC));
    for start in asked.iter().map(|(time, _)| *time) {
        let second = start..start + Span::from_secs(1);
        let within = asked.iter().filter(|(time, _)| second.contains(time));
        assert!(within.count() <= 22);
    }
    let different: BTreeSet<IpAddr> = asked.iter().map(|(_, wanted)| *wanted).collect();
    assert_eq!(different.len(), many.len());
}

#[test]
fn a_takeover_is_timed_in_quick_succession() {
    let mut prober = prober(&[]);
    prober.learn(&segment(), address(100), at(0));
    // One question is under way.
    assert!(matches!(
        prober.step(at(0), |_, _| false),
        Some(Step::Ask(..))
    ));
    prober.hurry(&segment(), &[address(100)], at(500));
    let asked = play(&mut prober, at(4000), |_| None);
    let times: Vec<_> = asked.iter().map(|(time, _)| *time).collect();
    let quick = [500, 600, 800, 1200, 2000, 3600].map(at);
    assert_eq!(times, quick);
}

#[test]
fn only_what_was_asked_for_is_an_answer() {
    let mut prober = prober(&[]);
    prober.learn(&segment(), address(100), at(0));
    let Some(Step::Ask(segment, _)) = prober.step(at(0), |_, _| false) else {
        panic!("no question")
    };
    let own = address(50);
    prober.handle_question(&segment, (address(100), own), at(1));
    for (wanted, to, time) in [
        (address(100), address(51), 2),
        (address(101), own, 2),
        (address(100), own, 3),
        (address(100), own, 4),
    ] {
        prober.handle_answer(&segment, (wanted, to), MAC, at(time));
    }
    let Some(round) = prober.take_closed(at(1000)) else {
        panic!("still open")
    };
    assert_eq!(round.answers, [(MAC, Span::from_millis(2))]);
    assert!(round.sent && !round.held);
}

#[test]
fn what_cannot_be_asked_for_is_told_once() {
    let mut prober = prober(&["10.78.0.1".parse().expect("an address")]);
    let mut told = Vec::new();
    while let Some(now) = prober.poll_timeout().filter(|time| *time < at(300_000)) {
        match prober.step(now, |_, _| false) {
            Some(Step::Prevented(_, _, obstacle)) => told.push(obstacle),
            other => assert!(other.is_none(), "{other:?}"),
        }
    }
    assert_eq!(told, [Obstacle::BeyondSubnet]);
}

#[test]
fn what_cannot_be_asked_for_is_told_when_it_could_be_asked_for() {
    let mut prober = prober(&[]);
    let anybody = |_: &Segment, _: IpAddr| false;
    for last in [100, 101] {
        prober.learn(&segment(), address(last), at(0));
        let step = prober.step(at(0), anybody);
        assert!(matches!(step, Some(Step::Ask(..))), "{step:?}");
    }
    prober.learn(&segment(), IpAddr::from([10, 99, 0, 1]), at(0));
    let step = prober.step(at(0), anybody);
    assert!(step.is_none(), "it waits as the others do: {step:?}");
    let due = prober.poll_timeout().expect("it waits");
    let step = prober.step(due, anybody);
    assert!(matches!(step, Some(Step::Prevented(..))), "{step:?}");
}

#[test]
fn a_given_address_waits_for_adverts_but_not_for_ever() {
    let mut prober = prober(&[address(100)]);
    assert_eq!(prober.poll_timeout(), Some(at(4000)));
    prober.learn(&segment(), address(100), at(700));
    assert_eq!(prober.poll_timeout(), Some(at(700)));
}

#[test]
fn who_was_behind_does_not_make_up_for_it_at_once() {
    let mut prober = prober(&[]);
    for last in 100..150 {
        prober.learn(&segment(), address(last), at(0));
    }
    let mut at_once = 0;
    while let Some(Step::Ask(..)) = prober.step(at(10_000), |_, _| false) {
        at_once += 1;
    }
    assert_eq!(at_once, 2);
}
