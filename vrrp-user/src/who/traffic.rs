//! Whether this host gets the traffic of the address.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{model::Span, record::Volume};

/// What went to and from the address on this host, counted in the kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// For how long it was counted, in milliseconds.
    pub counted_ms: u64,
    /// What arrived for the address, sent to a MAC of this host.
    #[serde(rename = "in")]
    pub arrived: Rate,
    /// What left from here in the name of the address.
    #[serde(rename = "out")]
    pub left: Rate,
}

/// Traffic in numbers, and how much that is in a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// All of it.
    #[serde(flatten)]
    pub volume: Volume,
    /// Frames a second, to a tenth.
    pub packets_per_second: f64,
    /// Bytes a second, to a tenth.
    pub bytes_per_second: f64,
    /// New TCP connections a second, to a tenth.
    pub syns_per_second: f64,
}

impl Seen {
    /// What was counted in a time.
    pub fn new(arrived: Volume, left: Volume, span: Span) -> Self {
        Self {
            counted_ms: u64::try_from(span.as_millis()).unwrap_or(u64::MAX),
            arrived: Rate::new(arrived, span),
            left: Rate::new(left, span),
        }
    }
}

impl Rate {
    fn new(volume: Volume, span: Span) -> Self {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a rate to a tenth has more digits than anybody reads"
        )]
        let per_second = |count: u64| {
            let rate = count as f64 / span.as_secs_f64().max(f64::EPSILON);
            (rate * 10.0).round() / 10.0
        };
        Self {
            volume,
            packets_per_second: per_second(volume.packets),
            bytes_per_second: per_second(volume.bytes),
            syns_per_second: per_second(volume.syns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_what_came_in_a_second() {
        let volume = Volume {
            packets: 10,
            bytes: 1000,
            syns: 1,
        };
        let seen = Seen::new(volume, Volume::default(), Span::from_secs(3));
        assert_eq!(seen.counted_ms, 3000);
        let Rate {
            packets_per_second,
            bytes_per_second,
            syns_per_second,
            ..
        } = seen.arrived;
        let tenths = [packets_per_second, bytes_per_second, syns_per_second]
            .map(|rate| format!("{rate:.1}"));
        assert_eq!(tenths, ["3.3", "333.3", "0.3"]);
    }
}
