//! Files of every kind, good and bad, and the options that choose what comes out.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
};

use flate2::{Compression, write::GzEncoder};
use vrrp_user::record::{Body, Kind, Record};

use crate::{
    cases,
    command::{Replay, without_run},
};

const CASE: &str = "02-v2-graceful-failover";

/// The bytes of a recording.
fn bytes() -> Vec<u8> {
    fs::read(cases::recording(CASE)).expect("the recording")
}

/// What the records say, whatever the run: fingerprints differ by run, and the start names files.
fn essence(records: Vec<Record>) -> Vec<String> {
    records
        .into_iter()
        .map(without_run)
        .map(|mut record| {
            match &mut record.body {
                Body::Advert(advert) => advert.auth_fingerprint = None,
                Body::Start(start) => start.files.clear(),
                _ => {}
            }
            record.interface = None;
            serde_json::to_string(&record).expect("JSON")
        })
        .collect()
}

fn expected() -> Vec<String> {
    essence(Replay::of(CASE).records())
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A folder that goes with the test.
fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("replay");
    fs::create_dir_all(&folder).expect("a folder");
    folder.join(name)
}

#[test]
fn standard_input_and_gzip_give_the_same_records() {
    assert_eq!(essence(Replay::stdin(bytes()).records()), expected());
    assert_eq!(
        essence(Replay::stdin(gzipped(&bytes())).records()),
        expected()
    );
}

#[test]
fn nanoseconds_give_the_same_records() {
    let mut nanos = bytes();
    assert_eq!(
        nanos[..4],
        [0xd4, 0xc3, 0xb2, 0xa1],
        "the recording is in microseconds"
    );
    nanos[..4].copy_from_slice(&[0x4d, 0x3c, 0xb2, 0xa1]);
    let mut at = 24;
    while at < nanos.len() {
        let field = |offset: usize| {
            let bytes = nanos[at + offset..at + offset + 4]
                .try_into()
                .expect("four bytes");
            u32::from_le_bytes(bytes)
        };
        let (fraction, captured) = (field(4) * 1000, field(8) as usize);
        nanos[at + 4..at + 8].copy_from_slice(&fraction.to_le_bytes());
        at += 16 + captured;
    }
    assert_eq!(essence(Replay::stdin(nanos).records()), expected());
}

#[test]
fn the_frames_that_are_kept_give_the_same_records_again() {
    let kept = scratch("kept.pcapng");
    let first = Replay::of(CASE)
        .args(["--overwrite".as_ref(), "--write".as_ref(), kept.as_os_str()])
        .records();
    // That a router is new is known by the time before, of which no frame was one to keep.
    let is_new = |line: &String| {
        line.contains("\"announced\"") || (line.contains("first-seen") && line.contains("incident"))
    };
    let is_frame = |line: &String| !line.contains("\"summary\"") && !is_new(line);
    let first: Vec<_> = essence(first).into_iter().filter(is_frame).collect();
    let again: Vec<_> = essence(Replay::file(&kept).records())
        .into_iter()
        .filter(is_frame)
        .collect();
    // The start is at the first frame of the file, which may not have been one to keep.
    assert_eq!(again[1..], first[1..]);
}

#[test]
fn a_file_named_twice_is_seen_twice_and_reported_once() {
    let twice = Replay::of(CASE).args([cases::recording(CASE)]).records();
    let Some(Body::Summary(summary)) = twice.last().map(|record| record.body.clone()) else {
        panic!("no summary");
    };
    assert_eq!(summary.duplicates * 2, summary.frames - summary.ignored);
    let frames = |lines: Vec<String>| -> Vec<_> {
        lines
            .into_iter()
            .filter(|line| !line.contains("\"summary\""))
            .collect()
    };
    assert_eq!(frames(essence(twice)), frames(expected()));
}

