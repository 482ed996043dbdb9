//! Records and frames to outputs: text for people, JSON Lines for programs, pcapng for Wireshark.
//!
//! A run has one output or several, each with its place, its form and the records that it takes. All
//! of them get what they take in the same order, and each fails and recovers by itself. What a record
//! means does not change here.
//!
//! A replay writes as it reads ([`Report`]). In live capture, a thread of its own for each output
//! ([`Writer`]) sees to it that none of them holds up the network, or another output.

mod json;
mod outlet;
mod pcapng;
mod quota;
mod recording;
mod sink;
mod target;
mod text;
mod writer;

use std::{collections::BTreeSet, fmt, io, path::PathBuf};

pub(crate) use pcapng::TAP;
pub use quota::Appetite;
pub use target::TargetError;
pub use text::Style;
pub use writer::Writer;

use outlet::Outlet;
use quota::Quota;

use crate::{
    chain::Chain,
    frame::Frame,
    model::FingerprintKey,
    observer::Settings,
    record::{Kind, Record},
};

/// How records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One line per record, as tcpdump prints.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Where an output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Standard output.
    Stdout,
    /// A file, which is appended to.
    File(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("standard output"),
            Self::File(path) => write!(f, "{path:?}"),
        }
    }
}

/// What an output takes, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Records.
    Records {
        /// Their form.
        format: Format,
        /// The kinds that are wanted; all where it is empty.
        only: BTreeSet<Kind>,
    },
    /// The frames behind the records, as pcapng.
    Frames {
        /// Whether a file that is there is replaced, and not appended to.
        replace: bool,
        /// Under which passwords are fingerprinted; `None` where they are kept.
        key: Option<FingerprintKey>,
    },
    /// Everything that the observer is told, as pcapng.
    Recording {
        /// How the observer is set up.
        settings: Box<Settings>,
    },
}

/// One output of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputSettings {
    /// Where it goes.
    pub place: Place,
    /// What it takes.
    pub content: Content,
}

/// Where and what to write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportSettings {
    /// The outputs.
    pub outputs: Vec<OutputSettings>,
    /// End after this many records about the network.
    pub count: Option<u64>,
}

/// The outputs of a run.
#[derive(Debug)]
pub struct Report {
    outlets: Vec<Outlet>,
    quota: Quota,
}

impl Report {
    /// Opens the outputs.
    ///
    /// # Errors
    /// A file cannot be opened or created.
    pub fn open(settings: &ReportSettings) -> Result<Self, TargetError> {
        let outlets = settings.outputs.iter().map(Outlet::open);
        Ok(Self {
            outlets: outlets.collect::<Result<_, _>>()?,
            quota: Quota::new(settings.count),
        })
    }

    /// Writes a record to every output that takes records of its kind.
    ///
    /// # Errors
    /// `BrokenPipe` where nobody reads the last output of records any more, here and in what follows.
    /// What else keeps an output from being written is told when it ends.
    pub fn record(&mut self, record: &Record) -> io::Result<Appetite> {
        let wants = |outlet: &Outlet| outlet.content().admits(record);
        if self.outlets.iter().any(wants) && self.quota.take(record) {
            self.each(|outlet| {
                if outlet.content().admits(record) {
                    outlet.record(record)
                } else {
                    Ok(())
                }
            })?;
        }
        Ok(self.quota.appetite())
    }

    /// Keeps a frame, where frames are kept.
    ///
    /// # Errors
    /// As above.
    pub fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        self.each(|outlet| match outlet.content() {
            Content::Frames { .. } => outlet.frame(frame),
            Content::Records { .. } | Content::Recording { .. } => Ok(()),
        })
    }

    /// Hands what is buffered to the system.
    ///
    /// # Errors
    /// As above.
    pub fn flush(&mut self) -> io::Result<()> {
        self.each(Outlet::flush)
    }

    /// How many records and frames could not be written since the last call, as far as that is news:
    /// outputs begin to fail, or have stopped to.
    pub fn take_unwritten(&mut self) -> u64 {
        self.outlets.iter_mut().map(Outlet::take_unwritten).sum()
    }

    /// How many could not be written since the last call, now that all is handed to the system.
    ///
    /// # Errors
    /// As above.
    pub fn settle(&mut self) -> io::Result<u64> {
        let mut unwritten = 0;
        self.each(|outlet| {
            unwritten += outlet.settle()?;
            Ok(())
        })?;
        Ok(unwritten)
    }

    /// Ends the outputs.
    ///
    /// # Errors
    /// As above; records or frames could not be written.
    pub fn finish(&mut self) -> io::Result<()> {
        let mut unwritten = Vec::new();
        self.each(|outlet| {
            unwritten.extend(outlet.finish()?.map(|it| Chain(&it).to_string()));
            Ok(())
        })?;
        complete(&unwritten)
    }

    /// Does something with every output, and goes on without those that nobody reads any more.
    fn each(&mut self, mut act: impl FnMut(&mut Outlet) -> io::Result<()>) -> io::Result<()> {
        let mut broken = None;
        self.outlets.retain_mut(|outlet| match act(outlet) {
            Ok(()) => true,
            Err(error) => {
                broken = Some(error);
                false
            }
        });
        let is_read = self.outlets.iter().any(|it| it.content().is_records());
        match broken {
            Some(error) if !is_read => Err(error),
            _ => Ok(()),
        }
    }
}

