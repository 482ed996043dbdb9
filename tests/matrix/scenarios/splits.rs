//! Both are master.

use vrrp_tests::lab::{Instance, Lab};

use super::{ADDRESS, FINE, USUAL_HOSTS, taken_over, version_3};
use crate::{
    scenario::{Cell, Scenario, asked, nothing, said},
    stage::ELECTION,
};

pub(super) fn all() -> [Scenario; 4] {
    [both_ways(), one_way(), healed(), ipv6()]
}

const SPLIT: Cell =
    said(&["split-brain/not-received"]).or(&["vip-conflict", "silent-failover", "stale-garp"]);

/// From `lb0`, whose daemon hears nothing and says nothing: the announcements of `lb1` arrive.
const BESIDE: Cell = said(&["vip-conflict/unheard|unheard-master"]);

/// From `lb1`, where the adverts of `lb0` stop, and whoever asks hears that it still has the address.
const ALONE: [Cell; 3] = [
    said(&["silent-failover"]),
    said(&["silent-failover|incident"]),
    asked(&["vip-conflict"]),
];

fn both_ways() -> Scenario {
    Scenario {
        number: 6,
        name: "split both ways",
        trouble: "VRRP does not pass between lb0 and lb1, all else does; the third host gets all",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |lab, _| lab.switch().block_vrrp("lb0", "lb1"),
        known: taken_over,
        end: None,
        lasts: true,
        rightful: &["lb0", "lb1"],
        cells: [
            [BESIDE, BESIDE, asked(&["vip-conflict"])],
            ALONE,
            [SPLIT; 3],
        ],
    }
}

fn one_way() -> Scenario {
    let unheard = said(&["vip-conflict/unheard|unheard-master"]).or(&["silent-failover"]);
    Scenario {
        number: 6,
        name: "split one way",
        trouble: "VRRP does not pass from lb0 to lb1; all else does",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |lab, _| lab.switch().block_vrrp_from("lb0", "lb1"),
        known: taken_over,
        end: None,
        lasts: true,
        rightful: &["lb0", "lb1"],
        cells: [[SPLIT; 3], [unheard; 3], [SPLIT; 3]],
    }
}

fn healed() -> Scenario {
    let aside: &[&str] = &[
        "stale-garp",
        "vip-conflict/unheard|unheard-master",
        "split-brain/not-received",
        // lb0 announces the address again only if it hears an advert of lb1.
        "garp-missing",
    ];
    let [before, during, _] = ALONE;
    Scenario {
        number: 6,
        name: "split and healed",
        trouble: "VRRP does not pass between lb0 and lb1 until 5 s after lb1 became master; then \
                  lb1 hears lb0 and yields",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |lab, _| lab.switch().block_vrrp("lb0", "lb1"),
        known: taken_over,
        end: Some(|lab, cast| {
            lab.switch().heal()?;
            cast.other()?.expect_state("BACKUP", ELECTION).map(drop)
        }),
        lasts: false,
        rightful: &["lb0", "lb1"],
        cells: [
            // lb1 yields without a word, and lb0 has nothing to say to that.
            [
                BESIDE.or(aside).endless(),
                BESIDE.or(aside).endless(),
                nothing(FINE),
            ],
            [before.or(aside), during.or(aside), nothing(FINE)],
            [SPLIT, SPLIT, nothing(FINE)],
        ],
    }
}

fn ipv6() -> Scenario {
    const fn instance(priority: u8) -> Instance<'static> {
        Instance::version_3(priority, &["fe80::77:100/64", "fd77::100/64"])
    }
    Scenario {
        number: 20,
        name: "IPv6 split",
        trouble: "a pair with IPv6 addresses: VRRP does not pass between lb0 and lb1, all else does",
        hosts: USUAL_HOSTS,
        address: "fd77::100",
        pair: [instance(150), instance(100)],
        begin: |lab: &Lab, _| lab.switch().block_vrrp("lb0", "lb1"),
        known: taken_over,
        end: None,
        lasts: true,
        rightful: &["lb0", "lb1"],
        cells: [
            [BESIDE, BESIDE, asked(&["vip-conflict"])],
            ALONE,
            [SPLIT; 3],
        ],
    }
}
