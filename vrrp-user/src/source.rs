//! Where log lines come from: files, the journal, notification pipes.
//!
//! Live, each source has a reader of its own, which takes lines out of their envelopes and reads
//! what they say; only what concerns VRRP goes on, in batches, through a queue of fixed size. A
//! reader whose queue is full waits: a file and a journal keep what is not read yet, and nothing
//! here ever keeps the ring buffer waiting.
//!
//! ```text
//! file    --thread--.
//! journal --task----+--> queue --> Live --> Observer
//! pipe    --task----'
//! ```

mod fifo;
mod follow;
mod journal;
mod recorded;
mod split;
mod tally;

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use jiff::tz::TimeZone;
use tokio::sync::mpsc::{self, error::TrySendError};

pub use journal::JournalSettings;
pub use recorded::{OpenLogError, RecordedLogs};

use crate::{
    log::{Calendar, Entry, Envelopes, LogLine},
    model::Timestamp,
    record::{Unread, UnreadRecord},
};
use tally::Tally;

/// A log file, as named on the command line: `[HOST=]PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Host whose log it is; `None` for the host that is watched, or that the capture is from.
    pub host: Option<Arc<str>>,
    /// The file.
    pub path: PathBuf,
}

impl FromStr for LogFile {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.split_once('=') {
            Some((host, path)) if !host.is_empty() && !host.contains('/') => Self {
                host: Some(host.into()),
                path: path.into(),
            },
            _ => Self {
                host: None,
                path: text.into(),
            },
        })
    }
}

impl fmt::Display for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "{host}=")?;
        }
        self.path.display().fmt(f)
    }
}

/// What is read live, and how.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// Files to follow.
    pub files: Vec<LogFile>,
    /// Whether files are read from their start. Else what is written from now on counts, and the last
    /// lines before that tell what the daemons are.
    pub from_start: bool,
    /// The journal, if it is read.
    pub journal: Option<JournalSettings>,
    /// keepalived's notification pipe.
    pub notify_fifo: Option<PathBuf>,
    /// Zone of the lines that name none.
    pub zone: TimeZone,
}

/// Where logs are when nobody says.
const USUAL_FILES: [&str; 2] = ["/var/log/syslog", "/var/log/messages"];
const USUAL_JOURNALS: [&str; 2] = ["/run/log/journal", "/var/log/journal"];

impl LogSettings {
    /// The sources of a host on which nothing else was asked for: the journal if there is one, else
    /// the usual file, whichever exists.
    pub fn usual(zone: TimeZone) -> Self {
        let journal = USUAL_JOURNALS
            .iter()
            .any(|path| std::path::Path::new(path).is_dir())
            .then(JournalSettings::default);
        let file = USUAL_FILES
            .iter()
            .map(PathBuf::from)
            .find(|path| journal.is_none() && path.exists());
        Self {
            files: file
                .into_iter()
                .map(|path| LogFile { host: None, path })
                .collect(),
            from_start: false,
            journal,
            notify_fifo: None,
            zone,
        }
    }
}

impl LogSettings {
    /// What is read, in words.
    pub fn describe(&self) -> Vec<String> {
        let files = self.files.iter().map(|file| format!("log {file}"));
        let journal = self.journal.iter().map(|journal| match &journal.directory {
            Some(directory) => format!("journal {}", directory.display()),
            None => "journal".to_owned(),
        });
        let pipe = self.notify_fifo.iter();
        let pipe = pipe.map(|path| format!("notifications {}", path.display()));
        files.chain(journal).chain(pipe).collect()
    }

    /// Those of them that do not exist yet.
    pub fn missing(&self) -> Vec<String> {
        let files = self.files.iter().filter(|file| !file.path.exists());
        let files = files.map(|file| format!("log {file}"));
        let journal = self.journal.iter().filter_map(|it| it.directory.as_ref());
        let journal = journal.filter(|path| !path.is_dir());
        let journal = journal.map(|path| format!("journal {}", path.display()));
        let pipe = self.notify_fifo.iter().filter(|path| !path.exists());
        let pipe = pipe.map(|path| format!("notifications {}", path.display()));
        files.chain(journal).chain(pipe).collect()
    }
}

/// Lines that go through the queue at once.
const BATCH: usize = 256;
/// Lines after which one of a log should have been understood.
const ENOUGH: u64 = 10;
/// Batches under way.
const QUEUE: usize = 64;

/// The live sources.
#[derive(Debug)]
pub struct Logs {
    entries: mpsc::Receiver<Vec<Entry>>,
    unread: mpsc::Receiver<UnreadRecord>,
    /// Keeps the queue open where there is no source.
    _open: mpsc::Sender<Vec<Entry>>,
}

