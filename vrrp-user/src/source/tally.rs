//! What became of the lines of a log, to tell when it told nothing.

use super::Entry;
use crate::{
    log::{LogLine, Writer},
    model::{Span, Timestamp},
    record::{Unread, UnreadRecord},
};

/// What was found in a log so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    lines: u64,
    /// Lines in a format that is known.
    understood: u64,
    /// Lines of a daemon, or about one.
    entries: u64,
    /// The earliest and the latest of their times.
    times: Option<(Timestamp, Timestamp)>,
}

impl Tally {
    /// Counts a line, and what it came to.
    pub(super) fn count(&mut self, line: &LogLine) {
        self.lines += 1;
        if line.time.is_some() || line.writer != Writer::Unknown {
            self.understood += 1;
        }
        if let Some(window) = line.time {
            let (first, last) = self.times.unwrap_or((window.start, window.end));
            self.times = Some((first.min(window.start), last.max(window.end)));
        }
    }

    /// Counts what a line was read as.
    pub(super) fn count_entry(&mut self, entry: Option<&Entry>) {
        self.entries += u64::from(entry.is_some());
    }

    pub(super) const fn lines(&self) -> u64 {
        self.lines
    }

    /// Whether lines were counted, and none of them was understood.
    pub(super) const fn is_opaque(&self) -> bool {
        self.understood == 0 && self.entries == 0
    }

    /// Whether the lines may tell of the time from `begin` to `end`.
    pub(super) fn covers(&self, begin: Timestamp, end: Timestamp) -> bool {
        self.times
            .is_none_or(|(first, last)| first <= end && last >= begin)
    }

    /// Why the log `name` told nothing of the capture from `begin` to `end`, if it did not; what was
    /// written within this time before or after it counts as well.
    pub(super) fn unread(
        &self,
        name: String,
        (begin, end): (Timestamp, Timestamp),
        around: Span,
    ) -> Option<UnreadRecord> {
        let reason = if self.lines == 0 {
            Unread::Empty
        } else if self.is_opaque() {
            Unread::NotUnderstood
        } else if !self.covers(begin - around, end + around) {
            Unread::OtherTime
        } else if self.entries == 0 {
            Unread::NoDaemon
        } else {
            return None;
        };
        let of_capture = |time| (reason == Unread::OtherTime).then_some(time);
        Some(UnreadRecord {
            capture_from: of_capture(begin),
            capture_until: of_capture(end),
            ..self.record(name, reason)
        })
    }

    /// The record of a log that told nothing for this reason.
    pub(super) fn record(&self, log: String, reason: Unread) -> UnreadRecord {
        UnreadRecord {
            log,
            reason,
            lines: self.lines,
            from: self.times.map(|(first, _)| first),
            until: self.times.map(|(_, last)| last),
            capture_from: None,
            capture_until: None,
        }
    }
}
