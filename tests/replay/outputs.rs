//! Where records and frames go, and what is there already.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use nix::{sys::stat::Mode, unistd::mkfifo};

use crate::command::Replay;

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
        .args(["--write".as_ref(), file.as_os_str()])
        .args(args)
        .output()
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
