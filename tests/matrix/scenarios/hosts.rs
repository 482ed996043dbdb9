//! What goes wrong on a host or beside the routers.

use std::time::Duration;

use anyhow::Result;
use vrrp_tests::lab::{Host, Instance, Lab, Unicast, wait_until};

use super::{ADDRESS, FINE, USUAL_HOSTS, at_once, left_behind, taken_over, version_3};
use crate::scenario::{Cast, Cell, Scenario, asked, nothing, said};

pub(super) fn all() -> [Scenario; 6] {
    [
        dead_peer(),
        virtual_mac_killed(),
        rogue(),
        input_dropped(),
        output_dropped(),
        address_removed(),
    ]
}

fn dead_peer() -> Scenario {
    const fn instance(
        priority: u8,
        source: &'static str,
        peers: &'static [&'static str],
    ) -> Instance<'static> {
        Instance {
            unicast: Some(Unicast { source, peers }),
            ..version_3(priority)
        }
    }
    // The switch floods what is for a MAC that it does not know any more.
    let elsewhere =
        nothing("Unicast adverts do not come here once lb0 is gone.").or(&["peer-unreachable"]);
    Scenario {
        number: 14,
        name: "unicast, dead peer",
        trouble: "the routers advertise to each other by unicast, and lb0 is off the network",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [
            instance(150, "10.77.0.10", &["10.77.0.11"]),
            instance(100, "10.77.0.11", &["10.77.0.10"]),
        ],
        begin: |lab, _| lab.switch().unplug("lb0"),
        known: unresolved,
        end: None,
        lasts: true,
        rightful: &["lb1"],
        cells: [
            [said(&["blind"]); 3],
            [
                said(&["peer-unreachable"]).or(&["silent-failover"]),
                said(&["peer-unreachable"]).or(&["silent-failover"]),
                said(&["peer-unreachable"]),
            ],
            [elsewhere; 3],
        ],
    }
}

/// It is known when the kernel of `lb1` no longer knows where `lb0` is, and sends no advert.
fn unresolved(lab: &Lab, _: &Cast) -> Result<()> {
    wait_until(
        "the neighbour entry to fail",
        Duration::from_mins(1),
        || {
            lab.host("lb1")
                .run("ip", &["neighbour", "show", "10.77.0.10"])
                .is_ok_and(|text| text.contains("FAILED") || text.contains("INCOMPLETE"))
        },
    )
}

fn virtual_mac_killed() -> Scenario {
    const fn instance(priority: u8) -> Instance<'static> {
        Instance {
            virtual_mac: true,
            ..version_3(priority)
        }
    }
    let here = said(&["daemon-died"]).or(&["silent-failover", "vip-conflict"]);
    Scenario {
        number: 15,
        name: "use_vmac, kill -9",
        trouble: "with virtual MACs, keepalived on lb0 is killed: its macvlan and the address stay, \
                  and lb1 has the same MAC",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [instance(150), instance(100)],
        begin: |_, cast| cast.take_one()?.kill(),
        known: taken_over,
        end: None,
        lasts: true,
        rightful: &["lb1"],
        cells: left_behind(here),
    }
}

fn rogue() -> Scenario {
    let here = said(&["vip-conflict/outsider"]);
    let elsewhere = asked(&["vip-conflict/outsider"]);
    Scenario {
        number: 16,
        name: "rogue static address",
        trouble: "somebody gives the address to the third host, too",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |lab, _| lab.host("third").add_address("10.77.0.100/32"),
        known: at_once,
        end: None,
        lasts: true,
        rightful: &["lb0"],
        cells: [[elsewhere; 3], [elsewhere; 3], [here; 3]],
    }
}

fn input_dropped() -> Scenario {
    let here = said(&["local-drop"]).or(&["split-brain/local-drop", "vip-conflict", "stale-garp"]);
    let split: Cell = said(&["split-brain/not-received"]).or(&["vip-conflict", "stale-garp"]);
    Scenario {
        number: 17,
        name: "input dropped",
        trouble: "nftables on lb1 drops what comes in of VRRP: lb1 becomes master, too",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |lab, _| drop_vrrp(lab.host("lb1"), "input"),
        known: taken_over,
        end: None,
        lasts: true,
        rightful: &["lb0", "lb1"],
        cells: [[split; 3], [here; 3], [split; 3]],
    }
}

fn output_dropped() -> Scenario {
    let here = said(&["egress-blocked"]).or(&["silent-failover", "vip-conflict", "split-brain"]);
    let elsewhere = said(&["vip-conflict/unheard|unheard-master"]).or(&["silent-failover"]);
    Scenario {
        number: 18,
        name: "output dropped",
        trouble: "nftables on lb0 drops what goes out of VRRP: lb1 becomes master, and lb0 stays it \
                  and announces the address",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |lab, _| drop_vrrp(lab.host("lb0"), "output"),
        known: taken_over,
        end: None,
        lasts: true,
        rightful: &["lb0", "lb1"],
        cells: [[here; 3], [elsewhere; 3], [elsewhere; 3]],
    }
}

fn address_removed() -> Scenario {
    let aside: &[&str] = &["silent-failover", "advert-gap", "no-master"];
    let back = nothing("keepalived has put the address back.").or(aside);
    Scenario {
        number: 19,
        name: "address removed",
        trouble: "somebody takes the address from lb0: keepalived resigns, and puts it back when it \
                  is master again",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |lab, _| lab.host("lb0").delete_address("10.77.0.100/24"),
        known: at_once,
        end: None,
        lasts: false,
        rightful: &["lb0", "lb1"],
        cells: [
            [said(&["address-lost"]).or(aside), back, nothing(FINE)],
            [
                said(&["state/resigned|state/restarted"]).or(aside),
                back,
                nothing(FINE),
            ],
            [
                said(&["state/resigned|state/restarted"]).or(aside),
                back,
                nothing(FINE),
            ],
        ],
    }
}

/// Drops VRRP on one of the hooks of a host.
fn drop_vrrp(host: &Host, hook: &str) -> Result<()> {
    let chain = format!("{{ type filter hook {hook} priority 0; }}");
    host.run("nft", &["add", "table", "inet", "test"])?;
    host.run("nft", &["add", "chain", "inet", "test", hook, &chain])?;
    let rule = [
        "add", "rule", "inet", "test", hook, "ip", "protocol", "112", "drop",
    ];
    host.run("nft", &rule).map(drop)
}
