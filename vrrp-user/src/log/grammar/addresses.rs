//! Virtual addresses and their announcement.

use super::Rule;
use crate::log::event::LogEvent::{GarpErr, GarpQ, GarpSelf, GarpTx, NaErr, NaTx, Vips};

pub(super) const OF_AN_INSTANCE: &[Rule] = &[
    (Vips, "{on} protocol {set}"),
    (Vips, "{on} VIPs."),
    (Vips, "{on} E-VIPs."),
    (GarpQ, "Sending {announcement} on {interface} for {address}"),
    (
        GarpQ,
        "Sending/queueing {announcement} on {interface} for {address}",
    ),
];

pub(super) const BARE: &[Rule] = &[
    (
        GarpTx,
        "Sending gratuitous ARP on {interface} for {address}",
    ),
    (
        NaTx,
        "Sending unsolicited Neighbour Advert on {interface} for {address}",
    ),
    (
        GarpErr,
        "Error sending gratuitous ARP on {interface} for {address}",
    ),
    (
        GarpErr,
        "Error {number} ({error}) sending gratuitous ARP on {interface} for {address}",
    ),
    (
        GarpErr,
        "Error {number} sending gratuitous ARP on {interface} for {address}",
    ),
    (
        NaErr,
        "VRRP: Error sending ndisc unsolicited neighbour advert on {interface} for {address}",
    ),
    (
        NaErr,
        "Error {number} sending ndisc unsolicited neighbour advert on {interface} for {address}",
    ),
    (GarpSelf, "{name}: sending gratuitous {word} for {address}"),
];
