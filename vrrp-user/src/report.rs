//! Records to output: text for people, JSON Lines for programs, pcapng for Wireshark.
//!
//! A [`Report`] formats and writes what it is given and keeps the limits of `--only` and `--count`.
//! It does not change what a record means, and it does not hold the network up: live capture drives
//! it from a thread of its own ([`Writer`]).

mod pcapng;
mod target;
mod text;
mod writer;

use std::{collections::BTreeSet, io, path::PathBuf};

pub use pcapng::PcapngFile;
pub use target::{Target, TargetError};
pub use text::Style;
pub use writer::Writer;

use crate::{
    escape,
    frame::Frame,
    record::{Kind, Record},
};

/// How records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A line a record, in the manner of tcpdump.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Where and what to write.
#[derive(Clone, Debug, Default)]
pub struct ReportSettings {
    /// Form of the records.
    pub format: Format,
    /// File to append to; standard output without one.
    pub output: Option<PathBuf>,
    /// Kinds of records to write; all where it is empty.
    pub only: BTreeSet<Kind>,
    /// End after this many records about the network.
    pub count: Option<u64>,
    /// File to keep the frames in.
    pub frames: Option<PathBuf>,
}

/// The output of a run.
#[derive(Debug)]
pub struct Report {
    format: Format,
    style: Style,
    target: Target,
    only: BTreeSet<Kind>,
    remaining: Option<u64>,
    frames: Option<PcapngFile>,
    line: String,
}

/// Whether a report wants more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appetite {
    /// Yes.
    More,
    /// No: the count is reached.
    Enough,
}

impl Report {
    /// Opens the output.
    ///
    /// # Errors
    /// A file cannot be opened or created.
    pub fn open(settings: &ReportSettings) -> Result<Self, TargetError> {
        let target = match &settings.output {
            Some(path) => Target::append(path)?,
            None => Target::stdout(),
        };
        let style = Style {
            coloured: target.wants_colour(),
        };
        let frames = settings
            .frames
            .as_deref()
            .map(PcapngFile::create)
            .transpose()?;
        Ok(Self {
            format: settings.format,
            style,
            target,
            only: settings.only.clone(),
            remaining: settings.count,
            frames,
            line: String::new(),
        })
    }

    /// Writes a record, if it is of a kind that is wanted.
    ///
    /// # Errors
    /// The output refuses; `BrokenPipe` where its reader has gone.
    pub fn record(&mut self, record: &Record) -> io::Result<Appetite> {
        let kind = record.body.kind();
        if !self.only.is_empty() && !self.only.contains(&kind) {
            return Ok(Appetite::More);
        }
        let counts = !matches!(kind, Kind::Start | Kind::Loss | Kind::Summary);
        if counts && self.remaining == Some(0) {
            return Ok(Appetite::Enough);
        }
        self.line.clear();
        match self.format {
            Format::Text => self.style.line(record, &mut self.line),
            Format::Json => self.line.push_str(&escape::json(record)?),
        }
        self.line.push('\n');
        self.target.write(self.line.as_bytes())?;
        if counts && let Some(remaining) = &mut self.remaining {
            *remaining -= 1;
            if *remaining == 0 {
                return Ok(Appetite::Enough);
            }
        }
        Ok(Appetite::More)
    }

    /// Keeps a frame, where frames are kept.
    ///
    /// # Errors
    /// The file refuses.
    pub fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        match &mut self.frames {
            Some(file) => file.write(frame),
            None => Ok(()),
        }
    }

    /// Whether [`Report::frame`] does anything.
    pub const fn keeps_frames(&self) -> bool {
        self.frames.is_some()
    }

    /// Hands what is buffered to the system.
    ///
    /// # Errors
    /// The output refuses.
    pub fn flush(&mut self) -> io::Result<()> {
        self.target.flush()?;
        self.frames.as_mut().map_or(Ok(()), PcapngFile::flush)
    }

    /// Opens the output file anew, after it was rotated away.
    ///
    /// # Errors
    /// It cannot be opened; what was opened before stays in use.
    pub fn reopen(&mut self) -> Result<(), TargetError> {
        self.target.reopen()
    }
}
