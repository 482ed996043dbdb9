//! The flags of what is recorded and where it goes.

use std::{
    ffi::{OsStr, OsString},
    net::IpAddr,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::PathBuf,
    time::Duration,
};

use clap::{
    Args,
    builder::{OsStringValueParser, TypedValueParser as _},
};

use super::words::{find, word};
use crate::{
    model::FingerprintKey,
    observer::ArpMode,
    record::Kind,
    report::{Content, Format, OutputSettings, Place, ReportSettings},
    settings::SettingsError,
};

/// What both `run` and `replay` know about output.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Form of the records, where --output names none.
    #[arg(long, value_parser = word::<Format>(), default_value = "text")]
    pub format: Format,
    /// Write records to a file, and not to standard output; may be repeated. In front of the file may
    /// stand its format, `text`, `json` or `pcapng` (the frames behind the records), and with `only=` the
    /// kinds of records that it takes. `-` is standard output. Files are appended to, and reopened on
    /// SIGHUP.
    #[arg(
        short,
        long = "output",
        value_name = "[FORMAT[,only=KIND,...]:]FILE",
        value_parser = OsStringValueParser::new().try_map(|text| OutputArg::parse(&text))
    )]
    pub outputs: Vec<OutputArg>,
    /// Write only records of these kinds, where --output names none. What tells that something was not
    /// seen is written all the same: loss, unread, and start with notes.
    #[arg(long, value_parser = word::<Kind>(), value_delimiter = ',', value_name = "KIND,...")]
    pub only: Vec<Kind>,
    /// End after this many records about the network: all but start, loss, unread and summary.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// End after this time, such as "30s" or "5m"; in replay, of the capture's time.
    #[arg(long = "for", value_name = "DURATION", value_parser = super::duration)]
    pub duration: Option<Duration>,
    /// Keep the frames behind the records in a pcapng file, for Wireshark; the same as
    /// `--output pcapng:FILE` beside the other outputs. A pcapng file that is there is appended to.
    #[arg(long, value_name = "FILE.pcapng")]
    pub write: Option<PathBuf>,
    /// Keep passwords in files of frames. Without it their fingerprints stand in their place, and the
    /// checksums are corrected.
    #[arg(long)]
    pub write_passwords: bool,
    /// Replace the files of frames that are there.
    #[arg(long)]
    pub overwrite: bool,
    /// Which ARP and neighbour discovery to report; `watched` is what concerns a virtual router or
    /// an address given by --watch, and anything gratuitous.
    #[arg(long, value_parser = word::<ArpMode>(), default_value = "watched")]
    pub arp: ArpMode,
    /// Watch this address from the start; addresses in adverts are watched as they come.
    #[arg(long, value_name = "ADDRESS")]
    pub watch: Vec<IpAddr>,
}

/// An output as `--output` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputArg {
    form: Option<Form>,
    only: Vec<Kind>,
    place: Place,
}

/// What a file may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Records(Format),
    Pcapng,
}

const FORMS: [(&str, Form); 3] = [
    ("text", Form::Records(Format::Text)),
    ("json", Form::Records(Format::Json)),
    ("pcapng", Form::Pcapng),
];

impl OutputArg {
    /// Reads `[FORMAT[,only=KIND,...]:]FILE`. What does not begin with a word and a colon or a comma is
    /// the name of a file.
    fn parse(text: &OsStr) -> Result<Self, String> {
        let whole = || Self {
            form: None,
            only: Vec::new(),
            place: place(text.to_owned()),
        };
        if text.is_empty() {
            return Err("name a file, or - for standard output".to_owned());
        }
        let mut parts = text.as_bytes().splitn(2, |byte| *byte == b':');
        let (Some(head), Some(file)) = (parts.next(), parts.next()) else {
            return Ok(whole());
        };
        let Ok(head) = str::from_utf8(head) else {
            return Ok(whole());
        };
        let (word, rest) = head.split_once(',').unwrap_or((head, ""));
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return Ok(whole());
        }
        let Some((_, form)) = FORMS.iter().find(|(name, _)| *name == word) else {
            return Err(format!(
                "there is no format {word}, but text, json and pcapng; a file of this name is written \
                 ./{}",
                text.display()
            ));
        };
        if file.is_empty() {
            return Err(format!(
                "name a file after {head}:, or - for standard output"
            ));
        }
        Ok(Self {
            form: Some(*form),
            only: kinds(*form, rest)?,
            place: place(OsString::from_vec(file.to_vec())),
        })
    }
}

