//! `vrrpwatch replay`: the observer driven by capture files.

use std::{io, time::Duration};

use super::{Failure, Outcome, complain, settings};
use crate::{
    cli::ReplayArgs,
    model::Timestamp,
    observer::{Observer, Output},
    record::Start,
    replay::{Input, Item, ReadError, Replay, inputs},
    report::{Appetite, Report},
};

pub(super) fn replay(args: &ReplayArgs) -> Result<Outcome, Failure> {
    let inputs = inputs(&args.files);
    let live = inputs.iter().any(Input::is_live);
    let mut replay = Replay::open(inputs)?;
    let mut run = Run {
        observer: Observer::new(settings(&args.output, None)?),
        report: Report::open(&args.output.report())?,
        files: args
            .files
            .iter()
            .map(|file| file.display().to_string())
            .collect(),
        duration: args.output.duration,
        end: None,
        live,
    };
    let mut unreadable = false;
    let result = loop {
        match replay.next_item() {
            None => break run.finish(),
            Some(Err(error)) => {
                complain(&error);
                // A cut file is what a killed recorder leaves behind; all it holds was read.
                if !matches!(error, ReadError::Truncated { .. }) {
                    unreadable = true;
                }
            }
            Some(Ok(item)) => match run.take(&item) {
                Ok(Appetite::More) => {}
                Ok(Appetite::Enough) => break run.finish(),
                Err(error) => break Err(error),
            },
        }
    };
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Fine),
        Err(error) => Err(Failure::Write(error)),
        Ok(()) if unreadable => Ok(Outcome::Unreadable),
        Ok(()) if args.fail_on.fails(run.observer.worst()) => Ok(Outcome::Findings),
        Ok(()) => Ok(Outcome::Fine),
    }
}

struct Run {
    observer: Observer,
    report: Report,
    files: Vec<String>,
    duration: Option<Duration>,
    /// When `--for` ends the run, in the time of the capture.
    end: Option<Timestamp>,
    /// The input is a pipe: whoever reads the output wants to see each record as it comes.
    live: bool,
}

impl Run {
    fn take(&mut self, item: &Item) -> io::Result<Appetite> {
        let time = item.time();
        let end = match self.end {
            Some(end) => end,
            None => {
                let start = self.start();
                self.observer.handle_start(time, start);
                *self
                    .end
                    .insert(self.duration.map_or(Timestamp::MAX, |span| time + span))
            }
        };
        if time > end {
            return Ok(Appetite::Enough);
        }
        match item {
            Item::Frame(frame) => {
                if self.observer.handle_frame(frame) {
                    self.report.frame(frame)?;
                }
            }
            Item::Loss { time, lost } => self.observer.handle_loss(*time, lost),
        }
        self.drain()
    }

    fn start(&mut self) -> Start {
        Start {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kernel: None,
            attachments: Vec::new(),
            files: std::mem::take(&mut self.files),
            notes: Vec::new(),
        }
    }

    fn drain(&mut self) -> io::Result<Appetite> {
        let mut appetite = Appetite::More;
        while let Some(output) = self.observer.poll_output() {
            match output {
                Output::Record(record) => {
                    if self.report.record(&record)? == Appetite::Enough {
                        appetite = Appetite::Enough;
                    }
                }
                // No kernel filter to tell.
                Output::Request(_) => {}
            }
        }
        if self.live {
            self.report.flush()?;
        }
        Ok(appetite)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.observer.finish();
        self.drain()?;
        self.report.flush()
    }
}
