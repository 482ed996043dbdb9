//! What only the log and the wire together show.

use anyhow::Result;
use vrrp_tests::lab::{Host, Instance, Lab};

use super::{
    SECOND,
    scene::{ELECTION, Scene, assert_after, assert_within, clock, fast, pair},
};

/// Drops VRRP on one of the hooks of a host.
pub(super) fn drop_vrrp(host: &Host, hook: &str) -> Result<()> {
    let chain = format!("{{ type filter hook {hook} priority 0; }}");
    host.run("nft", &["add", "table", "inet", "test"])?;
    host.run("nft", &["add", "chain", "inet", "test", hook, &chain])?;
    let rule = [
        "add", "rule", "inet", "test", hook, "ip", "protocol", "112", "drop",
    ];
    host.run("nft", &rule).map(drop)
}

#[test]
fn a_filter_on_the_way_in_is_a_local_drop() -> Result<()> {
    let lab = Lab::new()?;
    let backup = lab.host("lb1");
    let scene = Scene::with_log(backup)?;
    let (_master, other) = pair(&lab, &fast(150), &fast(100))?;
    scene.settled(lab.host("lb0"))?;
    drop_vrrp(backup, "input")?;
    other.expect_state("MASTER", ELECTION)?;
    let first = scene.advert(backup, None)?;
    let finding = scene.raised("local-drop")?;
    assert_within(SECOND, &first, &finding)?;
    assert_eq!(finding["sources"][0], "10.77.0.10");

    backup.run("nft", &["delete", "table", "inet", "test"])?;
    other.expect_state("BACKUP", ELECTION)?;
    scene.cleared("local-drop")?;
    scene.end_with(
        &["local-drop"],
        &["split-brain", "vip-conflict", "stale-garp"],
    )
}

#[test]
fn a_filter_on_the_way_out_is_an_egress_block() -> Result<()> {
    let lab = Lab::new()?;
    let master = lab.host("lb0");
    let scene = Scene::with_log(master)?;
    let (_one, other) = pair(&lab, &fast(150), &fast(100))?;
    scene.settled(master)?;
    drop_vrrp(master, "output")?;
    other.expect_state("MASTER", ELECTION)?;
    let finding = scene.raised("egress-blocked")?;
    let message = finding["message"].as_str().unwrap_or_default();
    assert!(message.contains("Operation not permitted"), "{message}");
    master.run("nft", &["delete", "table", "inet", "test"])?;
    scene.cleared("egress-blocked")?;
    scene.end_with(
        &["egress-blocked"],
        &[
            "silent-failover",
            "advert-gap",
            "vip-conflict",
            "stale-garp",
            "split-brain",
        ],
    )
}

#[test]
fn a_stopped_daemon_is_stalled() -> Result<()> {
    let lab = Lab::new()?;
    let master = lab.host("lb0");
    let scene = Scene::with_log(master)?;
    let (one, other) = pair(&lab, &fast(150), &fast(100))?;
    scene.settled(master)?;
    one.freeze()?;
    let frozen = clock()?;
    let finding = scene.raised("daemon-stalled")?;
    // An explanation may be written until the end of the second.
    assert_after(frozen, 2 * SECOND, &finding)?;
    other.expect_state("MASTER", ELECTION)?;
    one.thaw()?;
    scene.end_with(
        &["daemon-stalled"],
        &[
            "silent-failover",
            "advert-gap",
            "vip-conflict",
            "stale-garp",
            "split-brain",
            "log-wire-disagree",
        ],
    )
}

#[test]
fn a_stopped_daemon_is_stalled_without_a_log() -> Result<()> {
    let lab = Lab::new()?;
    let master = lab.host("lb0");
    let scene = Scene::on(master)?;
    let (one, other) = pair(&lab, &fast(150), &fast(100))?;
    scene.settled(master)?;
    one.freeze()?;
    let frozen = clock()?;
    let finding = scene.raised("daemon-stalled")?;
    assert_after(frozen, SECOND, &finding)?;
    other.expect_state("MASTER", ELECTION)?;
    one.thaw()?;
    scene.cleared("daemon-stalled")?;
    scene.end_with(
        &["daemon-stalled"],
        &[
            "silent-failover",
            "advert-gap",
            "vip-conflict",
            "stale-garp",
            "split-brain",
        ],
    )
}

