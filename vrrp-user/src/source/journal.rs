//! The journal, by way of journalctl: its format is nobody else's business.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::AsyncReadExt as _,
    process::{Child, Command},
};

use super::{Closed, Intake, SourceError, split::Splitter, wall_clock};
use crate::model::Timestamp;

/// Which journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalSettings {
    /// Its directory; the system's own without one.
    pub directory: Option<PathBuf>,
    /// Whether it is read from its start, and not only what is written from now on.
    pub from_start: bool,
}

/// Time until a journalctl that ended is started again.
const PAUSE: Duration = Duration::from_secs(1);

/// Entries that are read of those that were written before.
const LOOK_BACK: u32 = 1000;

/// Whose entries: by command and by unit, whatever they call themselves; by name for what is
/// forwarded from elsewhere; and those who tell of lost entries and of the daemon's end.
const MATCHES: [&str; 16] = [
    "_COMM=keepalived",
    "+",
    "_COMM=vrrpd",
    "+",
    "_SYSTEMD_UNIT=keepalived.service",
    "+",
    "UNIT=keepalived.service",
    "+",
    "SYSLOG_IDENTIFIER=Keepalived",
    "+",
    "SYSLOG_IDENTIFIER=Keepalived_vrrp",
    "+",
    "SYSLOG_IDENTIFIER=vrrpd",
    "+",
    "SYSLOG_IDENTIFIER=systemd-journald",
    "--no-pager",
];

/// The fields that are needed of an entry, beside its address and times.
const FIELDS: &str = "MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_COMM,_SYSTEMD_UNIT,_HOSTNAME,\
                      _SOURCE_REALTIME_TIMESTAMP";

/// Starts a task that follows the journal.
pub(super) fn spawn(settings: JournalSettings, intake: Intake) -> Result<(), SourceError> {
    let begin = if settings.from_start {
        Position::Start
    } else {
        Position::Since(wall_clock())
    };
    let child = command(&settings, &begin)
        .spawn()
        .map_err(SourceError::io("the journal: journalctl does not start"))?;
    let mut intake = intake;
    if let Position::Since(time) = begin {
        intake.past_until = Some(time);
    }
    tokio::spawn(follow(settings, begin, child, intake));
    Ok(())
}

/// From where the journal is read on.
enum Position {
    /// From its first entry.
    Start,
    /// From this time, and a little before it, which tells what the daemons are: no journalctl has to
    /// have come as far as to wait for more.
    Since(Timestamp),
    /// After this entry.
    After(String),
}

fn command(settings: &JournalSettings, position: &Position) -> Command {
    let mut command = Command::new("journalctl");
    command
        .args(["--output=json", "--follow", "--all"])
        .arg(format!("--output-fields={FIELDS}"))
        .args(MATCHES)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Ctrl-C is for vrrpwatch, which ends it.
        .process_group(0)
        .kill_on_drop(true);
    if let Some(directory) = &settings.directory {
        command.arg("--directory").arg(directory);
    }
    match position {
        Position::Start => {
            command.arg("--lines=all");
        }
        Position::Since(_) => {
            command.arg(format!("--lines={LOOK_BACK}"));
        }
        Position::After(cursor) => {
            command
                .arg("--lines=all")
                .arg(format!("--after-cursor={cursor}"));
        }
    }
    command
}

/// Passes on entries for as long as somebody takes them. A journalctl that ends is started again
/// where it ended.
async fn follow(
    settings: JournalSettings,
    mut position: Position,
    child: Child,
    mut intake: Intake,
) {
    let mut child = Some(child);
    // One that ends again and again is told once.
    let mut is_told = false;
    loop {
        if let Some(child) = child.take() {
            match read(child, &mut intake, &mut position).await {
                Ok(entries) => is_told &= !entries,
                Err(Closed) => return,
            }
        }
        if !is_told {
            tracing::warn!("journalctl ended; it is started again every second");
            is_told = true;
        }
        tokio::time::sleep(PAUSE).await;
        match command(&settings, &position).spawn() {
            Ok(new) => child = Some(new),
            Err(error) => tracing::debug!(%error, "journalctl does not start"),
        }
    }
}

/// Passes on what a journalctl writes until it ends. Returns whether there was anything.
async fn read(
    mut child: Child,
    intake: &mut Intake,
    position: &mut Position,
) -> Result<bool, Closed> {
    let Some(mut output) = child.stdout.take() else {
        return Ok(false);
    };
    let mut any = false;
    let mut lines = Splitter::default();
    let mut chunk = vec![0; 64 << 10];
    while let Ok(count @ 1..) = output.read(&mut chunk).await {
        any = true;
        intake.advance(wall_clock());
        lines.push(&chunk[..count], |line| {
            intake.take(line);
            if let Some(cursor) = cursor_of(line) {
                *position = Position::After(cursor);
            }
        });
        intake.pass().await?;
    }
    Ok(any)
}

/// Where an entry is in the journal.
fn cursor_of(line: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Entry {
        #[serde(rename = "__CURSOR")]
        cursor: String,
    }
    let entry: Entry = serde_json::from_slice(line).ok()?;
    Some(entry.cursor)
}

#[cfg(test)]
mod tests {
    use nix::unistd::{Pid, getpgid, getpgrp};

    use super::*;

    #[tokio::test]
    async fn an_interrupt_of_ours_is_none_of_journalctls() {
        let begin = Position::Since(Timestamp::default());
        let mut child = command(&JournalSettings::default(), &begin)
            .spawn()
            .expect("journalctl starts");
        let id = child.id().expect("it runs");
        let group = getpgid(Some(Pid::from_raw(i32::try_from(id).expect("a process"))));
        child.kill().await.expect("it is ended");
        assert!(group.is_ok_and(|group| group != getpgrp()));
    }
}
