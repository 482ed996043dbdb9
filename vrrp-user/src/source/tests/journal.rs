//! A real journal, followed by the real journalctl. No journald runs: systemd-journal-remote, which
//! Debian has in a package of that name, writes the journal.

use std::{
    fs,
    io::Write as _,
    process::{Child, ChildStdin, Command, Stdio},
};

use jiff::tz::TimeZone;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{Directory, PATIENCE, numbers};
use crate::source::{JournalSettings, LogSettings, Logs, wall_clock};

/// Where systemd keeps the programs that nobody calls by hand.
const WRITER: &str = "/usr/lib/systemd/systemd-journal-remote";

/// Writes a journal for as long as it lives.
struct Journal {
    writer: Child,
    input: ChildStdin,
    time: u64,
}

impl Journal {
    fn new(directory: &Directory) -> Self {
        let mut writer = Command::new(WRITER)
            .arg("--output")
            .arg(directory.0.join("remote.journal"))
            .arg("--split-mode=none")
            .arg("-")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{WRITER}: {error}; Debian has it in the package systemd-journal-remote")
            });
        let input = writer.stdin.take().expect("piped");
        Self {
            writer,
            input,
            time: wall_clock().as_nanos() / 1000,
        }
    }

    /// Appends an entry of keepalived's, or of somebody else's.
    fn append(&mut self, command: &str, message: &str) {
        let fields = [
            ("_COMM", command),
            ("SYSLOG_IDENTIFIER", "Keepalived_vrrp_blue"),
        ];
        self.append_with(&fields, message);
    }

    fn append_with(&mut self, fields: &[(&str, &str)], message: &str) {
        self.time += 1;
        let time = self.time;
        let boot = "0123456789abcdef0123456789abcdef";
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        let fields = fields.concat();
        let entry = format!(
            "__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={time}\n_BOOT_ID={boot}\n\
             _SOURCE_REALTIME_TIMESTAMP={time}\n_HOSTNAME=lb0\n_PID=7\n{fields}\
             MESSAGE={message}\n\n"
        );
        self.input
            .write_all(entry.as_bytes())
            .expect("a writer that reads");
        self.input.flush().expect("a writer that reads");
    }

    fn append_number(&mut self, number: u64) {
        let message = format!("(VI_1) Changing effective priority from 0 to {number}");
        self.append("keepalived", &message);
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _: std::io::Result<()> = self.writer.kill();
        let _: std::io::Result<_> = self.writer.wait();
    }
}

fn follow(directory: &Directory, from_start: bool) -> Logs {
    let settings = LogSettings {
        files: Vec::new(),
        from_start,
        journal: Some(JournalSettings {
            directory: Some(directory.0.clone()),
            from_start,
        }),
        notify_fifo: None,
        zone: TimeZone::UTC,
    };
    Logs::start(&settings, wall_clock()).expect("journalctl")
}

#[tokio::test]
async fn the_journal_is_followed() {
    let directory = Directory::new("journal");
    let mut journal = Journal::new(&directory);
    journal.append_number(1);
    journal.append("sshd", "(VI_1) Changing effective priority from 0 to 66");
    let mut logs = follow(&directory, true);
    assert_eq!(numbers(&mut logs, 1, PATIENCE).await, [1]);
    journal.append_number(2);
    journal.append_number(3);
    assert_eq!(numbers(&mut logs, 2, PATIENCE).await, [2, 3]);
}

#[tokio::test]
async fn entries_are_known_by_command_unit_or_identifier() {
    let directory = Directory::new("journal-whose");
    let mut journal = Journal::new(&directory);
    let message = |number| format!("(VI_1) Changing effective priority from 0 to {number}");
    let whose = [
        ("_COMM", "keepalived"),
        ("_SYSTEMD_UNIT", "keepalived.service"),
        ("SYSLOG_IDENTIFIER", "Keepalived_vrrp"),
        ("SYSLOG_IDENTIFIER", "sshd"),
    ];
    for (field, number) in whose.into_iter().zip(1..) {
        let named = ("SYSLOG_IDENTIFIER", "Keepalived_vrrp_blue");
        // Where the command or unit tells, the name may be any of keepalived's.
        let fields = [field, named];
        let count = if field.0 == named.0 { 1 } else { 2 };
        journal.append_with(&fields[..count], &message(number));
    }
    journal.append_number(9);
    let mut logs = follow(&directory, true);
    assert_eq!(numbers(&mut logs, 4, PATIENCE).await, [1, 2, 3, 9]);
}