fn place(file: OsString) -> Place {
    if file == "-" {
        Place::Stdout
    } else {
        Place::File(file.into())
    }
}

/// Reads what stands between the format and the file.
fn kinds(form: Form, text: &str) -> Result<Vec<Kind>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let Some(list) = text.strip_prefix("only=") else {
        return Err(format!("{text} says nothing; write only=KIND,... there"));
    };
    if form == Form::Pcapng {
        return Err("only= chooses records, and pcapng has frames; leave it out".to_owned());
    }
    let kind = |word| {
        find(word).ok_or_else(|| {
            format!("there is no kind of records {word}; --help lists them at --only")
        })
    };
    list.split(',').map(kind).collect()
}

impl OutputArgs {
    /// Whether frames are kept.
    pub fn keeps_frames(&self) -> bool {
        let pcapng = |output: &OutputArg| output.form == Some(Form::Pcapng);
        self.write.is_some() || self.outputs.iter().any(pcapng)
    }

    /// The outputs.
    ///
    /// # Errors
    /// They do not fit together.
    pub fn report(&self, key: &FingerprintKey) -> Result<ReportSettings, SettingsError> {
        let records = |format, only: &[Kind]| Content::Records {
            format,
            only: if only.is_empty() { &self.only } else { only }
                .iter()
                .copied()
                .collect(),
        };
        let frames = || Content::Frames {
            replace: self.overwrite,
            key: (!self.write_passwords).then(|| key.clone()),
        };
        let mut outputs: Vec<OutputSettings> = self
            .outputs
            .iter()
            .map(|output| OutputSettings {
                place: output.place.clone(),
                content: match output.form {
                    None => records(self.format, &[]),
                    Some(Form::Records(format)) => records(format, &output.only),
                    Some(Form::Pcapng) => frames(),
                },
            })
            .collect();
        if outputs.is_empty() {
            outputs.push(OutputSettings {
                place: Place::Stdout,
                content: records(self.format, &[]),
            });
        }
        outputs.extend(self.write.clone().map(|file| OutputSettings {
            place: place(file.into()),
            content: frames(),
        }));
        let keeps_frames = outputs.iter().any(|output| output.content == frames());
        if self.overwrite && !keeps_frames {
            return Err(SettingsError::NothingToReplace);
        }
        if self.write_passwords && !keeps_frames {
            return Err(SettingsError::NoFrames);
        }
        Ok(ReportSettings {
            outputs,
            count: self.count,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<OutputArg, String> {
        OutputArg::parse(OsStr::new(text))
    }

    #[test]
    fn an_output_is_a_file_with_its_format_in_front() {
        let output = |form, only: &[Kind], place: &str| {
            Ok(OutputArg {
                form,
                only: only.to_vec(),
                place: super::place(place.into()),
            })
        };
        let (text, json) = (FORMS[0].1, FORMS[1].1);
        for plain in [
            "records",
            "/var/log/a:b",
            "2026-11-25T10:00",
            "./json:a",
            "a.b:c",
        ] {
            assert_eq!(parse(plain), output(None, &[], plain), "{plain}");
        }
        assert_eq!(parse("text:-"), output(Some(text), &[], "-"));
        assert_eq!(parse("-").map(|it| it.place), Ok(Place::Stdout));
        assert_eq!(parse("json:/a:b"), output(Some(json), &[], "/a:b"));
        assert_eq!(parse("pcapng:a"), output(Some(Form::Pcapng), &[], "a"));
        let only = [Kind::Finding, Kind::State];
        let arg = "json,only=finding,state:a";
        assert_eq!(parse(arg), output(Some(json), &only, "a"));
    }

    #[test]
    fn a_mistake_is_told_with_what_to_do() {
        for (text, remedy) in [
            ("", "name a file"),
            ("jsn:a", "./jsn:a"),
            ("json:", "- for standard output"),
            ("json,finding:a", "only=KIND"),
            ("json,only=findings:a", "--only"),
            ("pcapng,only=advert:a", "leave it out"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(remedy), "{text}: {error}");
        }
    }
}
