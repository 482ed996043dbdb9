//! Routers that were configured differently, and addresses and VRIDs that are used twice.

use anyhow::{Context as _, Result};
use vrrp_tests::lab::{Authentication, Instance, Lab};

use super::{ADDRESS, USUAL_HOSTS, WITH_ANOTHER, at_once, taken_over, version_2, version_3};
use crate::{
    scenario::{Cast, Scenario, heard, nothing, said},
    stage::ELECTION,
};

pub(super) fn all() -> [Scenario; 7] {
    [
        two_vrids(),
        collision(),
        authentication(),
        interval(),
        version(),
        address_list(),
        owners(),
    ]
}

fn two_vrids() -> Scenario {
    const OTHER: Instance<'_> = Instance {
        vrid: 52,
        ..version_3(100)
    };
    Scenario {
        number: 7,
        name: "one address, two VRIDs",
        trouble: "a fourth host starts keepalived with the same address under VRID 52",
        hosts: WITH_ANOTHER,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |lab, cast| join(lab, cast, &OTHER),
        known: joined,
        end: None,
        lasts: true,
        rightful: &["lb0", "lb2"],
        cells: [[said(&["vip-in-two-vrids"]); 3]; 3],
    }
}

fn collision() -> Scenario {
    const OTHER: Instance<'_> = Instance {
        addresses: &["10.77.0.101/24"],
        ..version_3(120)
    };
    // The adverts of the one keep those of the other from being sent.
    const ASIDE: &[&str] = &[
        "address-list-mismatch",
        "advert-gap",
        "flapping",
        "split-brain",
        "silent-failover",
        "vip-conflict",
    ];
    let told = said(&["vrid-collision"]).or(ASIDE);
    // lb0 keeps lb2 silent from time to time, and then nothing tells of it.
    let late = heard(&["vrid-collision"], &[]).or(ASIDE);
    Scenario {
        number: 8,
        name: "VRID collision",
        trouble: "a fourth host starts keepalived for another address with the same VRID",
        hosts: WITH_ANOTHER,
        address: ADDRESS,
        pair: [version_3(150), version_3(100)],
        begin: |lab, cast| join(lab, cast, &OTHER),
        known: joined,
        end: None,
        lasts: true,
        rightful: &["lb0", "lb1", "lb2"],
        cells: [[told, told, late]; 3],
    }
}

/// A fourth host starts keepalived.
fn join(lab: &Lab, cast: &mut Cast, instance: &Instance<'_>) -> Result<()> {
    let daemon = lab.host("lb2").keepalived(&instance.to_string())?;
    cast.further.push(daemon);
    Ok(())
}

/// It is known when that one has become master.
fn joined(_: &Lab, cast: &Cast) -> Result<()> {
    cast.further
        .iter()
        .try_for_each(|daemon| daemon.expect_state("MASTER", ELECTION).map(drop))
}

/// `lb1` is given another configuration and rejects what `lb0` says; so does `lb0` with `lb1`.
fn rejecting(
    number: u8,
    name: &'static str,
    trouble: &'static str,
    pair: [Instance<'static>; 2],
    begin: fn(&Lab, &mut Cast) -> Result<()>,
    answers: &'static [&'static str],
) -> Scenario {
    let told = said(answers).or(ASIDE);
    // Each advert of the one delays those of the other, up to for good.
    let late = heard(answers, &["vip-conflict|split-brain"]).or(ASIDE);

    Scenario {
        number,
        name,
        trouble,
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair,
        begin,
        known: taken_over,
        end: None,
        lasts: true,
        rightful: &["lb0", "lb1"],
        cells: [[told, told, late]; 3],
    }
}

/// What follows from two masters that keep each other from advertising.
const ASIDE: &[&str] = &[
    "advert-gap",
    "vip-conflict/unheard|unheard-master",
    "silent-failover",
    "flapping",
];

fn reload(cast: &Cast, instance: &Instance<'_>) -> Result<()> {
    cast.other()?.reload(&instance.to_string())
}

fn authentication() -> Scenario {
    const fn with(priority: u8, password: &'static str) -> Instance<'static> {
        Instance {
            authentication: Authentication::Pass(password),
            ..version_2(priority)
        }
    }
    rejecting(
        9,
        "authentication",
        "lb1 is given another password: both reject each other and are master",
        [with(150, "one"), with(100, "one")],
        |_, cast| reload(cast, &with(100, "other")),
        &["auth-mismatch", "split-brain/auth-mismatch"],
    )
}

fn interval() -> Scenario {
    const OTHER: Instance<'_> = Instance {
        interval: "2",
        ..version_2(100)
    };
    rejecting(
        10,
        "interval",
        "VRRPv2: lb1 is given another interval: both reject each other and are master",
        [version_2(150), version_2(100)],
        |_, cast| reload(cast, &OTHER),
        &["interval-mismatch", "split-brain/interval-mismatch"],
    )
}

fn version() -> Scenario {
    rejecting(
        11,
        "version",
        "lb1 is given VRRPv3 and lb0 has VRRPv2: both reject each other and are master",
        [version_2(150), version_2(100)],
        |_, cast| reload(cast, &version_3(100)),
        &["version-mismatch", "split-brain/version-mismatch"],
    )
}

fn address_list() -> Scenario {
    const OTHER: Instance<'_> = Instance::version_3(100, &["10.77.0.100/24", "10.77.0.101/24"]);
    rejecting(
        12,
        "address list",
        "lb1 is given a second address: keepalived 2.2.7 rejects such adverts, both are master",
        [version_3(150), version_3(100)],
        |_, cast| reload(cast, &OTHER),
        &["address-list-mismatch", "split-brain/address-list-mismatch"],
    )
}

fn owners() -> Scenario {
    // lb0 may yield before anybody has begun to watch.
    const BOTH: &[&str] = &[
        "owner-conflict",
        "false-owner",
        "split-brain/owner-conflict",
        "flapping",
    ];
    let both = said(&["owner-conflict"]).or(BOTH);
    let yielded = nothing("lb0, whose own address is the lower, has yielded; only its log tells.")
        .or(&["false-owner"]);
    Scenario {
        number: 13,
        name: "priority 255 twice",
        trouble: "lb1 is restarted with priority 255, which lb0 has; lb0, with the lower address, yields",
        hosts: USUAL_HOSTS,
        address: ADDRESS,
        pair: [version_3(255), version_3(100)],
        begin: |lab, cast| {
            let other = cast.other.take().context("lb1 has no daemon")?;
            let owner = version_3(255).to_string();
            cast.other = Some(other.restart(lab.host("lb1"), &owner)?);
            Ok(())
        },
        known: at_once,
        end: None,
        lasts: false,
        rightful: &["lb0", "lb1"],
        cells: [[both, yielded.or(BOTH), yielded]; 3],
    }
}
