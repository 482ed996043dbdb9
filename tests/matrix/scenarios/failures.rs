//! The master goes, in one way or another.

use super::{ADDRESS, FINE, USUAL_HOSTS, at_once, left_behind, taken_over, version_3};
use crate::scenario::{Scenario, nothing, said};

const GONE: &str = "The old master is gone and holds nothing; the new one is well.";

pub(super) fn all() -> [Scenario; 5] {
    [healthy(), resigned(), killed(), stopped(), unplugged()]
}

fn healthy() -> Scenario {
    Scenario {
        number: 1,
        name: "healthy",
        trouble: "none; the first ones start while lb0 announces the address",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |_, _| Ok(()),
        known: at_once,
        end: None,
        lasts: false,
        rightful: &["lb0"],
        cells: [[nothing(FINE); 3]; 3],
    }
}

fn resigned() -> Scenario {
    let told = said(&["state/resigned"]);
    // They may start before the last advert or after it.
    let row = [told, nothing(FINE), nothing(FINE)];
    Scenario {
        number: 2,
        name: "resign",
        trouble: "keepalived on lb0 is stopped in good order",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |_, cast| cast.take_one()?.stop().map(drop),
        known: taken_over,
        end: None,
        lasts: false,
        rightful: &["lb1"],
        cells: [row; 3],
    }
}

fn killed() -> Scenario {
    let here = said(&["daemon-died"]).or(&["silent-failover", "vip-conflict/leftover"]);
    Scenario {
        number: 3,
        name: "kill -9",
        trouble: "keepalived on lb0 is killed; the address stays there, and lb1 takes it over",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |_, cast| cast.take_one()?.kill(),
        known: taken_over,
        end: None,
        lasts: true,
        rightful: &["lb1"],
        cells: left_behind(here),
    }
}

fn stopped() -> Scenario {
    let here = said(&["daemon-stalled|vip-conflict/leftover"]).or(&[
        "daemon-stalled",
        "silent-failover",
        "vip-conflict/leftover",
    ]);
    Scenario {
        number: 4,
        name: "SIGSTOP",
        trouble: "keepalived on lb0 is stopped in its tracks; the address stays there, and lb1 \
                  takes it over",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |_, cast| cast.one()?.freeze(),
        known: taken_over,
        end: None,
        lasts: true,
        rightful: &["lb1"],
        cells: left_behind(here),
    }
}

fn unplugged() -> Scenario {
    let here = said(&["blind"]);
    Scenario {
        number: 5,
        name: "cable pull",
        trouble: "the cable of lb0 is pulled: keepalived there gives the address up, and lb1 takes \
                  it over",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |lab, _| lab.switch().unplug("lb0"),
        known: taken_over,
        end: None,
        lasts: true,
        rightful: &["lb0", "lb1"],
        cells: [
            [here; 3],
            [
                said(&["silent-failover"]),
                said(&["silent-failover|incident"]),
                nothing(GONE),
            ],
            [
                said(&["silent-failover"]),
                nothing(GONE).or(&["silent-failover"]),
                nothing(GONE),
            ],
        ],
    }
}
