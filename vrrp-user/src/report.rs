//! Records to output: text for people, JSON Lines for programs, pcapng for Wireshark.
//!
//! A [`Report`] formats and writes what it is given and keeps the limits of `--only` and `--count`.
//! It does not change what a record means, and it does not hold the network up: live capture drives
//! it from a thread of its own ([`Writer`]).

mod pcapng;
mod sink;
mod text;
mod writer;

use std::{collections::BTreeSet, io, iter, path::PathBuf};

pub use pcapng::PcapngFile;
pub use sink::TargetError;
pub use text::Style;
pub use writer::Writer;

use sink::Sink;

use crate::{
    chain::Chain,
    escape,
    file::write::append,
    frame::Frame,
    record::{Body, Kind, Record},
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
    /// Whether that file is replaced if it is there, and not appended to.
    pub overwrite: bool,
}

/// The output of a run.
#[derive(Debug)]
pub struct Report {
    format: Format,
    style: Style,
    target: Sink,
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
        let (target, style) = match &settings.output {
            Some(path) => (Sink::file(path, append, append)?, Style::default()),
            None => (Sink::stdout()?, Style::of_stdout()),
        };
        let frames = settings.frames.as_deref();
        let frames = frames.map(|path| PcapngFile::open(path, settings.overwrite));
        let frames = frames.transpose()?;
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
    /// `BrokenPipe` where the reader of the output has gone. What else keeps the output from being
    /// written is told when it ends.
    pub fn record(&mut self, record: &Record) -> io::Result<Appetite> {
        let kind = record.body.kind();
        if !self.only.is_empty() && !self.only.contains(&kind) && !tells_of_blindness(record) {
            return Ok(Appetite::More);
        }
        let counts = !matches!(
            kind,
            Kind::Start | Kind::Loss | Kind::Unread | Kind::Summary
        );
        if counts && self.remaining == Some(0) {
            return Ok(Appetite::Enough);
        }
        self.line.clear();
        match self.format {
            Format::Text => self.style.line(record, &mut self.line),
            Format::Json => self.line.push_str(&escape::json(record)?),
        }
        self.line.push('\n');
        let line = self.line.as_bytes();
        self.target
            .write(|_, bytes| bytes.extend_from_slice(line))?;
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
    /// Never with a file that is one.
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
    /// `BrokenPipe` where the reader of the output has gone.
    pub fn flush(&mut self) -> io::Result<()> {
        self.sinks().try_for_each(Sink::flush)
    }

    /// Opens the files anew, after they were rotated away.
    ///
    /// # Errors
    /// One cannot be opened; what was opened before stays in use.
    pub fn reopen(&mut self) -> Result<(), TargetError> {
        // One that fails is no reason not to try the other.
        let results: Vec<_> = self.sinks().map(Sink::reopen).collect();
        results.into_iter().collect()
    }

    /// How many records and frames could not be written since the last call, as far as there is
    /// somebody to tell: not while the output itself is what fails.
    pub fn take_unwritten(&mut self) -> u64 {
        if self.target.is_failing() {
            return 0;
        }
        self.sinks().map(Sink::take_untold).sum()
    }

    /// Ends the output.
    ///
    /// # Errors
    /// `BrokenPipe` where its reader has gone; records or frames could not be written.
    pub fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        let unwritten = self.sinks().filter_map(Sink::take_unwritten);
        let words: Vec<String> = unwritten.map(|it| Chain(&it).to_string()).collect();
        if words.is_empty() {
            Ok(())
        } else {
            Err(io::Error::other(words.join("; ")))
        }
    }

    fn sinks(&mut self) -> impl Iterator<Item = &mut Sink> {
        let frames = self.frames.as_mut().map(PcapngFile::sink);
        iter::once(&mut self.target).chain(frames)
    }
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

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;
    use crate::{
        model::Timestamp,
        record::{Loss, LossReason, Start},
    };

    #[test]
    fn who_asks_for_a_part_is_told_what_was_not_seen() {
        let path = std::env::temp_dir().join(format!("vrrpwatch-only-{}", std::process::id()));
        let mut report = Report::open(&ReportSettings {
            output: Some(path.clone()),
            only: BTreeSet::from([Kind::Finding]),
            format: Format::Json,
            ..ReportSettings::default()
        })
        .expect("a file");
        let start = |notes: &[&str]| {
            Body::Start(Start {
                version: String::new(),
                kernel: None,
                attachments: Vec::new(),
                sources: Vec::new(),
                files: Vec::new(),
                notes: notes.iter().map(|note| (*note).to_owned()).collect(),
            })
        };
        let lost = BTreeMap::from([(LossReason::RingFull, 7)]);
        for body in [
            start(&[]),
            start(&["not watching eth1"]),
            Body::Loss(Loss { lost }),
        ] {
            let record = Record {
                time: Timestamp::default(),
                interface: None,
                vlan: Vec::new(),
                direction: None,
                observer: None,
                body,
            };
            assert_eq!(report.record(&record).expect("room"), Appetite::More);
        }
        report.flush().expect("room");
        let written = fs::read_to_string(&path).expect("a file");
        fs::remove_file(&path).expect("a file");
        let kinds: Vec<&str> = written
            .lines()
            .map(|line| {
                if line.contains("\"loss\"") {
                    "loss"
                } else {
                    "start"
                }
            })
            .collect();
        assert_eq!(kinds, ["start", "loss"], "{written}");
        assert!(written.contains("not watching eth1"), "{written}");
    }
}
