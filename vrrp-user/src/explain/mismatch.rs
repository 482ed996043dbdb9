//! What the routers of one virtual router have to agree on.

use super::Explanation;

const BOTH: &[&str] = &[
    "keepalived --config-test    # on both routers",
    "diff ONE.conf OTHER.conf    # the two files /etc/keepalived/keepalived.conf",
];

pub(super) const INTERVAL: Explanation = Explanation {
    meaning: "The routers of a virtual router are set to different advertisement intervals. VRRPv2 \
        requires them to be equal: adverts with another interval are dropped, and both routers \
        become active. VRRPv3 learns the interval of the active router; there, failover takes \
        another time than configured.",
    wire: "Different intervals in the adverts of two sources, at once or one after the other.",
    log: "\"advertisement interval mismatch mine=... sec rcv'd=... sec\" with VRRPv2; \"advertisement \
        interval updated from ... to ... milli-sec from higher priority master\" with VRRPv3.",
    causes: &["advert_int was changed on one router only."],
    action: "Set the same advert_int on all routers.",
    next: BOTH,
};

pub(super) const VERSION: Explanation = Explanation {
    meaning: "The routers of a virtual router speak different versions of VRRP. Each drops the adverts \
        of the other: both become active.",
    wire: "Version 2 and version 3 in the adverts of one VRID and family.",
    log: "\"wrong version. Received ... and expect ...\".",
    causes: &[
        "vrrp_version was set on one router only; keepalived's default is 2 for IPv4.",
        "Two products with different defaults.",
    ],
    action: "Set the same vrrp_version on all routers. A change of version cannot be done one router \
        at a time without both being active for a while: stop the backup first.",
    next: BOTH,
};

pub(super) const AUTH: Explanation = Explanation {
    meaning: "The routers of a virtual router authenticate differently: another type, another \
        password, or one not at all. Each drops the adverts of the other: both become active.",
    wire: "Different authentication types, or passwords of different fingerprints. vrrpwatch never \
        shows a password.",
    log: "\"received an invalid passwd!\" or \"received a ... auth, expecting ...!\".",
    causes: &[
        "A password changed or mistyped on one router; only its first eight characters count.",
        "keepalived 2.4 with auth_hmac beside an older one, which finds its adverts too long.",
        "Two services with one VRID.",
    ],
    action: "Use the same auth_type and auth_pass on all routers, or none: RFC 3768 has removed \
        authentication, as it protects against nothing.",
    next: BOTH,
};

pub(super) const ADDRESS_LIST: Explanation = Explanation {
    meaning: "The routers of a virtual router have different virtual addresses. keepalived up to 2.3.2 \
        drops such adverts, and both routers become active; later versions and FRR accept them, \
        and after a failover some addresses are gone.",
    wire: "Different sets of addresses in the adverts of two sources; the order does not matter.",
    log: "\"ip address associated with VRID ... not present in MASTER advert\" or \"received an \
        unexpected ip number count ..., expected ...!\".",
    causes: &[
        "An address was added on one router only.",
        "More than 20 addresses, some of which were moved to virtual_ipaddress_excluded on one router.",
    ],
    action: "Make the virtual_ipaddress blocks equal, in virtual_ipaddress_excluded as well.",
    next: BOTH,
};

pub(super) const CHECKSUM_VARIANT: Explanation = Explanation {
    meaning: "The routers of a virtual router compute the checksum of VRRPv3 over IPv4 differently: \
        with the addresses of the IP header, as keepalived and FRR do by default, or without, as \
        RFC 9568 and Cisco do. A router that expects the one drops the other.",
    wire: "The checksums of one source verify with a pseudo header, those of another without. No advert \
        is damaged; other tools call one of the two wrong.",
    log: "\"Invalid VRRPv3 checksum\" on the router without v3_checksum_as_v2; nothing on the other, \
        which accepts either.",
    causes: &[
        "v3_checksum_as_v2 was set on one router only.",
        "Two products with different readings of the RFC.",
        "unicast adverts of keepalived up to 1.3.6, which have the multicast group in the checksum.",
    ],
    action: "Set v3_checksum_as_v2 (keepalived from 2.3.3 on) on all keepalived routers, or on none; beside a Cisco or Juniper \
        router it must be set.",
    next: BOTH,
};

pub(super) const UNICAST_MULTICAST: Explanation = Explanation {
    meaning: "Some routers of a virtual router advertise to unicast peers and others to the multicast \
        group. They do not take part in the same election: both become active.",
    wire: "Adverts of one VRID with a common address, some to 224.0.0.18 or ff02::12 and some to the \
        address of a router.",
    log: "\"A unicast keyword has been specified without any unicast peers. Defaulting to multicast\", \
        if that is how it came about; otherwise nothing.",
    causes: &[
        "unicast_peer was added on one router only.",
        "unicast_src_ip without unicast_peer, which means multicast.",
    ],
    action: "Configure unicast_peer on all routers, each naming all others, or on none.",
    next: BOTH,
};
