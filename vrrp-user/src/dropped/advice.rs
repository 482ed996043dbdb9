//! What to do about a packet that the kernel dropped.

/// What to look at, given the kernel's reason and the function that dropped the packet.
pub fn advice(reason: Option<&str>, function: Option<&str>) -> &'static str {
    by_reason(reason.unwrap_or_default())
        .or_else(|| by_function(function.unwrap_or_default()))
        .unwrap_or(
            "the kernel's sources tell what the function does; the reasons are explained in \
             include/net/dropreason-core.h",
        )
}

const FIREWALL: &str = "look at `nft list ruleset` (tables of all families, netdev, too) and \
                        `iptables-save`: a rule does not let IP protocol 112 pass";
const REVERSE_PATH: &str = "look at `sysctl net.ipv4.conf.all.rp_filter` and the interface's own: \
                            no route leads back to the sender by this interface";
const RECEIVER: &str = "the daemon does not read its socket: is it stopped or starved of CPU? Else \
                        give it more room (vrrp_rx_bufs_policy, net.core.rmem_default); `ss -wam` \
                        shows what waits";
/// Newer kernels do not even try a socket that is full, and then find nobody who wants the packet.
const NOBODY: &str = "no socket takes VRRP on this interface: is the daemon running, and in this \
                      network namespace? Or its receive buffer is full, see `ss -wam`: is it stopped \
                      or starved of CPU?";
const ROUTING: &str = "the routing does not take the packet for this host's: look at `ip maddress \
                       show`, `ip -6 maddress show` (has the interface joined 224.0.0.18 or ff02::12?), \
                       `ip route get ADDRESS` and `ip rule`";
const BROKEN: &str = "the packet is broken: look at what the sender or a middlebox does to it";
const QUEUE: &str = "look at `tc -s qdisc show`: the queue of the interface is full";
const FILTER: &str =
    "look at `tc filter show dev INTERFACE ingress` (and egress), and at `bpftool net`";
const COPY: &str = "only the copy for a packet capture found no room; the daemon is not concerned";

/// The names are those of `enum skb_drop_reason`.
fn by_reason(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "NETFILTER_DROP" => FIREWALL,
        "IP_RPFILTER" => REVERSE_PATH,
        "SOCKET_RCVBUFF" | "SOCKET_BACKLOG" | "PROTO_MEM" => RECEIVER,
        "SOCKET_FILTER" => {
            "a BPF filter on the daemon's socket or its cgroup refuses the packet: look at `bpftool \
             cgroup tree`"
        }
        "SECURITY_HOOK" => "a security module refuses the packet: look at its audit log",
        "IP_NOPROTO" | "NO_SOCKET" | "UNHANDLED_PROTO" => NOBODY,
        "OTHERHOST" => {
            "the frame is for another machine's MAC: harmless where a switch floods it or a capture \
             made the card take all; else a neighbour entry of the sender is wrong"
        }
        "UNICAST_IN_L2_MULTICAST" => {
            "a unicast packet in a multicast frame: look at what a switch or load balancer does to it"
        }
        "XFRM_POLICY" => "look at `ip xfrm policy`: IPsec does not let the packet pass",
        "TC_INGRESS" | "TC_EGRESS" => FILTER,
        "XDP" => "look at `ip -details link show`: an XDP program drops it",
        "BPF_CGROUP_EGRESS" => "look at `bpftool cgroup tree`: a program does not let it leave",
        "IPV6DISABLED" => "look at `sysctl net.ipv6.conf.all.disable_ipv6` and the interface's own",
        "IP_CSUM" | "IP_INHDR" | "PKT_TOO_SMALL" | "HDR_TRUNC" | "SKB_CSUM" | "DUP_FRAG"
        | "FRAG_REASM_TIMEOUT" => BROKEN,
        "IP_INADDRERRORS" | "IP_INNOROUTES" | "IP_OUTNOROUTES" | "IP_LOCAL_SOURCE"
        | "IP_INVALID_SOURCE" | "IP_LOCALNET" | "IP_INVALID_DEST" => ROUTING,
        "QDISC_DROP" | "QDISC_OVERLIMIT" | "QDISC_CONGESTED" | "CPU_BACKLOG" | "FULL_RING" => QUEUE,
        "QUEUE_PURGE" | "SOCKET_CLOSE" => "the socket was closed before they were read",
        "PACKET_SOCK_ERROR" => COPY,
        "NOMEM" | "PFMEMALLOC" => "the machine is out of memory",
        "DEV_READY" => "the interface is down",
        _ => return None,
    })
}

/// For kernels without reasons, and for drops without one.
fn by_function(function: &str) -> Option<&'static str> {
    // Compilers split functions: ip_rcv_finish_core.isra.0
    let name = function.split('.').next().unwrap_or_default();
    Some(match name {
        "nf_hook_slow" | "nf_hook_slow_list" | "nft_do_chain" | "ipt_do_table"
        | "ip6t_do_table" => FIREWALL,
        "ip_rcv_finish_core" | "ip_rcv_finish" | "ip_route_input_slow" => {
            "look at `sysctl net.ipv4.conf.all.rp_filter` and the interface's own, and at `ip maddress \
             show`: the routing refuses the sender, or the interface has not joined 224.0.0.18"
        }
        "raw_rcv" | "raw_rcv_skb" | "rawv6_rcv" | "rawv6_rcv_skb" => RECEIVER,
        "ip_protocol_deliver_rcu"
        | "ip_local_deliver_finish"
        | "ip6_protocol_deliver_rcu"
        | "ip6_input_finish" => NOBODY,
        "ip_mc_input" | "ip6_mc_input" | "ip_error" => ROUTING,
        "tpacket_rcv" | "packet_rcv" | "packet_rcv_spkt" | "packet_rcv_fanout" => COPY,
        "tcf_classify" | "sch_handle_ingress" | "sch_handle_egress" | "tc_run" => FILTER,
        "ip_rcv_core" | "ip6_rcv_core" => BROKEN,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_comes_before_the_function() {
        assert_eq!(
            advice(Some("IP_RPFILTER"), Some("nf_hook_slow")),
            REVERSE_PATH
        );
        assert_eq!(
            advice(Some("NOT_SPECIFIED"), Some("nf_hook_slow")),
            FIREWALL
        );
        assert_eq!(advice(None, Some("raw_rcv")), RECEIVER);
        assert_eq!(advice(None, Some("nf_hook_slow.part.0")), FIREWALL);
    }

    #[test]
    fn there_is_always_something_to_do() {
        for (reason, function) in [(None, None), (Some("TOMORROWS"), Some("unheard_of"))] {
            assert!(!advice(reason, function).is_empty());
        }
    }
}
