//! One of a run's outputs: its sink, what of the run it takes, and what its reader is still owed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use super::{
    Content, OutputSettings, Place,
    sink::{self, Sink},
    target::{TargetError, Unwritten},
};
use crate::{
    frame::Frame,
    input::Input,
    model::Timestamp,
    record::{Body, Kind, Loss, LossReason, Record},
};

/// A sink, and what it is to take.
#[derive(Debug)]
pub(super) struct Outlet {
    sink: Box<dyn Sink>,
    place: Place,
    content: Content,
    /// Losses that were told while the sink took nothing.
    owed: BTreeMap<LossReason, u64>,
    /// The records and frames that it does not take are counted on, but it was told that there are
    /// some.
    is_told: bool,
}

impl Outlet {
    /// # Errors
    /// A file cannot be opened or created.
    pub(super) fn open(settings: &OutputSettings) -> Result<Self, TargetError> {
        Ok(Self {
            sink: sink::open(settings)?,
            place: settings.place.clone(),
            content: settings.content.clone(),
            owed: BTreeMap::new(),
            is_told: false,
        })
    }

    pub(super) const fn place(&self) -> &Place {
        &self.place
    }

    pub(super) const fn content(&self) -> &Content {
        &self.content
    }

    /// Writes a record. What was lost while the sink took nothing is told with the next loss.
    ///
    /// # Errors
    /// Its reader has gone, here and in what follows.
    pub(super) fn record(&mut self, record: &Record) -> io::Result<()> {
        let Body::Loss(told) = &record.body else {
            return self.sink.record(record);
        };
        let mut lost = std::mem::take(&mut self.owed);
        for (reason, count) in &told.lost {
            *lost.entry(*reason).or_default() += count;
        }
        self.sink.record(&Record {
            body: Body::Loss(Loss { lost: lost.clone() }),
            ..record.clone()
        })?;
        self.sink.flush()?;
        if self.sink.is_failing() {
            self.owed = lost;
        }
        Ok(())
    }

    pub(super) fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        self.sink.frame(frame)
    }

    pub(super) fn input(&mut self, at: Timestamp, input: &Input) -> io::Result<()> {
        self.sink.input(at, input)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }

    /// # Errors
    /// The file cannot be opened; what was opened before stays in use.
    pub(super) fn reopen(&mut self) -> Result<(), TargetError> {
        self.sink.reopen()
    }

    /// How many records or frames were not written since the last call, as far as that is news: when
    /// the sink begins to fail, and when it has stopped. A disk that stays full would make each loss a
    /// new one.
    pub(super) fn take_unwritten(&mut self) -> u64 {
        if !self.sink.is_failing() {
            self.is_told = false;
        } else if self.is_told {
            return 0;
        }
        let count = self.sink.take_untold();
        self.is_told |= count > 0 && self.sink.is_failing();
        count
    }

    /// How many were not written since the last call, news or not: the run ends. Before, what is
    /// buffered is handed to the system.
    ///
    /// # Errors
    /// As above.
    pub(super) fn settle(&mut self) -> io::Result<u64> {
        self.sink.flush()?;
        Ok(self.sink.take_untold())
    }

    /// Ends the output. Returns what could not be written to it.
    pub(super) fn finish(&mut self) -> io::Result<Option<Unwritten>> {
        self.sink.flush()?;
        Ok(self.sink.take_unwritten())
    }
}

impl Content {
    /// Whether a record is one of those that are wanted.
    pub(super) fn admits(&self, record: &Record) -> bool {
        match self {
            Self::Records { only, .. } => admits(only, record),
            Self::Frames { .. } | Self::Recording { .. } => false,
        }
    }

    /// Whether there are records in it.
    pub const fn is_records(&self) -> bool {
        matches!(self, Self::Records { .. })
    }
}

fn admits(only: &BTreeSet<Kind>, record: &Record) -> bool {
    only.is_empty() || only.contains(&record.body.kind()) || tells_of_blindness(record)
}

/// Whether a record tells that something was not seen, or is not: who asks for a part of the records must
/// not take that for silence.
const fn tells_of_blindness(record: &Record) -> bool {
    match &record.body {
        Body::Loss(_) | Body::Unread(_) => true,
        Body::Start(start) => !start.notes.is_empty(),
        _ => false,
    }
}