/// What comes of what is to be said of the outputs in the end.
fn complete(unwritten: &[String]) -> io::Result<()> {
    if unwritten.is_empty() {
        Ok(())
    } else {
        Err(io::Error::other(unwritten.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;
    use crate::{
        model::Timestamp,
        record::{Body, Loss, LossReason, Start, TrafficRecord, Volume},
    };

    /// A file that goes away with it.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(test: &str) -> Self {
            let name = format!("vrrpwatch-report-{test}-{}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn output(&self, format: Format, only: &[Kind]) -> OutputSettings {
            OutputSettings {
                place: Place::File(self.0.clone()),
                content: Content::Records {
                    format,
                    only: only.iter().copied().collect(),
                },
            }
        }

        fn lines(&self) -> Vec<String> {
            let text = fs::read_to_string(&self.0).expect("our own");
            text.lines().map(str::to_owned).collect()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            // It may be gone already.
            let _: io::Result<()> = fs::remove_file(&self.0);
        }
    }

    fn record(body: Body) -> Record {
        Record::new(Timestamp::default(), body)
    }

    fn start(notes: &[&str]) -> Record {
        record(Body::Start(Start {
            program_version: String::new(),
            schema: crate::record::SCHEMA,
            kernel: None,
            attachments: Vec::new(),
            sources: Vec::new(),
            files: Vec::new(),
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        }))
    }

    fn loss(reason: LossReason, count: u64) -> Record {
        let lost = BTreeMap::from([(reason, count)]);
        record(Body::Loss(Loss { lost }))
    }

    /// Some record about the network.
    fn traffic() -> Record {
        record(Body::Traffic(TrafficRecord {
            address: [10, 77, 0, 100].into(),
            counted_ms: 10,
            arrived: Volume::default(),
            left: Volume::default(),
        }))
    }

    #[test]
    fn who_asks_for_a_part_is_told_what_was_not_seen() {
        let file = Scratch::new("only");
        let mut report = Report::open(&ReportSettings {
            outputs: vec![file.output(Format::Json, &[Kind::Finding])],
            count: None,
        })
        .expect("a file");
        for record in [
            start(&[]),
            start(&["not watching eth1"]),
            loss(LossReason::RingFull, 7),
        ] {
            assert_eq!(report.record(&record).expect("room"), Appetite::More);
        }
        report.flush().expect("room");
        let lines = file.lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("not watching eth1") && lines[1].contains("\"loss\""));
    }

    #[test]
    fn outputs_have_the_same_order_and_each_its_own_records() {
        let (text, json) = (Scratch::new("text"), Scratch::new("json"));
        let mut report = Report::open(&ReportSettings {
            outputs: vec![
                text.output(Format::Text, &[Kind::Start]),
                json.output(Format::Json, &[]),
            ],
            count: Some(2),
        })
        .expect("files");
        let appetites = [start(&[]), traffic(), traffic(), traffic()]
            .map(|record| report.record(&record).expect("room"));
        let (more, enough) = (Appetite::More, Appetite::Enough);
        assert_eq!(appetites, [more, more, enough, enough]);
        report.finish().expect("room");
        assert_eq!(text.lines().len(), 1);
        let kinds: Vec<bool> = json.lines().iter().map(|it| it.contains("start")).collect();
        assert_eq!(kinds, [true, false, false]);
    }

    #[test]
    fn an_output_that_fails_is_told_to_the_others_when_it_begins_and_at_the_end() {
        let json = Scratch::new("beside");
        let full = OutputSettings {
            place: Place::File("/dev/full".into()),
            content: json.output(Format::Text, &[]).content,
        };
        let mut report = Report::open(&ReportSettings {
            outputs: vec![full, json.output(Format::Json, &[])],
            count: None,
        })
        .expect("a device and a file");
        let mut told = Vec::new();
        for _ in 0..3 {
            report.record(&traffic()).expect("no pipe");
            report.flush().expect("no pipe");
            told.push(report.take_unwritten());
        }
        told.push(report.settle().expect("no pipe"));
        assert_eq!(told, [1, 0, 0, 2]);
        let failure = report.finish().expect_err("a full disk").to_string();
        assert!(failure.starts_with("3 records or frames could not be written to \"/dev/full\""));
        assert_eq!(json.lines().len(), 3);
    }
}
