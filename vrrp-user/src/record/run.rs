//! Which run a record is of.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Identifies a run: a random number, written as sixteen hexadecimal digits.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(into = "String", try_from = "String")]
pub struct RunId(u64);

impl RunId {
    /// The run of this number, which should come from the system's random source.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<RunId> for String {
    fn from(run: RunId) -> Self {
        run.to_string()
    }
}

/// The text is not sixteen hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a run (sixteen hexadecimal digits): {0:?}")]
pub struct ParseRunError(String);

impl TryFrom<String> for RunId {
    type Error = ParseRunError;

    fn try_from(text: String) -> Result<Self, ParseRunError> {
        match u64::from_str_radix(&text, 16) {
            Ok(number) if text.len() == 16 => Ok(Self(number)),
            Ok(_) | Err(_) => Err(ParseRunError(text)),
        }
    }
}

impl JsonSchema for RunId {
    fn schema_name() -> Cow<'static, str> {
        "RunId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Identifies a run.",
            "type": "string",
            "pattern": "^[0-9a-f]{16}$"
        })
    }
}
