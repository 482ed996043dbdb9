//! What the daemon says, against what is seen.

use super::Explanation;

pub(super) const LOCAL_DROP: Explanation = Explanation {
    meaning: "The adverts of the active router reach this host's network card, but the daemon on it \
        does not get them. It takes over beside a healthy router: a split brain made at home, which \
        a capture on the wire cannot tell from a broken network.",
    wire: "Adverts of a router with a higher priority keep coming in without a gap, while this host \
        begins to advertise as well, or has done so since before the watch began.",
    log: "\"Receive advertisement timeout\" (2.0.3 or later, with -D), \"Entering MASTER STATE\". None is \
        needed where this host goes on advertising beside the better router.",
    causes: &[
        "A firewall that does not accept IP protocol 112, or only for some groups and interfaces: \
         the capture is taken before it.",
        "rp_filter that finds no route back to the sender by this interface.",
        "wrong-interface: keepalived listens on a port of a bridge or bond (`interface eth0`), and the kernel \
            delivers what arrives there to the bridge or bond.",
        "With use_vmac, rules and filters that do not know the macvlan interface.",
        "Connection tracking that drops what it finds invalid; a full socket buffer.",
        "An XDP program, or the card: then the kernel's list of drops is empty.",
    ],
    action: "Let the host accept IP protocol 112 (and 51 with AH) on the interface, for the group \
        224.0.0.18 or ff02::12 and for unicast peers. The cause, where there is one, is the kernel's \
        own reason for the drop: run asks it, for ten seconds at most, when this is raised.",
    next: &[
        "vrrpwatch why-dropped -i INTERFACE    # asks the kernel: reason, place and count",
        "nft list ruleset; iptables-save | grep -i -e 112 -e vrrp",
        "sysctl net.ipv4.conf.all.rp_filter net.ipv4.conf.INTERFACE.rp_filter",
    ],
};

pub(super) const EGRESS_BLOCKED: Explanation = Explanation {
    meaning: "The daemon believes to be the active router and sends adverts, but none leaves the host. \
        Its peers hear nothing and take over: both hold the addresses.",
    wire: "No advert of this host, although its log says MASTER; adverts of a peer, if there is one. \
        Only what is seen on the host itself can show this.",
    log: "\"Entering MASTER STATE\"; \"send advert error ... (Operation not permitted)\" or \"Cant send \
        advert to ...\". Without a log it is told by the addresses, the daemon's socket, and the kernel, \
        which is asked what it drops.",
    causes: &[
        "A rule in the output chain of nftables or iptables: \"Operation not permitted\".",
        "No route or interface for the destination: \"Network is unreachable\", \"No such device\".",
        "A security group or anti-spoofing rule that sits between the host and its card.",
    ],
    action: "Let IP protocol 112 leave by the interface.",
    next: &[
        "vrrpwatch why-dropped -i INTERFACE    # what the kernel drops on the way out, and why",
        "nft list ruleset    # chains with hook output or postrouting, table netdev egress",
        "ip route get 224.0.0.18 oif INTERFACE",
    ],
};

pub(super) const ADDRESS_LOST: Explanation = Explanation {
    meaning: "Another program or a person removed a virtual address from the master, and no \
        machine answers for it. keepalived 1 \
        and FRR go on advertising, so that no backup takes over; keepalived 2 resigns, and comes back.",
    wire: "Adverts go on, or end with priority 0; ARP requests for the address find no answer.",
    log: "\"Netlink reflector reports IP ... removed\" or \"Deassigned address ...\" with no \"removing \
        VIPs\" before it. keepalived 2 resigns, goes to BACKUP and soon takes over again. Without a \
        log the kernel of the host tells of it.",
    causes: &[
        "NetworkManager or systemd-networkd, which set an interface up as they see it.",
        "A DHCP client that flushes the interface; a restart of the network service.",
        "ip address del, or flush, by hand.",
    ],
    action: "Keep other programs from the interface, and restart keepalived to have the address back.",
    next: &[
        "ip -timestamp monitor address    # who comes and goes",
        "networkctl status INTERFACE; nmcli device status",
    ],
};

pub(super) const DAEMON_DIED: Explanation = Explanation {
    meaning: "The daemon has ended and left its addresses behind. Its host goes on answering for them, \
        while another router takes over: the same address twice, and only one of the two is watched \
        over.",
    wire: "Adverts of a router end, without a resignation if it was killed; its MAC still answers ARP \
        for the addresses.",
    log: "\"... exited due to signal ...\", \"VRRP child process(...) died\", the service manager's \
        \"Main process exited, code=killed\". Who is killed with its parent writes nothing: on the \
        watched host it shows by its socket for VRRP, which is gone, also long after: then the \
        configuration or the last lines of the log tell that the addresses were the daemon's.",
    causes: &[
        "kill -9, the out-of-memory killer, a crash.",
        "A service that was stopped while the interface was busy.",
    ],
    action: "Start keepalived again: it removes the addresses, or takes them properly if it becomes \
        active. Do not remove them by hand where nobody else is active.",
    next: &["systemctl status keepalived; journalctl -u keepalived -n 50"],
};

