//! Lines in JSON: docker's `json-file`, and the journal as `journalctl -o json` prints it.

use serde::Deserialize;

use super::{Envelopes, clip, syslog};
use crate::{
    log::{Inferred, LogLine, Window, Writer},
    model::{Span, Timestamp},
};

/// A value of the journal: text, bytes where it is no UTF-8, several where the field is repeated,
/// nothing where it was too long to print.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Field {
    Text(String),
    Bytes(Vec<u8>),
    Many(Vec<Field>),
    #[default]
    Nothing,
}

/// A line of docker or of the journal; their fields have no name in common.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    log: Option<String>,
    time: Option<String>,
    #[serde(rename = "MESSAGE")]
    message: Field,
    #[serde(rename = "SYSLOG_IDENTIFIER")]
    identifier: Field,
    #[serde(rename = "_COMM")]
    command: Field,
    #[serde(rename = "_SYSTEMD_UNIT")]
    unit: Field,
    #[serde(rename = "SYSLOG_PID")]
    syslog_pid: Field,
    #[serde(rename = "_PID")]
    pid: Field,
    #[serde(rename = "_HOSTNAME")]
    host: Field,
    #[serde(rename = "_SOURCE_REALTIME_TIMESTAMP")]
    sent: Field,
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    received: Field,
}

/// Reads a line, unless it is none of these.
pub(super) fn read(envelopes: &Envelopes, raw: &[u8], lines: &mut Vec<LogLine>) -> bool {
    let Ok(entry) = serde_json::from_slice::<Entry>(raw) else {
        return false;
    };
    if let Some(log) = &entry.log {
        docker(envelopes, log, entry.time.as_deref(), lines);
        true
    } else if entry.is_of_the_journal() {
        journal(&entry, lines);
        true
    } else {
        false
    }
}

/// The engine's time is closer than the line's own, which has whole seconds.
fn docker(envelopes: &Envelopes, log: &str, time: Option<&str>, lines: &mut Vec<LogLine>) {
    let time = time.and_then(syslog::instant);
    for text in log.split('\n') {
        let before = lines.len();
        envelopes.read_text(text, lines);
        for line in &mut lines[before..] {
            if time.is_some() {
                line.time = time;
                line.inferred = Inferred::default();
            }
        }
    }
}

fn journal(entry: &Entry, lines: &mut Vec<LogLine>) {
    let Some(message) = entry.message.text() else {
        return;
    };
    let time = entry
        .sent
        .number()
        .or_else(|| entry.received.number())
        .and_then(|micros: u64| micros.checked_mul(1000))
        .map(|nanos| Window::new(Timestamp::from_nanos(nanos), Span::from_micros(1)));
    let ident = entry.identifier.text().or_else(|| entry.command.text());
    let is = |field: &Field, names: [&str; 2]| {
        field
            .text()
            .is_some_and(|text| names.contains(&text.as_str()))
    };
    let ours = is(&entry.command, ["keepalived", "vrrpd"])
        || is(&entry.unit, ["keepalived.service", "vrrpd.service"]);
    let writer = match &ident {
        _ if ours => Writer::Daemon,
        Some(ident) => Writer::of(ident),
        None => Writer::Stranger,
    };
    let host = entry.host.text().map(Into::into);
    for text in message.split('\n').filter(|text| !text.trim().is_empty()) {
        lines.push(LogLine {
            host: Option::clone(&host),
            writer,
            ident: ident.clone(),
            pid: entry.syslog_pid.number().or_else(|| entry.pid.number()),
            time,
            inferred: Inferred::default(),
            text: clip(text.trim_end_matches('\r')).to_owned(),
        });
    }
}

impl Entry {
    /// A message that is too long to print is null; other fields tell what this is.
    const fn is_of_the_journal(&self) -> bool {
        let Self {
            message,
            identifier,
            command,
            received,
            ..
        } = self;
        !(message.is_nothing()
            && identifier.is_nothing()
            && command.is_nothing()
            && received.is_nothing())
    }
}

impl Field {
    const fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Self::Many(fields) => fields.first()?.text(),
            Self::Nothing => None,
        }
    }

    fn number<T: std::str::FromStr>(&self) -> Option<T> {
        self.text()?.trim().parse().ok()
    }
}
