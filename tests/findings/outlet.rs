//! How much is written about senders that nobody knows, and that nothing of the others is missing.

use std::{collections::BTreeMap, net::Ipv4Addr};

use vrrp_tests::vrrp::Message;
use vrrp_user::{
    input::News,
    observer::{Observer, Settings},
    record::{Body, Code, LossReason, Record},
};

use crate::stage::{Host, ONE, Played, SECOND, Script, Stage, TWO, VIP, millis, time};

/// What a second of a flood may bring.
const MOST: usize = 100 * 1024;
/// How often a live run reads the clock.
const TICK: u64 = 200;

fn host(number: u64) -> Host {
    let [.., high, low] = number.to_be_bytes();
    Host {
        ip: Ipv4Addr::new(10, 77, 10_u8.saturating_add(high), low),
        mac: [2, 9, 0, 0, high, low],
    }
}

/// As in a live run: the clock is read, and of those that are not known only so much is written.
fn watch(script: Script) -> Vec<Record> {
    let mut stage = Stage {
        observer: Observer::new(Settings {
            limited: true,
            ..Stage::settings()
        }),
        records: Vec::new(),
    };
    let mut tick = 0;
    for (at, frame) in script.in_order() {
        while tick <= at {
            stage.observer.handle(time(tick), &News::Time.into());
            tick += TICK;
        }
        stage.frame(at, frame);
    }
    stage.observer.handle(time(tick), &News::Finish.into());
    stage.collect();
    stage.records
}

fn bytes_in_seconds(records: &[Record]) -> BTreeMap<u64, usize> {
    let mut written = BTreeMap::new();
    for record in records {
        let json = serde_json::to_string(record).expect("a record");
        *written.entry(millis(record.time) / SECOND).or_default() += json.len() + 1;
    }
    written
}

/// What the kernel lets through of a flood: hundreds when the run begins, and some a second later.
fn flood(mut script: Script, until: u64) -> Script {
    for number in 0..700 {
        let at = if number < 512 {
            number
        } else {
            2 * SECOND + (number - 512) * 50
        };
        let vrid = 60 + u8::try_from(number % 190).expect("a byte");
        // Version 2 with a password that all can read: a finding for each.
        let message = Message::v2(vrid, 100, [[10, 77, 2, vrid].into()]);
        if at < until {
            script = script.advert(at, host(number), &message);
        }
    }
    script
}

#[test]
fn a_flood_from_the_first_moment_fills_no_output_and_hides_no_split_brain() {
    let script = Script::default()
        .adverts(30, 12 * SECOND, ONE, &Message::v2(51, 150, [VIP.into()]))
        .adverts(5300, 12 * SECOND, TWO, &Message::v2(51, 100, [VIP.into()]));
    let records = watch(flood(script, 12 * SECOND));
    let written = bytes_in_seconds(&records);
    assert!(written.values().all(|bytes| *bytes < MOST), "{written:?}");
    let unwritten: u64 = records
        .iter()
        .filter_map(|record| match &record.body {
            Body::Loss(loss) => loss.lost.get(&LossReason::OutputFlood),
            _ => None,
        })
        .sum();
    assert!(unwritten > 100, "{unwritten}");
    let real = Played(records);
    let split = real.findings().find(|(_, it)| {
        it.code == Code::SplitBrain && it.vrid.is_some_and(|vrid| vrid.get() == 51)
    });
    let (at, _) = split.expect("the split brain is told");
    assert!(at < 7 * SECOND, "{at}");
}

#[test]
fn of_two_hundred_routers_that_are_real_nothing_is_left_out() {
    let mut script = Script::default();
    for number in 0..200 {
        let vrid = 1 + u8::try_from(number).expect("a byte");
        let message = Message::v2(vrid, 100, [[10, 77, 2, vrid].into()]);
        script = script.adverts(number, 3 * SECOND, host(number), &message);
    }
    let records = watch(script);
    let count = |wanted: fn(&Body) -> bool| {
        let wanted = records.iter().filter(|record| wanted(&record.body));
        wanted.count()
    };
    assert_eq!(count(|body| matches!(body, Body::State(_))), 200);
    assert_eq!(
        count(|body| matches!(body, Body::Finding(it) if it.code == Code::PlaintextAuth)),
        200
    );
}
