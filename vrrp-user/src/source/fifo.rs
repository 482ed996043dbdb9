//! keepalived's notification pipe.
//!
//! keepalived makes the pipe when it starts and takes it away when it ends. So it is waited for, and
//! what has its name later is another pipe.

use std::{
    fs::OpenOptions,
    io,
    os::{
        fd::OwnedFd,
        unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use nix::fcntl::OFlag;
use tokio::{
    io::AsyncReadExt as _,
    net::unix::pipe::Receiver,
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use super::{SourceError, split::Splitter, wall_clock};
use crate::{
    log::{Entry, Window, fifo},
    model::Span,
};

/// How often it is looked for the pipe: keepalived writes to it even while nobody reads, so that
/// nothing is missed meanwhile.
const LOOK: Duration = Duration::from_millis(500);

/// Starts a task that reads the pipe, once there is one.
pub(super) fn spawn(path: &Path, queue: mpsc::Sender<Vec<Entry>>) -> Result<(), SourceError> {
    let pipe = match Pipe::open(path) {
        Ok(pipe) => Some(pipe),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(SourceError::io(path.display())(error)),
    };
    tokio::spawn(read(path.to_owned(), pipe, queue));
    Ok(())
}

/// An open pipe, known by its inode.
struct Pipe {
    receiver: Receiver,
    identity: (u64, u64),
}

impl Pipe {
    fn open(path: &Path) -> io::Result<Self> {
        let expect_fifo = |is_fifo: bool| {
            let error = || io::Error::new(io::ErrorKind::InvalidInput, "it is no FIFO");
            is_fifo.then_some(()).ok_or_else(error)
        };
        expect_fifo(std::fs::metadata(path)?.file_type().is_fifo())?;
        // Opened for writing, too: it does not end when keepalived closes its side.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
            .open(path)?;
        let metadata = file.metadata()?;
        expect_fifo(metadata.file_type().is_fifo())?;
        Ok(Self {
            receiver: Receiver::from_owned_fd(OwnedFd::from(file))?,
            identity: (metadata.dev(), metadata.ino()),
        })
    }

    /// Whether the name is still that of this pipe.
    fn has_name(&self, path: &Path) -> bool {
        std::fs::metadata(path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.identity)
    }
}

async fn read(path: PathBuf, mut pipe: Option<Pipe>, queue: mpsc::Sender<Vec<Entry>>) {
    let mut lines = Splitter::default();
    let mut chunk = vec![0; 4 << 10];
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let filled = async {
            match &mut pipe {
                Some(pipe) => pipe.receiver.read(&mut chunk).await,
                None => std::future::pending().await,
            }
        };
        // What is in a pipe is read before another one takes its place.
        let count = tokio::select! {
            biased;
            filled = filled => match filled {
                Ok(count @ 1..) => count,
                Ok(0) | Err(_) => {
                    pipe = None;
                    continue;
                }
            },
            _ = look.tick() => {
                if !pipe.as_ref().is_some_and(|pipe| pipe.has_name(&path))
                    && let Ok(new) = Pipe::open(&path)
                {
                    lines = Splitter::default();
                    pipe = Some(new);
                }
                continue;
            }
        };
        let time = Window::new(wall_clock(), Span::ZERO);
        let mut batch: Vec<Entry> = Vec::new();
        lines.push(&chunk[..count], |line| {
            let line = String::from_utf8_lossy(line);
            batch.extend(fifo::read(&line).map(|read| read.into_entry(&line, time)));
        });
        if !batch.is_empty() && queue.send(batch).await.is_err() {
            return;
        }
    }
}
