//! One frame as vrrpwatch reported it and as tcpdump saw it, in one form to compare them.
//!
//! tcpdump's side is read from its text: its decoder has nothing in common with ours.

use std::{path::Path, str::FromStr};

use anyhow::{Context as _, Result};
use serde_json::Value;
use vrrp_tests::lab::tcpdump_lines;

use crate::watcher;

/// A frame that was seen.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    pub(crate) nanos: i128,
    pub(crate) frame: Frame,
}

/// What both can tell of a frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) source_mac: String,
    pub(crate) vlan: Vec<u64>,
    pub(crate) packet: Packet,
}

/// What is in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Packet {
    Advert(Advert),
    Arp {
        operation: String,
        sender: String,
        target: Option<String>,
    },
    Nd {
        operation: String,
        source: String,
        destination: String,
        target: String,
    },
}

/// A VRRP advertisement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Advert {
    pub(crate) version: u64,
    pub(crate) vrid: u64,
    pub(crate) priority: u64,
    pub(crate) interval_ms: u64,
    pub(crate) addresses: Vec<String>,
    pub(crate) auth: String,
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) ttl: u64,
}

impl Packet {
    /// Whether it speaks of an address.
    pub(crate) fn concerns(&self, address: &str) -> bool {
        match self {
            Self::Advert(advert) => advert.addresses.iter().any(|own| own == address),
            Self::Arp { sender, target, .. } => {
                sender == address || target.as_deref() == Some(address)
            }
            Self::Nd { target, .. } => target == address,
        }
    }
}

/// What vrrpwatch reported; nothing for records that are not about a frame.
pub(crate) fn reported(record: &Value) -> Result<Option<Sighting>> {
    let text = |key: &str| {
        let value = record[key].as_str().map(str::to_owned);
        value.with_context(|| format!("{key} is missing in {record}"))
    };
    let number = |key: &str| {
        let value = record[key].as_u64();
        value.with_context(|| format!("{key} is missing in {record}"))
    };
    let packet = match record["record"].as_str() {
        Some("advert") => Packet::Advert(Advert {
            version: number("version")?,
            vrid: number("vrid")?,
            priority: number("priority")?,
            interval_ms: number("interval_ms")?,
            addresses: record["addresses"]
                .as_array()
                .context("an advert has addresses")?
                .iter()
                .filter_map(|address| address.as_str().map(str::to_owned))
                .collect(),
            auth: text("auth")?,
            source: text("source")?,
            destination: text("destination")?,
            ttl: number("ttl")?,
        }),
        Some("arp") => Packet::Arp {
            operation: text("operation")?,
            sender: text("sender_ip")?,
            // tcpdump does not tell whom a reply is for.
            target: match record["operation"].as_str() {
                Some("reply") => None,
                _ => Some(text("target_ip")?),
            },
        },
        Some("nd") => Packet::Nd {
            operation: text("operation")?,
            source: text("source")?,
            destination: text("destination")?,
            target: text("address")?,
        },
        _ => return Ok(None),
    };
    Ok(Some(Sighting {
        nanos: watcher::nanos(record)?,
        frame: Frame {
            source_mac: text("source_mac")?,
            vlan: record["vlan"]
                .as_array()
                .context("every record has its VLANs")?
                .iter()
                .filter_map(Value::as_u64)
                .collect(),
            packet,
        },
    }))
}

/// What tcpdump saw of VRRP, ARP and neighbour discovery, in the order of the file.
pub(crate) fn witnessed(file: &Path) -> Result<Vec<Sighting>> {
    let mut entries: Vec<String> = Vec::new();
    for line in tcpdump_lines(file, &["-tt", "-e", "-v"])? {
        // With -v an IPv4 packet takes two lines, and one quoted in ICMP two more.
        match entries.last_mut() {
            Some(entry) if line.starts_with(char::is_whitespace) => {
                entry.push(' ');
                entry.push_str(line.trim_start());
            }
            _ => entries.push(line),
        }
    }
    entries
        .iter()
        .filter_map(|entry| sighting(entry).transpose())
        .collect()
}

