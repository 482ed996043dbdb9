//! vrrpwatch and tcpdump side by side on one device, and the comparison of what they saw.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use vrrp_tests::{
    frames,
    lab::{Capture, Host, Injector, wait_until},
};

use crate::{
    sighting::{Advert, Frame, Packet, Sighting, reported, witnessed},
    watcher::{LIMIT, Watcher},
};

/// Announced when both are ready, and when all is over: what lies between is compared.
const BEGIN: &str = "10.77.0.253";
const END: &str = "10.77.0.254";

/// The virtual addresses of the routers in these tests. Neighbour traffic about others comes when
/// the kernels please, at the very edge of the window too.
const VIRTUAL: [&str; 3] = ["10.77.0.100", "fe80::77:100", "fd77::100"];

/// Both stamp a frame as it passes the kernel, at places that are microseconds apart; a busy
/// machine may do something else in between.
const SAME_TIME_NANOS: i128 = 50_000_000;

/// Both at work.
pub(crate) struct Observation {
    watcher: Watcher,
    capture: Capture,
}

/// What was seen by both.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The records of the frames.
    pub(crate) records: Vec<Value>,
    sightings: Vec<Sighting>,
}

impl Observation {
    /// Starts both on `eth0` of a host; `marker` is another host's cable.
    pub(crate) fn begin(host: &Host, args: &[&str], marker: &Injector) -> Result<Self> {
        let args: Vec<_> = args.iter().copied().chain(["--arp", "all"]).collect();
        let observation = Self {
            capture: host.capture("arp or ip or ip6 or vlan")?,
            watcher: Watcher::start(host, &args)?,
        };
        announce(marker, BEGIN)?;
        observation.watcher.expect("the begin", |record| {
            record["record"] == "arp" && record["sender_ip"] == BEGIN
        })?;
        Ok(observation)
    }

    /// Waits for more adverts from the IPv4 address of a host.
    pub(crate) fn expect_adverts_of(&self, host: &Host, count: usize) -> Result<()> {
        let source = host.ipv4().to_string();
        let link_local = format!("fe80::ff:fe00:{:x}", host.mac()[5]);
        for _ in 0..count {
            self.watcher.expect("an advert", |record| {
                record["record"] == "advert"
                    && (record["source"] == *source || record["source"] == *link_local)
            })?;
        }
        Ok(())
    }

    /// Waits for an advert to this address with this priority.
    pub(crate) fn expect_adverts_to(&self, destination: &str, priority: u8) -> Result<()> {
        self.watcher
            .expect("an advert", |record| {
                record["destination"] == destination && record["priority"] == priority
            })
            .map(drop)
    }

    /// Ends both and compares: no frame is missing, none is invented, none differs.
    pub(crate) fn end(self, marker: &Injector) -> Result<Seen> {
        let is_end =
            |packet: &Packet| matches!(packet, Packet::Arp { sender, .. } if sender == END);
        announce(marker, END)?;
        self.watcher.expect("the end", |record| {
            record["record"] == "arp" && record["sender_ip"] == END
        })?;
        // The last frame in a file that grows may be there in part only, which is an error.
        let mut file = Ok(Vec::new());
        wait_until("tcpdump to see the end", LIMIT, || {
            file = witnessed(self.capture.file());
            file.as_ref()
                .is_ok_and(|all| all.iter().any(|one| is_end(&one.frame.packet)))
        })
        .with_context(|| format!("tcpdump's file, as read at last: {file:#?}"))?;
        let theirs = witnessed(&self.capture.finish()?)?;
        let records = self.watcher.stop()?;

        ensure!(
            !records.iter().any(|record| record["record"] == "loss"),
            "frames were lost: {records:#?}"
        );
        let mut ours = Vec::new();
        let mut kept = Vec::new();
        for record in records {
            if let Some(sighting) = reported(&record)? {
                ours.push(sighting);
                kept.push(record);
            }
        }
        let (from, until) = window(&ours)?;
        let seen = Seen {
            records: kept.drain(from..until).collect(),
            sightings: ours.drain(from..until).collect(),
        };
        let (from, until) = window(&theirs)?;
        compare(&seen.sightings, &theirs[from..until])?;
        Ok(seen)
    }
}

