//! Capture files to frames.
//!
//! pcap and pcapng, compressed by gzip or not, from files or standard input; several files are
//! merged by time. Files are streamed: memory does not grow with their size.

mod cooked;
mod reader;
mod section;
mod source;
mod strays;

use std::{collections::BinaryHeap, path::PathBuf};

pub use reader::{Item, ReadError, Reader};
pub use section::Foreign;
pub use source::{CaptureSource, OpenError};

use crate::{frame::Tap, merge::Pending};

/// Capture files, merged by the time of their frames.
pub struct Replay {
    /// Readers, numbered as the files were given.
    readers: Vec<Reader>,
    /// The next item of each reader that is not at its end.
    next: BinaryHeap<Pending<Item>>,
    /// The reader whose item was handed out last: it is asked for its next item only when the
    /// caller comes back, so that a pipe is never waited on with a frame in hand.
    owed: Vec<usize>,
}

impl Replay {
    /// Opens all inputs.
    ///
    /// # Errors
    /// The first one that cannot be opened or is not a capture file.
    pub fn open(inputs: Vec<CaptureSource>) -> Result<Self, OpenError> {
        let readers = inputs
            .into_iter()
            .enumerate()
            .map(|(number, input)| Reader::open(input, Tap(number as u64)))
            .collect::<Result<Vec<_>, _>>()?;
        let owed = (0..readers.len()).collect();
        Ok(Self {
            readers,
            next: BinaryHeap::new(),
            owed,
        })
    }

    /// The next item in order of time; `None` at the end of all files.
    ///
    /// # Errors
    /// A file that cannot be read on. It is left out from then on, and the others can be read to
    /// their ends.
    pub fn next_item(&mut self) -> Option<Result<Item, ReadError>> {
        while let Some(number) = self.owed.pop() {
            match self.readers[number].next_item() {
                Some(Ok(item)) => {
                    let time = item.time();
                    self.next.push(Pending {
                        time,
                        source: number,
                        item,
                    });
                }
                Some(Err(error)) => return Some(Err(error)),
                None => {}
            }
        }
        let Pending { source, item, .. } = self.next.pop()?;
        self.owed.push(source);
        Some(Ok(item))
    }
}

/// The inputs named on a command line; `-` is standard input.
pub fn capture_sources(files: &[PathBuf]) -> Vec<CaptureSource> {
    files
        .iter()
        .map(|path| {
            if path.as_os_str() == "-" {
                CaptureSource::Stdin
            } else {
                CaptureSource::File(path.clone())
            }
        })
        .collect()
}
