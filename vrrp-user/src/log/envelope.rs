//! What wraps a log line: syslog in its dialects, the daemons' own files, docker, the journal.
//!
//! The dates are read by jiff. What is left of an envelope is a handful of words, and the crates
//! for syslog that exist round times to points, which here have to stay windows, and know neither
//! keepalived's own files nor containers.

mod container;
mod json;
mod syslog;

use super::{Inferred, LogLine, Window, Writer, time::Calendar};
use crate::model::Timestamp;

/// Bytes of a line's text that are kept.
pub const MAX_LINE: usize = 8 << 10;

/// Bytes of a line with its envelope that are looked at; the journal wraps a line in kilobytes.
pub const MAX_RAW: usize = 64 << 10;

/// Takes lines out of their envelopes.
#[derive(Clone, Debug)]
pub struct Envelopes {
    calendar: Calendar,
}

impl Envelopes {
    /// For lines whose times this calendar completes.
    pub const fn new(calendar: Calendar) -> Self {
        Self { calendar }
    }

    /// Takes in that time has come to `now`: the year of a line without one is near.
    pub fn advance(&mut self, now: Timestamp) {
        self.calendar.advance(now);
    }

    /// Reads one line of a source, which may hold none or several lines of a log.
    pub fn read(&self, raw: &[u8], lines: &mut Vec<LogLine>) {
        let raw = raw.get(..MAX_RAW).unwrap_or(raw);
        if raw.first() == Some(&b'{') && json::read(self, raw, lines) {
            return;
        }
        self.read_text(&String::from_utf8_lossy(raw), lines);
    }

    fn read_text(&self, text: &str, lines: &mut Vec<LogLine>) {
        let text = text.trim_end_matches(['\n', '\r', '\0']);
        if text.is_empty() {
            return;
        }
        let text = clip(text);
        let Some(wrapped) = container::unwrap(&self.calendar, text) else {
            lines.push(syslog::read(&self.calendar, text));
            return;
        };
        let mut line = syslog::read(&self.calendar, wrapped.text);
        line.host = line.host.or_else(|| wrapped.name.map(Into::into));
        if wrapped.time.is_some() {
            line.time = wrapped.time;
            line.inferred = Inferred::default();
        }
        lines.push(line);
    }
}

impl LogLine {
    pub(super) fn new(
        writer: Writer,
        time: Option<Window>,
        inferred: Inferred,
        text: &str,
    ) -> Self {
        Self {
            host: None,
            writer,
            ident: None,
            pid: None,
            time,
            inferred,
            text: clip(text).to_owned(),
        }
    }
}

/// The part of a text that is kept.
fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_LINE)]
}

#[cfg(test)]
mod tests;
