//! `cargo xtask bench replay`: a large capture file through vrrpwatch and through tcpdump, in turns.
//!
//! The file holds 1,000,000 frames: adverts of 200 virtual routers, one each a second, and
//! gratuitous ARP. Whole commands are timed, start and output to nowhere included.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    net::IpAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use vrrp_tests::{
    frames::{GROUP_V4, SOURCE_V4, VRRP, arp, ipv4},
    lab,
    vrrp::Message,
};

const FRAMES: u32 = 1_000_000;
const ROUTERS: u32 = 200;
const ROUNDS: usize = 3;
/// What is found in the file is not the question here.
const REPLAY: [&str; 3] = ["replay", "--fail-on", "never"];

fn main() -> Result<()> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (small, large) = (
        folder.join("bench-small.pcap"),
        folder.join("bench-large.pcap"),
    );
    write(&small, FRAMES / 100)?;
    write(&large, FRAMES)?;
    let vrrpwatch = lab::vrrpwatch()?;
    let tcpdump = lab::find_program("tcpdump").context("tcpdump is not installed")?;

    // The system keeps the largest of all children only, so the small file goes first.
    time(&vrrpwatch, &REPLAY, &small)?;
    let memory_small = peak_memory()?;
    time(&vrrpwatch, &REPLAY, &large)?;
    let memory_large = peak_memory()?;

    let contestants: [(&str, &Path, &[&str]); 4] = [
        ("vrrpwatch replay", &vrrpwatch, &REPLAY),
        (
            "vrrpwatch replay --format json",
            &vrrpwatch,
            &["replay", "--fail-on", "never", "--format", "json"],
        ),
        ("tcpdump -n -r", &tcpdump, &["-n", "-r"]),
        (
            "tcpdump -vvv -n -e -r",
            &tcpdump,
            &["-vvv", "-n", "-e", "-r"],
        ),
    ];
    let mut times = vec![Vec::new(); contestants.len()];
    for _ in 0..ROUNDS {
        for ((_, program, args), times) in contestants.iter().zip(&mut times) {
            times.push(time(program, args, &large)?);
        }
    }
    let medians: Vec<Duration> = times
        .into_iter()
        .map(|mut times| {
            times.sort();
            times[ROUNDS / 2]
        })
        .collect();
    let peer = medians[contestants.len() - 1].as_secs_f64();
    println!("{FRAMES} frames of {ROUTERS} virtual routers, median of {ROUNDS}:");
    for ((name, ..), median) in contestants.iter().zip(&medians) {
        let seconds = median.as_secs_f64();
        println!(
            "{name:32} {seconds:6.2} s  {:5.2} of tcpdump -vvv",
            seconds / peer
        );
    }
    println!("peak memory of vrrpwatch: {memory_small} KiB for 1/100 of it, {memory_large} KiB");
    Ok(())
}

fn write(path: &Path, count: u32) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    // Little-endian, microseconds, Ethernet.
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 0x0004_0000, 1] {
        file.write_all(&word.to_le_bytes())?;
    }
    let frames: Vec<Vec<u8>> = (0..ROUTERS).map(frame).collect::<Result<_>>()?;
    let announcement = arp(true, SOURCE_V4, SOURCE_V4);
    for number in 0..count {
        let router = number % ROUTERS;
        // One announcement in two hundred frames, in the place of no router in particular.
        let frame = match number % 201 {
            0 => &announcement,
            _ => &frames[router as usize],
        };
        let seconds = 1_800_000_000 + number / ROUTERS;
        let micros = router * (1_000_000 / ROUTERS);
        let length = u32::try_from(frame.len())?;
        for word in [seconds, micros, length, length] {
            file.write_all(&word.to_le_bytes())?;
        }
        file.write_all(frame)?;
    }
    Ok(file.flush()?)
}

/// The advert of a router, each with its own VRID and address.
fn frame(router: u32) -> Result<Vec<u8>> {
    let last = u8::try_from(router)?;
    let message = Message::v2(last + 1, 100, [IpAddr::from([192, 0, 2, last])]);
    Ok(ipv4(
        VRRP,
        &message.encode(SOURCE_V4.into(), GROUP_V4.into()),
    ))
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn time(program: &Path, args: &[&str], file: &Path) -> Result<Duration> {
    let start = Instant::now();
    let status = Command::new(program)
        .args(args)
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    ensure!(status.success(), "{program:?} {args:?}: {status}");
    Ok(start.elapsed())
}

/// The most memory that any child held so far, in KiB.
fn peak_memory() -> Result<i64> {
    Ok(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss())
}
