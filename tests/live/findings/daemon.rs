//! What only the log and the wire together show.

use anyhow::Result;
use vrrp_tests::lab::{Host, Lab};

use super::{
    SECOND,
    scene::{ELECTION, MASTER_DOWN, Scene, assert_within, fast, pair},
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
    let finding = scene.raised("daemon-stalled")?;
    let last = scene.find("the last advert", |record| {
        record["record"] == "advert" && record["time"] == finding["evidence"][0]["time"]
    })?;
    assert_within(MASTER_DOWN + SECOND, &last, &finding)?;
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
fn an_address_that_somebody_removes_is_lost() -> Result<()> {
    let lab = Lab::new()?;
    let master = lab.host("lb0");
    let scene = Scene::with_log(master)?;
    let (_one, _other) = pair(&lab, &fast(150), &fast(100))?;
    scene.settled(master)?;
    master.run("ip", &["address", "del", "10.77.0.100/24", "dev", "eth0"])?;
    let finding = scene.raised("address-lost")?;
    assert_eq!(finding["addresses"][0], "10.77.0.100");
    scene.cleared("address-lost")?;
    scene.end_with(
        &["address-lost"],
        &["silent-failover", "advert-gap", "no-master"],
    )
}
