//! Who is active, and who should be.

use super::Explanation;

pub(super) const SPLIT_BRAIN: Explanation = Explanation {
    meaning: "Two or more routers are active for one virtual router at the same time, and both hold \
        its addresses. Which one a client reaches is a matter of whose ARP it saw last: connections \
        break, and stateful services diverge.",
    wire: "Adverts of one VRID from several sources for longer than one election round. Routers that \
        drop each other's adverts may look quieter than that: keepalived starts its advertisement \
        timer anew with every packet that it reads, a dropped one too, so that one may send a \
        single advert and then none while it holds the address. vrrpwatch knows such a pair by \
        adverts that the other must drop, and by the absence of a resignation.",
    log: "Both routers are in MASTER STATE; \"Received advert from ... with lower priority\" on one of \
        them or neither. Where adverts are dropped for a reason, it is logged: \"received an invalid \
        passwd!\", \"advertisement interval mismatch\", \"wrong version\", \"ip address associated with \
        VRID ... not present\".",
    causes: &[
        "not-received: a firewall that does not allow IP protocol 112 (or AH, 51), multicast lost to \
         IGMP snooping, a link that works in one direction, or rp_filter.",
        "auth-mismatch, version-mismatch, interval-mismatch, address-list-mismatch, checksum-variant: \
         the configurations differ in something for which adverts are dropped.",
        "unicast-multicast-mix: one router has unicast_peer and the other has not.",
        "owner-conflict: both have priority 255.",
    ],
    action: "Follow the cause that the finding names. If it cannot wait, stop keepalived on the router with \
        the lower priority, unless the other is cut off from its clients.",
    next: &[
        "nft list ruleset    # on both: is IP protocol 112 accepted?",
        "keepalived --config-test    # on both, then compare the vrrp_instance blocks",
        "vrrpwatch run    # on both: which side does not see the other's adverts?",
    ],
};

pub(super) const VRID_COLLISION: Explanation = Explanation {
    meaning: "Two services with nothing in common use the same VRID on one segment. They take each \
        other for routers of the same virtual router: adverts are dropped or, with keepalived from \
        2.3.3 on and FRR, the service with the lower priority gives way and loses its addresses.",
    wire: "Adverts of one VRID from several sources, whose address lists have no address in common.",
    log: "\"ip address associated with VRID ... not present in MASTER advert\" or \"received an invalid \
        passwd!\", once per advert of the other service.",
    causes: &[
        "A VRID copied from an example: 51 is the most used one in the world.",
        "Segments that were separate and have been joined.",
    ],
    action: "Give one of the services another virtual_router_id on all of its routers. The adverts \
        show which are in use.",
    next: &["vrrpwatch run --only advert    # which VRIDs are in use?"],
};

pub(super) const VIP_IN_TWO_VRIDS: Explanation = Explanation {
    meaning: "One address belongs to two virtual routers of a segment. Each has an active router, and \
        so two machines hold the address. Routers of different VRIDs ignore each other, and none \
        of them will ever log anything.",
    wire: "Adverts of two VRIDs that list the same address, each at its pace; gratuitous ARP for the \
        address from two MACs.",
    log: "Nothing at all: each router is MASTER of its own VRID, and content.",
    causes: &[
        "A mistyped virtual_router_id on one router of a pair.",
        "An address that was moved to another virtual router and not removed from the first.",
    ],
    action: "If the two routers are meant to be a pair, set the same virtual_router_id on both. If \
        they serve different purposes, take the address out of one of them.",
    next: &[
        "grep -r virtual_router_id /etc/keepalived/    # on both routers",
        "arping -c 3 -I INTERFACE ADDRESS    # answers from two MACs",
    ],
};

pub(super) const OWNER_CONFLICT: Explanation = Explanation {
    meaning: "Two routers advertise priority 255, which is for the one machine that owns the addresses \
        without VRRP. An owner is active from the start and does not yield.",
    wire: "Adverts with priority 255 from two sources.",
    log: "\"CONFIGURATION ERROR: local instance and a remote instance are both configured as address \
        owner, please fix - reducing local priority\" on the router with the lower address, which \
        then goes on with 254.",
    causes: &[
        "The same configuration on both routers, with priority 255 for \"as high as can be\".",
    ],
    action: "Set a priority of at most 254 on all routers but the true owner, if there is one.",
    next: &["grep -rn 'priority' /etc/keepalived/    # on both routers"],
};

pub(super) const NO_MASTER: Explanation = Explanation {
    meaning: "The active router resigned or fell silent, and no other took over in the time that any \
        backup would wait. If it resigned nobody holds the addresses; if it fell silent its machine \
        may still answer for them, until it fails or somebody else is given them.",
    wire: "An advert with priority 0, or none any more; and then none of another router for longer \
        than its timer.",
    log: "On the old router \"sent 0 priority\", or nothing; on the others nothing, \"Entering FAULT \
        STATE\", or a tracked script or interface that failed.",
    causes: &[
        "There is no second router, or keepalived does not run there.",
        "The backup is in FAULT state for a tracked interface, script or process.",
        "The backup is active, but its adverts are dropped on its own way out.",
    ],
    action: "See first whether a router is active and its adverts do not come here: then nothing is to be \
        started. Otherwise start keepalived on a router; if it runs, its log says why it does not become \
        active.",
    next: &[
        "systemctl status keepalived; ip -brief link    # on the backup",
        "journalctl -u keepalived --since -10min    # on the backup",
    ],
};

