//! What `who` and `arping` write with `--format json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AnswerLine, Tally, Who};

/// One line. docs/who.schema.json is made from this type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Line {
    /// Of `who`: an address and all the evidence.
    Who(Who),
    /// Of `arping`: an answer.
    Answer(AnswerLine),
    /// Of `arping`: the numbers at the end.
    Statistics(Tally),
}
