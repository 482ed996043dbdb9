//! What shows only when somebody asks for the addresses.

use super::Explanation;

pub(super) const VIP_UNANSWERED: Explanation = Explanation {
    meaning: "The active router advertises an address, and no machine answers for it. VRRP looks \
        healthy from all sides and the service is down.",
    wire: "Adverts at their pace, and three ARP requests or neighbour solicitations in a row without \
        an answer. Needs `run --probe`.",
    log: "Nothing, or \"Netlink reflector reports IP ... removed\" when another program took the \
        address away. \
        Recent versions of keepalived add it again then, older ones do not.",
    causes: &[
        "arp_ignore, arptables or nftables on the active router, or dynamic ARP inspection on the \
         switch.",
        "The address could not be added: it is in use on another interface, or the prefix is wrong.",
        "NetworkManager, systemd-networkd, cloud-init or a script rewrote the interface's addresses.",
    ],
    action: "Look whether the active router has the address. Restart keepalived there to have it added \
        again, and keep others from managing that interface.",
    next: &[
        "vrrpwatch who ADDRESS    # all the evidence there is, once",
        "ip -oneline address    # on the active router: is it there?",
        "sysctl net.ipv4.conf.all.arp_ignore    # on the active router",
    ],
};

pub(super) const VIP_WRONG_ANSWER: Explanation = Explanation {
    meaning: "A virtual address is answered for, but only by a machine that is not active. All traffic \
        goes there, and the active router waits for it in vain.",
    wire: "Every answer to an ARP request or neighbour solicitation, twice in a row, has a MAC that is \
        neither the active router's nor the virtual one. Needs `run --probe`. If the active router \
        answers too it is vip-conflict.",
    log: "Nothing, or \"Netlink reflector reports IP ... removed\" on the active router.",
    causes: &[
        "leftover: the machine that was active before kept the address, and the new one failed to \
         add it.",
        "outsider: the address was given to another machine, and the active router has lost it.",
        "standby or outsider: real servers behind LVS in direct routing answer, and the director has \
         arp_ignore set by mistake.",
    ],
    action: "See why the active router does not answer, and find the other machine by its MAC in the \
        forwarding table of the switch: it may be the one that is to have the address.",
    next: &[
        "vrrpwatch who ADDRESS    # who answers, and whose MAC it is",
        "ip -oneline address    # on the active router: is it there?",
        "vrrpwatch who ADDRESS    # on both machines: what does each send and hear?",
    ],
};

pub(super) const VIP_WITHOUT_MASTER: Explanation = Explanation {
    meaning: "A virtual address works, but no router advertises it. Its machine has no keepalived \
        any \
        more: when it fails nobody takes over, and when keepalived starts elsewhere there are two.",
    wire: "Answers to ARP requests or neighbour solicitations, and no advert for longer than any \
        backup would wait. Needs `run --probe`.",
    log: "The last lines of a keepalived that was killed or crashed, or none at all.",
    causes: &[
        "keepalived was killed (kill -9, out of memory) or crashed and left the address behind.",
        "The address is configured by hand or by the distribution as well.",
        "The adverts do not come here: IGMP snooping, unicast peers, another VLAN.",
    ],
    action: "See whether keepalived runs on the machine that answers: then it is its adverts that do not come \
        here. If it does not, start it; the address goes for the seconds that it waits to become active.",
    next: &[
        "vrrpwatch who ADDRESS    # who answers?",
        "systemctl status keepalived; journalctl -u keepalived -n 50    # on that machine",
    ],
};