pub(super) const FALSE_OWNER: Explanation = Explanation {
    meaning: "A router advertises priority 255 and owns none of the addresses. It skips the election \
        when it starts, and takes the addresses over before it can know whether another router is \
        active.",
    wire: "Adverts with priority 255 whose source is none of the virtual addresses.",
    log: "\"Entering MASTER STATE\" at once after the start, without \"Entering BACKUP STATE\".",
    causes: &["255 was meant to say \"as high as can be\"."],
    action: "Set a priority of at most 254.",
    next: &["grep -rn 'priority 255' /etc/keepalived/"],
};

pub(super) const SILENT_FAILOVER: Explanation = Explanation {
    meaning: "The active router stopped advertising without saying so, and another took over when its \
        timer ran out. If the old machine is down, clients were without service meanwhile; if only its \
        daemon died, its kernel went on answering, and may do so still.",
    wire: "No advert with priority 0; silence for Master_Down_Interval, then adverts of another \
        source.",
    log: "\"Receive advertisement timeout\" and \"Entering MASTER STATE\" on the new router; on the old \
        one nothing, or a kernel message about memory or a hung task.",
    causes: &[
        "keepalived was killed or crashed, or the machine went down without stopping it.",
        "A link or switch failed between the routers.",
        "The machine stood still: swapping, a paused virtual machine, a starved scheduler.",
    ],
    action: "Find out what became of the old router. If it is up and keepalived is not, it answers \
        for the addresses still: start keepalived there, which removes them or takes them properly.",
    next: &[
        "journalctl -u keepalived --since -10min; journalctl -k --since -10min    # on the old router",
        "ip address    # on the old router: are the addresses gone?",
    ],
};

pub(super) const FLAPPING: Explanation = Explanation {
    meaning: "The active router changes again and again. Each change interrupts connections and \
        rewrites the ARP caches of all neighbours.",
    wire: "Three changes of the active router within a minute. The cause is told from how they come \
        about: priorities that change, resignations, or silence.",
    log: "\"Entering MASTER STATE\" and \"Entering BACKUP STATE\" in turns; with priority-change \
        \"Changing effective priority from ... to ...\", with restart \"Stopping\" and \"Starting\".",
    causes: &[
        "priority-change: a track_script, track_interface or track_file that comes and goes.",
        "loss: adverts are lost, or the active router is too busy to send them in time.",
        "restart: keepalived is restarted, or goes to FAULT and back.",
    ],
    action: "Fix what comes and goes, and damp it: rise and fall for scripts, nopreempt or \
        preempt_delay for the routers, a longer advert_int for lossy links.",
    next: &["journalctl -u keepalived --since -10min | grep -E 'priority|STATE|failed|succeeded'"],
};

pub(super) const ADVERT_GAP: Explanation = Explanation {
    meaning: "An advert of the active router came late. Nothing happened yet; with a little more \
        delay a backup would have taken over.",
    wire: "More than one and a half intervals between two adverts of the active router, and no packet \
        of another router in between that would explain it.",
    log: "Nothing below the timeout of a backup; from one second on \"A thread timer expired ... \
        seconds ago\" on the active router, if it was too busy.",
    causes: &[
        "The active router was too busy: CPU, swapping, a paused virtual machine.",
        "An advert was lost on its way, in an overloaded link, switch or receive queue.",
        "delay: adverts were held back on their way and came at once; none was lost.",
    ],
    action: "See which it is: on the active router itself, a gap in what it sends is its own. Give keepalived a real-time priority (vrrp_rt_priority), or use a longer advert_int.",
    next: &[
        "vrrpwatch run    # on the active router: do its own adverts leave in time?",
        "journalctl -u keepalived | grep 'timer expired'",
    ],
};

pub(super) const UNHEARD_MASTER: Explanation = Explanation {
    meaning: "No router of the virtual router is heard here any more, and a machine has announced one of its \
        addresses since. That machine has taken the address, or holds it still; its adverts do not arrive \
        at this host. For the clients all may be well.",
    wire: "Adverts stop, and gratuitous ARP or an unsolicited neighbour advertisement for the address comes \
        more than an interval later. Without such an announcement it is no-master.",
    log: "On the machine that has the address: \"Entering MASTER STATE\". On a backup behind the same fault: \
        the same, and two routers are active.",
    causes: &[
        "A firewall or a switch drops IP protocol 112 or the group 224.0.0.18 and passes ARP.",
        "IGMP snooping withholds the group from this port.",
        "The new router advertises to unicast peers.",
    ],
    action: "Compare what leaves that machine with what arrives here, and let VRRP through between them.",
    next: &[
        "vrrpwatch who ADDRESS    # who answers, and who advertises",
        "tcpdump -eni INTERFACE 'ip proto 112 or arp'    # on both machines",
    ],
};

pub(super) const PEER_UNREACHABLE: Explanation = Explanation {
    meaning: "The active router advertises to a unicast peer whose address does not resolve: the peer is \
        switched off or cut off. The router holds the addresses and serves them, but its adverts cannot \
        leave its host, and nobody takes over if it fails.",
    wire: "In place of adverts, ARP requests of the router for its peer, about one a second, without an \
        answer.",
    log: "Nothing.",
    causes: &[
        "The machine of the peer is down, or its link.",
        "The address in unicast_peer is wrong, or belongs to another subnet.",
    ],
    action: "Bring the peer back, or correct unicast_peer.",
    next: &["ip neighbour show    # on the active router: FAILED or INCOMPLETE for the peer"],
};
