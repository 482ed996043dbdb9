//! Where records go: files that are rotated, pipes that are closed, frames kept for Wireshark.

use std::{
    fs,
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use etherparse::IpNumber;
use nix::{
    fcntl::{FcntlArg, fcntl},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use vrrp_tests::{
    frames,
    lab::{Stream, tcpdump_lines, vrrpwatch, wait_for, wait_until},
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

/// Whether the frame with this priority is in a pcapng file that ends with a whole block.
fn is_kept(file: &Path, priority: u8) -> bool {
    let priority = format!("prio {priority},");
    tcpdump_lines(file, &["-t"])
        .is_ok_and(|lines| lines.iter().any(|line| line.contains(&priority)))
}

#[test]
fn files_are_opened_anew_after_they_were_rotated() -> Result<()> {
    let wire = Wire::new()?;
    let file = wire.lab.directory().join("records.json");
    let rotated = wire.lab.directory().join("records.json.1");
    let frames = wire.lab.directory().join("frames.pcapng");
    let rotated_frames = wire.lab.directory().join("frames.pcapng.1");
    let output = file.to_str().expect("UTF-8");
    let kept = frames.to_str().expect("UTF-8");
    let args = ["-i", "eth0", "--output", output, "--write", kept];
    let mut watcher = Watcher::spawn(wire.third(), &args)?;
    wait_for_start(&file)?;

    wire.advert(1)?;
    wait_for_advert(&file, 1)?;
    fs::rename(&file, &rotated)?;
    fs::rename(&frames, &rotated_frames)?;
    wire.advert(2)?;
    wait_for_advert(&rotated, 2)?;
    watcher.process().signal(Signal::SIGHUP)?;
    wait_until("a new file", LIMIT, || file.exists())?;
    wire.advert(3)?;
    wait_for_advert(&file, 3)?;

    assert!(watcher.stop()?.is_empty(), "nothing on standard output");
    assert_eq!(priorities(&records(&rotated)), [1, 2]);
    assert_eq!(priorities(&records(&file)), [3]);
    let kept = [&rotated_frames, &frames].map(|file| [1, 2, 3].map(|prio| is_kept(file, prio)));
    assert_eq!(kept, [[true, true, false], [false, false, true]]);
    for file in [file, frames] {
        assert_eq!(fs::metadata(file)?.permissions().mode() & 0o137, 0);
    }
    Ok(())
}

/// A file system of 64 KiB, which is taken away with it.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: PathBuf) -> Result<Self> {
        fs::create_dir(&path)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "none"])
            .arg(&path)
            .status()?;
        ensure!(mounted.success(), "a small disk cannot be had: {mounted}");
        Ok(Self(path))
    }

    /// Takes all the room there is left.
    fn fill(&self) -> Result<()> {
        let mut filler = fs::File::create(self.0.join("filler"))?;
        let full = std::iter::repeat_with(|| filler.write_all(&[0; 1024]))
            .take(65)
            .find_map(Result::err)
            .context("there is an end to the room")?;
        ensure!(full.kind() == ErrorKind::StorageFull, "{full}");
        Ok(())
    }

    fn make_room(&self) -> Result<()> {
        Ok(fs::remove_file(self.0.join("filler"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What is still open in it goes with its process.
        let _: std::io::Result<_> = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Sends until the last page of the file is full as well, and its sink fails.
fn send_until_full(wire: &Wire, watcher: &mut Watcher) -> Result<()> {
    let process = watcher.process();
    let is_told = |line: &String| line.contains("cannot write to");
    wait_until("the disk to be full", LIMIT, || {
        wire.advert(2).is_ok() && process.lines(Stream::Stderr).iter().any(is_told)
    })
}

/// Ends a watch that could not write everything, and says so with the name of the file.
fn stop_unwritten(mut watcher: Watcher, file: &str) -> Result<()> {
    let process = watcher.process();
    process.signal(Signal::SIGTERM)?;
    assert_eq!(process.wait(LIMIT)?.code(), Some(2));
    let complaints = process.lines(Stream::Stderr);
    let names = |line: &&String| line.contains(file) && line.contains("No space left");
    // When it begins and at the end.
    assert_eq!(
        complaints.iter().filter(names).count(),
        2,
        "{complaints:#?}"
    );
    Ok(())
}

#[test]
fn a_full_disk_ends_the_frames_alone_until_there_is_room() -> Result<()> {
    let wire = Wire::new()?;
    let disk = SmallDisk::mount(wire.lab.directory().join("small"))?;
    let file = disk.0.join("frames.pcapng");
    let kept = file.to_str().expect("UTF-8");
    let mut watcher = Watcher::start(wire.third(), &["-i", "eth0", "--write", kept])?;
    wire.advert(1)?;
    wait_until("the first frame in the file", LIMIT, || is_kept(&file, 1))?;

    disk.fill()?;
    send_until_full(&wire, &mut watcher)?;
    let is_loss = |record: &Value| record["lost"]["output-failed"].as_u64() > Some(0);
    watcher.expect("the loss", is_loss)?;

    disk.make_room()?;
    wait_until("a frame in the file", LIMIT, || {
        wire.advert(200).is_ok() && is_kept(&file, 200)
    })?;
    assert!(is_kept(&file, 1), "what was written before is there");
    stop_unwritten(watcher, kept)
}

#[test]
fn a_full_disk_ends_the_records_alone_until_there_is_room() -> Result<()> {
    let wire = Wire::new()?;
    let disk = SmallDisk::mount(wire.lab.directory().join("small"))?;
    let file = disk.0.join("records.json");
    let frames = wire.lab.directory().join("frames.pcapng");
    let output = file.to_str().expect("UTF-8");
    let kept = frames.to_str().expect("UTF-8");
    let args = ["-i", "eth0", "--output", output, "--write", kept];
    let mut watcher = Watcher::spawn(wire.third(), &args)?;
    wait_for_start(&file)?;

    disk.fill()?;
    send_until_full(&wire, &mut watcher)?;
    wait_until("a frame beside it", LIMIT, || {
        wire.advert(3).is_ok() && is_kept(&frames, 3)
    })?;

    disk.make_room()?;
    wait_until("the loss in the file", LIMIT, || {
        let is_loss = |record: &Value| record["lost"]["output-failed"].as_u64() > Some(0);
        wire.advert(200).is_ok() && records(&file).iter().any(is_loss)
    })?;
    stop_unwritten(watcher, output)?;
    // No line is there in part.
    let text = fs::read_to_string(&file)?;
    assert_eq!(text.lines().count(), records(&file).len());
    assert!(priorities(&records(&file)).contains(&200));
    Ok(())
}

/// How many records or frames were lost at an output, by its records or those of another.
fn output_failed(records: &[Value]) -> u64 {
    let losses = records.iter().filter(|record| record["record"] == "loss");
    losses
        .filter_map(|loss| loss["lost"]["output-failed"].as_u64())
        .sum()
}

#[test]
fn a_full_disk_is_told_on_the_screen_at_once_and_in_the_file_when_there_is_room() -> Result<()> {
    let wire = Wire::new()?;
    let disk = SmallDisk::mount(wire.lab.directory().join("small"))?;
    let file = disk.0.join("records.json");
    let output = file.to_str().expect("UTF-8");
    let args = ["-i", "eth0", "--output", "json:-", "--output", output];
    let mut watcher = Watcher::start(wire.third(), &args)?;
    wait_for_start(&file)?;

    disk.fill()?;
    send_until_full(&wire, &mut watcher)?;
    watcher.expect("the loss", |record| {
        record["lost"]["output-failed"].as_u64() > Some(0)
    })?;

    disk.make_room()?;
    wait_until("the loss in the file", LIMIT, || {
        wire.advert(200).is_ok() && output_failed(&records(&file)) > 0
    })?;
    // All that is missing in the file is counted in it, and no record is there twice.
    watcher.process().signal(Signal::SIGTERM)?;
    assert_eq!(watcher.process().wait(LIMIT)?.code(), Some(2));
    let (screen, file) = (watcher.records()?, records(&file));
    assert_eq!(output_failed(&file), (screen.len() - file.len()) as u64);
    assert_eq!(output_failed(&screen), output_failed(&file));
    let is_summary = |record: &&Value| record["record"] == "summary";
    assert_eq!(
        file.iter().rfind(is_summary),
        screen.iter().rfind(is_summary)
    );
    Ok(())
}

/// A watch with text on a pipe, and JSON in a file.
fn text_on_a_pipe(wire: &Wire, file: &Path) -> Result<Child> {
    let json = format!("json:{}", file.display());
    Ok(wire
        .third()
        .namespace()
        .command(vrrpwatch()?)?
        .args(["run", "-i", "eth0", "--output", "text:-", "--output", &json])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?)
}

/// Ends it; returns its status and its complaints.
fn end(mut child: Child) -> Result<(Option<i32>, String)> {
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM)?;
    let status = wait_for("its end", LIMIT, || child.try_wait().transpose())??;
    let mut complaints = String::new();
    let mut stderr = child.stderr.take().context("it is a pipe")?;
    stderr.read_to_string(&mut complaints)?;
    Ok((status.code(), complaints))
}

#[test]
fn a_reader_that_stops_reading_holds_up_no_other_output() -> Result<()> {
    let wire = Wire::new()?;
    let file = wire.lab.directory().join("records.json");
    let child = text_on_a_pipe(&wire, &file)?;
    let pipe = child.stdout.as_ref().context("it is a pipe")?;
    // As little as can be: it is full soon.
    let room = usize::try_from(fcntl(pipe, FcntlArg::F_SETPIPE_SZ(4096))?)?;
    wait_for_start(&file)?;
    // A line of text is shorter than one of JSON, but not by half.
    let is_long = || fs::metadata(&file).is_ok_and(|it| it.len() > 4 * room as u64);
    wait_until("more than the pipe holds", LIMIT, || {
        wire.advert(1).is_ok() && is_long()
    })?;
    wire.advert(2)?;
    wait_for_advert(&file, 2)?;
    let (status, complaints) = end(child)?;
    assert_eq!(status, Some(2), "{complaints}");
    assert!(
        complaints.contains("nobody reads standard output"),
        "{complaints}"
    );
    let kinds = records(&file);
    assert_eq!(kinds.last().expect("records")["record"], "summary");
    Ok(())
}

#[test]
fn a_reader_that_goes_ends_only_its_own_output() -> Result<()> {
    let wire = Wire::new()?;
    let file = wire.lab.directory().join("records.json");
    let mut child = text_on_a_pipe(&wire, &file)?;
    wait_for_start(&file)?;
    drop(child.stdout.take());
    for priority in 1..=3 {
        wire.advert(priority)?;
        wait_for_advert(&file, priority)?;
    }
    assert_eq!(end(child)?, (Some(0), String::new()));
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
