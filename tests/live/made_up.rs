//! A flood of made-up frames beside real routers: they are watched all the same.

use std::{
    fs,
    sync::{
        Arc,
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
    lab::{Host, Injector, Lab, wait_for},
    vrrp::Message,
};

use crate::{
    findings::scene::{ELECTION, assert_within, fast, pair},
    watcher::{LIMIT, Watcher, nanos},
};

/// What is sent a second, if the machine manages.
const RATE: u32 = 100_000;
/// For how long the routers are split in the flood.
const SPLIT: Duration = Duration::from_secs(3);
/// Within this time of the second router's first advert the split brain is found.
const FOUND: Duration = Duration::from_millis(1500);
const MEMORY_KIB: u64 = 64 * 1024;
/// What is written in a second, over the whole run.
const OUTPUT: u128 = 100 * 1024;
/// What an end waits for at most: 200 ms, and what a busy machine adds.
const PROMPT: Duration = Duration::from_millis(1500);

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
    fn start(injector: Injector) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU64::new(0));
        let (end, count) = (Arc::clone(&ends), Arc::clone(&sent));
        let thread = std::thread::spawn(move || {
            let frames: Vec<Vec<u8>> = (0..20_000).map(made_up).collect();
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

    /// Ends it, and says how many frames it has sent.
    fn end(self) -> Result<u64> {
        self.ends.store(true, Ordering::Relaxed);
        let outcome = self.thread.join();
        outcome.map_err(|_panic| anyhow!("the flood panicked"))??;
        Ok(self.sent.load(Ordering::Relaxed))
    }
}

/// One made-up frame in the row: adverts of other VRIDs, and claims of addresses, the virtual one
/// among them.
fn made_up(number: u32) -> Vec<u8> {
    let [_, high, middle, low] = number.to_be_bytes();
    let mac = [2, 9, 0, high, middle, low];
    if number % 4 == 3 {
        let address = if number % 8 == 3 {
            [10, 77, 0, 100]
        } else {
            [10, 77, 1, low]
        };
        let mut frame = frames::arp(number % 16 == 3, address.into(), address.into());
        frame[6..12].copy_from_slice(&mac);
        frame[22..28].copy_from_slice(&mac);
        return frame;
    }
    let source = [10, 77, 128 + middle % 100, low];
    let vrid = 60 + u8::try_from(number % 190).unwrap_or_default();
    let message = Message::v3(vrid, low, [[10, 77, 2, low].into()]);
    let payload = message.encode(source.into(), frames::GROUP_V4.into());
    let mut frame = frames::ipv4_with(IpNumber(112), &payload, |header| header.source = source);
    frame[6..12].copy_from_slice(&mac);
    frame
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

#[test]
fn a_split_brain_is_found_in_a_flood_of_made_up_frames() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0", "lb1", "lb2", "third"])?;
    let watcher = Watcher::start(lab.host("third"), &["-i", "eth0"])?;
    let (_one, other) = pair(&lab, &fast(150), &fast(100))?;
    wait_for("several adverts", LIMIT, || {
        let records = watcher.records().unwrap_or_default();
        (adverts_of(&records, lab.host("lb0")).count() > 10).then_some(())
    })?;

    let flood = Flood::start(lab.host("lb2").injector("eth0")?);
    let told = find(&watcher, "the flood", |record| {
        record["code"] == "flood" && record["status"] == "raised"
    })?;
    lab.switch().block_vrrp("lb0", "lb1")?;
    other.expect_state("MASTER", ELECTION)?;
    let finding = find(&watcher, "the split brain", |record| {
        record["code"] == "split-brain" && record["vrid"] == 51 && record["status"] == "raised"
    })?;
    let until = nanos(&finding)? + SPLIT.as_nanos().cast_signed();
    find(&watcher, "more adverts", |record| {
        record["record"] == "advert" && nanos(record).is_ok_and(|time| time > until)
    })?;
    let peak = peak_memory_kib(&watcher)?;
    let asked = now();
    // It ends while the flood goes on.
    let records = watcher.stop()?;
    let took = asked.elapsed();
    let sent = flood.end()?;

    let first = adverts_of(&records, lab.host("lb1")).next();
    assert_within(FOUND, first.context("the other one advertises")?, &finding)?;
    let summary = records.last().context("a summary")?;
    let suppressed: u64 = ["vrrp-flood", "sender-flood", "neighbour-flood"]
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
    let split: Vec<&Value> = records
        .iter()
        .filter(|record| record["code"] == "split-brain" && record["vrid"] == 51)
        .filter(|record| record["status"] == "cleared" || record["status"] == "forgotten")
        .collect();
    ensure!(split.is_empty(), "it goes on: {split:?}");
    // The burst that is let through at once is of the first second.
    let begun = nanos(&told)?;
    let written: usize = records
        .iter()
        .filter(|record| nanos(record).is_ok_and(|time| time > begun))
        .map(|record| record.to_string().len())
        .sum();
    let lasted = u128::try_from(nanos(summary)? - begun)?;
    let rate = written as u128 * 1_000_000_000 / lasted.max(1);
    println!("{sent} sent, {suppressed} suppressed, {rate} bytes/s, {peak} KiB, end in {took:?}");
    ensure!(rate < OUTPUT, "{rate} bytes a second");
    Ok(())
}
