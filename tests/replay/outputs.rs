//! Where records and frames go, and what is there already.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use nix::{sys::stat::Mode, unistd::mkfifo};

use vrrp_tests::lab;

use crate::{
    cases,
    command::{Replay, without_run},
};

const CASE: &str = "02-v2-graceful-failover";

/// A file that is not there yet.
fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("outputs");
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(name);
    if file.exists() {
        fs::remove_file(&file).expect("our own");
    }
    file
}

fn keep(file: &Path, args: &[&str]) -> Output {
    Replay::of(CASE)
        .args([
            "--write-passwords".as_ref(),
            "--write".as_ref(),
            file.as_os_str(),
        ])
        .args(args)
        .output()
}

#[test]
fn passwords_are_kept_on_demand_alone() {
    let has = |file: &Path| {
        let bytes = fs::read(file).expect("our own");
        bytes.windows(8).any(|window| window == b"testpass")
    };
    let file = scratch("passwords.pcapng");
    assert!(keep(&file, &[]).status.success());
    assert!(has(&file), "the case has the password");
    let without = scratch("no-passwords.pcapng");
    let output = Replay::of(CASE)
        .args(["--write".as_ref(), without.as_os_str()])
        .output();
    assert!(output.status.success());
    assert!(!has(&without));
}

/// It was refused, by the name of the file.
fn is_refused(output: &Output, file: &Path, why: &str) {
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    let name = file.to_str().expect("UTF-8");
    assert!(words.contains(name) && words.contains(why), "{words}");
}

#[test]
fn frames_are_appended_to_a_pcapng_file() {
    let file = scratch("appended.pcapng");
    assert!(keep(&file, &[]).status.success());
    let once = fs::read(&file).expect("our own");
    assert!(keep(&file, &[]).status.success());
    let twice = fs::read(&file).expect("our own");
    assert_eq!(twice, [once.clone(), once.clone()].concat());
    assert!(keep(&file, &["--overwrite"]).status.success());
    assert_eq!(fs::read(&file).expect("our own"), once);
}

#[test]
fn a_file_that_holds_something_else_stays_as_it_is() {
    let file = scratch("else.pcapng");
    assert!(keep(&file, &[]).status.success());
    let whole = fs::read(&file).expect("our own");
    for held in [
        &b"a letter to somebody"[..],
        &whole[..whole.len() - 4],
        b"\n",
    ] {
        fs::write(&file, held).expect("our own");
        is_refused(&keep(&file, &[]), &file, "--overwrite");
        assert_eq!(fs::read(&file).expect("our own"), held);
    }
    assert!(keep(&file, &["--overwrite"]).status.success());
    assert_eq!(fs::read(&file).expect("our own"), whole);
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let fifo = scratch("fifo");
    mkfifo(&fifo, Mode::S_IRWXU).expect("room for a FIFO");
    is_refused(&keep(&fifo, &[]), &fifo, "not a regular file");
    let output = Replay::of(CASE)
        .args(["--output".as_ref(), fifo.as_os_str()])
        .output();
    is_refused(&output, &fifo, "");
    let zero = Path::new("/dev/zero");
    is_refused(&keep(zero, &[]), zero, "not a regular file");
    for option in ["--log", "--journal-file", "--keepalived-conf"] {
        let output = Replay::of(CASE)
            .args([option.as_ref(), fifo.as_os_str()])
            .output();
        is_refused(&output, &fifo, "not a regular file");
    }
}

#[test]
fn a_full_disk_ends_one_output_and_not_the_other() {
    let file = scratch("beside.pcapng");
    assert!(keep(&file, &[]).status.success());
    let whole = fs::read(&file).expect("our own");
    let full = Path::new("/dev/full");
    let output = keep(&file, &["--overwrite", "--output", "/dev/full"]);
    is_refused(&output, full, "No space left");
    assert_eq!(fs::read(&file).expect("our own"), whole);
}

/// One without a password, of which each run would make a fingerprint of its own.
const PLAIN: &str = "08-v3-ipv6";

/// Runs the case with these arguments; it may find something.
fn run(args: &[&str]) -> (String, String, Option<i32>) {
    let output = Replay::of(PLAIN).args(args).output();
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        essence(&text(output.stdout)),
        text(output.stderr),
        output.status.code(),
    )
}

fn read(file: &Path) -> String {
    essence(&fs::read_to_string(file).expect("our own"))
}

/// Lines as they are, and records without what is another in each run.
fn essence(text: &str) -> String {
    text.lines()
        .map(|line| match serde_json::from_str(line) {
            Ok(record) => serde_json::to_string(&without_run(record)).expect("JSON") + "\n",
            Err(_) => format!("{line}\n"),
        })
        .collect()
}