/// The journalctl that follows the journal in a directory.
fn journalctl(directory: &Directory) -> Option<Pid> {
    let directory = directory.0.as_os_str().as_encoded_bytes();
    let follows = |pid: i32| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = command.split(|byte| *byte == 0);
        words.next() == Some(b"journalctl") && words.any(|word| word == directory)
    };
    fs::read_dir("/proc")
        .expect("the processes")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .find(|pid| follows(*pid))
        .map(Pid::from_raw)
}

/// Kills the journalctl, and waits until it is no more.
async fn kill_journalctl(directory: &Directory) {
    // A process that has only just been started shows no command line yet.
    let found = async {
        loop {
            match journalctl(directory) {
                Some(pid) => return pid,
                None => tokio::task::yield_now().await,
            }
        }
    };
    let pid = tokio::time::timeout(PATIENCE, found)
        .await
        .expect("a journalctl");
    kill(pid, Signal::SIGKILL).expect("a process of ours");
    let gone = async {
        while journalctl(directory) == Some(pid) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone)
        .await
        .expect("it ends when it is killed");
}

#[tokio::test]
async fn a_journalctl_that_dies_costs_no_line_and_repeats_none() {
    let directory = Directory::new("journal-dies");
    let mut journal = Journal::new(&directory);
    journal.append_number(1);
    let mut logs = follow(&directory, true);
    assert_eq!(numbers(&mut logs, 1, PATIENCE).await, [1]);
    for begin in [2, 5] {
        kill_journalctl(&directory).await;
        let written: Vec<u64> = (begin..begin + 3).collect();
        for number in &written {
            journal.append_number(*number);
        }
        assert_eq!(numbers(&mut logs, 3, PATIENCE).await, written);
    }
}

#[tokio::test]
async fn a_journalctl_that_dies_before_the_first_entry_costs_none_either() {
    let directory = Directory::new("journal-dies-early");
    let mut journal = Journal::new(&directory);
    journal.time -= 60_000_000;
    journal.append_number(1);
    // Without a journal that it can read, journalctl ends by itself.
    let there = async {
        let entries = || {
            let mut command = Command::new("journalctl");
            let command = command.arg("--directory").arg(&directory.0).arg("--quiet");
            command.output().expect("journalctl runs").stdout
        };
        while entries().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, there).await;
    in_time.expect("the writer makes a journal");
    let mut logs = follow(&directory, false);
    kill_journalctl(&directory).await;
    journal.time = wall_clock().as_nanos() / 1000;
    journal.append_number(2);
    assert_eq!(numbers(&mut logs, 1, PATIENCE).await, [2]);
}

#[tokio::test]
async fn the_last_entries_before_are_of_the_past() {
    let directory = Directory::new("journal-back");
    let mut journal = Journal::new(&directory);
    journal.time -= 60_000_000;
    journal.append_number(1);
    journal.append_number(2);
    let mut logs = follow(&directory, false);
    let reading = async {
        let mut past = Vec::new();
        while past.len() < 2 {
            for entry in logs.next().await {
                assert!(entry.past, "{entry:?}");
                past.extend(entry.reading.details.after);
            }
        }
        past
    };
    let past = tokio::time::timeout(PATIENCE, reading).await;
    assert_eq!(past.expect("both entries"), [1, 2]);
    journal.time = wall_clock().as_nanos() / 1000;
    journal.append_number(3);
    assert_eq!(numbers(&mut logs, 1, PATIENCE).await, [3]);
}
