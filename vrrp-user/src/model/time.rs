//! Points in time and the distances between them.
//!
//! Both count nanoseconds. A `Timestamp` is a point on the wall clock's scale; live capture reads
//! the kernel's boot clock, which no NTP step disturbs, and shifts it by an offset measured at
//! start, so that differences between timestamps are always real durations.

use std::{borrow::Cow, fmt, ops, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Nanoseconds since 1970-01-01T00:00:00Z; written in RFC 3339, UTC, microseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp(u64);

/// A duration: what lies between two timestamps.
pub type Span = Duration;

impl Timestamp {
    /// The last point that can be written, late in the year 2554.
    pub const MAX: Self = Self(u64::MAX);

    /// A frame that is stamped this much earlier than the one before shows that the clock was set back.
    /// Frames overtake each other by milliseconds: on their way through CPUs, or between the interfaces of
    /// one capture.
    pub const BACKWARD: Span = Span::from_secs(2);
    /// One that is stamped this much later shows that it was set forward, or that the capture was
    /// interrupted: adverts come at least every 255 s. Live, time passes between frames as well.
    pub const FORWARD: Span = Span::from_mins(30);

    /// The point this many nanoseconds after the epoch.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The point this many seconds and nanoseconds after the epoch, at most [`Timestamp::MAX`].
    pub const fn from_parts(seconds: u64, nanos: u64) -> Self {
        Self(
            seconds
                .saturating_mul(NANOS_PER_SECOND)
                .saturating_add(nanos),
        )
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero where it is not after it at all.
    pub const fn since(self, earlier: Self) -> Span {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Whether the same clock can have stamped the next frame so.
    pub fn is_continued_by(self, next: Self) -> bool {
        self.since(next) <= Self::BACKWARD && next.since(self) <= Self::FORWARD
    }

    /// The distance between the two, whichever comes first.
    pub const fn distance(self, other: Self) -> Span {
        Duration::from_nanos(self.0.abs_diff(other.0))
    }
}

impl ops::Add<Span> for Timestamp {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl ops::Sub<Span> for Timestamp {
    type Output = Self;

    fn sub(self, span: Span) -> Self {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(nanos))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every u64 of nanoseconds lies within the years that jiff knows.
        let time = jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default();
        write!(f, "{time:.6}")
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

/// The text is not a time in RFC 3339, or lies before 1970 or after 2554.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time in RFC 3339 between 1970 and 2554: {0:?}")]
pub struct ParseTimestampError(String);

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        text.parse::<jiff::Timestamp>()
            .ok()
            .and_then(|time| u64::try_from(time.as_nanosecond()).ok())
            .map(Self)
            .ok_or_else(|| ParseTimestampError(text.to_owned()))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = ParseTimestampError;

    fn try_from(text: String) -> Result<Self, ParseTimestampError> {
        text.parse()
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A point in time: RFC 3339, UTC, microseconds.",
            "type": "string",
            "format": "date-time"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utc_with_microseconds_and_reads_back() {
        let time = Timestamp::from_parts(1_795_380_193, 451_445_999);
        assert_eq!(time.to_string(), "2026-11-22T20:43:13.451445Z");
        assert_eq!(
            "2026-11-22T20:43:13.451445Z".parse(),
            Ok(Timestamp::from_parts(1_795_380_193, 451_445_000))
        );
    }

    #[test]
    fn the_ends_of_the_scale_can_be_written() {
        assert_eq!(
            Timestamp::from_nanos(0).to_string(),
            "1970-01-01T00:00:00.000000Z"
        );
        assert_eq!(Timestamp::MAX.to_string(), "2554-07-21T23:34:33.709551Z");
        assert!("1969-12-31T23:59:59Z".parse::<Timestamp>().is_err());
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(Timestamp::MAX + Span::from_secs(1), Timestamp::MAX);
        assert_eq!(
            Timestamp::from_nanos(1) - Span::MAX,
            Timestamp::from_nanos(0)
        );
        assert_eq!(
            Timestamp::from_nanos(1).since(Timestamp::from_nanos(5)),
            Span::ZERO
        );
    }
}