fn sighting(entry: &str) -> Result<Option<Sighting>> {
    // A host without VRRP returns unicast adverts, quoted in ICMP.
    let packet = if entry.contains("ICMP ") {
        return Ok(None);
    } else if entry.contains("Advertisement, vrid ") {
        advert(entry).map(Packet::Advert)
    } else if entry.contains("ethertype ARP") {
        arp(entry)
    } else if entry.contains("ICMP6, neighbor ") {
        nd(entry)
    } else {
        return Ok(None);
    };
    let packet = packet.with_context(|| format!("not understood: {entry}"))?;
    let (time, rest) = entry.split_once(' ').context("a time comes first")?;
    Ok(Some(Sighting {
        nanos: nanos(time).with_context(|| format!("no time: {time}"))?,
        frame: Frame {
            source_mac: rest.split(' ').next().unwrap_or_default().to_owned(),
            vlan: rest
                .match_indices(": vlan ")
                .chain(rest.match_indices(", vlan "))
                .filter_map(|(at, found)| leading_number(&rest[at + found.len()..]))
                .collect(),
            packet,
        },
    }))
}

/// `(tos 0xc0, ttl 255, ...) A > B: VRRPv2, Advertisement, vrid 51, prio 150, authtype simple,
/// intvl 1s, length 20, addrs: A1 auth "..."`, with IPv6 `hlim 255` and `addrs(2): A1,A2`.
fn advert(entry: &str) -> Option<Advert> {
    let interval = after(entry, ", intvl ")?;
    let unit = if word(interval).ends_with("cs") {
        10
    } else {
        1000
    };
    let (source, destination) = ends(entry)?;
    let (_, addresses) = after(entry, ", addrs")?.split_once(": ")?;
    Some(Advert {
        version: number(entry, "VRRPv")?,
        vrid: number(entry, ", vrid ")?,
        priority: number(entry, ", prio ")?,
        interval_ms: leading_number(interval)? * unit,
        addresses: word(addresses).split(',').map(str::to_owned).collect(),
        auth: match after(entry, ", authtype ").map(word) {
            None | Some("none") => "none",
            Some("simple") => "pass",
            Some("ah") => "ah",
            Some(_) => return None,
        }
        .to_owned(),
        source,
        destination,
        ttl: number(entry, ", ttl ").or_else(|| number(entry, ", hlim "))?,
    })
}

/// `Request who-has A (MAC) tell B, length 28` or `Reply A is-at MAC, length 28`.
fn arp(entry: &str) -> Option<Packet> {
    let (operation, sender, target) = match after(entry, "Request who-has ") {
        Some(target) => ("request", after(entry, " tell ")?, Some(word(target))),
        None => ("reply", after(entry, "Reply ")?, None),
    };
    Some(Packet::Arp {
        operation: operation.to_owned(),
        sender: word(sender).to_owned(),
        target: target.map(str::to_owned),
    })
}

/// `A > B: [icmp6 sum ok] ICMP6, neighbor advertisement, length 32, tgt is T, Flags [override]` or
/// `... neighbor solicitation, length 32, who has T`.
fn nd(entry: &str) -> Option<Packet> {
    let operation = word(after(entry, "ICMP6, neighbor ")?);
    let target = after(entry, ", tgt is ").or_else(|| after(entry, ", who has "))?;
    let (source, destination) = ends(entry)?;
    Some(Packet::Nd {
        operation: operation.to_owned(),
        source,
        destination,
        target: word(target).to_owned(),
    })
}

/// The IP addresses in `) A > B: `; the MAC addresses come earlier, without a parenthesis.
fn ends(entry: &str) -> Option<(String, String)> {
    let (_, rest) = entry.split_once(") ").filter(|_| entry.contains('('))?;
    let at = rest.find(" > ")?;
    let source = rest[..at].rsplit(' ').next()?;
    let destination = word(&rest[at + 3..]).trim_end_matches(':');
    Some((source.to_owned(), destination.to_owned()))
}

fn after<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    text.split_once(label).map(|(_, rest)| rest)
}

/// The text up to a blank, without the comma behind it.
fn word(text: &str) -> &str {
    text.split(' ').next().unwrap_or(text).trim_end_matches(',')
}

fn number(text: &str, label: &str) -> Option<u64> {
    leading_number(after(text, label)?)
}

fn leading_number(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    u64::from_str(&text[..end.unwrap_or(text.len())]).ok()
}

/// `1795380346.535604`.
fn nanos(text: &str) -> Option<i128> {
    let (seconds, micros) = text.split_once('.')?;
    Some(i128::from_str(seconds).ok()? * 1_000_000_000 + i128::from_str(micros).ok()? * 1000)
}