#[test]
fn a_cut_file_is_read_to_its_last_packet() {
    let whole = bytes();
    let output = Replay::stdin(whole[..whole.len() - 5].to_vec()).output();
    assert_eq!(output.status.code(), Some(0));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        complaint.contains("ends in the middle of a packet"),
        "{complaint}"
    );
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("none lost"),
        "the summary is there"
    );
}

#[test]
fn what_is_no_capture_is_refused_with_advice() {
    let cases: [(&str, Vec<u8>); 4] = [
        ("is empty", Vec::new()),
        (
            "is neither pcap nor pcapng",
            b"{\"record\":\"advert\"}".to_vec(),
        ),
        ("is neither pcap nor pcapng", bytes()[..10].to_vec()),
        ("cannot read", gzipped(&bytes())[..6].to_vec()),
    ];
    for (what, input) in cases {
        let output = Replay::stdin(input).output();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{complaint}");
        assert!(complaint.contains(what), "{complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
    let missing = Replay::file("/nonexistent\u{1b}[31m.pcap".as_ref()).output();
    assert_eq!(missing.status.code(), Some(2));
    assert!(!missing.stderr.contains(&0x1b), "the name is escaped");
}

#[test]
fn a_damaged_file_keeps_what_was_read_before() {
    // Stored, not compressed: what was damaged late is found late.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(&bytes()).expect("memory");
    let mut damaged = encoder.finish().expect("memory");
    // The checksum that ends the stream.
    let end = damaged.len() - 8;
    damaged[end] ^= 0xff;
    let output = Replay::stdin(damaged).args(["--format", "json"]).output();
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains("is damaged after"), "{complaint}");
    let text = String::from_utf8_lossy(&output.stdout);
    let last: Record = serde_json::from_str(text.lines().last().expect("a line")).expect("record");
    assert!(matches!(last.body, Body::Summary(summary) if summary.adverts > 10));
}

#[test]
fn only_count_and_for_choose_what_comes_out() {
    let adverts = Replay::of(CASE)
        .args(["--only", "advert", "--count", "3"])
        .records();
    assert_eq!(adverts.len(), 3);
    assert!(
        adverts
            .iter()
            .all(|record| record.body.kind() == Kind::Advert)
    );

    let short = Replay::of(CASE).args(["--for", "5s"]).records();
    let (first, last) = (&short[0], short.last().expect("records"));
    assert!(last.time.since(first.time).as_secs() < 5);
    assert_eq!(last.body.kind(), Kind::Summary);
}

#[test]
fn output_is_appended_to_a_file() {
    let file = scratch("records.jsonl");
    drop(fs::remove_file(&file));
    for _ in 0..2 {
        let args = [
            "--format".as_ref(),
            "json".as_ref(),
            "--output".as_ref(),
            file.as_os_str(),
        ];
        assert_eq!(Replay::of(CASE).args(args).text(), "");
    }
    let text = fs::read_to_string(&file).expect("the file");
    let summaries = text
        .lines()
        .filter(|line| line.contains("\"summary\""))
        .count();
    assert_eq!(summaries, 2);
}

#[test]
fn a_pipe_that_goes_on_is_reported_as_it_comes() {
    let program = vrrp_tests::lab::vrrpwatch().expect("the program is built");
    let mut child = std::process::Command::new(program)
        .args(["replay", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("vrrpwatch starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(&bytes()).expect("it reads");
    stdin.flush().expect("it reads");
    // The end is not in sight, yet the first record is there: it would be waited for in vain.
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let first = lines.next().expect("a line").expect("UTF-8");
    assert!(first.contains("replaying"), "{first}");
    drop(stdin);
    assert!(
        lines
            .map_while(Result::ok)
            .last()
            .expect("more lines")
            .contains("none lost")
    );
    assert!(child.wait().expect("it ends").code().is_some());
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let program = vrrp_tests::lab::vrrpwatch().expect("the program is built");
    let mut child = std::process::Command::new(program)
        .arg("replay")
        .arg(cases::recording(CASE))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("vrrpwatch starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("vrrpwatch ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}
