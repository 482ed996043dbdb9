//! Where the bytes of a sink go: standard output or a file, through a full disk and back.
//!
//! What is written comes in pieces (a line, a block) that are of use only whole. When the system takes
//! no more, the pieces at hand are given up and counted. A second later a piece is the next try, and so
//! on until one is taken. What of a piece was written is taken back where that can be done, so that what
//! follows is read rightly.

use std::{
    fmt,
    fs::File,
    io::{self, Write as _},
    os::fd::AsFd as _,
    path::Path,
    time::{Duration, Instant},
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Place;

/// How long a target that failed is left alone: a full disk gets room in minutes, not in milliseconds.
const RETRY: Duration = Duration::from_secs(1);
/// Bytes that are written at once.
const CAPACITY: usize = 16 << 10;

/// How a file is opened to append to it.
pub(super) type Open = fn(&Path) -> io::Result<File>;

/// Standard output or a file.
pub(super) struct Target {
    place: Place,
    /// How it is opened again.
    again: Open,
    file: File,
    /// How long the file was when it was written last.
    length: u64,
    buffer: Vec<u8>,
    /// Pieces in the buffer.
    pieces: u64,
    /// When it is tried again, after it failed.
    retry: Option<Instant>,
    /// What is written next does not go on from what was written before.
    anew: bool,
    /// Half of a piece stands at the end.
    is_cut: bool,
    /// Pieces that were given up, since that was last asked.
    untold: u64,
    /// All of them, and why the last were.
    unwritten: Option<(u64, io::Error)>,
}

/// A file that cannot be opened for writing.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to {place}")]
pub struct TargetError {
    /// Which one.
    pub place: Place,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// What could not be written to a target.
#[derive(Debug, thiserror::Error)]
#[error("{count} records or frames could not be written to {place}")]
pub(super) struct Unwritten {
    place: Place,
    count: u64,
    source: io::Error,
}

impl Target {
    /// A file is opened so at first, and so when it is opened again.
    pub(super) fn open(place: &Place, first: Open, again: Open) -> Result<Self, TargetError> {
        let file = match place {
            Place::Stdout => {
                let stdout = io::stdout().as_fd().try_clone_to_owned();
                stdout.map(File::from)
            }
            Place::File(path) => first(path),
        };
        Ok(Self {
            file: file.map_err(|source| TargetError {
                place: place.clone(),
                source,
            })?,
            place: place.clone(),
            again,
            length: 0,
            buffer: Vec::new(),
            pieces: 0,
            retry: None,
            anew: true,
            is_cut: false,
            untold: 0,
            unwritten: None,
        })
    }

    /// Whether it failed, and was not written since.
    pub(super) const fn is_failing(&self) -> bool {
        self.retry.is_some()
    }

    /// Takes a piece, unless it failed a moment ago. `compose` makes the piece, and is told whether
    /// what it follows may be missing.
    ///
    /// # Errors
    /// `BrokenPipe` where its reader has gone.
    pub(super) fn write(&mut self, compose: impl FnOnce(bool, &mut Vec<u8>)) -> io::Result<()> {
        if let Some(retry) = self.retry {
            if now() < retry {
                self.give_up(1);
                return Ok(());
            }
            if let Err(error) = self.open_again() {
                self.fail(error, 1);
                return Ok(());
            }
        }
        if self.buffer.is_empty() && self.is_truncated() {
            self.anew = true;
        }
        if self.is_cut {
            self.buffer.push(b'\n');
        }
        compose(std::mem::take(&mut self.anew), &mut self.buffer);
        self.pieces += 1;
        if self.buffer.len() >= CAPACITY || self.is_failing() {
            self.flush()?;
        }
        Ok(())
    }

    /// Hands what is buffered to the system.
    ///
    /// # Errors
    /// `BrokenPipe` where its reader has gone.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let result = self.put();
        self.buffer.clear();
        let pieces = std::mem::take(&mut self.pieces);
        match result {
            Ok(()) => {
                self.is_cut = false;
                if self.retry.take().is_some() {
                    tracing::warn!("{} is written to again", self.place);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(error),
            Err(error) => self.fail(error, pieces),
        }
        Ok(())
    }

    /// Opens the file anew, after it was rotated away.
    ///
    /// # Errors
    /// It cannot be opened; what was opened before stays in use.
    pub(super) fn reopen(&mut self) -> Result<(), TargetError> {
        // What is buffered belongs into the file that was rotated away.
        let flushed = self.flush();
        flushed
            .and_then(|()| self.open_again())
            .map_err(|source| TargetError {
                place: self.place.clone(),
                source,
            })
    }

    /// How many pieces were given up since the last call.
    pub(super) const fn take_untold(&mut self) -> u64 {
        std::mem::replace(&mut self.untold, 0)
    }

    /// What could not be written over the whole run.
    pub(super) fn take_unwritten(&mut self) -> Option<Unwritten> {
        let (count, source) = self.unwritten.take()?;
        Some(Unwritten {
            place: self.place.clone(),
            count,
            source,
        })
    }

    /// Whether somebody made the file shorter, as logrotate does with `copytruncate`.
    fn is_truncated(&self) -> bool {
        matches!(self.place, Place::File(_))
            && self
                .file
                .metadata()
                .is_ok_and(|now| now.len() < self.length)
    }

    fn open_again(&mut self) -> io::Result<()> {
        if let Place::File(path) = &self.place {
            self.file = (self.again)(path)?;
            self.length = 0;
            self.anew = true;
            self.is_cut = false;
        }
        Ok(())
    }

    /// Writes the buffer. Of what is written in part, nothing stays in a file.
    fn put(&mut self) -> io::Result<()> {
        let length = match self.place {
            Place::File(_) => Some(self.file.metadata()?.len()),
            Place::Stdout => None,
        };
        let mut rest = &self.buffer[..];
        while !rest.is_empty() {
            let error = match self.file.write(rest) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(count) => {
                    rest = &rest[count..];
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // Whoever shares it has told it not to wait.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let mut room = [PollFd::new(self.file.as_fd(), PollFlags::POLLOUT)];
                    poll(&mut room, PollTimeout::NONE)?;
                    continue;
                }
                Err(error) => error,
            };
            if rest.len() < self.buffer.len() {
                let taken_back = length.is_some_and(|length| self.file.set_len(length).is_ok());
                self.is_cut = !taken_back;
            }
            return Err(error);
        }
        self.length = length.unwrap_or(0) + self.buffer.len() as u64;
        Ok(())
    }

    fn fail(&mut self, error: io::Error, pieces: u64) {
        if !self.is_failing() {
            tracing::error!(
                "cannot write to {}: {error}; it is tried again every second",
                self.place
            );
        }
        self.retry = Some(now() + RETRY);
        self.anew = true;
        let before = self.unwritten.take().map_or(0, |(count, _)| count);
        self.unwritten = Some((before, error));
        self.give_up(pieces);
    }

    const fn give_up(&mut self, pieces: u64) {
        self.untold += pieces;
        if let Some((count, _)) = &mut self.unwritten {
            *count += pieces;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a disk gets room in its own time, not in that of a capture"
)]
fn now() -> Instant {
    Instant::now()
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;

    /// A file that goes away with it.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(test: &str) -> Self {
            let name = format!("vrrpwatch-target-{test}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        /// Opens it so at first, and so again.
        fn open(&self, first: Open, again: Open) -> Target {
            Target::open(&Place::File(self.0.clone()), first, again).expect("a file")
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            // It may be gone already.
            let _: io::Result<()> = fs::remove_file(&self.0);
        }
    }

    fn full(_: &Path) -> io::Result<File> {
        File::options().write(true).open("/dev/full")
    }

    /// Writes a piece; returns what it was told of those before, if it was asked for.
    fn write(target: &mut Target, piece: &[u8]) -> Option<bool> {
        let mut told = None;
        let written = target.write(|anew, bytes| {
            told = Some(anew);
            bytes.extend_from_slice(piece);
        });
        written.expect("no pipe");
        told
    }

    #[test]
    fn a_target_that_fails_is_left_alone_and_tried_again() {
        let scratch = Scratch::new("again");
        let again: Open = |path| File::options().create(true).append(true).open(path);
        let mut target = scratch.open(full, again);
        assert_eq!(write(&mut target, b"one\n"), Some(true));
        assert_eq!(write(&mut target, b"two\n"), Some(false));
        target.flush().expect("no pipe");
        assert!(target.is_failing());
        assert_eq!(target.take_untold(), 2);
        assert_eq!(write(&mut target, b"three\n"), None, "a moment ago");
        target.retry = Some(now());
        assert_eq!(write(&mut target, b"four\n"), Some(true));
        assert!(!target.is_failing());
        assert_eq!(write(&mut target, b"five\n"), Some(false));
        target.flush().expect("no pipe");
        assert_eq!(target.take_untold(), 1);
        assert_eq!(fs::read(&scratch.0).expect("our own"), b"four\nfive\n");
        let words = target.take_unwritten().expect("three pieces").to_string();
        assert!(
            words.starts_with("3 records") && words.contains("vrrpwatch-target-again"),
            "{words}"
        );
    }

    #[test]
    fn a_target_that_goes_on_failing_counts_all() {
        let scratch = Scratch::new("still");
        let mut target = scratch.open(full, full);
        for _ in 0..3 {
            target.retry = Some(now());
            write(&mut target, b"piece\n");
        }
        let words = target.take_unwritten().expect("three pieces").to_string();
        assert!(words.starts_with("3 records"), "{words}");
    }

    #[test]
    fn what_was_truncated_begins_anew() {
        let scratch = Scratch::new("truncated");
        let open: Open = |path| File::options().create(true).append(true).open(path);
        let mut target = scratch.open(open, open);
        for (piece, anew) in [("one\n", true), ("two\n", false), ("three\n", true)] {
            assert_eq!(write(&mut target, piece.as_bytes()), Some(anew), "{piece}");
            target.flush().expect("no pipe");
            if piece == "two\n" {
                let file = File::options().write(true).open(&scratch.0);
                file.and_then(|file| file.set_len(0)).expect("our own");
            }
        }
        assert_eq!(fs::read(&scratch.0).expect("our own"), b"three\n");
    }

    #[test]
    fn what_is_reopened_begins_anew() {
        let scratch = Scratch::new("rotate");
        let rotated = Scratch::new("rotated");
        let open: Open = |path| File::options().create(true).append(true).open(path);
        let mut target = scratch.open(open, open);
        write(&mut target, b"one\n");
        fs::rename(&scratch.0, &rotated.0).expect("our own");
        target.reopen().expect("a file");
        assert_eq!(write(&mut target, b"two\n"), Some(true));
        target.flush().expect("no pipe");
        assert_eq!(fs::read(&rotated.0).expect("our own"), b"one\n");
        assert_eq!(fs::read(&scratch.0).expect("our own"), b"two\n");
    }
}
