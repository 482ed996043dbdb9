//! The timers of the election, and the tolerances of those who watch it.
//!
//! All in nanoseconds, divided last: keepalived runs at 10 ms intervals, where a rounded skew of a
//! high priority would be zero.

use crate::model::{Priority, Span, Version};

/// `Skew_Time`: how much longer a backup waits for being the less preferred. In VRRPv2 it is a
/// part of a second (RFC 3768 section 6.1), in VRRPv3 of the interval (RFC 9568 section 6.1).
pub(crate) fn skew(version: Version, priority: Priority, interval: Span) -> Span {
    let unit = match version {
        Version::V2 => 1_000_000_000,
        Version::V3 => nanos(interval),
    };
    Span::from_nanos(unit * (256 - u64::from(priority.get())) / 256)
}

/// `Master_Down_Interval`, or `Active_Down_Interval`: a backup of this priority that has heard
/// nothing for this time takes over.
pub(crate) fn master_down(version: Version, priority: Priority, interval: Span) -> Span {
    Span::from_nanos(3 * nanos(interval)) + skew(version, priority, interval)
}

/// An interval in nanoseconds: at most 255 seconds.
fn nanos(interval: Span) -> u64 {
    u64::from(interval.subsec_nanos()) + interval.as_secs() * 1_000_000_000
}

/// An advert that is later than this after the one before is late. The constant is for intervals
/// that are shorter than what a scheduler takes for a moment.
pub(crate) fn late_after(interval: Span) -> Span {
    (interval * 3 / 2).max(interval + Span::from_millis(20))
}

/// Within this time of each other two adverts have crossed: neither sender knew of the other's.
pub(crate) fn crossing(interval: Span) -> Span {
    (interval / 4).min(Span::from_millis(250))
}

/// How long after a takeover the neighbours are told: keepalived 1 and FRR do so up to an
/// interval after the first advert, and who has to be told last may be told late.
pub(crate) fn announcement_window(interval: Span) -> Span {
    (interval * 2 + Span::from_millis(500)).max(Span::from_millis(1500))
}

/// What is later than the protocol allows for may still be the weather: added to every deadline
/// after which something missing is missing.
pub(crate) fn grace(interval: Span) -> Span {
    (interval / 4).max(Span::from_millis(200))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timers_of_the_rfcs() {
        let hundred = Priority::new(100);
        let second = Span::from_secs(1);
        assert_eq!(
            master_down(Version::V2, hundred, second),
            Span::from_micros(3_609_375)
        );
        assert_eq!(
            master_down(Version::V2, hundred, second * 10),
            Span::from_micros(30_609_375)
        );
        assert_eq!(
            master_down(Version::V3, hundred, Span::from_millis(100)),
            Span::from_nanos(360_937_500)
        );
        assert_eq!(
            skew(Version::V3, Priority::new(254), Span::from_millis(10)),
            Span::from_nanos(78_125)
        );
    }
}
