//! What a process wrote to one of its streams, line by line, readable while it still runs.

use std::{
    io::{BufRead as _, BufReader, Read, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::SystemTime,
};

use anyhow::Result;

use super::deadline::{Deadline, now};

/// Where a stream is copied to as it arrives.
pub(super) type Copy = Arc<Mutex<dyn Write + Send>>;

/// The lines so far, and a bell that rings for each.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    /// When each of them was read.
    times: Vec<SystemTime>,
    /// How many of the lines a search has passed.
    read: usize,
    closed: bool,
}

impl Transcript {
    /// Takes down `stream` in a thread of its own until it ends.
    pub(super) fn of(stream: impl Read + Send + 'static, copy: Option<Copy>) -> Arc<Self> {
        let transcript = Arc::new(Self::default());
        let writer = Arc::clone(&transcript);
        thread::spawn(move || {
            let mut lines = BufReader::new(stream).split(b'\n');
            while let Some(Ok(line)) = lines.next() {
                let line = String::from_utf8_lossy(&line).into_owned();
                if let Some(copy) = &copy {
                    // A closed terminal or a full disk must not stop the process that is watched.
                    let mut copy = copy.lock().unwrap_or_else(PoisonError::into_inner);
                    let _ = writeln!(copy, "{line}").and_then(|()| copy.flush());
                }
                let mut state = writer.state();
                state.lines.push(line);
                state.times.push(now());
                drop(state);
                writer.arrived.notify_all();
            }
            writer.state().closed = true;
            writer.arrived.notify_all();
        });
        transcript
    }

    /// Finds the next line, after those that earlier searches passed, for which `wanted` holds.
    /// `None` when the stream ends before.
    pub(super) fn expect(
        &self,
        what: &str,
        deadline: Deadline,
        mut wanted: impl FnMut(&str) -> bool,
    ) -> Result<Option<String>> {
        let mut state = self.state();
        loop {
            while let Some(line) = state.lines.get(state.read).cloned() {
                state.read += 1;
                if wanted(&line) {
                    return Ok(Some(line));
                }
            }
            if state.closed {
                return Ok(None);
            }
            state = self
                .arrived
                .wait_timeout(state, deadline.next_round(what)?)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Waits until the stream has ended.
    pub(super) fn wait_closed(&self, what: &str, deadline: Deadline) -> Result<()> {
        let mut state = self.state();
        while !state.closed {
            state = self
                .arrived
                .wait_timeout(state, deadline.next_round(what)?)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        Ok(())
    }

    /// All lines so far.
    pub(super) fn lines(&self) -> Vec<String> {
        self.state().lines.clone()
    }

    /// When each of the lines so far arrived.
    pub(super) fn times(&self) -> Vec<SystemTime> {
        self.state().times.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
