//! Packets that the daemon rejects or finds suspicious.
//!
//! Until 2.3.2 there is a line for each packet; since then one for each kind of fault, until the
//! state changes or another machine sends. Silence does not mean that the fault went away.

use super::Rule;
use crate::log::event::LogEvent::{
    Ah, Auth, Bogus, Cksum, CksumCompat, Hmac, Intvl, Len, OwnerIgn, Ttl, Unicast, Version,
    VipCount, VipMismatch, Vrid,
};

pub(super) const OF_AN_INSTANCE: &[Rule] = &[
    // The first two are spelt like this.
    (Bogus, "ignoring received advertisment..."),
    (Bogus, "Dropping received VRRP packet..."),
    (
        VipMismatch,
        "ip address associated with VRID {vrid} not present in MASTER advert : {address}",
    ),
    (
        VipMismatch,
        "ip address associated with VRID {vrid} not present in MASTER advert: {address}",
    ),
    (
        VipMismatch,
        "ip address associated with VRID {vrid} not present in advert from {source}: {address}",
    ),
    (
        VipCount,
        "received an invalid ip number count {theirs}, expected {ours}!",
    ),
    (
        VipCount,
        "received an unexpected ip number count {theirs}, expected {ours}!",
    ),
    (VipCount, "expected {ours} VIPs but received {theirs}"),
    (
        Intvl,
        "advertisement interval mismatch mine={ours} sec rcved={theirs} sec",
    ),
    (
        Intvl,
        "advertisement interval mismatch mine={ours} sec rcv'd={theirs} sec",
    ),
    (
        Intvl,
        "advertisement interval mismatch with {source} mine={ours} sec rcv'd={theirs} sec",
    ),
    (
        Intvl,
        "advertisement interval mismatch ours = {ours} centi-sec rcv'd={theirs} centi-sec",
    ),
    (
        Intvl,
        "advertisement interval changed: mine={ours} milli-sec, rcved={theirs} milli-sec",
    ),
    (Ttl, "invalid ttl. {theirs} and expect {ours}"),
    (Ttl, "invalid TTL/HL. Received {theirs} and expect {ours}"),
    (
        Ttl,
        "invalid TTL/HL from {source}. Received {theirs} and expect {ours}",
    ),
    (
        Ttl,
        "TTL/HL {theirs} from {source} not in range [{number}, {number}]",
    ),
    (
        Version,
        "wrong version. Received {theirs} and expect {ours}",
    ),
    (
        Version,
        "wrong VRRP version from {source}. Received {theirs} and expect {ours}",
    ),
    (Cksum, "Invalid VRRPv2 checksum"),
    (Cksum, "Invalid VRRPv3 checksum"),
    (Cksum, "Invalid VRRPv2 checksum from {source}"),
    (Cksum, "Invalid VRRPv3 checksum from {source}"),
    (
        CksumCompat,
        "Setting unicast VRRPv3 checksum to old version",
    ),
    (Auth, "received an invalid passwd!"),
    (Auth, "received an invalid passwd from {source}!"),
    (Auth, "received a {theirs} auth, expecting {ours}!"),
    (
        Auth,
        "received a {theirs} auth from {source}, expecting {ours}!",
    ),
    (Auth, "Invalid auth type from {source}: {theirs}"),
    (
        Auth,
        "Received AH header but auth type not AH from {source}",
    ),
    (Auth, "No AH header but auth type is AH from {source}"),
    (
        Ah,
        "IPSEC-AH : invalid IPSEC HMAC-MD5 value. Due to fields mutation or bad password !",
    ),
    (Ah, "IPSEC-AH : Syncing seq_num - Increment seq"),
    (Hmac, "missing authentication trailer from {source}"),
    (Hmac, "malformed authentication trailer from {source}"),
    (Hmac, "unknown authentication key id {theirs} from {source}"),
    (Hmac, "invalid authentication MAC from {source}"),
    (Hmac, "invalid authentication HMAC from {source}"),
    (
        Hmac,
        "stale authentication trailer from {source}, clock skew {number} sec exceeds window {number} sec",
    ),
    (Hmac, "replayed authentication trailer from {source}"),
    (
        Hmac,
        "authentication clock skew {number} sec from {source} approaching window {number} sec",
    ),
    (
        Len,
        "vrrp packet too {length}, length {theirs} and expect {ours}",
    ),
    (
        Len,
        "vrrp packet from {source} too {length}, length {theirs} and expect {ours}",
    ),
    (
        Len,
        "ip_tot_len mismatch against received length from {source}. {number} and received {number}",
    ),
    (
        Unicast,
        "Expected {cast}icast packet but received {cast}icast packet",
    ),
    (
        Unicast,
        "Expected {cast}icast packet but received {cast}icast packet from {source}",
    ),
    (
        Unicast,
        "discarding {cast}icast packet on {cast}icast instance",
    ),
    (
        Unicast,
        "unicast source address {source} not a unicast peer",
    ),
    (Vrid, "duplicate VRID conflict with {name} VRID {vrid}"),
    (
        OwnerIgn,
        "Dropping packet(s) from {source} since we are address owner",
    ),
];

/// Until 1.2.19 these lines did not say which instance they are about.
pub(super) const BARE: &[Rule] = &[
    (Bogus, "bogus VRRP packet received on {interface} !!!"),
    (
        VipMismatch,
        "ip address associated with VRID not present in received packet : {address}",
    ),
    (
        VipMismatch,
        "ip address associated with VRID  not present in received packet : {address}",
    ),
    (
        VipMismatch,
        "one or more VIP associated with VRID mismatch actual MASTER advert",
    ),
    (
        VipCount,
        "receive an invalid ip number count associated with VRID!",
    ),
    // Spelt like this until 1.2.16.
    (
        Intvl,
        "advertissement interval mismatch mine={ours} rcved={theirs}",
    ),
    (
        Intvl,
        "advertisement interval mismatch mine={ours} sec rcved={theirs} sec",
    ),
    (Ttl, "invalid ttl. {theirs} and expect {ours}"),
    (Version, "invalid version. {theirs} and expect {ours}"),
    (Cksum, "Invalid vrrp checksum"),
    (Auth, "receive an invalid passwd!"),
    (Auth, "receive a {theirs} auth, expecting {ours}!"),
    (
        Vrid,
        "received VRID mismatch. Received {theirs}, Expected {ours}",
    ),
    (
        Vrid,
        "Unknown VRID({vrid}) received on interface({interface}). ignoring...",
    ),
    (
        Vrid,
        "Unknown VRID({vrid}) received on interface({interface}) from {source}. ignoring...",
    ),
];
