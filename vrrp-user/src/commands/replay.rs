//! `vrrpwatch replay`: the observer driven by capture files.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use super::{Failure, Outcome, complain, fresh_key, fresh_run, read_conf};
use crate::{
    cli::ReplayArgs,
    input::{Input, News},
    model::{Span, Timestamp},
    observer::{Observer, Output, Settings},
    record::{LossReason, Start},
    replay::{CaptureSource, Item, Replay, capture_sources},
    report::{Appetite, Report},
    source::RecordedLogs,
};

pub(super) fn replay(args: &ReplayArgs) -> Result<Outcome, Failure> {
    let inputs = capture_sources(&args.files);
    let live = inputs.iter().any(CaptureSource::is_live);
    let mut replay = Replay::open(inputs)?;
    let settings = args.settings(fresh_key()?, fresh_run()?)?;
    let is_alone =
        args.files.len() == 1 && settings.conf.is_none() && settings.logs.files.is_empty();
    let conf = settings.conf.as_deref();
    let conf = conf.map(|path| read_conf(path, &settings.observer.key));
    let conf = conf.transpose()?.map(|(_, conf)| conf);
    let report = Report::open(&settings.report)?;
    let mut run = Run {
        observer: Observer::new(settings.observer),
        recording: None,
        logs: RecordedLogs::open(&settings.logs.files, settings.logs.zone)?,
        began: None,
        last: None,
        report,
        files: args
            .files
            .iter()
            .map(|file| file.display().to_string())
            .collect(),
        duration: settings.duration,
        end: None,
        live,
    };
    if let Some(conf) = conf {
        run.tell(Timestamp::default(), News::Conf(conf));
    }
    let mut unreadable = false;
    let result = loop {
        match replay.next_item() {
            None => break run.finish(),
            Some(Err(error)) => {
                complain(&error);
                unreadable |= !error.is_partial();
            }
            Some(Ok(Item::Settings(settings))) if is_alone => run.begin_recording(*settings),
            Some(Ok(Item::Settings(_))) => return Err(Failure::NotAlone),
            Some(Ok(item)) => match run.take(item) {
                Ok(Appetite::More) => {}
                Ok(Appetite::Enough) => break run.finish(),
                Err(error) => break Err(error),
            },
        }
    };
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // Nobody reads the records any more. What is kept beside them is written all the same.
            run.report.finish().map_err(Failure::Write)?;
            Ok(Outcome::Fine)
        }
        Err(error) => Err(Failure::Write(error)),
        Ok(()) if unreadable => Ok(Outcome::Unreadable),
        Ok(()) if args.fail_on.fails(run.observer.worst()) => Ok(Outcome::Findings),
        Ok(()) => Ok(Outcome::Fine),
    }
}

/// Lines within this time before the capture are reported with it.
const PRELUDE: Span = Span::from_secs(10);
/// Lines within this time after it are reported, too.
const POSTLUDE: Span = Span::from_secs(10);

struct Run {
    observer: Observer,
    /// Of a recording, which has everything else in it.
    recording: Option<Recording>,
    logs: RecordedLogs,
    /// Time of the first item of the capture.
    began: Option<Timestamp>,
    /// Time of the last one.
    last: Option<Timestamp>,
    report: Report,
    files: Vec<String>,
    duration: Option<Duration>,
    /// When `--for` ends the run, in the time of the capture.
    end: Option<Timestamp>,
    /// The input is a pipe: whoever reads the output wants to see each record as it comes.
    live: bool,
}

/// A recording that is replayed.
struct Recording {
    observer: Option<Arc<str>>,
    /// Its run came to an end, and was not cut.
    is_finished: bool,
}

impl Recording {
    fn input(&self, news: News) -> Input {
        Input {
            observer: self.observer.clone(),
            news,
        }
    }
}

impl Run {
    fn tell(&mut self, at: Timestamp, news: News) {
        self.observer.handle(at, &news.into());
    }

    fn take(&mut self, item: Item) -> io::Result<Appetite> {
        let time = item.time();
        if let Some(recording) = &mut self.recording {
            let input = match item {
                Item::Told(_, input) => *input,
                Item::Frame(frame) => recording.input(News::Frame(frame)),
                Item::Loss { lost, .. } => recording.input(News::Loss(lost)),
                Item::Settings(_) => return Ok(Appetite::More),
            };
            recording.is_finished |= input.news == News::Finish;
            self.observer.handle(time, &input);
            self.last = Some(time);
            return self.drain();
        }
        let unwritten = self.report.take_unwritten();
        self.tell_unwritten(unwritten);
        let end = match self.end {
            Some(end) => end,
            None => {
                self.begin(time);
                *self
                    .end
                    .insert(self.duration.map_or(Timestamp::MAX, |span| time + span))
            }
        };
        if time > end {
            return Ok(Appetite::Enough);
        }
        while let Some((written, entry)) = self.logs.next_until(time) {
            self.tell(written, News::Log(entry));
        }
        self.began.get_or_insert(time);
        self.last = Some(time);
        match item {
            Item::Frame(frame) => self.tell(time, News::Frame(frame)),
            Item::Loss { lost, .. } => self.tell(time, News::Loss(lost)),
            // Only in a recording.
            Item::Settings(_) | Item::Told(..) => {}
        }
        self.drain()
    }

    /// What follows was told to an observer that was set up so, in this order.
    fn begin_recording(&mut self, settings: Settings) {
        let frames = self.observer.settings().frames;
        self.recording = Some(Recording {
            observer: settings.observer.clone(),
            is_finished: false,
        });
        self.observer = Observer::new(Settings { frames, ..settings });
    }

    /// The capture begins. What was logged before tells who the daemons are, not what they do.
    fn begin(&mut self, time: Timestamp) {
        self.logs.begin(time);
        while let Some((_, entry)) = self.logs.next_until(time - PRELUDE) {
            self.tell(time, News::Recall(entry));
        }
        let start = self.start();
        self.tell(time, News::Start(start));
    }

    /// Tells of logs that told nothing: they are of another time, or in a format that is not known.
    fn tell_unread(&mut self) {
        let Some((begin, last)) = self.began.zip(self.last) else {
            return;
        };
        for unread in self.logs.unread(begin, last, PRELUDE.max(POSTLUDE)) {
            complain(&unread);
            self.tell(last, News::Unread(unread));
        }
    }

    /// Tells of what outputs did not take.
    fn tell_unwritten(&mut self, count: u64) {
        if let Some(last) = self.last
            && count > 0
        {
            let lost = BTreeMap::from([(LossReason::OutputFailed, count)]);
            self.tell(last, News::Loss(lost));
        }
    }

    /// The capture ended, and time with it: what was logged right after is still about it.
    fn end_logs(&mut self) {
        let Some(last) = self.last else { return };
        while let Some((_, entry)) = self.logs.next_until(last + POSTLUDE) {
            self.tell(last, News::Afterword(entry));
        }
    }

    fn start(&mut self) -> Start {
        Start {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            schema: crate::record::SCHEMA,
            kernel: None,
            attachments: Vec::new(),
            sources: Vec::new(),
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
                Output::Frame(frame) => self.report.frame(&frame)?,
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
        let is_finished = match &self.recording {
            Some(recording) => recording.is_finished,
            None => {
                self.end_logs();
                self.tell_unread();
                let unwritten = self.report.settle()?;
                self.tell_unwritten(unwritten);
                false
            }
        };
        if !is_finished {
            self.tell(self.last.unwrap_or_default(), News::Finish);
        }
        self.drain()?;
        self.report.finish()
    }
}