/// keepalived is killed so that it cannot write a line, and leaves its address behind.
fn killed(scene: Scene, lab: &Lab) -> Result<()> {
    let master = lab.host("lb0");
    let (one, other) = pair(lab, &fast(150), &fast(100))?;
    scene.settled(master)?;
    one.kill()?;
    let killed = clock()?;
    let finding = scene.raised("daemon-died")?;
    assert_after(killed, SECOND, &finding)?;
    assert_eq!(finding["addresses"][0], "10.77.0.100");
    assert_eq!(finding["sources"][0], "10.77.0.10");

    other.expect_state("MASTER", ELECTION)?;
    master.delete_address("10.77.0.100/24")?;
    scene.cleared("daemon-died")?;
    scene.end_with(&["daemon-died"], &["silent-failover", "vip-conflict"])
}

#[test]
fn a_killed_daemon_has_died() -> Result<()> {
    let lab = Lab::new()?;
    killed(Scene::with_log(lab.host("lb0"))?, &lab)
}

#[test]
fn a_killed_daemon_has_died_without_a_log() -> Result<()> {
    let lab = Lab::new()?;
    killed(Scene::on(lab.host("lb0"))?, &lab)
}

#[test]
fn a_daemon_whose_parent_starts_it_again_has_died_for_a_moment() -> Result<()> {
    let lab = Lab::new()?;
    let master = lab.host("lb0");
    let scene = Scene::with_log(master)?;
    // The new one advertises after 1.7 s, long after the death is known also on a busy machine.
    let slow = |priority| Instance {
        interval: "0.5",
        ..fast(priority)
    };
    let (one, _other) = pair(&lab, &slow(150), &slow(100))?;
    scene.settled(master)?;
    one.kill_child()?;
    let killed = clock()?;
    let finding = scene.raised("daemon-died")?;
    assert_after(killed, SECOND, &finding)?;
    scene.cleared("daemon-died")?;
    one.expect_state("MASTER", ELECTION)?;
    scene.end_with(
        &["daemon-died"],
        &["silent-failover", "advert-gap", "stale-garp"],
    )
}

#[test]
fn who_stops_or_loses_its_link_has_not_died() -> Result<()> {
    let lab = Lab::new()?;
    let master = lab.host("lb0");
    let scene = Scene::on(master)?;
    let (one, other) = pair(&lab, &fast(150), &fast(100))?;
    scene.settled(master)?;
    lab.switch().unplug("lb0")?;
    other.expect_state("MASTER", ELECTION)?;
    lab.switch().plug("lb0")?;
    one.expect_state("MASTER", ELECTION)?;
    one.stop()?;
    scene.state("resigned", lab.host("lb1"))?;
    scene.end_with(
        &[],
        &[
            "silent-failover",
            "advert-gap",
            "stale-garp",
            "no-master",
            "flapping",
            "blind",
        ],
    )
}

fn removed(scene: Scene, lab: &Lab) -> Result<()> {
    let master = lab.host("lb0");
    let (_one, _other) = pair(lab, &fast(150), &fast(100))?;
    scene.settled(master)?;
    master.delete_address("10.77.0.100/24")?;
    let removed = clock()?;
    let finding = scene.raised("address-lost")?;
    assert_after(removed, SECOND, &finding)?;
    assert_eq!(finding["addresses"][0], "10.77.0.100");
    scene.cleared("address-lost")?;
    scene.end_with(
        &["address-lost"],
        &["silent-failover", "advert-gap", "no-master"],
    )
}

#[test]
fn an_address_that_somebody_removes_is_lost() -> Result<()> {
    let lab = Lab::new()?;
    removed(Scene::with_log(lab.host("lb0"))?, &lab)
}

#[test]
fn an_address_that_somebody_removes_is_lost_without_a_log() -> Result<()> {
    let lab = Lab::new()?;
    removed(Scene::on(lab.host("lb0"))?, &lab)
}

#[test]
fn an_address_that_the_daemon_gives_up_is_not_lost() -> Result<()> {
    let lab = Lab::new()?;
    let master = lab.host("lb0");
    let scene = Scene::on(master)?;
    let two = ["10.77.0.100/24", "10.77.0.101/24"];
    let instance = |priority, addresses| Instance {
        addresses,
        ..fast(priority)
    };
    let one = master.keepalived(&instance(150, &two).to_string())?;
    one.expect_state("MASTER", ELECTION)?;
    scene.settled(master)?;
    one.reload(&instance(150, &two[..1]).to_string())?;
    scene.find("an advert with one address", |record| {
        record["record"] == "advert"
            && record["addresses"]
                .as_array()
                .is_some_and(|list| list.len() == 1)
    })?;
    one.stop()?;
    scene.find("the resignation", |record| record["priority"] == 0)?;
    scene.end_with(&[], &["no-master"])
}
