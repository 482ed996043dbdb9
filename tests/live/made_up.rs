//! A flood of made-up frames beside real routers, of each kind that there is: they are watched all the same.

use std::{
    collections::BTreeMap,
    fs,
    net::Ipv6Addr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use etherparse::IpNumber;
use serde_json::Value;
use vrrp_tests::{
    frames,
    lab::{Capture, Host, Injector, Lab, tcpdump_lines, wait_for},
    vrrp::Message,
};

use crate::{
    findings::scene::{ELECTION, MASTER_DOWN, assert_within, fast, pair},
    watcher::{LIMIT, Watcher, nanos},
};

/// What is sent a second, if the machine manages.
const RATE: u32 = 100_000;
/// For how long the routers are split in the flood; so many seconds where this variable says so.
const SPLIT: Duration = Duration::from_secs(2);
const SPLIT_VARIABLE: &str = "VRRPWATCH_FLOOD_SECONDS";
/// Within this time of the second router's first advert the split brain is found.
const FOUND: Duration = Duration::from_millis(1500);
const MEMORY_KIB: u64 = 64 * 1024;
/// What is written in any second.
const OUTPUT: usize = 100 * 1024;
/// What an end waits for at most: 200 ms, and what a busy machine adds.
const PROMPT: Duration = Duration::from_millis(1500);
/// Frames that are sent again and again.
const VARIETY: u32 = 20_000;

/// There are not CPUs for two of them at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Frames of made-up routers and machines.
struct Flood {
    ends: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: JoinHandle<Result<()>>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the pace of the flood is that of the clock"
)]
fn now() -> Instant {
    Instant::now()
}

impl Flood {
    fn start(injector: Injector, made_up: fn(u32) -> Vec<u8>) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU64::new(0));
        let (end, count) = (Arc::clone(&ends), Arc::clone(&sent));
        let thread = std::thread::spawn(move || {
            let frames: Vec<Vec<u8>> = (0..VARIETY).map(made_up).collect();
            let begun = now();
            let mut frames = frames.iter().cycle();
            while !end.load(Ordering::Relaxed) {
                let due = begun.elapsed().as_millis() * u128::from(RATE) / 1000;
                while u128::from(count.load(Ordering::Relaxed)) < due {
                    if let Some(frame) = frames.next() {
                        injector.send(frame)?;
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                }
                std::thread::yield_now();
            }
            Ok(())
        });
        Self { ends, sent, thread }
    }

    /// How many frames it has sent so far.
    fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn end(self) -> Result<()> {
        self.ends.store(true, Ordering::Relaxed);
        let outcome = self.thread.join();
        outcome.map_err(|_panic| anyhow!("the flood panicked"))?
    }
}

fn made_up_mac(number: u32) -> [u8; 6] {
    let [_, high, middle, low] = number.to_be_bytes();
    [2, 9, 0, high, middle, low]
}

fn low(number: u32) -> u8 {
    number.to_be_bytes()[3]
}

/// An advert of a VRID from a source.
fn advert(mac: [u8; 6], source: [u8; 4], message: &Message) -> Vec<u8> {
    let payload = message.encode(source.into(), frames::GROUP_V4.into());
    let mut frame = frames::ipv4_with(IpNumber(112), &payload, |header| header.source = source);
    frame[6..12].copy_from_slice(&mac);
    frame
}

/// Adverts of other VRIDs than the real one, each from a source of its own.
fn vrids(number: u32) -> Vec<u8> {
    let source = [10, 77, 128 + number.to_be_bytes()[2] % 100, low(number)];
    let vrid = 60 + u8::try_from(number % 190).unwrap_or_default();
    let message = Message::v3(vrid, low(number), [[10, 77, 2, low(number)].into()]);
    advert(made_up_mac(number), source, &message)
}

/// Adverts of the real VRID and address from ever other sources. Those that say to the last bit what the
/// real routers say hide a backup that was never heard: docs/limitations.md.
fn sources(number: u32) -> Vec<u8> {
    let source = [10, 77, 128 + number.to_be_bytes()[2] % 100, low(number)];
    let message = Message::v3(51, 1 + low(number) % 99, [[10, 77, 0, 100].into()]);
    advert(made_up_mac(number), source, &message)
}

/// Adverts of one machine that nobody knows.
fn one_source(_: u32) -> Vec<u8> {
    let message = Message::v3(77, 100, [[10, 77, 2, 1].into()]);
    advert([2, 9, 0, 0, 0, 1], [10, 77, 200, 1], &message)
}

