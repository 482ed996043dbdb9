//! keepalived's notification pipe.

use std::path::Path;

use nix::{sys::stat::Mode, unistd::mkfifo};
use tokio::{
    io::AsyncReadExt as _,
    net::unix::pipe::{OpenOptions, Receiver},
    sync::mpsc,
};

use super::{SourceError, split::Splitter, wall_clock};
use crate::{
    log::{Entry, Window, fifo},
    model::Span,
};

/// Starts a task that reads the pipe. Where there is none yet it is made: keepalived takes one that
/// is there.
pub(super) fn spawn(path: &Path, queue: mpsc::Sender<Vec<Entry>>) -> Result<(), SourceError> {
    let error = || SourceError::io(path.display());
    if !path.exists() {
        mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR).map_err(|errno| error()(errno.into()))?;
    }
    // Opened for writing, too: it does not end when keepalived closes its side.
    let pipe = OpenOptions::new()
        .read_write(true)
        .open_receiver(path)
        .map_err(error())?;
    tokio::spawn(read(pipe, queue));
    Ok(())
}

async fn read(mut pipe: Receiver, queue: mpsc::Sender<Vec<Entry>>) {
    let mut lines = Splitter::default();
    let mut chunk = vec![0; 4 << 10];
    while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
        let time = Window::new(wall_clock(), Span::ZERO);
        let mut batch = Vec::new();
        lines.push(&chunk[..count], |line| {
            let line = String::from_utf8_lossy(line);
            batch.extend(fifo::read(&line).map(|read| read.into_entry(&line, time)));
        });
        if !batch.is_empty() && queue.send(batch).await.is_err() {
            return;
        }
    }
}
