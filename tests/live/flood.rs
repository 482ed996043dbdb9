//! More adverts than anybody reads: what is lost is counted, and nothing else suffers.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use vrrp_tests::{
    frames,
    lab::{vrrpwatch, wait_for},
};

use crate::{
    watcher::LIMIT,
    wire::{Wire, advert},
};

/// Twelve times what the queue to the writing thread holds.
const FLOOD: u64 = 200_000;
/// In this time 8192 and 4096 a second come through: twice the 16,384 of the queue.
const NEIGHBOURS: Duration = Duration::from_secs(6);

/// Twice what the ring buffer, the queue and the code were seen to take.
const MEMORY_KIB: u64 = 64 * 1024;

/// A vrrpwatch whose standard output is ours to read, or not.
struct Unread {
    child: Child,
    reader: BufReader<ChildStdout>,
}

impl Unread {
    fn start(wire: &Wire, args: &[&str]) -> Result<Self> {
        let mut child = wire
            .third()
            .namespace()
            .command(vrrpwatch()?)?
            // Whatever happens, it ends, and so does what reads it.
            .args(["run", "--format=json", "-i", "eth0", "--for", "30s"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut reader = BufReader::new(child.stdout.take().context("it is a pipe")?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        assert!(line.contains(r#""record":"start""#), "{line}");
        Ok(Self { child, reader })
    }

    fn peak_memory_kib(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok())
            .context("the kernel tells the memory of a process")
    }
}

fn terminate(child: &Child) -> Result<()> {
    let pid = Pid::from_raw(child.id().cast_signed());
    kill(pid, Signal::SIGTERM).context("could not end it")
}

/// Announcements of other machines all the time, of which the kernel lets [`ALL`](vrrp_ebpf::budget::ALL)
/// through: more than the queue to the writing thread holds.
fn neighbours(wire: &Wire) -> Result<()> {
    let mut frame = frames::arp(true, [10, 77, 1, 1].into(), [10, 77, 1, 1].into());
    let begun = now();
    for number in 0_u32.. {
        let [_, mac @ ..] = number.to_be_bytes();
        frame[9..12].copy_from_slice(&mac);
        frame[25..28].copy_from_slice(&mac);
        wire.sender.send(&frame)?;
        if begun.elapsed() >= NEIGHBOURS {
            break;
        }
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "what the kernel lets through is a matter of time"
)]
fn now() -> Instant {
    Instant::now()
}

fn flood(wire: &Wire) -> Result<()> {
    let frame = advert(100);
    (0..FLOOD).try_for_each(|_| wire.sender.send(&frame))
}

#[test]
fn what_nobody_reads_is_counted_and_the_end_still_comes() -> Result<()> {
    let wire = Wire::new()?;
    let mut unread = Unread::start(&wire, &["--arp", "all"])?;
    neighbours(&wire)?;
    let peak = unread.peak_memory_kib()?;
    assert!(peak < MEMORY_KIB, "{peak} KiB");
    terminate(&unread.child)?;
    // The laboratory kills what still runs in it, should this fail.
    let child = &mut unread.child;
    let status = wait_for("its end", LIMIT, || child.try_wait().transpose())??;
    assert_eq!(status.code(), Some(2), "the output is not whole");
    let mut complaint = String::new();
    let mut stderr = child.stderr.take().context("it is a pipe")?;
    stderr.read_to_string(&mut complaint)?;
    assert!(complaint.contains("nobody reads"), "{complaint}");
    Ok(())
}

#[test]
fn every_advert_is_either_reported_or_counted_as_lost() -> Result<()> {
    let wire = Wire::new()?;
    let mut unread = Unread::start(&wire, &[])?;
    flood(&wire)?;
    let peak = unread.peak_memory_kib()?;
    assert!(peak < MEMORY_KIB, "{peak} KiB");

    // Only now somebody reads. The report of the loss stands behind all that waited.
    let Unread { child, reader } = &mut unread;
    let mut records = Vec::new();
    let mut read_until = |wanted: fn(&Value) -> bool| -> Result<()> {
        for line in reader.lines() {
            let record: Value = serde_json::from_str(&line?)?;
            let found = wanted(&record);
            records.push(record);
            if found {
                return Ok(());
            }
        }
        bail!("the output ended")
    };
    read_until(|record| record["record"] == "loss")?;
    terminate(child)?;
    read_until(|record| record["record"] == "summary")?;
    let status = wait_for("its end", LIMIT, || child.try_wait().transpose())??;
    assert!(status.success(), "{status}");

    let adverts = records.iter().filter(|r| r["record"] == "advert").count() as u64;
    let lost: u64 = records
        .iter()
        .filter(|record| record["record"] == "loss")
        .flat_map(|record| record["lost"].as_object().into_iter().flatten())
        .map(|(reason, count)| {
            assert!(
                [
                    "ring-full",
                    "passed-over",
                    "output-full",
                    "output-flood",
                    "sender-flood",
                    "known-flood",
                    "alike-flood",
                    "vrrp-flood"
                ]
                .contains(&&**reason),
                "{reason}"
            );
            count.as_u64().unwrap_or_default()
        })
        .sum();
    assert!(lost > 0, "a flood is more than the queue holds");
    assert_eq!(adverts + lost, FLOOD);
    Ok(())
}

#[test]
fn who_does_not_take_what_was_lost_for_missing() -> Result<()> {
    let wire = Wire::new()?;
    let ask = |args: &[&str]| -> Result<Child> {
        Ok(wire
            .third()
            .namespace()
            .command(vrrpwatch()?)?
            .args(args)
            .args(["--format", "json"])
            .stdout(Stdio::piped())
            .spawn()?)
    };
    // Nobody has the address, but that cannot be known in a flood of ARP.
    let children = [
        ask(&["who", "--wait", "3s", "10.77.0.77"])?,
        ask(&["arping", "-w", "3", "10.77.0.77"])?,
    ];
    neighbours(&wire)?;
    for child in children {
        let output = child.wait_with_output()?;
        let text = String::from_utf8(output.stdout)?;
        assert_eq!(output.status.code(), Some(5), "{text}");
        let line = text.lines().last().context("it said nothing")?;
        let said: Value = serde_json::from_str(line)?;
        let lost = said["lost"]["neighbour-flood"].as_u64();
        assert!(lost > Some(0), "{said}");
        if said["record"] == "who" {
            let message = said["message"].as_str().unwrap_or_default();
            assert!(message.starts_with("cannot tell who has"), "{said}");
        }
    }
    Ok(())
}
