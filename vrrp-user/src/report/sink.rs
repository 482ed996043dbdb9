//! What an output does with records, frames and inputs: one kind of it, one file.
//!
//! A new kind is a file with its [`Sink`] and a line in [`open`].

use std::{fmt, io};

use super::{
    Content, Format, OutputSettings,
    json::JsonLines,
    pcapng::PcapngFile,
    recording::RecordingFile,
    target::{Target, TargetError, Unwritten},
    text::TextLines,
};
use crate::{frame::Frame, input::Input, model::Timestamp, record::Record};

/// Somewhere for records, frames or inputs to go.
///
/// An error of any method means that nobody will ever read what is written there, as with a pipe whose
/// reader has gone. What else keeps it from being written, such as a full disk, the sink bears: it
/// counts, and tries again.
pub(super) trait Sink: fmt::Debug + Send {
    /// Takes a record.
    fn record(&mut self, _record: &Record) -> io::Result<()> {
        Ok(())
    }

    /// Takes a frame.
    fn frame(&mut self, _frame: &Frame) -> io::Result<()> {
        Ok(())
    }

    /// Takes what the observer was told.
    fn input(&mut self, _at: Timestamp, _input: &Input) -> io::Result<()> {
        Ok(())
    }

    /// Where its bytes go.
    fn target(&mut self) -> &mut Target;

    /// Hands what is buffered to the system.
    fn flush(&mut self) -> io::Result<()> {
        self.target().flush()
    }

    /// Opens its file anew, after it was rotated away.
    fn reopen(&mut self) -> Result<(), TargetError> {
        self.target().reopen()
    }

    /// Whether it failed, and took nothing since.
    fn is_failing(&mut self) -> bool {
        self.target().is_failing()
    }

    /// How many records or frames it gave up since the last call.
    fn take_untold(&mut self) -> u64 {
        self.target().take_untold()
    }

    /// What it gave up over the whole run.
    fn take_unwritten(&mut self) -> Option<Unwritten> {
        self.target().take_unwritten()
    }
}

/// The sink of an output.
///
/// # Errors
/// Its file cannot be opened or created.
pub(super) fn open(output: &OutputSettings) -> Result<Box<dyn Sink>, TargetError> {
    let place = &output.place;
    Ok(match &output.content {
        Content::Records { format, .. } => match format {
            Format::Text => Box::new(TextLines::open(place)?),
            Format::Json => Box::new(JsonLines::open(place)?),
        },
        Content::Frames { replace, key } => {
            Box::new(PcapngFile::open(place, *replace, key.clone())?)
        }
        Content::Recording { settings } => Box::new(RecordingFile::open(place, settings)?),
    })
}
