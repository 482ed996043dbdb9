//! Where records go: files that are rotated, pipes that are closed, frames kept for Wireshark.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::Stdio,
};

use anyhow::{Context as _, Result};
use etherparse::IpNumber;
use nix::sys::signal::Signal;
use serde_json::Value;
use vrrp_tests::{
    frames,
    lab::{tcpdump_lines, vrrpwatch, wait_for, wait_until},
};

use crate::{
    watcher::{LIMIT, Watcher},
    wire::{Wire, advert, is_advert, priorities, second_cable},
};

/// The records in a file that may be in the middle of being written.
fn records(file: &Path) -> Vec<Value> {
    fs::read_to_string(file)
        .unwrap_or_default()
        .split_inclusive('\n')
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn wait_for_advert(file: &Path, priority: u8) -> Result<()> {
    wait_until(&format!("advert {priority} in the file"), LIMIT, || {
        records(file)
            .iter()
            .any(|record| is_advert(record, priority))
    })
}

fn wait_for_start(file: &Path) -> Result<()> {
    wait_until("the start in the file", LIMIT, || !records(file).is_empty())
}

#[test]
fn a_file_is_opened_anew_after_it_was_rotated() -> Result<()> {
    let wire = Wire::new()?;
    let file = wire.lab.directory().join("records.json");
    let rotated = wire.lab.directory().join("records.json.1");
    let output = file.to_str().expect("UTF-8");
    let mut watcher = Watcher::spawn(wire.third(), &["-i", "eth0", "--output", output])?;
    wait_for_start(&file)?;

    wire.advert(1)?;
    wait_for_advert(&file, 1)?;
    fs::rename(&file, &rotated)?;
    wire.advert(2)?;
    wait_for_advert(&rotated, 2)?;
    watcher.process().signal(Signal::SIGHUP)?;
    wait_until("a new file", LIMIT, || file.exists())?;
    wire.advert(3)?;
    wait_for_advert(&file, 3)?;

    assert!(watcher.stop()?.is_empty(), "nothing on standard output");
    assert_eq!(priorities(&records(&rotated)), [1, 2]);
    assert_eq!(priorities(&records(&file)), [3]);
    Ok(())
}

#[test]
fn a_file_is_appended_to() -> Result<()> {
    let wire = Wire::new()?;
    let file = wire.lab.directory().join("records.json");
    let output = file.to_str().expect("UTF-8");
    fs::write(&file, "{\"record\":\"older\"}\n")?;
    for priority in 1..=2 {
        let args = ["-i", "eth0", "--output", output, "--count", "1"];
        let before = records(&file).len();
        let watcher = Watcher::spawn(wire.third(), &args)?;
        wait_until("the start", LIMIT, || records(&file).len() > before)?;
        wire.advert(priority)?;
        watcher.wait()?;
    }
    let records = records(&file);
    assert_eq!(records[0]["record"], "older");
    assert_eq!(priorities(&records), [1, 2]);
    Ok(())
}

#[test]
fn a_closed_pipe_is_a_quiet_end() -> Result<()> {
    let wire = Wire::new()?;
    let mut child = wire
        .third()
        .namespace()
        .command(vrrpwatch()?)?
        .args(["run", "-i", "eth0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    let mut reader = BufReader::new(child.stdout.take().context("it is a pipe")?);
    reader.read_line(&mut line)?;
    assert!(!line.is_empty(), "the first line says what is watched");
    drop(reader);

    wire.advert(1)?;
    // The laboratory kills what still runs in it, should this fail.
    let status = wait_for("its end", LIMIT, || child.try_wait().transpose())??;
    let mut complaint = String::new();
    child
        .stderr
        .take()
        .context("it is a pipe")?
        .read_to_string(&mut complaint)?;
    assert_eq!(status.code(), Some(0), "{complaint}");
    assert_eq!(complaint, "");
    Ok(())
}

/// `--write` keeps the frames that tcpdump saw, tags that the kernel stripped included.
fn frames_kept_in(mode: &str) -> Result<()> {
    let wire = Wire::new()?;
    let third = wire.third();
    // A cable without a switch, whose bridge would strip tags before XDP sees them.
    second_cable(third)?;
    let sender = third.injector("far7")?;
    let file = wire.lab.directory().join("frames.pcapng");
    let capture = third.capture_on("eth7", "")?;
    let kept = file.to_str().expect("UTF-8");
    let args = ["-i", "eth7", "--mode", mode, "--write", kept];
    let watcher = Watcher::start(third, &args)?;

    let virtual_ip = "10.0.0.0".parse()?;
    let sent = [
        advert(1),
        frames::tagged(&advert(2), &[(0x8100, 100)]),
        frames::tagged(&advert(3), &[(0x88a8, 300), (0x8100, 100)]),
        frames::arp(true, virtual_ip, virtual_ip),
        frames::ipv4(frames::VRRP, &frames::advert_v2(255)),
        frames::ipv6(frames::VRRP, &frames::advert_v3_ipv6(90)),
        frames::ipv4(
            IpNumber::AUTHENTICATION_HEADER,
            &frames::ah(frames::VRRP, &frames::advert_v2(1)),
        ),
        advert(9),
    ];
    for frame in &sent {
        sender.send(frame)?;
    }
    watcher.expect("the last", |record| is_advert(record, 9))?;
    watcher.stop()?;

    // Ours come from a MAC address that no host has.
    let ours = "ether src 00:00:5e:00:01:0a";
    let lines = |file: &Path| tcpdump_lines(file, &["-t", "-e", "-XX", ours]);
    let is_complete = || {
        lines(capture.file()).is_ok_and(|lines| lines.iter().any(|line| line.contains("prio 9,")))
    };
    wait_until("tcpdump to see the last", LIMIT, is_complete)?;
    let witnessed = lines(&capture.finish()?)?;
    assert_eq!(lines(&file)?, witnessed);
    Ok(())
}

#[test]
fn frames_are_kept_from_xdp() -> Result<()> {
    frames_kept_in("xdp-native")
}

#[test]
fn frames_are_kept_from_tc() -> Result<()> {
    frames_kept_in("auto")
}