/// Adverts in the name of a router that is known, from its MAC.
fn forged(_: u32) -> Vec<u8> {
    let message = Message {
        interval: 20,
        ..Message::v3(51, 150, [[10, 77, 0, 100].into()])
    };
    advert([2, 0, 0, 0, 0, 0xa0], [10, 77, 0, 10], &message)
}

/// Claims of addresses, the virtual one among them, asked for and not.
fn arp(number: u32) -> Vec<u8> {
    let address = if number.is_multiple_of(2) {
        [10, 77, 0, 100]
    } else {
        [10, 77, 1, low(number)]
    };
    let mac = made_up_mac(number);
    let mut frame = frames::arp(number.is_multiple_of(3), address.into(), address.into());
    frame[6..12].copy_from_slice(&mac);
    frame[22..28].copy_from_slice(&mac);
    frame
}

/// Unsolicited neighbour advertisements.
fn neighbours(number: u32) -> Vec<u8> {
    let [_, _, middle, low] = number.to_be_bytes();
    let target = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, middle.into(), low.into());
    let mut frame = frames::advertisement(target, target, false);
    frame[6..12].copy_from_slice(&made_up_mac(number));
    frame
}

/// Some of all.
fn mixed(number: u32) -> Vec<u8> {
    match number % 8 {
        0..=3 => vrids(number),
        4 => sources(number),
        5 => neighbours(number),
        _ => arp(number),
    }
}

fn peak_memory_kib(watcher: &Watcher) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", watcher.pid()))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok())
        .context("the kernel tells the memory of a process")
}

fn find(watcher: &Watcher, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
    wait_for(what, LIMIT * 2, || {
        let records = watcher.records().unwrap_or_default();
        records.into_iter().find(&wanted)
    })
}

fn adverts_of<'a>(records: &'a [Value], host: &Host) -> impl Iterator<Item = &'a Value> {
    let source = host.ipv4().to_string();
    records
        .iter()
        .filter(move |record| record["record"] == "advert" && record["source"] == *source)
}

/// When a router sent its adverts, by its own host: on a machine that is busy, keepalived is late itself.
fn sent_by(host: &Host, witness: Capture) -> Result<Vec<i128>> {
    let source = host.ipv4().to_string();
    let lines = tcpdump_lines(&witness.finish()?, &["-tt", "src", "host", &source])?;
    let time = |line: &String| {
        let (seconds, micros) = line.split_whitespace().next()?.split_once('.')?;
        let (seconds, micros): (i128, i128) = (seconds.parse().ok()?, micros.parse().ok()?);
        Some(seconds * 1_000_000_000 + micros * 1000)
    };
    let times = lines.iter().map(time).collect::<Option<_>>();
    times.context("tcpdump tells the time of a frame")
}

/// The longest time between two adverts, in milliseconds.
fn longest(sent: &[i128]) -> i128 {
    let gaps = sent.windows(2).map(|pair| pair[1] - pair[0]);
    gaps.max().unwrap_or_default() / 1_000_000
}

/// How many bytes of which records were written in each second.
fn written(records: &[Value]) -> Result<BTreeMap<i128, BTreeMap<String, usize>>> {
    let mut written: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for record in records {
        let second = nanos(record)? / 1_000_000_000;
        let kind = format!("{} {}", record["record"], record["code"]);
        let kinds = written.entry(second).or_default();
        *kinds.entry(kind).or_default() += record.to_string().len() + 1;
    }
    Ok(written)
}

