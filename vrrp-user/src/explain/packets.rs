//! Packets that are not as they should be.

use super::Explanation;

pub(super) const BAD_CHECKSUM: Explanation = Explanation {
    meaning: "Adverts whose checksum is wrong however it is computed. All receivers drop them, and if \
        these are the adverts of the active router, another becomes active beside it.",
    wire: "The checksum verifies neither without nor with a pseudo header, nor with the multicast \
        group in it. An advert that verifies in one of these ways is not reported here, though \
        other tools may call it bad.",
    log: "\"Invalid VRRPv2 checksum\" or \"Invalid VRRPv3 checksum\".",
    causes: &[
        "NAT between unicast peers: the addresses are part of the VRRPv3 checksum.",
        "A device that damages or rewrites packets; a faulty network card or offload.",
        "Adverts made up by a tool.",
    ],
    action: "Compare captures at both ends. Behind NAT, v3_checksum_as_v2 (keepalived from 2.3.3 on), set on all \
        routers, leaves the addresses out of the checksum.",
    next: &["vrrpwatch run --write bad.pcapng    # on both routers, and compare"],
};

pub(super) const FLOOD: Explanation = Explanation {
    meaning: "Two hundred and more adverts, answers or announcements a second, for seconds, of senders that \
        are not known, which no network needs: a machine makes them up, or a loop multiplies them. The \
        kernel passes those of known routers and machines first, and a few dozen a second of others; the \
        rest is counted in `loss` records by reason.",
    wire: "Counted are adverts of senders that were not heard at their pace, and ARP and neighbour discovery \
        of MACs that are none of the routers'. It is cleared when there were fewer for five seconds.",
    log: "keepalived logs every advert that it drops; a daemon that is kept busy misses its own timers.",
    causes: &[
        "A machine that makes up adverts or ARP, such as a test tool or an attack.",
        "A loop between switches: the same frames come again and again.",
        "A load test that was pointed at the wrong network.",
    ],
    action: "Find the port in the switch by its counters, and shut it or limit multicast and ARP on it. \
        While it lasts, a router that was not known before may be overlooked.",
    next: &["vrrpwatch run --only finding    # which MACs it comes from"],
};

pub(super) const NEW_SENDER: Explanation = Explanation {
    meaning: "The adverts of a router came from one MAC, and now one came from another. Adverts are not \
        signed: any machine on the segment can send them in the name of a router, and make others (and \
        vrrpwatch) believe that it resigned, or that its priority changed. The MAC is the only trace \
        that it leaves.",
    wire: "An advert with the source address of a router whose adverts came from another MAC, at least \
        twice. It is cleared when adverts have come from one MAC alone for a minute.",
    log: "Nothing: neither keepalived nor FRR look at MACs.",
    causes: &[
        "The machine or its network card was replaced, or use_vmac was switched on or off.",
        "A bond that sends through its ports in turn.",
        "Two routers that share a source address, such as the same mcast_src_ip, or the gateway between \
            unicast peers, which was replaced.",
        "A machine that sends adverts in the name of the router.",
    ],
    action: "If none of the harmless causes is known, find the port of the new MAC in the switch. Let \
        only the ports of routers send IP protocol 112.",
    next: &["vrrpwatch run --only advert    # which MAC sends what"],
};

pub(super) const BAD_TTL: Explanation = Explanation {
    meaning: "Multicast adverts with a TTL or hop limit other than 255. The value proves that a packet \
        did not come through a router; all receivers drop those that may have.",
    wire: "TTL below 255 in an advert to the group. Unicast adverts may have a lower one.",
    log: "\"invalid TTL/HL. Received ... and expect 255\".",
    causes: &[
        "Multicast routing or a tunnel that forwards 224.0.0.18, which must not leave its segment.",
        "Adverts made up by a tool.",
    ],
    action: "Find the sender. If it is a router of this virtual router, something on the way counts \
        the TTL down.",
    next: &["vrrpwatch run --only advert    # source address and MAC of the packets"],
};

pub(super) const MALFORMED_ADVERT: Explanation = Explanation {
    meaning: "Adverts that break the format. Receivers drop them. If they come from the active router, \
        the backups do not hear it and become active too.",
    wire: "The finding names the defect: a wrong length, an unknown version, type or authentication \
        type, VRID 0, and so on. Padding of short frames and IP options are fine and not reported.",
    log: "\"vrrp packet too short, length ... and expect ...\", \"vrrp packet too long\", \"Invalid packet \
        type\", \"Invalid auth type\"; nothing where the kernel drops the packet before.",
    causes: &[
        "keepalived 2.4 with auth_hmac, seen by older versions.",
        "A firewall or load balancer that rewrites packets.",
        "Another protocol with IP protocol number 112, or a tool.",
    ],
    action: "Look at the bytes and at the sender.",
    next: &["vrrpwatch run --write odd.pcapng; tshark -V -r odd.pcapng"],
};

pub(super) const REFLECTED_ADVERT: Explanation = Explanation {
    meaning: "The same advert is seen twice within a millisecond, or an advert of this host comes back \
        to it. Frames are duplicated or led in a circle. A router that reads its own advert takes \
        it for that of another with the same address.",
    wire: "Two equal adverts with the same source MAC at once, on one interface.",
    log: "Often nothing; a change of state for no reason, if the router takes its own advert for that of \
        another.",
    causes: &[
        "A loop between switches without spanning tree, or a bond that is none on the switch.",
        "A mirror port whose traffic leads back into the segment.",
        "A hypervisor or wireless bridge that reflects multicast to its sender.",
    ],
    action: "Find the loop: the switch logs MAC addresses that move between ports.",
    next: &["bridge fdb show    # on a Linux bridge: does the MAC of the router move?"],
};

pub(super) const PLAINTEXT_AUTH: Explanation = Explanation {
    meaning: "The virtual router is protected by a password that everybody on the segment can read. It \
        guards against configuration mistakes only.",
    wire: "VRRPv2 adverts with authentication type 1. vrrpwatch shows a fingerprint, which is another \
        in each run, and never the password.",
    log: "Nothing; with VRRPv3 \"VRRP version 3 does not support authentication. Ignoring.\".",
    causes: &["auth_type PASS, as in most examples of a configuration."],
    action: "Do not use the password anywhere else. Keep strangers off the segment, or filter IP \
        protocol 112 at its edge.",
    next: &["grep -rn auth_ /etc/keepalived/"],
};

pub(super) const CARP_NEIGHBOUR: Explanation = Explanation {
    meaning: "A machine speaks CARP, the protocol of the BSDs and of ucarp, which has the protocol \
        number and the group of VRRP. It is not part of any virtual router. Where its VHID is the VRID of \
        a virtual router of the segment, it is a warning: the two share a virtual MAC.",
    wire: "Messages of 36 bytes that begin like VRRPv2. tcpdump and tshark show them as a VRRPv2 router \
        with seven addresses and the priority 0, that is, one that resigns every second.",
    log: "\"vrrp packet too short\" for each of them, if the VHID is that of a virtual router.",
    causes: &["pfSense, OPNsense, OpenBSD, FreeBSD or ucarp on the segment."],
    action: "Nothing, as long as no VHID equals a VRID: both make virtual MACs of it, and a switch sees \
        a shared one move between two ports. Choose another virtual_router_id if they do.",
    next: &["vrrpwatch run --only carp"],
};
