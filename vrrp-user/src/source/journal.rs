//! The journal, by way of journalctl: its format is nobody else's business.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::AsyncReadExt as _,
    process::{Child, Command},
};

use super::{Closed, Intake, SourceError, split::Splitter, wall_clock};

/// Which journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalSettings {
    /// Its directory; the system's own without one.
    pub directory: Option<PathBuf>,
    /// Whether it is read from its start, and not only what is written from now on.
    pub from_start: bool,
}

/// A journalctl that ended is started again after so long.
const PAUSE: Duration = Duration::from_secs(1);

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
    let child = command(&settings, None)
        .spawn()
        .map_err(SourceError::io("the journal: journalctl does not start"))?;
    tokio::spawn(follow(settings, child, intake));
    Ok(())
}

fn command(settings: &JournalSettings, cursor: Option<&str>) -> Command {
    let mut command = Command::new("journalctl");
    command
        .args(["--output=json", "--follow", "--all"])
        .arg(format!("--output-fields={FIELDS}"))
        .args(MATCHES)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if let Some(directory) = &settings.directory {
        command.arg("--directory").arg(directory);
    }
    match cursor {
        Some(cursor) => command
            .arg(format!("--after-cursor={cursor}"))
            .arg("--lines=all"),
        None if settings.from_start => command.arg("--lines=all"),
        None => command.arg("--lines=0"),
    };
    command
}

/// Passes on entries for as long as somebody takes them. A journalctl that ends is started again
/// where it ended.
async fn follow(settings: JournalSettings, child: Child, mut intake: Intake) {
    let mut cursor = None;
    let mut child = Some(child);
    loop {
        if let Some(child) = child.take()
            && read(child, &mut intake, &mut cursor).await.is_err()
        {
            return;
        }
        tracing::warn!("journalctl ended; it is started again");
        tokio::time::sleep(PAUSE).await;
        match command(&settings, cursor.as_deref()).spawn() {
            Ok(new) => child = Some(new),
            Err(error) => tracing::warn!(%error, "journalctl does not start"),
        }
    }
}

async fn read(
    mut child: Child,
    intake: &mut Intake,
    cursor: &mut Option<String>,
) -> Result<(), Closed> {
    let Some(mut output) = child.stdout.take() else {
        return Ok(());
    };
    let mut lines = Splitter::default();
    let mut chunk = vec![0; 64 << 10];
    while let Ok(count @ 1..) = output.read(&mut chunk).await {
        intake.advance(wall_clock());
        lines.push(&chunk[..count], |line| {
            intake.take(line);
            if let Some(new) = cursor_of(line) {
                *cursor = Some(new);
            }
        });
        intake.pass().await?;
    }
    Ok(())
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
