//! Following a file through all that happens to log files.
//!
//! A file may be renamed and made anew while its writer still writes to the old one, truncated in
//! place, removed, or not there yet. It is known by its inode: a new one under the name is read from
//! its start, and the old one is read on for a while. A file that is shorter than what was read of
//! it, or holds something else where that ended, was truncated.

use std::{
    fs::{File, Metadata},
    io,
    os::{
        fd::AsFd as _,
        unix::fs::{FileExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor},
};

use super::{Closed, Intake, SourceError, split::Splitter, wall_clock};
use crate::{file::open_regular, model::Timestamp};

/// A look is taken this often even if nobody says that something changed: the directory may not
/// exist yet, and network file systems tell of nothing.
const PATIENCE_MS: u16 = 500;
/// How soon a full queue is tried again.
const CONGESTION_MS: u16 = 10;
/// How long a file that was renamed is read on: its writer has to be told first.
const AFTERLIFE: Duration = Duration::from_secs(30);
/// Renamed files that are read on at a time.
const MAX_OLD: usize = 16;
/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;
/// Bytes that are read of what was written before: the last thousand lines or so, which is what a
/// daemon logs in weeks, and a busy syslog in minutes.
const LOOK_BACK: u64 = 256 << 10;
/// Bytes before the end of what was read that tell whether the file is still the same.
const TAIL: usize = 64;

/// Starts a thread that follows a file for as long as somebody takes its lines.
pub(super) fn spawn(path: PathBuf, from_start: bool, intake: Intake) -> Result<(), SourceError> {
    let what = path.display().to_string();
    let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)
        .map_err(|errno| SourceError::io(&what)(errno.into()))?;
    // The first look is taken here: what is written once this returns is not missed.
    let mut follower = Follower {
        path,
        inotify,
        watches: Vec::new(),
        current: None,
        old: Vec::new(),
        refused: None,
        intake,
        chunk: vec![0; CHUNK],
    };
    match follower.open() {
        Ok(mut file) => {
            if !from_start {
                file.look_back().map_err(SourceError::io(&what))?;
            }
            follower.current = Some(file);
        }
        // It may come later, and is then read from its start.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(SourceError::io(&what)(error)),
    }
    follower.watch();
    thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || {
            while follower.look().is_ok() {
                follower.wait(PATIENCE_MS);
            }
        })
        .map_err(SourceError::io(what))?;
    Ok(())
}

struct Follower {
    path: PathBuf,
    inotify: Inotify,
    watches: Vec<WatchDescriptor>,
    current: Option<Followed>,
    /// Files that had the name before, and until when they are read on.
    old: Vec<(Followed, Timestamp)>,
    /// What has the name and cannot be read, as was told.
    refused: Option<(u64, u64)>,
    intake: Intake,
    chunk: Vec<u8>,
}

/// An open file, and how far it was read.
struct Followed {
    file: File,
    identity: (u64, u64),
    offset: u64,
    /// The last bytes before `offset`.
    tail: Vec<u8>,
    lines: Splitter,
    at_end: bool,
    /// What stands before this was written before the watch began.
    past: u64,
    /// The first line is not whole.
    is_cut: bool,
}

impl Follower {
    fn open(&self) -> io::Result<Followed> {
        let file = open_regular(&self.path)?;
        let metadata = file.metadata()?;
        Ok(Followed {
            identity: identity(&metadata),
            file,
            offset: 0,
            tail: Vec::new(),
            lines: Splitter::default(),
            at_end: false,
            past: 0,
            is_cut: false,
        })
    }

