//! When a line was written: a window, since many loggers round to the second, and some leave the
//! year and the zone to the reader.

use jiff::{
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Span, Timestamp};

/// The time between `start` and `end` in which a line was written; `end` is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// The earliest.
    #[serde(with = "crate::model::nanos")]
    pub start: Timestamp,
    /// The latest.
    #[serde(with = "crate::model::nanos")]
    pub end: Timestamp,
}

impl Window {
    /// The window that starts here and is this wide.
    pub fn new(start: Timestamp, width: Span) -> Self {
        Self {
            start,
            end: start + width,
        }
    }

    /// How much the time of the line is in doubt.
    pub const fn width(self) -> Span {
        self.end.since(self.start)
    }

    /// Whether the line may have been written at `time`, or within `slack` of it.
    pub fn meets(self, time: Timestamp, slack: Span) -> bool {
        time + slack >= self.start && time <= self.end + slack
    }

    /// How far `time` is from the window; zero within it.
    pub fn distance(self, time: Timestamp) -> Span {
        self.start.since(time).max(time.since(self.end))
    }
}

/// What of a time the line does not say and a reader had to infer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Inferred {
    /// The year: the last one that does not put the line into the future.
    pub year: bool,
    /// The month, whose name is in a language we do not know.
    pub month: bool,
    /// The offset from UTC: that of the zone the reader was told, or of this host.
    pub zone: bool,
}

impl Inferred {
    /// Whether anything was inferred.
    pub const fn any(self) -> bool {
        self.year || self.month || self.zone
    }
}

/// Completes times that say only part of what they mean.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    reference: Timestamp,
}

/// How far after the reference a line may have been written.
const AHEAD: Span = Span::from_hours(31 * 24);

/// Digits of a fraction of a second that a timestamp can keep.
const NANO_DIGITS: usize = 9;

impl Calendar {
    /// A calendar for lines written in this zone, around this time.
    pub const fn new(zone: TimeZone, reference: Timestamp) -> Self {
        Self { zone, reference }
    }

    /// Takes in that time has come to `now`.
    pub fn advance(&mut self, now: Timestamp) {
        self.reference = self.reference.max(now);
    }

    /// The window of a full date in the calendar's zone.
    pub(super) fn local(&self, date: DateTime, width: Span) -> Option<Window> {
        let zoned = self.zone.to_zoned(date).ok()?;
        window(zoned.timestamp(), width)
    }

    /// The window of a date without year, and without month where its name says nothing: the last
    /// one that is not in the future, but for a clock that runs ahead and a capture that began
    /// before its log ends. With an unknown month, the nearest.
    pub(super) fn nearest(
        &self,
        month: Option<i8>,
        day: i8,
        time: Time,
        width: Span,
    ) -> Option<Window> {
        let now = jiff::Timestamp::from_nanosecond(i128::from(self.reference.as_nanos())).ok()?;
        let year = now.to_zoned(self.zone.clone()).year();
        let months = month.map_or(1..=12, |month| month..=month);
        // Eight years may lie between two leap days.
        let windows = (year.saturating_sub(8)..=year.saturating_add(1))
            .flat_map(|year| months.clone().map(move |month| (year, month)))
            .filter_map(|(year, month)| Date::new(year, month, day).ok())
            .filter_map(|date| self.local(date.to_datetime(time), width))
            .filter(|window| window.start <= self.reference + AHEAD);
        if month.is_some() {
            windows.max_by_key(|window| window.start)
        } else {
            windows.min_by_key(|window| window.start.distance(self.reference))
        }
    }
}

/// The window of an instant.
pub(super) fn window(time: jiff::Timestamp, width: Span) -> Option<Window> {
    let nanos = u64::try_from(time.as_nanosecond()).ok()?;
    Some(Window::new(Timestamp::from_nanos(nanos), width))
}

/// The number of an English month, of which three letters are enough.
pub(super) fn month(name: &str) -> Option<i8> {
    const NAMES: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let name = name.to_ascii_lowercase();
    let position = NAMES.iter().position(|known| *known == name)?;
    i8::try_from(position + 1).ok()
}

/// Reads `HH:MM:SS`, with or without a fraction, and how exact it is.
pub(super) fn clock_time(text: &str) -> Option<(Time, Span)> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    let mut parts = whole.split(':');
    let mut part = || -> Option<i8> {
        let part = parts.next()?;
        (part.len() == 2).then(|| part.parse().ok()).flatten()
    };
    let (hour, minute, second) = (part()?, part()?, part()?);
    if parts.next().is_some() || (text.contains('.') && fraction.is_empty()) {
        return None;
    }
    let (nanos, width) = fraction_of_second(fraction)?;
    // A leap second has no place on our scale; it shares the one before.
    let time = Time::new(hour, minute, second.min(59), nanos).ok()?;
    (second <= 60).then_some((time, width))
}

/// Nanoseconds, and what the last digit is worth.
pub(super) fn fraction_of_second(digits: &str) -> Option<(i32, Span)> {
    if digits.len() > NANO_DIGITS || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let unit = 10_u32.pow(u32::try_from(NANO_DIGITS - digits.len()).ok()?);
    let count: u32 = if digits.is_empty() {
        0
    } else {
        digits.parse().ok()?
    };
    let nanos = i32::try_from(count.checked_mul(unit)?).ok()?;
    Some((nanos, Span::from_nanos(u64::from(unit))))
}
