//! What holds whatever happens on the wire.

use etherparse::ArpOperation;
use proptest::prelude::*;
use vrrp_tests::vrrp::{Message, Variant};
use vrrp_user::input::News;
use vrrp_user::{model::Timestamp, record::Record};

use crate::stage::{Host, ONE, Stage, THIRD, TWO, VIP, advert, advert_to, arp, time};

/// Something that happens.
#[derive(Clone, Debug)]
enum Event {
    Frame(Vec<u8>),
    Loss,
    /// Nothing; but somebody reads the clock.
    Nothing,
}

fn hosts() -> impl Strategy<Value = Host> {
    prop_oneof![Just(ONE), Just(TWO), Just(THIRD)]
}

fn messages() -> impl Strategy<Value = Message> {
    let priority = prop_oneof![
        4 => Just(150_u8), 4 => Just(100), 2 => Just(0), 1 => Just(255), 1 => any::<u8>()
    ];
    let vrid = prop_oneof![8 => Just(51_u8), 2 => Just(52), 1 => any::<u8>()];
    let addresses = prop_oneof![
        6 => Just(vec![VIP.into()]),
        1 => Just(vec![VIP.into(), ONE.ip.into()]),
        1 => Just(vec![TWO.ip.into()]),
        1 => Just(Vec::new()),
    ];
    let checksum = prop_oneof![
        8 => Just(Variant::Usual), 1 => Just(Variant::NoPseudoHeader), 1 => Just(Variant::Wrong)
    ];
    let interval = prop_oneof![6 => Just(1_u16), 2 => Just(100), 1 => 0_u16..4096];
    (
        vrid,
        priority,
        addresses,
        checksum,
        interval,
        2_u8..=3,
        0_u8..3,
    )
        .prop_map(
            |(vrid, priority, addresses, checksum, interval, version, auth_type)| Message {
                version,
                interval: if version == 2 {
                    interval & 0xff
                } else {
                    interval
                },
                checksum,
                auth_type: if version == 2 { auth_type } else { 0 },
                ..Message::v2(vrid, priority, addresses)
            },
        )
}

fn events() -> impl Strategy<Value = Event> {
    let operation = prop_oneof![Just(ArpOperation::REQUEST), Just(ArpOperation::REPLY)];
    let address = prop_oneof![4 => Just(VIP), 1 => Just(ONE.ip), 1 => Just(TWO.ip)];
    prop_oneof![
        8 => (hosts(), messages()).prop_map(|(host, message)| Event::Frame(advert(host, &message))),
        1 => (hosts(), hosts(), messages())
            .prop_map(|(host, to, message)| Event::Frame(advert_to(host, &message, to.ip))),
        4 => (operation, hosts(), address.clone(), address)
            .prop_map(|(operation, host, from, to)| Event::Frame(arp(operation, host, from, to))),
        1 => Just(Event::Loss),
        1 => Just(Event::Nothing),
    ]
}

/// Events and the time before each, in milliseconds: mostly the pace of adverts.
fn scripts() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let pause =
        prop_oneof![4 => 0_u64..20, 4 => 200_u64..400, 2 => 900_u64..1100, 1 => 0_u64..90_000];
    prop::collection::vec((pause, events()), 0..60)
}

/// Plays a script. `steps`: how many times the clock is read on the way to each event.
fn play(script: &[(u64, Event)], steps: u64) -> Vec<Record> {
    let mut stage = Stage::new();
    let mut now = 0;
    for (pause, event) in script {
        for step in 1..=steps {
            stage
                .observer
                .handle(time(now + pause * step / (steps + 1)), &News::Time.into());
            stage.collect();
            check_deadline(&stage, time(now + pause * step / (steps + 1)));
        }
        now += pause;
        match event {
            Event::Frame(frame) => stage.frame(now, frame.clone()),
            Event::Loss => {
                let lost = std::collections::BTreeMap::from([(
                    vrrp_user::record::LossReason::RingFull,
                    1,
                )]);
                stage.observer.handle(time(now), &News::Loss(lost).into());
                stage.collect();
            }
            Event::Nothing => {
                stage.observer.handle(time(now), &News::Time.into());
                stage.collect();
            }
        }
        check_deadline(&stage, time(now));
    }
    stage.records
}

fn check_deadline(stage: &Stage, now: Timestamp) {
    if let Some(deadline) = stage.observer.poll_timeout() {
        assert!(
            deadline > now,
            "a deadline in the past: {deadline} at {now}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_records_are_the_same_however_often_the_clock_is_read(script in scripts()) {
        let once = play(&script, 0);
        prop_assert_eq!(&once, &play(&script, 0));
        prop_assert_eq!(&once, &play(&script, 1));
        prop_assert_eq!(&once, &play(&script, 7));
    }

    #[test]
    fn a_finding_is_raised_once_and_cleared_once(script in scripts()) {
        use vrrp_user::record::{Body, Status};
        let mut open = Vec::new();
        let mut updated = std::collections::BTreeMap::new();
        for record in play(&script, 0) {
            let time = record.time;
            let Body::Finding(finding) = record.body else { continue };
            let key = (finding.code, finding.vrid, finding.since, finding.sources.clone());
            match finding.status {
                Status::Raised => open.push((finding.code, finding.since)),
                Status::Updated => {
                    prop_assert!(open.contains(&(finding.code, finding.since)), "{:?}", key);
                    let which = (finding.code.as_str(), finding.vrid, finding.since);
                    // A unicast router may have the same VRID, and raise the same at the same time.
                    let alike = (finding.code, finding.since);
                    let is_one = open.iter().filter(|it| **it == alike).count() == 1;
                    if let Some(before) = updated.insert(which, time) {
                        prop_assert!(
                            !is_one || time.since(before) >= std::time::Duration::from_secs(1),
                            "{:?} was updated twice within a second", key
                        );
                    }
                }
                Status::Cleared | Status::Forgotten => {
                    let place = open.iter().position(|it| *it == (finding.code, finding.since));
                    prop_assert!(place.is_some(), "{:?} was not open", key);
                    open.swap_remove(place.unwrap_or_default());
                }
            }
        }
    }
}
