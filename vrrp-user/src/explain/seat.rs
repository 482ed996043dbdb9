//! What this host itself cannot see.

use super::Explanation;

pub(super) const BLIND: Explanation = Explanation {
    meaning: "vrrpwatch sees nothing of an interface on which it has seen virtual routers: the interface \
        is down, without carrier or gone, or another program took the filter off. Until it is seen \
        again nothing is concluded about them: no finding is raised there and none is cleared.",
    wire: "Nothing: this is about the place of the observer. On the other hosts of the segment all may be \
        well.",
    log: "keepalived on this host logs \"Netlink reports eth0 down\" and \"Entering FAULT STATE\" where its \
        own interface is the one that is down.",
    causes: &[
        "The interface was taken down, or its cable or switch port failed.",
        "Another program that manages TC or XDP programs replaced or removed the filter. vrrpwatch looks \
         each second and attaches it again.",
        "The interface was removed; when one of that name comes back it is watched again.",
    ],
    action: "See the state of the interface, and the port of the switch. If the filter was removed, find the \
        program that does so.",
    next: &[
        "ip -details link show eth0    # state, carrier",
        "bpftool net list    # which programs are attached where",
    ],
};
