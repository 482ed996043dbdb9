//! Two routers of one virtual router that were configured differently.

use std::time::Duration;

use anyhow::Result;
use vrrp_tests::lab::{Authentication, Instance, Lab, Unicast};

use super::scene::{ELECTION, Scene, assert_within, pair};

/// keepalived announces its addresses once more five seconds after it became master. Of a master
/// that is kept from advertising that is the first sign that it still is one. And a second to say
/// so.
const PROVEN: Duration = Duration::from_secs(5 + 1);

/// Both become master, because each rejects what the other says. Raises `code`, and a split brain
/// with that cause.
fn disagree(one: &Instance<'_>, other: &Instance<'_>, code: &str, also: &[&str]) -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let first = lab.host("lb0").keepalived(&one.to_string())?;
    let second = lab.host("lb1").keepalived(&other.to_string())?;
    first.expect_state("MASTER", ELECTION)?;
    second.expect_state("MASTER", ELECTION)?;
    let advert = scene.advert(lab.host("lb1"), None)?;

    let mismatch = scene.raised(code)?;
    assert_eq!(mismatch["severity"], "warning");
    assert_within(Duration::from_secs(1), &advert, &mismatch)?;
    let split = scene.caused("split-brain", code)?;
    assert_within(PROVEN, &advert, &split)?;
    let expected: Vec<_> = [code, "split-brain"].iter().chain(also).copied().collect();
    scene.end(&expected)
}

const PLAIN: Instance<'_> = Instance {
    authentication: Authentication::None,
    ..Instance::usual(150)
};

const OTHER: Instance<'_> = Instance {
    priority: 100,
    ..PLAIN
};

#[test]
fn different_passwords() -> Result<()> {
    let one = Instance {
        authentication: Authentication::Pass("one"),
        ..PLAIN
    };
    let other = Instance {
        authentication: Authentication::Pass("other"),
        ..OTHER
    };
    disagree(&one, &other, "auth-mismatch", &["plaintext-auth"])
}

#[test]
fn a_password_and_none() -> Result<()> {
    let other = Instance {
        authentication: Authentication::Pass("other"),
        ..OTHER
    };
    disagree(&PLAIN, &other, "auth-mismatch", &["plaintext-auth"])
}

#[test]
fn different_intervals() -> Result<()> {
    let other = Instance {
        interval: "2",
        ..OTHER
    };
    disagree(&PLAIN, &other, "interval-mismatch", &[])
}

#[test]
fn different_versions() -> Result<()> {
    let other = Instance {
        version: 3,
        ..OTHER
    };
    disagree(&PLAIN, &other, "version-mismatch", &[])
}

#[test]
fn different_addresses() -> Result<()> {
    let other = Instance {
        addresses: &["10.77.0.100/24", "10.77.0.101/24"],
        ..OTHER
    };
    disagree(&PLAIN, &other, "address-list-mismatch", &[])
}

#[test]
fn unicast_and_multicast() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0", "lb1"])?;
    // Nobody else sees unicast adverts.
    let scene = Scene::on(lab.host("lb0"))?;
    let unicast = Some(Unicast {
        source: "10.77.0.11",
        peers: &["10.77.0.10"],
    });
    let other = Instance { unicast, ..OTHER };
    let (_one, second) = pair(&lab, &PLAIN, &other)?;
    second.expect_state("MASTER", ELECTION)?;
    let advert = scene.advert(lab.host("lb1"), None)?;
    let mix = scene.raised("unicast-multicast-mix")?;
    assert_within(Duration::from_secs(1), &advert, &mix)?;
    let split = scene.caused("split-brain", "unicast-multicast-mix")?;
    assert_within(PROVEN, &advert, &split)?;
    scene.end(&["unicast-multicast-mix", "split-brain"])
}

/// keepalived computes the checksum over the multicast group even for unicast peers where it is
/// told to get along with its first versions; where it is told `never`, it drops such adverts.
#[test]
fn different_checksums() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0", "lb1"])?;
    let scene = Scene::on(lab.host("lb0"))?;
    let old = Instance {
        unicast: Some(Unicast {
            source: "10.77.0.10",
            peers: &["10.77.0.11"],
        }),
        extra: "old_unicast_checksum",
        ..Instance::version_3(150, &["10.77.0.100/24"])
    };
    let new = Instance {
        unicast: Some(Unicast {
            source: "10.77.0.11",
            peers: &["10.77.0.10"],
        }),
        extra: "old_unicast_checksum never",
        ..Instance::version_3(100, &["10.77.0.100/24"])
    };
    let (_one, second) = pair(&lab, &old, &new)?;
    second.expect_state("MASTER", ELECTION)?;
    let advert = scene.advert(lab.host("lb1"), None)?;
    let mismatch = scene.raised("checksum-variant-mismatch")?;
    assert_within(Duration::from_secs(1), &advert, &mismatch)?;
    let split = scene.caused("split-brain", "checksum-variant")?;
    assert_within(PROVEN, &advert, &split)?;
    scene.end(&["checksum-variant-mismatch", "split-brain"])
}
