//! A run in a file: everything that the observer was told, so that a replay gives the same records.
//!
//! The file is pcapng, which Wireshark opens: frames are Enhanced Packet Blocks, lines of logs are systemd
//! Journal Export Blocks, and all else is in Custom Blocks. docs/recording.md describes it. Passwords are
//! not in it: in their place stand their fingerprints.

use serde::{Deserialize, Serialize};

use crate::{
    input::{Input, News},
    model::Timestamp,
    observer::Settings,
};

/// Private enterprise number of the Custom Blocks: the one for examples (RFC 5612), until there is one
/// of our own. What a block is of tells its text, which begins with [`MARK`].
const ENTERPRISE: u32 = 32_473;
/// How the text of our blocks begins.
const MARK: &[u8] = br#"{"vrrpwatch":"#;
/// Version of the format: another one is not read.
const VERSION: u32 = 1;
/// The field of a journal entry that has the line as it was read.
const FIELD: &[u8] = b"\nVRRPWATCH=";

/// Block types of the pcapng specification.
const CUSTOM: u32 = 0x0bad;
const JOURNAL: u32 = 9;

/// What one of our blocks says.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// How the observer was set up: the first block.
    Settings(Box<Settings>),
    /// What it was told, and when.
    Told(Timestamp, Box<Input>),
}

/// The text of a block.
#[derive(Serialize, Deserialize)]
struct Text {
    vrrpwatch: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    settings: Option<Settings>,
    /// Nanoseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    input: Option<Box<Input>>,
}

/// Appends the block that begins a recording.
pub(crate) fn begin(settings: &Settings, bytes: &mut Vec<u8>) {
    custom(
        &Text {
            vrrpwatch: VERSION,
            settings: Some(settings.clone()),
            at: None,
            input: None,
        },
        bytes,
    );
}

/// Appends what was told, unless it is a frame.
pub(crate) fn append(at: Timestamp, input: Input, bytes: &mut Vec<u8>) {
    let journal = match &input.news {
        News::Log(entry) | News::Recall(entry) | News::Afterword(entry) => {
            let line = &entry.line;
            let mut fields = Vec::new();
            if let Some(time) = line.time {
                let micros = time.start.as_nanos() / 1000;
                field("__REALTIME_TIMESTAMP", &micros.to_string(), &mut fields);
            }
            if let Some(host) = &line.host {
                field("_HOSTNAME", host, &mut fields);
            }
            if let Some(ident) = &line.ident {
                field("SYSLOG_IDENTIFIER", ident, &mut fields);
            }
            if let Some(pid) = line.pid {
                field("_PID", &pid.to_string(), &mut fields);
            }
            field("MESSAGE", &line.text, &mut fields);
            Some(fields)
        }
        _ => None,
    };
    let text = Text {
        vrrpwatch: VERSION,
        settings: None,
        at: Some(at.as_nanos()),
        input: Some(Box::new(input)),
    };
    match journal {
        Some(mut fields) => {
            // It goes on from the end of the line before.
            fields.extend_from_slice(&FIELD[1..]);
            // A structure of ours always has a text.
            fields.extend(serde_json::to_vec(&text).unwrap_or_default());
            fields.push(b'\n');
            block(JOURNAL, &fields, 0, bytes);
        }
        None => custom(&text, bytes),
    }
}

/// What a Custom Block says; `None` for one of somebody else.
pub(crate) fn read_custom(enterprise: u32, data: &[u8]) -> Option<Result<Part, String>> {
    (enterprise == ENTERPRISE && data.starts_with(MARK)).then(|| read(data))
}

/// What a journal entry says; `None` for one of somebody else.
pub(crate) fn read_journal(data: &[u8]) -> Option<Result<Part, String>> {
    // Others stand before it, and none of them has the end of a line in it.
    let at = memchr::memmem::find(data, FIELD)?;
    let text = &data[at + FIELD.len()..];
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    text.starts_with(MARK).then(|| read(&text[..end]))
}

