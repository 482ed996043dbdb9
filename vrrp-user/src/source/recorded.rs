//! Logs that were recorded, merged by time, for replay.

use std::{
    collections::BinaryHeap,
    io::{self, BufReader, Read},
    path::PathBuf,
    sync::Arc,
};

use jiff::tz::TimeZone;

use super::{LogFile, split::Splitter, tally::Tally};
use crate::{
    file::open_regular,
    log::{Calendar, Entry, Envelopes, LogLine},
    merge::Pending,
    model::{Span, Timestamp},
    record::UnreadRecord,
};

/// A log file cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path:?}")]
pub struct OpenLogError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Log files, merged by the times of their lines. A line that may have been written within a second
/// comes when that second is over: all that it may tell of has been seen by then.
#[derive(Debug)]
pub struct RecordedLogs {
    files: Vec<Recorded>,
    next: BinaryHeap<Pending<Entry>>,
    zone: TimeZone,
}

#[derive(Debug)]
struct Recorded {
    /// As it was named.
    name: String,
    tally: Tally,
    /// Bytes that were read.
    read: u64,
    host: Option<Arc<str>>,
    bytes: BufReader<std::fs::File>,
    split: Splitter,
    envelopes: Option<Envelopes>,
    lines: Vec<LogLine>,
    /// Entries that were read and not asked for yet, the next one last.
    ready: Vec<Entry>,
    /// The latest time so far: lines without a time are from then.
    time: Timestamp,
    ended: bool,
}

impl RecordedLogs {
    /// Opens all files. `zone` is that of lines which name none.
    ///
    /// # Errors
    /// The first one that cannot be opened.
    pub fn open(files: &[LogFile], zone: TimeZone) -> Result<Self, OpenLogError> {
        let files = files
            .iter()
            .map(|file| {
                let bytes = open_regular(&file.path).map_err(|source| OpenLogError {
                    path: file.path.clone(),
                    source,
                })?;
                Ok(Recorded {
                    name: file.to_string(),
                    tally: Tally::default(),
                    read: 0,
                    host: file.host.clone(),
                    bytes: BufReader::new(bytes),
                    split: Splitter::default(),
                    envelopes: None,
                    lines: Vec::new(),
                    ready: Vec::new(),
                    time: Timestamp::from_nanos(0),
                    ended: false,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            files,
            next: BinaryHeap::new(),
            zone,
        })
    }

    /// Tells when the capture begins: the years of lines without one are near it.
    pub fn begin(&mut self, capture: Timestamp) {
        let envelopes = Envelopes::new(Calendar::new(self.zone.clone(), capture));
        for number in 0..self.files.len() {
            self.files[number].envelopes = Some(envelopes.clone());
            self.refill(number);
        }
    }

    /// The next entry that was written at `time` or before, and when it was over.
    pub fn next_until(&mut self, time: Timestamp) -> Option<(Timestamp, Entry)> {
        if self.next.peek()?.time > time {
            return None;
        }
        let Pending { time, source, item } = self.next.pop()?;
        self.refill(source);
        Some((time, item))
    }

    /// The logs that told nothing of the capture, which lasted from `begin` to `end`, and why; of
    /// what was written within this time before or after it, they may tell as well.
    pub fn unread(&mut self, begin: Timestamp, end: Timestamp, around: Span) -> Vec<UnreadRecord> {
        self.files
            .iter_mut()
            .filter_map(|file| {
                while !file.ended
                    && !file.tally.covers(begin - around, end + around)
                    && file.read < LOOK_AHEAD
                {
                    file.read_on();
                    file.ready.clear();
                }
                file.tally.unread(file.name.clone(), (begin, end), around)
            })
            .collect()
    }

    fn refill(&mut self, number: usize) {
        let file = &mut self.files[number];
        if let Some(entry) = file.next_entry() {
            let end = entry.line.time.map(|window| window.end);
            // Lines stand in the order in which they were written, whatever their times say.
            file.time = end.map_or(file.time, |end| end.max(file.time));
            self.next.push(Pending {
                time: file.time,
                source: number,
                item: entry,
            });
        }
    }
}

/// Bytes of a log that are read to tell of which time it is.
const LOOK_AHEAD: u64 = 64 << 20;

impl Recorded {
    fn next_entry(&mut self) -> Option<Entry> {
        loop {
            if let Some(entry) = self.ready.pop() {
                return Some(entry);
            }
            if self.ended || self.envelopes.is_none() {
                return None;
            }
            self.read_on();
        }
    }

    /// Reads a piece of the file.
    fn read_on(&mut self) {
        let Some(envelopes) = self.envelopes.as_ref() else {
            return;
        };
        let mut chunk = [0; 8 << 10];
        let lines = &mut self.lines;
        match self.bytes.read(&mut chunk) {
            Ok(0) => {
                self.ended = true;
                self.split.end(|line| envelopes.read(line, lines));
            }
            Ok(count) => {
                self.read += count as u64;
                self.split
                    .push(&chunk[..count], |line| envelopes.read(line, lines));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                tracing::warn!(%error, "a log file cannot be read on");
                self.ended = true;
            }
        }
        for mut line in self.lines.drain(..) {
            if let Some(host) = &self.host {
                line.host = Some(Arc::clone(host));
            }
            self.tally.count(&line);
            let entry = Entry::read(line).map(|entry| Entry {
                here: self.host.is_none(),
                ..entry
            });
            self.tally.count_entry(entry.as_ref());
            self.ready.extend(entry);
        }
        self.ready.reverse();
    }
}