impl Logs {
    /// Starts to read. `now` is the time around which lines without a year are written.
    ///
    /// # Errors
    /// A source cannot be read at all.
    pub fn start(settings: &LogSettings, now: Timestamp) -> Result<Self, SourceError> {
        let (queue, entries) = mpsc::channel(QUEUE);
        let (complaints, unread) = mpsc::channel(settings.files.len().max(1));
        let envelopes = Envelopes::new(Calendar::new(settings.zone.clone(), now));
        for file in &settings.files {
            let intake = Intake {
                complaint: Some((file.to_string(), complaints.clone())),
                ..Intake::new(file.host.clone(), envelopes.clone(), queue.clone())
            };
            follow::spawn(file.path.clone(), settings.from_start, intake)?;
        }
        if let Some(journal) = &settings.journal {
            let intake = Intake::new(None, envelopes, queue.clone());
            journal::spawn(journal.clone(), intake)?;
        }
        if let Some(path) = &settings.notify_fifo {
            fifo::spawn(path, queue.clone())?;
        }
        Ok(Self {
            entries,
            unread,
            _open: queue,
        })
    }

    /// The next lines. May be cancelled without loss.
    pub async fn next(&mut self) -> Vec<Entry> {
        match self.entries.recv().await {
            Some(entries) => entries,
            None => std::future::pending().await,
        }
    }

    /// A log in which nothing is understood, if one was found since the last call.
    pub fn try_unread(&mut self) -> Option<UnreadRecord> {
        self.unread.try_recv().ok()
    }

    /// Lines that are at hand already.
    pub fn try_next(&mut self) -> Option<Vec<Entry>> {
        self.entries.try_recv().ok()
    }
}

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The system refuses.
    #[error("cannot read {what}")]
    Io {
        /// The source.
        what: String,
        /// Why.
        source: std::io::Error,
    },
}

impl SourceError {
    fn io(what: impl fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io {
            what: what.to_string(),
            source,
        }
    }
}

/// What a reader does with the lines it finds.
struct Intake {
    /// Name of the host, where the source was given one; it goes before what a line says.
    host: Option<Arc<str>>,
    envelopes: Envelopes,
    queue: mpsc::Sender<Vec<Entry>>,
    lines: Vec<LogLine>,
    batch: Vec<Entry>,
    tally: Tally,
    /// Name of a file, and where to tell that nothing in it is understood; told once.
    complaint: Option<(String, mpsc::Sender<UnreadRecord>)>,
    /// What is taken was written before the watch began.
    past: bool,
    /// So was what was written before this time.
    past_until: Option<Timestamp>,
}

/// Nobody reads the queue any more.
struct Closed;

impl Intake {
    fn new(host: Option<Arc<str>>, envelopes: Envelopes, queue: mpsc::Sender<Vec<Entry>>) -> Self {
        Self {
            host,
            envelopes,
            queue,
            lines: Vec::new(),
            batch: Vec::new(),
            tally: Tally::default(),
            complaint: None,
            past: false,
            past_until: None,
        }
    }

    /// Takes in that time has come to `now`.
    fn advance(&mut self, now: Timestamp) {
        self.envelopes.advance(now);
    }

    /// Takes a line.
    fn take(&mut self, raw: &[u8]) {
        self.envelopes.read(raw, &mut self.lines);
        for mut line in self.lines.drain(..) {
            if let Some(host) = &self.host {
                line.host = Some(Arc::clone(host));
            }
            let until = self.past_until;
            let is_old = |end: Timestamp| until.is_some_and(|until| end < until);
            let past = self.past || line.time.is_some_and(|time| is_old(time.end));
            self.tally.count(&line);
            let entry = Entry::read(line).map(|entry| Entry {
                here: self.host.is_none(),
                past,
                ..entry
            });
            self.tally.count_entry(entry.as_ref());
            self.batch.extend(entry);
        }
        if self.tally.lines() >= ENOUGH
            && let Some((name, complaints)) = self.complaint.take()
            && self.tally.is_opaque()
        {
            let record = self.tally.record(name, Unread::NotUnderstood);
            // There is room for one of each file.
            let _: Result<(), TrySendError<UnreadRecord>> = complaints.try_send(record);
        }
    }

    fn is_full(&self) -> bool {
        self.batch.len() >= BATCH
    }

    /// Passes on what was taken, unless the queue is full. Returns whether it did.
    fn try_pass(&mut self) -> Result<bool, Closed> {
        if self.queue.is_closed() {
            return Err(Closed);
        }
        if self.batch.is_empty() {
            return Ok(true);
        }
        match self.queue.try_reserve() {
            Ok(place) => {
                place.send(std::mem::take(&mut self.batch));
                Ok(true)
            }
            Err(TrySendError::Full(())) => Ok(false),
            Err(TrySendError::Closed(())) => Err(Closed),
        }
    }

    /// Passes on what was taken; waits while the queue is full.
    async fn pass(&mut self) -> Result<(), Closed> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        self.queue.send(batch).await.or(Err(Closed))
    }
}

/// The time by the wall clock, in which logs are written.
fn wall_clock() -> Timestamp {
    let now = jiff::Timestamp::now().as_nanosecond();
    Timestamp::from_nanos(u64::try_from(now).unwrap_or_default())
}

#[cfg(test)]
mod tests;