    /// Reads whatever there is to read. Between any two pieces it looks for a new file: a reader
    /// that is behind must not miss one that is soon renamed itself.
    fn look(&mut self) -> Result<(), Closed> {
        let now = wall_clock();
        self.intake.advance(now);
        self.old
            .retain(|(file, until)| now < *until || !file.at_end);
        loop {
            self.replace(now);
            let files = self
                .old
                .iter_mut()
                .map(|(file, _)| file)
                .chain(&mut self.current);
            let mut more = false;
            for file in files {
                if file.read(&mut self.intake, &mut self.chunk) {
                    more = true;
                    break;
                }
            }
            if !more || self.intake.is_full() {
                self.pass(now)?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Passes on what was taken. While the queue is full it still looks for new files.
    fn pass(&mut self, now: Timestamp) -> Result<(), Closed> {
        while !self.intake.try_pass()? {
            self.wait(CONGESTION_MS);
            self.replace(now);
        }
        Ok(())
    }

    /// Opens the file that has the name now, if it is another one.
    fn replace(&mut self, now: Timestamp) {
        let Ok(metadata) = std::fs::metadata(&self.path) else {
            return;
        };
        let known = self.current.as_ref().map(|file| file.identity);
        if known == Some(identity(&metadata)) {
            return;
        }
        let file = match self.open() {
            Ok(file) => file,
            Err(error) => {
                if self.refused.replace(identity(&metadata)) != Some(identity(&metadata)) {
                    tracing::warn!("cannot read {:?}: {error}", self.path);
                }
                return;
            }
        };
        self.refused = None;
        if let Some(old) = self.current.replace(file) {
            self.old.push((old, now + AFTERLIFE));
            if self.old.len() > MAX_OLD {
                self.old.remove(0);
            }
        }
        self.watch();
    }

    /// Asks to be told of changes of the file and of what has its name.
    fn watch(&mut self) {
        for watch in self.watches.drain(..) {
            // Gone with the file that it was for.
            let _: nix::Result<()> = self.inotify.rm_watch(watch);
        }
        let names = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
        let directory = match self.path.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => directory,
            _ => Path::new("."),
        };
        // Where the system refuses, a look is taken anyway, only later.
        self.watches
            .extend(self.inotify.add_watch(directory, names));
        self.watches
            .extend(self.inotify.add_watch(&self.path, AddWatchFlags::IN_MODIFY));
    }

    /// Waits until something changed, or for a while.
    fn wait(&self, patience_ms: u16) {
        let mut ready = [PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN)];
        // An error is a reason to look, as well.
        let _: nix::Result<_> = poll(&mut ready, PollTimeout::from(patience_ms));
        // What it was does not matter: everything is looked at.
        while self
            .inotify
            .read_events()
            .is_ok_and(|events| !events.is_empty())
        {}
    }
}

impl Followed {
    /// Begins a little before the end.
    fn look_back(&mut self) -> io::Result<()> {
        self.past = self.file.metadata()?.len();
        self.offset = self.past.saturating_sub(LOOK_BACK);
        self.is_cut = self.offset > 0;
        let length = self.offset.min(TAIL as u64);
        self.tail = vec![0; usize::try_from(length).unwrap_or(TAIL)];
        self.file
            .read_exact_at(&mut self.tail, self.offset - length)
    }

    /// Reads a piece of the file. Returns whether there was any.
    fn read(&mut self, intake: &mut Intake, chunk: &mut [u8]) -> bool {
        if self.was_truncated() {
            self.lines.end(|line| intake.take(line));
            self.offset = 0;
            self.tail.clear();
            self.past = 0;
            self.is_cut = false;
        }
        let past = usize::try_from(self.past.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        intake.past = past > 0;
        let room = if intake.past {
            past.min(chunk.len())
        } else {
            chunk.len()
        };
        let chunk = &mut chunk[..room];
        let count = match self.file.read_at(chunk, self.offset) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return true,
            Err(error) => {
                tracing::warn!(%error, "a log file cannot be read on");
                0
            }
        };
        self.at_end = count == 0;
        let bytes = &chunk[..count];
        self.offset += count as u64;
        self.remember(bytes);
        let is_cut = &mut self.is_cut;
        self.lines.push(bytes, |line| {
            if !std::mem::take(is_cut) {
                intake.take(line);
            }
        });
        count > 0
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.tail
            .extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
    }

    /// Whether what was read is no longer there.
    fn was_truncated(&self) -> bool {
        let mut now = [0; TAIL];
        let now = &mut now[..self.tail.len()];
        self.file
            .read_exact_at(now, self.offset - self.tail.len() as u64)
            .is_err()
            || *now != *self.tail
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