/// Two routers split in a flood. `made_up` is what is sent. Gives back what was measured.
fn split_in(made_up: fn(u32) -> Vec<u8>) -> Result<String> {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let lab = Lab::with_hosts(&["lb0", "lb1", "lb2", "third"])?;
    let watcher = Watcher::start(lab.host("third"), &["-i", "eth0"])?;
    let (_one, other) = pair(&lab, &fast(150), &fast(100))?;
    // Three seconds: in the first two, hundreds that nobody knows may come at once.
    wait_for("several adverts", LIMIT, || {
        let records = watcher.records().unwrap_or_default();
        (adverts_of(&records, lab.host("lb0")).count() > 15).then_some(())
    })?;

    let witness = |name| lab.host(name).capture("ip proto 112");
    let witnesses = (witness("lb0")?, witness("lb1")?);
    // What the daemons make of it is not asked.
    for router in ["lb0", "lb1"] {
        lab.switch().block_vrrp_from("lb2", router)?;
    }
    let flood = Flood::start(lab.host("lb2").injector("eth0")?, made_up);
    find(&watcher, "the flood", |record| {
        record["code"] == "flood" && record["status"] == "raised"
    })?;
    lab.switch().block_vrrp("lb0", "lb1")?;
    other.expect_state("MASTER", ELECTION)?;
    let finding = find(&watcher, "the split brain", |record| {
        record["code"] == "split-brain" && record["vrid"] == 51 && record["status"] == "raised"
    })?;
    let seconds = std::env::var(SPLIT_VARIABLE).ok();
    let split = match seconds.map(|seconds| seconds.parse()) {
        Some(seconds) => Duration::from_secs(seconds.context(SPLIT_VARIABLE)?),
        None => SPLIT,
    };
    let until = nanos(&finding)? + split.as_nanos().cast_signed();
    wait_for("more adverts", LIMIT * 2 + split, || {
        let records = watcher.records().unwrap_or_default();
        let mut late = records
            .iter()
            .rev()
            .filter(|record| record["record"] == "advert");
        late.any(|record| nanos(record).is_ok_and(|time| time > until))
            .then_some(())
    })?;
    let peak = peak_memory_kib(&watcher)?;
    let sent = flood.sent();
    let asked = now();
    // It ends while the flood goes on.
    let records = watcher.stop()?;
    let took = asked.elapsed();
    flood.end()?;
    let by = [
        sent_by(lab.host("lb0"), witnesses.0)?,
        sent_by(lab.host("lb1"), witnesses.1)?,
    ];

    let first = adverts_of(&records, lab.host("lb1")).next();
    assert_within(FOUND, first.context("the other one advertises")?, &finding)?;
    let summary = records.last().context("a summary")?;
    let suppressed: u64 = [
        "vrrp-flood",
        "sender-flood",
        "known-flood",
        "alike-flood",
        "neighbour-flood",
    ]
    .iter()
    .filter_map(|reason| summary["lost"][reason].as_u64())
    .sum();
    ensure!(
        suppressed > sent / 4,
        "{suppressed} of {sent} were suppressed: {summary}"
    );
    ensure!(summary["lost"]["ring-full"].is_null(), "{summary}");
    ensure!(peak < MEMORY_KIB, "{peak} KiB of memory");
    ensure!(took < PROMPT, "the end took {took:?}");
    for record in &records {
        let about = record["code"] == "split-brain" && record["vrid"] == 51;
        let ended = record["status"] == "cleared" || record["status"] == "forgotten";
        if about && ended {
            let end = nanos(record)?;
            let recently = |sent: &Vec<i128>| {
                let during = end - MASTER_DOWN.as_nanos().cast_signed()..end;
                sent.iter().any(|time| during.contains(time))
            };
            ensure!(!by.iter().all(recently), "it goes on: {record}");
        }
    }
    let written = written(&records)?;
    let bytes = |kinds: &BTreeMap<String, usize>| kinds.values().sum::<usize>();
    let most = written.values().map(bytes).max().unwrap_or_default();
    let sizes: Vec<usize> = written.values().map(bytes).collect();
    let worst = written.values().max_by_key(|kinds| bytes(kinds));
    ensure!(
        most < OUTPUT,
        "{sizes:?} bytes a second, the most of {worst:?}"
    );
    Ok(format!(
        "{sent} sent, {suppressed} suppressed, at most {most} bytes in a second of {}, {peak} KiB, \
         end in {took:?}, adverts at most {} and {} ms apart",
        written.len(),
        longest(&by[0]),
        longest(&by[1])
    ))
}

#[test]
fn a_split_brain_is_found_in_a_flood_of_all_kinds() -> Result<()> {
    println!("{}", split_in(mixed)?);
    Ok(())
}

#[test]
fn a_split_brain_is_found_in_a_flood_of_made_up_virtual_routers() -> Result<()> {
    println!("{}", split_in(vrids)?);
    Ok(())
}

#[test]
fn a_split_brain_is_found_in_a_flood_of_made_up_sources() -> Result<()> {
    println!("{}", split_in(sources)?);
    Ok(())
}

#[test]
fn a_split_brain_is_found_in_a_flood_of_one_source() -> Result<()> {
    println!("{}", split_in(one_source)?);
    Ok(())
}

#[test]
fn a_split_brain_is_found_in_a_flood_in_the_name_of_a_known_router() -> Result<()> {
    println!("{}", split_in(forged)?);
    Ok(())
}

#[test]
fn a_split_brain_is_found_in_a_flood_of_arp() -> Result<()> {
    println!("{}", split_in(arp)?);
    Ok(())
}

#[test]
fn a_split_brain_is_found_in_a_flood_of_neighbour_discovery() -> Result<()> {
    println!("{}", split_in(neighbours)?);
    Ok(())
}