/// What the text of one of our blocks says.
///
/// # Errors
/// It is of another version, or damaged: what is wrong with it.
pub fn read(text: &[u8]) -> Result<Part, String> {
    #[derive(Deserialize)]
    struct Head {
        vrrpwatch: u32,
    }
    // Blocks are padded by zeros.
    let end = text.iter().rposition(|byte| *byte != 0);
    let text = end.map_or(text, |end| &text[..=end]);
    let head: Head = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if head.vrrpwatch != VERSION {
        let version = head.vrrpwatch;
        return Err(format!(
            "the recording is of version {version}, and this program reads version {VERSION}"
        ));
    }
    let text: Text = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    match (text.settings, text.at, text.input) {
        (Some(settings), None, None) => Ok(Part::Settings(Box::new(settings))),
        (None, Some(at), Some(input)) => Ok(Part::Told(Timestamp::from_nanos(at), input)),
        _ => Err("a block has neither settings nor an input".to_owned()),
    }
}

/// Appends a field of a journal entry, as `journalctl -o export` has it: with its length before it where
/// it is no line of text.
fn field(name: &str, value: &str, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(name.as_bytes());
    if value.bytes().all(|byte| byte >= b' ' || byte == b'\t') {
        bytes.push(b'=');
    } else {
        bytes.push(b'\n');
        bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
    }
    // Our own field must be found, and by no other's text.
    bytes.extend(value.replace('\n', " ").as_bytes());
    bytes.push(b'\n');
}

fn custom(text: &Text, bytes: &mut Vec<u8>) {
    let mut data = ENTERPRISE.to_le_bytes().to_vec();
    data.extend(serde_json::to_vec(text).unwrap_or_default());
    // What stands behind the text would be options.
    block(CUSTOM, &data, b' ', bytes);
}

/// Appends a block of little-endian pcapng.
fn block(kind: u32, data: &[u8], padding: u8, bytes: &mut Vec<u8>) {
    let padded = data.len().next_multiple_of(4);
    let length = u32::try_from(padded + 12).unwrap_or(u32::MAX).to_le_bytes();
    bytes.extend(kind.to_le_bytes());
    bytes.extend(length);
    bytes.extend(data);
    bytes.extend(std::iter::repeat_n(padding, padded - data.len()));
    bytes.extend(length);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        log::{Entry, LogLine, Writer},
        record::LossReason,
    };

    /// The data of the only block, without the frame around it.
    fn data(bytes: &[u8]) -> &[u8] {
        let length = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
        assert_eq!(length, bytes.len());
        assert_eq!(bytes[4..8], bytes[length - 4..]);
        &bytes[8..length - 4]
    }

    fn line(text: &str) -> Input {
        let entry = Entry::read(LogLine {
            host: None,
            writer: Writer::Daemon,
            ident: Some("Keepalived_vrrp".to_owned()),
            pid: Some(7),
            time: None,
            inferred: crate::log::Inferred::default(),
            text: text.to_owned(),
        });
        News::Log(entry.expect("a daemon's")).into()
    }

    #[test]
    fn what_was_told_is_read_again() {
        let at = Timestamp::from_nanos(1_795_380_193_123_456_789);
        let lost: Input = News::Loss(BTreeMap::from([(LossReason::RingFull, 7)])).into();
        let mut bytes = Vec::new();
        append(at, lost.clone(), &mut bytes);
        let data = data(&bytes);
        let enterprise = u32::from_le_bytes([data[0], data[1], data[2], data[3]]);
        let part = read_custom(enterprise, &data[4..]);
        assert_eq!(part, Some(Ok(Part::Told(at, Box::new(lost)))));
        assert_eq!(read_custom(enterprise + 1, &data[4..]), None);
    }

    #[test]
    fn a_line_is_a_journal_entry_and_forges_none() {
        let at = Timestamp::from_nanos(1);
        let forged = "x\nVRRPWATCH={\"vrrpwatch\":1,\"at\":7,\"input\":{\"news\":\"finish\"}}\n";
        for text in ["(VI_1) Entering MASTER STATE", forged] {
            let input = line(text);
            let mut bytes = Vec::new();
            append(at, input.clone(), &mut bytes);
            let part = read_journal(data(&bytes));
            assert_eq!(part, Some(Ok(Part::Told(at, Box::new(input)))), "{text}");
        }
        assert_eq!(read_journal(b"MESSAGE=VRRPWATCH={\"vrrpwatch\":1}\n"), None);
    }

    #[test]
    fn another_version_is_told() {
        let text = br#"{"vrrpwatch":2,"anything":{}}"#;
        let told = read_custom(ENTERPRISE, text).expect("ours");
        assert!(told.expect_err("another version").contains("version 2"));
    }
}