#[test]
fn outputs_take_the_same_run_each_in_its_own_form() {
    let (json, some, frames, kept) = (
        scratch("all.jsonl"),
        scratch("some.jsonl"),
        scratch("frames.pcapng"),
        scratch("kept.pcapng"),
    );
    let arg = |format: &str, file: &Path| format!("{format}:{}", file.display());
    let (screen, complaints, status) = run(&[
        "--output",
        "text:-",
        "--output",
        &arg("json", &json),
        "--output",
        &arg("json,only=state,summary", &some),
        "--output",
        &arg("pcapng", &frames),
        "--write",
        kept.to_str().expect("UTF-8"),
    ]);
    assert_eq!((complaints.as_str(), status), ("", run(&[]).2));
    assert_eq!(screen, run(&[]).0);
    assert_eq!(read(&json), run(&["--format", "json"]).0);
    let only = ["--format", "json", "--only", "state,summary"];
    assert_eq!(read(&some), run(&only).0);
    let frames = fs::read(frames).expect("our own");
    assert!(!frames.is_empty() && frames == fs::read(kept).expect("our own"));
    let piped = Replay::of(PLAIN).args(["--output", "pcapng:-"]).output();
    assert_eq!(piped.stdout, frames);
}

#[test]
fn a_count_is_one_over_all_outputs() {
    let file = scratch("counted.jsonl");
    let json = format!("json:{}", file.display());
    let args = ["--count", "3", "--output", "text,only=state:-"];
    let (states, ..) = run(&[&args[..], &["--output", &json]].concat());
    let (all, ..) = run(&["--count", "3", "--format", "json"]);
    assert_eq!(read(&file), all);
    let is_state = |line: &&str| line.contains("\"record\":\"state\"");
    assert_eq!(states.lines().count(), all.lines().filter(is_state).count());
}

#[test]
fn a_full_disk_is_told_in_the_other_outputs() {
    let (whole, ..) = run(&["--format", "json"]);
    for (full, kinds) in [
        ("json:/dev/full", ""),
        ("text,only=advert:/dev/full", "\"record\":\"advert\""),
    ] {
        let (records, complaints, status) = run(&["--output", full, "--output", "json:-"]);
        assert_eq!(status, Some(2), "{complaints}");
        let why = "\"/dev/full\": No space left";
        assert!(complaints.contains(why), "{complaints}");
        let mut lost = 0;
        let mut missing = 0;
        let mut told = 0;
        for line in records.lines() {
            let record: serde_json::Value = serde_json::from_str(line).expect("a record");
            let count = record["lost"]["output-failed"].as_u64().unwrap_or(0);
            match record["record"].as_str() {
                Some("summary") => assert_eq!(count, lost, "{full}"),
                Some("loss") => {
                    lost += count;
                    // All that came before is missing, and a loss is never left out.
                    told = missing;
                    missing += 1;
                }
                _ => missing += u64::from(line.contains(kinds)),
            }
        }
        assert!(told > 0 && lost == told, "{full}: {lost} of {told}");
        let others = records.lines().filter(|it| !it.contains("output-failed"));
        let all = whole.lines().filter(|it| !it.contains("\"summary\""));
        assert!(others.eq(all), "{full}");
    }
}

#[test]
fn outputs_that_do_not_fit_together_are_refused() {
    let cases: [(&[&str], &str); 6] = [
        (
            &["--output", "text:-", "--output", "json:-"],
            "name another file",
        ),
        (
            &["--output", "a", "--write", "a"],
            "two outputs go to \"a\"",
        ),
        (
            &["--output", "pcapng:a", "--count", "1"],
            "add --output text:-",
        ),
        (&["--overwrite"], "--write"),
        (&["--output", "yaml:a"], "./yaml:a"),
        (&["--output", "json,finding:a"], "only=KIND"),
    ];
    for (args, remedy) in cases {
        let (records, complaints, status) = run(args);
        assert_eq!(status, Some(2), "{args:?}: {complaints}");
        assert!(complaints.contains(remedy), "{args:?}: {complaints}");
        assert_eq!(records, "");
    }
}

#[test]
fn a_file_at_the_limit_of_its_size_ends_that_output_alone() {
    let whole = Replay::of(CASE).output();
    let file = scratch("limited.pcapng");
    let limited = Command::new("sh")
        .args(["-c", "ulimit -f 1; exec \"$@\"", "sh"])
        .arg(lab::vrrpwatch().expect("the program is built"))
        .arg("replay")
        .arg("--write")
        .arg(&file)
        .arg(cases::recording(CASE))
        .output()
        .expect("a shell");
    is_refused(&limited, &file, "File too large");
    let text = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let (whole, limited) = (text(&whole), text(&limited));
    let records = whole.lines().filter(|line| line.contains("VRRPv2"));
    for record in records {
        assert!(limited.contains(record), "{record}");
    }
}
