//! Log lines of VRRP daemons: what wraps them, when they were written, what they say.
//!
//! ```text
//! bytes  ->  Envelopes  ->  LogLine  ->  grammar::read  ->  Reading  ->  observer
//!            (who, when)    (text)       (what)
//! ```
//!
//! All of it is pure: the files, the journal and the pipes that lines come from are the business of
//! `source`. Lines are written by strangers, and some of them by attackers: they are bounded, what
//! does not fit is left as it is, and nothing here panics on any of it.

mod envelope;
mod event;
pub mod fifo;
pub mod grammar;
mod secret;
mod template;
mod time;

use std::sync::Arc;

use grammar::Reading;
use serde::{Deserialize, Serialize};

pub use envelope::{Envelopes, MAX_LINE, MAX_RAW};
pub use event::{Details, Life, LogEvent, LogState};
pub use time::{Calendar, Inferred, Window};

/// A line of a log, out of its envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Host that wrote it, where the line or its source says so.
    pub host: Option<Arc<str>>,
    /// Who wrote it, as far as it matters.
    pub writer: Writer,
    /// Program that wrote it, by the name it logs under.
    pub ident: Option<String>,
    /// Process that wrote it.
    pub pid: Option<u32>,
    /// When; `None` in a line that does not say.
    pub time: Option<Window>,
    /// What of the time had to be inferred.
    pub inferred: Inferred,
    /// What it says.
    pub text: String,
}

/// Who wrote a line, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Writer {
    /// A VRRP daemon.
    Daemon,
    /// A logger, the service manager or the kernel: they tell of lost lines and dead daemons.
    System,
    /// Somebody who gives no name: what is understood counts, the rest does not.
    Unknown,
    /// Somebody else.
    Stranger,
}

/// A line that concerns us, and what it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "RecordedEntry")]
pub struct Entry {
    /// The line.
    pub line: LogLine,
    /// What it says.
    #[serde(skip)]
    pub reading: Reading,
    /// Whether it is from the log of the host that is watched, or that the capture is from.
    pub here: bool,
    /// Whether it was written before the watch began: it tells what the daemon is, and nothing new.
    pub past: bool,
}

/// An entry as it is recorded: what the line says is read again.
#[derive(Deserialize)]
struct RecordedEntry {
    line: LogLine,
    here: bool,
    past: bool,
}

impl From<RecordedEntry> for Entry {
    fn from(RecordedEntry { line, here, past }: RecordedEntry) -> Self {
        let reading = line.read();
        Self {
            reading: reading.unwrap_or_else(|| grammar::read("")),
            line,
            here,
            past,
        }
    }
}

impl LogLine {
    /// What it says; `None` for one of a stranger, or one that says nothing we know and whose writer is
    /// unknown.
    fn read(&self) -> Option<Reading> {
        match self.writer {
            Writer::Daemon => Some(grammar::read(&self.text)),
            Writer::System => grammar::read_foreign(&self.text),
            Writer::Unknown => {
                Some(grammar::read(&self.text)).filter(|reading| reading.event != LogEvent::Other)
            }
            Writer::Stranger => None,
        }
    }
}

impl Entry {
    /// Reads a line; `None` for one of a stranger, or one that says nothing we know and whose
    /// writer is unknown.
    pub fn read(mut line: LogLine) -> Option<Self> {
        let reading = line.read()?;
        secret::withhold(&mut line.text);
        Some(Self {
            line,
            reading,
            here: true,
            past: false,
        })
    }
}

impl Writer {
    /// Who logs under this name.
    pub fn of(ident: &str) -> Self {
        match ident {
            "vrrpd" | "VRRP" | "keepalived" => Self::Daemon,
            "systemd" | "systemd-journald" | "rsyslogd" | "syslogd" | "syslog-ng" | "kernel" => {
                Self::System
            }
            _ if is_keepalived(ident) => Self::Daemon,
            _ => Self::Stranger,
        }
    }
}

/// Whether this is one of the names keepalived logs under; a namespace and an instance may follow.
fn is_keepalived(ident: &str) -> bool {
    ident
        .strip_prefix("Keepalived")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}
