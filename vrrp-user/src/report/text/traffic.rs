//! The line of the traffic of an address.

use std::fmt::{self, Display, Write as _};

use super::{Millis, STRONG, Style};
use crate::record::{TrafficRecord, Volume};

impl Style {
    pub(super) fn traffic(self, traffic: &TrafficRecord, line: &mut String) -> fmt::Result {
        let TrafficRecord {
            address,
            counted_ms,
            arrived,
            left,
        } = traffic;
        write!(
            line,
            "TRAFFIC {} for {}: in {}; out {}",
            self.paint(STRONG, address),
            Millis(*counted_ms),
            Counted(arrived),
            Counted(left)
        )
    }
}

/// "12 packets, 840 bytes, 3 SYN"
struct Counted<'a>(&'a Volume);

impl Display for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Volume {
            packets,
            bytes,
            syns,
        } = self.0;
        write!(f, "{packets} packets, {bytes} bytes, {syns} SYN")
    }
}
