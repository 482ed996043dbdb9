//! The record of a log that told nothing.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::escape::escape;
use crate::model::{Span, Timestamp};

/// A log that was to be read and told nothing, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnreadRecord {
    /// The log, as it was named.
    pub log: String,
    /// Why.
    pub reason: Unread,
    /// Lines that were looked at.
    pub lines: u64,
    /// The earliest of their times; absent where they have none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<Timestamp>,
    /// The latest of their times.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<Timestamp>,
    /// Begin of the capture; only where the log is of another time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub capture_from: Option<Timestamp>,
    /// End of the capture.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub capture_until: Option<Timestamp>,
}

/// Why a log told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unread {
    /// It has no line.
    Empty,
    /// Its lines are in no format that is known.
    NotUnderstood,
    /// None of its lines is of a VRRP daemon.
    NoDaemon,
    /// None of its lines is of the time of the capture.
    OtherTime,
}

/// Clocks and zones differ by no more.
const ZONES: Span = Span::from_hours(15);

impl fmt::Display for UnreadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = escape(&self.log);
        let lines = self.lines;
        match self.reason {
            Unread::Empty => write!(f, "{log}: the log is empty"),
            Unread::NotUnderstood => write!(
                f,
                "{log}: {lines} lines, and none in a format that is known. Known are syslog, \
                 journalctl (also -o json), keepalived's and FRR's own files, docker, compose, CRI and \
                 OpenWrt's logread"
            ),
            Unread::NoDaemon => write!(
                f,
                "{log}: {lines} lines, and none of keepalived or FRR's vrrpd"
            ),
            Unread::OtherTime => {
                write!(f, "{log}: {lines} lines, and none within the capture")?;
                if let (Some(from), Some(until)) = (self.from, self.until) {
                    write!(f, ": the log is of {from} to {until}")?;
                }
                if let (Some(from), Some(until)) = (self.capture_from, self.capture_until) {
                    write!(f, ", the capture of {from} to {until}")?;
                }
                if self.is_near() {
                    write!(f, ". Is the time zone of the log another (--log-zone)?")?;
                }
                Ok(())
            }
        }
    }
}

impl UnreadRecord {
    /// Whether another time zone would explain it.
    fn is_near(&self) -> bool {
        let apart = |late: Option<Timestamp>, early: Option<Timestamp>| {
            let (late, early) = (late?, early?);
            (late > early).then(|| late.since(early))
        };
        apart(self.from, self.capture_until)
            .or_else(|| apart(self.capture_from, self.until))
            .is_some_and(|span| span <= ZONES)
    }
}