impl Seen {
    /// The adverts, in the order they came.
    pub(crate) fn adverts(&self) -> impl Iterator<Item = &Advert> {
        self.sightings
            .iter()
            .filter_map(|sighting| match &sighting.frame.packet {
                Packet::Advert(advert) => Some(advert),
                Packet::Arp { .. } | Packet::Nd { .. } => None,
            })
    }

    /// How many ARP and neighbour discovery frames spoke of a virtual address.
    pub(crate) fn neighbours(&self) -> usize {
        self.sightings
            .iter()
            .filter(|sighting| is_compared(sighting))
            .count()
            - self.adverts().count()
    }

    /// Which way the adverts from this address went.
    pub(crate) fn directions_of(&self, source: &str) -> impl Iterator<Item = &str> {
        self.records
            .iter()
            .filter(move |record| record["record"] == "advert" && record["source"] == source)
            .map(|record| record["direction"].as_str().unwrap_or("nowhere"))
    }
}

fn announce(marker: &Injector, address: &str) -> Result<()> {
    let address = address.parse()?;
    marker.send(&frames::arp(true, address, address))
}

/// What lies between the markers.
fn window(sightings: &[Sighting]) -> Result<(usize, usize)> {
    let find = |address: &str| {
        sightings
            .iter()
            .position(|sighting| {
                matches!(&sighting.frame.packet, Packet::Arp { sender, .. } if sender == address)
            })
            .with_context(|| format!("no marker {address} among {sightings:#?}"))
    };
    Ok((find(BEGIN)? + 1, find(END)?))
}

fn is_compared(sighting: &Sighting) -> bool {
    let packet = &sighting.frame.packet;
    matches!(packet, Packet::Advert(_)) || VIRTUAL.iter().any(|own| packet.concerns(own))
}

/// The frames of each sender in order: those of two senders may pass the two observers in another
/// order where they came in on different processors.
fn by_sender(sightings: &[Sighting]) -> BTreeMap<&str, Vec<&Sighting>> {
    let mut senders: BTreeMap<&str, Vec<&Sighting>> = BTreeMap::new();
    for sighting in sightings.iter().filter(|sighting| is_compared(sighting)) {
        let sender = &*sighting.frame.source_mac;
        senders.entry(sender).or_default().push(sighting);
    }
    senders
}

fn compare(ours: &[Sighting], theirs: &[Sighting]) -> Result<()> {
    let (ours, theirs) = (by_sender(ours), by_sender(theirs));
    let frames = |sightings: &BTreeMap<&str, Vec<&Sighting>>| -> Vec<Frame> {
        sightings
            .values()
            .flatten()
            .map(|sighting| sighting.frame.clone())
            .collect()
    };
    let (our_frames, their_frames) = (frames(&ours), frames(&theirs));
    let differs = our_frames
        .iter()
        .zip(&their_frames)
        .position(|(our, their)| our != their);
    ensure!(
        our_frames == their_frames,
        "vrrpwatch reported {} frames, tcpdump saw {}; from the first that differs on:\n\
         vrrpwatch {:#?}\ntcpdump {:#?}",
        our_frames.len(),
        their_frames.len(),
        our_frames.get(differs.unwrap_or(their_frames.len())..),
        their_frames.get(differs.unwrap_or(our_frames.len())..),
    );
    for (our, their) in ours.values().flatten().zip(theirs.values().flatten()) {
        ensure!(
            (our.nanos - their.nanos).abs() < SAME_TIME_NANOS,
            "not at the same time: {our:?} and {their:?}"
        );
    }
    Ok(())
}
