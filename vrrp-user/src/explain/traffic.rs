//! What shows only when traffic is counted.

use super::Explanation;

pub(super) const TRAFFIC_AT_STANDBY: Explanation = Explanation {
    meaning: "Clients open connections to a virtual address, and their segments arrive at a machine \
        that is not its active router. They get no answer, or that of a machine that no daemon \
        looks after any more; others reach the active router, so the service fails for some only.",
    wire: "TCP segments with SYN and without ACK whose destination is the address, sent to a MAC of \
        this host, in two intervals in a row, while adverts of another router come. What is sent to \
        another MAC does not count, nor does an interval with a takeover in it. It is over after two \
        intervals without such a segment, or when this host becomes active. Needs `run \
        --vip-traffic`.",
    log: "Nothing.",
    causes: &[
        "A client or a gateway has a stale or permanent neighbour entry for the address: the \
         gratuitous ARP of the last takeover did not reach it, or was ignored.",
        "A static route or another load balancer sends the traffic to this machine's own address.",
        "The address was left behind by a keepalived that was killed, and answers ARP.",
        "This is how it should be on a real server behind LVS in direct routing, which has the \
         address on a loopback interface and gets its connections from the director.",
        "This host is a gateway, and clients of the same segment send through it.",
    ],
    action: "Find out by its MAC which machine sends the segments, and make it forget its neighbour \
        entry. If all machines beyond a gateway are concerned, it is the gateway's entry. Where the \
        address is still on this host, see what its daemon believes: as a standby it removes it when it \
        is restarted.",
    next: &[
        "tcpdump -eni INTERFACE 'dst host ADDRESS and tcp[tcpflags] & tcp-syn != 0'    # who sends them?",
        "vrrpwatch who ADDRESS --traffic    # on this host: what arrives, and who should get it",
        "ip neighbour show ADDRESS    # on the machine that sends them: whose MAC does it have?",
        "ip neighbour flush to ADDRESS    # there: ask anew",
    ],
};
