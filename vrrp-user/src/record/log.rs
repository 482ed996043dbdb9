//! The record of a log line.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    log::{Details, Inferred, LogEvent, LogLine, Window, grammar::Reading},
    model::{Span, Vrid},
};

/// A line of a VRRP daemon's log, or one that tells of lost lines or of the daemon's end.
///
/// Its time is the earliest at which it may have been written; `uncertain_ms` tells how much later
/// it may have been.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogRecord {
    /// Host that wrote it, where the line or its source says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<Arc<str>>,
    /// Program that wrote it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ident: Option<String>,
    /// Instance it is about, by the name in the configuration.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub instance: Option<String>,
    /// Synchronised group it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sync_group: Option<String>,
    /// The instances of that group, where the configuration is known.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub members: Vec<String>,
    /// Virtual router it is about, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vrid: Option<Vrid>,
    /// What it says.
    pub event: LogEvent,
    /// Its values.
    #[serde(skip_serializing_if = "is_default", default)]
    pub details: Details,
    /// Milliseconds after `time` until which it may have been written; absent below one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uncertain_ms: Option<u64>,
    /// What of its time had to be inferred; stated once, with the first such line of a host.
    #[serde(skip_serializing_if = "is_default", default)]
    pub inferred: Inferred,
    /// The line itself.
    pub text: String,
}

impl LogRecord {
    /// The record of a line that was read.
    pub fn new(line: &LogLine, reading: Reading, vrid: Option<Vrid>, members: Vec<String>) -> Self {
        let width = line.time.map_or(Span::ZERO, Window::width);
        Self {
            host: line.host.clone(),
            ident: line.ident.clone(),
            instance: reading.instance,
            sync_group: reading.group,
            members,
            vrid: vrid.or(reading.details.vrid),
            event: reading.event,
            details: reading.details,
            uncertain_ms: u64::try_from(width.as_millis()).ok().filter(|ms| *ms > 0),
            inferred: line.inferred,
            text: line.text.clone(),
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