pub(super) const DAEMON_STALLED: Explanation = Explanation {
    meaning: "The daemon does not get to run in time. Its adverts come late or not at all, backups take \
        over, and when it runs again it still believes to be master.",
    wire: "The adverts of this host stop in the middle of its reign, with the link up.",
    log: "\"A thread timer expired ... seconds ago\" once it runs again, for more than a second only; \
        with shorter intervals it is never logged. Without a log it is told by the socket and the \
        addresses that the daemon on the watched host still has; where the adverts had ended before \
        the watch began, by its process, which is stopped, or its socket, which fills.",
    causes: &[
        "A virtual machine that is paused, migrated or short of processor time.",
        "A process that was stopped (SIGSTOP, a debugger, a frozen control group).",
        "Swapping, disk waits, a burst of work at a higher priority.",
    ],
    action: "Give the daemon time: vrrp_rt_priority, vrrp_no_swap, a reservation on the hypervisor. \
        Intervals of less than a second need it.",
    next: &[
        "vmstat 1    # column st: time stolen by the hypervisor",
        "ps -o pid,stat,wchan:20,cmd -C keepalived    # T is stopped, D waits for a disk",
    ],
};

pub(super) const GARP_NOT_SENT: Explanation = Explanation {
    meaning: "The daemon says that it announced an address, but no such frame left the host. Neighbours \
        keep the old MAC, for minutes.",
    wire: "No gratuitous ARP or unsolicited neighbour advertisement for the address at the time of the \
        line.",
    log: "\"Sending gratuitous ARP on ... for ...\" (with -D), or \"Error ... sending gratuitous ARP\".",
    causes: &[
        "A filter for ARP on the host: arptables, nftables (family arp or netdev).",
        "The interface was down or just coming up.",
    ],
    action: "Find the filter, and announce the address again if this host is the active router.",
    next: &[
        "nft list ruleset; arptables -L",
        "arping -U -c 3 -I INTERFACE ADDRESS    # tells the neighbours now",
    ],
};

pub(super) const LOG_WIRE_DISAGREE: Explanation = Explanation {
    meaning: "The daemon's log says one state and its adverts another, for longer than an election \
        takes. One of the two is not to be believed.",
    wire: "The host does not advertise although its log says MASTER, while another router is active; or \
        it advertises although its log says BACKUP or FAULT.",
    log: "The last state in it.",
    causes: &[
        "A second daemon on the host, or in a container, with the same configuration.",
        "The daemon hangs, was killed, or its log is incomplete.",
        "The log belongs to another host than the one it is taken for.",
    ],
    action: "See which daemons run on the host, and restart the one that does not know its state.",
    next: &["pgrep -a keepalived; ip netns list    # how many are there?"],
};

pub(super) const CONFIG_DRIFT: Explanation = Explanation {
    meaning: "The router advertises something other than its configuration file says. The next reload \
        or restart will change what it does, perhaps at a bad time.",
    wire: "Another VRID, version, interval, priority, authentication or address list than in the file. \
        Priorities are not compared where something is tracked.",
    log: "Nothing.",
    causes: &[
        "The file was changed and keepalived not reloaded, or the reload failed.",
        "The daemon reads another file, or other included files.",
    ],
    action: "Test the file, and reload the daemon at a good time.",
    next: &[
        "keepalived --config-test",
        "vrrpwatch lint /etc/keepalived/keepalived.conf CAPTURE    # the same without a daemon",
    ],
};

pub(super) const LOG_GAP: Explanation = Explanation {
    meaning: "The logger left lines out. Rules that conclude something from a missing line hold back \
        for a minute, and about a state that was entered before until another is logged.",
    wire: "Nothing.",
    log: "\"Suppressed ... messages from ...\" (journald), \"imuxsock lost ... messages\" (rsyslog). What is \
        folded into \"message repeated ... times\" is not missing.",
    causes: &[
        "A flood of lines: keepalived 2 logs every advert of lower priority while it waits to preempt.",
        "Limits meant for chattier services.",
    ],
    action: "Raise the limits for the service, and see what it is that floods the log.",
    next: &["journalctl -u systemd-journald -g Suppressed"],
};
