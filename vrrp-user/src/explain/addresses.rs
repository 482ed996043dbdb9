//! Where the neighbours believe the addresses to be.

use super::Explanation;

pub(super) const VIP_CONFLICT: Explanation = Explanation {
    meaning: "Another machine than the active router claims a virtual address by ARP or neighbour \
        discovery. Neighbours that believe it send their traffic there.",
    wire: "ARP or neighbour discovery for a virtual address with a MAC that is neither the active \
        router's own nor the virtual MAC, after a takeover is over. The finding says who it is: a \
        router that was active before (leftover), a standby, an outsider, a machine that answers for \
        others (proxy-arp), or one that goes on announcing the address as an active router does \
        (unheard). This host need not say anything: where it has the address and no daemon to account \
        for it, it is named as the claimant.",
    log: "Nothing: keepalived does not listen to ARP. The kernel of a neighbour may log a duplicate \
        address.",
    causes: &[
        "leftover: keepalived was killed and left the address behind; its machine answers on.",
        "outsider: the address is configured on another machine, or was handed out by DHCP.",
        "standby or outsider: real servers behind LVS in direct routing without arp_ignore.",
        "unheard: two routers are active, and the adverts of one do not arrive here.",
        "shared-mac: two machines answer with the virtual MAC, as where a keepalived with use_vmac was killed \
            and left its macvlan behind. Needs `run --probe`.",
        "proxy-arp: a router or firewall with proxy_arp, which answers for whole networks.",
    ],
    action: "Find the machine by its MAC in the forwarding table of the switch, and find out why it has \
        the address. Decide which of the two is to have it before you take it from either: the other may \
        be the right one.",
    next: &[
        "arping -c 3 -I INTERFACE ADDRESS    # who answers?",
        "ip neighbour show ADDRESS    # on a client: whom does it believe?",
        "vrrpwatch who ADDRESS    # on both machines: what does each send and hear?",
    ],
};

pub(super) const VMAC_MISMATCH: Explanation = Explanation {
    meaning: "A virtual MAC is used that does not belong to the VRID, or the virtual MAC and the \
        router's own are mixed in a way that no option of keepalived explains. Switches and \
        neighbours learn an address that another machine has as well, or that does not move.",
    wire: "Adverts from 00:00:5e:00:01:XX or 00:00:5e:00:02:XX where XX is not the VRID; or adverts \
        from the virtual MAC and announcements with the MAC of the interface.",
    log: "\"vmac name mismatch ...; changing to ...\", if anything.",
    causes: &[
        "A macvlan interface left over from another virtual_router_id.",
        "The virtual address on the parent interface as well as on the macvlan, without arp_ignore.",
        "A cloned machine or container.",
    ],
    action: "Remove the left-over interface or address and restart keepalived, which makes the macvlan \
        interfaces it needs.",
    next: &["ip -details link show type macvlan; ip address    # on the router"],
};

pub(super) const GARP_MISSING: Explanation = Explanation {
    meaning: "A router took over and did not announce an address to its neighbours. They send to the \
        old router until their ARP entries age, for minutes.",
    wire: "Adverts of a new active router, but no gratuitous ARP or unsolicited neighbour \
        advertisement for an address within two intervals and a half. Not raised for addresses \
        that were never spoken of on this segment, as they may be on another interface.",
    log: "\"Sending gratuitous ARP on ...\" with -D although none is on the wire, or no such line.",
    causes: &[
        "A filter for ARP on the host (arptables, nftables).",
        "The switch or hypervisor drops gratuitous ARP (dynamic ARP inspection, anti-spoofing).",
        "The address is on an interface that is down, or on another segment.",
    ],
    action: "See whether the announcement leaves the router; if it does, look at what filters it on \
        the way.",
    next: &[
        "vrrpwatch run --arp all    # on the new router",
        "arping -U -c 3 -I INTERFACE ADDRESS    # on the new router: tells the neighbours now",
    ],
};

pub(super) const STALE_GARP: Explanation = Explanation {
    meaning: "The last to announce an address was not the router that is active. Neighbours that \
        believed the announcement send to the wrong machine until their entries age. This is what \
        a split brain leaves behind when it heals: keepalived's winner announces nothing, as it \
        has never ceased to be active.",
    wire: "The last gratuitous ARP or unsolicited neighbour advertisement for an address carries the \
        MAC of a router that has yielded since. Or nothing: `run` also looks at the neighbour table of \
        its own host, and says where that leads elsewhere than to the active router.",
    log: "On the router that yielded \"Master received advert from ... with higher priority\"; on the \
        active one nothing.",
    causes: &[
        "A split brain that has healed.",
        "A router that was cut off and came back without knowing that another had taken over.",
    ],
    action: "Announce the addresses from the active router. Set garp_master_refresh, so that it does \
        so by itself from time to time.",
    next: &["arping -U -c 3 -I INTERFACE ADDRESS    # on the active router"],
};

pub(super) const DUPLICATE_ADDRESS: Explanation = Explanation {
    meaning: "A router has an IPv6 address and cannot use it: before it did, its kernel asked whether the \
        address is free (duplicate address detection, RFC 4862), and another machine has it. If it is a \
        virtual address the router is master and does not serve it; if it is its own link-local address \
        it cannot send adverts.",
    wire: "A neighbour solicitation for the address from ::, and within a second a neighbour advertisement \
        of another MAC to all nodes. keepalived adds virtual addresses without asking (nodad); FRR's are \
        on their interface before it takes over, and are asked for.",
    log: "Nothing of keepalived. The kernel logs \"IPv6 duplicate address ... used by ... detected!\".",
    causes: &[
        "The router that was active before still has the address: it was killed, or cut off.",
        "The address was set by hand or by another program on another machine.",
        "A cloned machine: with the same MAC it makes the same link-local address.",
    ],
    action: "Find out which of the two is to have the address. Once the other has given it up, restart the \
        daemon on the router: the kernel does not ask again by itself.",
    next: &[
        "ip -6 address show dadfailed    # on the router",
        "vrrpwatch who ADDRESS    # who has it?",
    ],
};
