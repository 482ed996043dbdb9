//! FRR's vrrpd.
//!
//! Its lines begin with what they are about, in brackets: `[XXXXX-XXXXX][EC 1] [CORE] [VRID 5]
//! [IPv4] text`. With the default configuration FRR is silent on everything but state changes and
//! its own errors.

use super::{Reading, Rule, look_up, reading};
use crate::{
    log::event::{
        Details, Life, LogEvent,
        LogEvent::{
            AdvertTimeout, Auth, Bogus, Cksum, Config, GarpErr, GarpTx, Intvl, Len, NaErr, NaTx,
            OwnerIgn, RxAdvert, RxHigherAsMaster, RxLowerAsBackup, RxLowerAsMaster, SendErr,
            StateMasterPre, Ttl, Version, VipCount,
        },
        LogState,
    },
    model::{Family, Vrid},
};

pub(super) const RULES: &[Rule] = &[
    (AdvertTimeout, "Master_Down_Timer expired"),
    (
        RxHigherAsMaster,
        "Received advertisement from {source} w/ priority {theirs}; switching to Backup",
    ),
    (
        StateMasterPre,
        "{name} has priority set to 255 or owns primary Virtual Router IP {address}; electing self as Master",
    ),
    (Config, "Interface: None (no interface found w/ MAC {word})"),
    (
        Config,
        "Interface: Multiple interfaces found; using {interface}",
    ),
    (Config, "Interface: {interface}"),
    (Config, "Refusing to start Virtual Router: {error}"),
    (SendErr, "Failed to send VRRP Advertisement: {error}"),
    (
        Config,
        "Failed to set outgoing multicast TTL count to 255; RFC 5798 compliant implementations will drop our packets",
    ),
    (
        Config,
        "Failed to set outgoing multicast hop count to 255; RFC 5798 compliant implementations will drop our packets",
    ),
    (Config, "Failed to join VRRP {family} multicast group"),
    (
        Config,
        "Could not set {word} as outgoing multicast interface",
    ),
    (
        GarpErr,
        "Unable to send gratuitous ARP on {interface}; has IFF_NOARP",
    ),
    (
        GarpErr,
        "Unable to send gratuitous ARP on {interface}; MAC address unknown",
    ),
    (
        GarpErr,
        "Error sending gratuitous ARP on {interface} for {address}",
    ),
    (
        NaErr,
        "Error sending unsolicited Neighbor Advertisement on {interface} for {address}",
    ),
    (
        RxAdvert,
        "Received VRRP Advertisement from {source}: version {number}, type {number} ({word}), vrid {vrid}, priority {theirs}, #{number} addresses, max adver int {number}, checksum {hex}",
    ),
    (
        Ttl,
        "Datagram invalid: IPv4 TTL is {theirs}; should be {ours}",
    ),
    (
        Ttl,
        "Datagram invalid: IPv6 Hop Limit is {theirs}; should be {ours}",
    ),
    (Version, "Datagram invalid: Bad version {theirs}"),
    (
        Cksum,
        "Datagram invalid: Bad VRRP checksum {hex}; should be {hex}",
    ),
    (Bogus, "Datagram invalid: Bad type {number}"),
    (
        VipCount,
        "Datagram invalid: Packet has incorrect # addresses{tail}",
    ),
    (Auth, "Datagram invalid: Bad authentication type {theirs}"),
    (Len, "Datagram invalid: VRRP packet is undersized ({tail}"),
    (Len, "Datagram invalid: VRRP packet is oversized ({tail}"),
    (
        Len,
        "Datagram invalid: IPv4 packet length field does not match # received bytes; {tail}",
    ),
    (
        LogEvent::Vrid,
        "Datagram invalid: Advertisement contains VRID {theirs} which does not match our instance",
    ),
    (OwnerIgn, "Datagram invalid: {tail}we are the address owner"),
    (
        Intvl,
        "Datagram invalid: {tail}advertisement interval {theirs} unequal to our configured value {ours}",
    ),
    (
        VipCount,
        "Datagram has {theirs} addresses, but this VRRP instance has {ours}",
    ),
    (
        RxLowerAsMaster,
        "Discarding advertisement from {source} ({theirs} <= {ours} & {word} <= {word})",
    ),
    (
        RxLowerAsBackup,
        "Discarding advertisement from {source} ({theirs} < {ours} & preempt = true)",
    ),
    (
        GarpTx,
        "Sending gratuitous ARP on {interface} for {address}",
    ),
    (
        NaTx,
        "Sending unsolicited Neighbor Advertisement on {interface} for {address}",
    ),
];

/// Brackets that are taken off a line at most.
const BRACKETS: usize = 6;

/// Reads a line of vrrpd: one that begins with the brackets of a part of it.
pub(super) fn read(line: &str) -> Option<Reading> {
    let mut text = line;
    let mut part = false;
    let (mut vrid, mut family) = (None, None);
    for _ in 0..BRACKETS {
        let Some((tag, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) else {
            break;
        };
        match tag {
            "CORE" | "ARP" | "NDISC" | "ZEBRA" => part = true,
            "IPv4" => family = Some(Family::Ipv4),
            "IPv6" => family = Some(Family::Ipv6),
            _ => {
                if let Some(number) = tag.strip_prefix("VRID ") {
                    vrid = number.parse().ok().map(Vrid::new);
                }
            }
        }
        text = rest.strip_prefix(' ').unwrap_or(rest);
    }
    if !part {
        return None;
    }
    let mut reading = transition(text)
        .or_else(|| startup(text))
        .or_else(|| look_up(&[RULES], text))
        .unwrap_or_else(|| reading(LogEvent::Other, Details::default()));
    let details = &mut reading.details;
    details.vrid = vrid.or(details.vrid);
    details.family = family.or(details.family);
    Some(reading)
}

/// `Backup -> Master`.
fn transition(text: &str) -> Option<Reading> {
    let (from, to) = text.split_once(" -> ")?;
    let (from, state) = (LogState::from_name(from)?, LogState::from_name(to)?);
    let event = match state {
        LogState::Master => LogEvent::StateMaster,
        LogState::Backup => LogEvent::StateBackup,
        _ => LogEvent::StateAny,
    };
    let details = Details {
        from: Some(from),
        state: Some(state),
        ..Details::default()
    };
    Some(reading(event, details))
}

/// `'Startup' event`.
fn startup(text: &str) -> Option<Reading> {
    let life = match text {
        "'Startup' event" => Life::Starting,
        "'Shutdown' event" => Life::Stopping,
        _ => return None,
    };
    let details = Details {
        life: Some(life),
        ..Details::default()
    };
    Some(reading(LogEvent::Life, details))
}
