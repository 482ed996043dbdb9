//! A real journal, followed by the real journalctl. No journald runs: systemd-journal-remote, which
//! Debian has in a package of that name, writes the journal.

use std::{
    io::Write as _,
    process::{Child, ChildStdin, Command, Stdio},
};

use jiff::tz::TimeZone;

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
        self.time += 1;
        let time = self.time;
        let boot = "0123456789abcdef0123456789abcdef";
        let entry = format!(
            "__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={time}\n_BOOT_ID={boot}\n\
             _SOURCE_REALTIME_TIMESTAMP={time}\n_HOSTNAME=lb0\n_COMM={command}\n_PID=7\n\
             SYSLOG_IDENTIFIER=Keepalived_vrrp_blue\nMESSAGE={message}\n\n"
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

#[tokio::test]
async fn the_journal_is_followed() {
    let directory = Directory::new("journal");
    let mut journal = Journal::new(&directory);
    journal.append_number(1);
    journal.append("sshd", "(VI_1) Changing effective priority from 0 to 66");
    let settings = LogSettings {
        files: Vec::new(),
        from_start: false,
        journal: Some(JournalSettings {
            directory: Some(directory.0.clone()),
            from_start: true,
        }),
        notify_fifo: None,
        zone: TimeZone::UTC,
    };
    let mut logs = Logs::start(&settings, wall_clock()).expect("journalctl");
    assert_eq!(numbers(&mut logs, 1, PATIENCE).await, [1]);
    journal.append_number(2);
    journal.append_number(3);
    assert_eq!(numbers(&mut logs, 2, PATIENCE).await, [2, 3]);
}
