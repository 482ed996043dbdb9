//! reflected-advert: the same advert twice at once, or our own coming back.

use std::collections::VecDeque;

use super::{
    incident::{Report, advert_evidence, patience},
    view::Description,
};
use crate::{
    frame::Direction,
    model::{MacAddr, Priority, Span, Timestamp},
    record::Code,
    tracker::Segment,
    wire::Advert,
};

/// The adverts of the last moment.
#[derive(Debug, Default)]
pub(super) struct Echoes {
    recent: VecDeque<Heard>,
}

#[derive(Debug)]
struct Heard {
    time: Timestamp,
    segment: Segment,
    advert: Advert,
    mac: Option<MacAddr>,
    direction: Option<Direction>,
}

/// No router repeats an advert so soon: the shortest interval is 10 ms.
const AT_ONCE: Span = Span::from_millis(1);
/// The way of our own advert through the network and back.
const ROUND_TRIP: Span = Span::from_millis(20);
const LIMIT: usize = 32;

impl Echoes {
    /// Whether an advert is one that was seen a moment ago.
    ///
    /// A router that hears an advert with a lower priority answers it with its own at once, which
    /// may follow upon one that was due, and one that was held up may send what it owes in one go:
    /// over IPv4 such adverts differ in the identification of their packets, and over IPv6 there is
    /// another router's advert in between mostly.
    pub(super) fn is_echo(
        &mut self,
        segment: &Segment,
        advert: &Advert,
        mac: Option<MacAddr>,
        direction: Option<Direction>,
        now: Timestamp,
    ) -> bool {
        while self
            .recent
            .front()
            .is_some_and(|heard| now.since(heard.time) > ROUND_TRIP || self.recent.len() > LIMIT)
        {
            self.recent.pop_front();
        }
        let before = self
            .recent
            .iter()
            .rev()
            .take_while(|heard| heard.advert.vrid != advert.vrid || heard.advert == *advert)
            .find(|heard| heard.advert == *advert && heard.mac == mac && heard.segment == *segment);
        let echo = before.is_some_and(|heard| {
            let limit = match (heard.direction, direction) {
                (Some(Direction::Out), Some(Direction::In)) => ROUND_TRIP,
                _ => AT_ONCE,
            };
            now.since(heard.time) <= limit
        });
        self.recent.push_back(Heard {
            time: now,
            segment: segment.clone(),
            advert: advert.clone(),
            mac,
            direction,
        });
        echo && advert.priority != Some(Priority::RESIGN)
    }
}

/// The finding in words.
pub(super) fn report(
    advert: &Advert,
    mac: Option<MacAddr>,
    direction: Option<Direction>,
) -> Report {
    let vrid = advert.vrid.map(|vrid| format!(" for VRID {vrid}"));
    let vrid = vrid.unwrap_or_default();
    let whose = match direction {
        Some(Direction::In) => "arrives twice or comes back",
        _ => "is seen twice",
    };
    Report {
        code: Code::ReflectedAdvert,
        severity: Code::ReflectedAdvert.severity(),
        source: advert.source,
        vrid: advert.vrid,
        addresses: advert.addresses.clone(),
        quiet: patience(advert),
        description: Description {
            sources: vec![advert.source],
            message: format!(
                "An advert of {}{vrid} {whose} within a moment: something in the network \
                 duplicates or reflects frames.",
                advert.source
            ),
            evidence: vec![advert_evidence(
                advert,
                mac,
                "the same advert as a moment before".to_owned(),
            )],
            advice: "Look for a loop between switches, a bond that is no bond on its other side, \
                     or a mirror port that leads back; keepalived takes its own advert for that of \
                     another router with the same address."
                .to_owned(),
        },
    }
}
