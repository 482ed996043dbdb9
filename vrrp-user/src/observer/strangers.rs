//! How many frames of senders that are not known are written.
//!
//! The kernel lets through what a start or a takeover brings at once, which is thousands: of a flood, as
//! many would be written before it is known to be one. All of them are looked at.

use std::collections::BTreeMap;

use super::{Known, Observer};
use crate::{
    model::{Pace, Timestamp},
    record::LossReason,
    tracker::Segment,
    wire::{Body, Packet},
};

/// Frames in a second, and at once: some 350 bytes each in JSON.
const PACE: (u32, u32) = (32, 160);

/// The frames of senders that are not known.
#[derive(Debug)]
pub(super) struct Strangers {
    pace: Pace,
}

impl Default for Strangers {
    fn default() -> Self {
        let (rate, depth) = PACE;
        Self {
            pace: Pace::new(rate, depth),
        }
    }
}

impl Observer {
    /// Whether a frame is written: those of known senders are, and others at their pace.
    pub(super) fn is_to_be_written(
        &mut self,
        segment: &Segment,
        packet: &Packet,
        now: Timestamp,
    ) -> bool {
        let Some(strangers) = &mut self.strangers else {
            return true;
        };
        let known = match &packet.body {
            Body::Advert(advert) => advert.vrid.is_some_and(|vrid| {
                let (source, destination) = (advert.source, advert.destination);
                let tracker = &self.world.tracker;
                tracker.is_established(segment, vrid, source, destination)
            }),
            Body::Arp(_) | Body::Nd(_) => packet
                .source_mac
                .is_some_and(|mac| self.acquaintances.has(Known::Machine(mac))),
            Body::Carp(_) => false,
        };
        if known || strangers.pace.take(now) {
            return true;
        }
        self.lose(&BTreeMap::from([(LossReason::OutputFlood, 1)]));
        false
    }
}
