//! What was wrong before the watch began: the host shows it.

use anyhow::Result;
use vrrp_tests::lab::{Instance, Keepalived, Lab};

use super::{
    daemon::drop_vrrp,
    scene::{ELECTION, Scene, fast, pair},
};

/// keepalived was killed and left its address behind; another router is active since.
fn killed_before(watch: impl Fn(&Lab) -> Result<Scene>) -> Result<(Lab, Keepalived, Scene)> {
    let lab = Lab::new()?;
    let (one, other) = pair(&lab, &fast(150), &fast(100))?;
    one.kill()?;
    other.expect_state("MASTER", ELECTION)?;
    let scene = watch(&lab)?;
    scene.settled(lab.host("lb1"))?;
    Ok((lab, other, scene))
}

#[test]
fn a_daemon_that_was_killed_before_is_told_by_the_end_of_its_log() -> Result<()> {
    let (lab, _other, scene) = killed_before(|lab| Scene::with_log(lab.host("lb0")))?;
    let finding = scene.raised("daemon-died")?;
    assert_eq!(finding["addresses"][0], "10.77.0.100");
    lab.host("lb0").delete_address("10.77.0.100/24")?;
    scene.cleared("daemon-died")?;
    scene.end(&["daemon-died"])
}

#[test]
fn an_address_without_a_daemon_or_a_log_is_a_conflict_of_this_host() -> Result<()> {
    let (lab, _other, scene) = killed_before(|lab| Scene::on(lab.host("lb0")))?;
    let finding = scene.raised("vip-conflict")?;
    assert_eq!(finding["cause"], "outsider");
    let message = finding["message"].as_str().unwrap_or_default();
    assert!(message.contains("no VRRP daemon runs"), "{message}");
    lab.host("lb0").delete_address("10.77.0.100/24")?;
    scene.cleared("vip-conflict")?;
    scene.end(&["vip-conflict"])
}

#[test]
fn a_daemon_that_was_stopped_before_is_stalled() -> Result<()> {
    let lab = Lab::new()?;
    let (one, other) = pair(&lab, &fast(150), &fast(100))?;
    one.freeze()?;
    other.expect_state("MASTER", ELECTION)?;
    let scene = Scene::on(lab.host("lb0"))?;
    scene.raised("daemon-stalled")?;
    one.thaw()?;
    scene.cleared("daemon-stalled")?;
    scene.end_with(
        &["daemon-stalled"],
        &["silent-failover", "advert-gap", "stale-garp", "split-brain"],
    )
}

#[test]
fn a_static_address_on_this_host_needs_nobody_to_ask() -> Result<()> {
    let lab = Lab::new()?;
    let (_one, _other) = pair(&lab, &fast(150), &fast(100))?;
    let third = lab.host("third");
    third.add_address("10.77.0.100/32")?;
    let scene = Scene::of(&lab)?;
    let finding = scene.raised("vip-conflict")?;
    assert_eq!(finding["cause"], "outsider");
    let message = finding["message"].as_str().unwrap_or_default();
    assert!(message.contains("eth0 of this host"), "{message}");
    third.delete_address("10.77.0.100/32")?;
    scene.cleared("vip-conflict")?;
    scene.end(&["vip-conflict"])
}

#[test]
fn a_filter_that_was_there_before_is_the_cause_of_the_split_brain() -> Result<()> {
    let lab = Lab::new()?;
    let backup = lab.host("lb1");
    let (_one, other) = pair(&lab, &fast(150), &fast(100))?;
    drop_vrrp(backup, "input")?;
    other.expect_state("MASTER", ELECTION)?;
    let scene = Scene::on(backup)?;
    scene.caused("split-brain", "local-drop")?;
    scene.caused("local-drop", "NETFILTER_DROP")?;
    scene.without("an incident", |record| record["record"] == "incident")?;
    backup.run("nft", &["delete", "table", "inet", "test"])?;
    other.expect_state("BACKUP", ELECTION)?;
    scene.cleared("local-drop")?;
    scene.cleared("split-brain")?;
    scene.end_with(
        &["local-drop", "split-brain"],
        &["vip-conflict", "stale-garp"],
    )
}

#[test]
fn a_filter_on_the_way_out_that_was_there_before_is_found_without_a_log() -> Result<()> {
    let lab = Lab::new()?;
    let master = lab.host("lb0");
    let (_one, other) = pair(&lab, &fast(150), &fast(100))?;
    drop_vrrp(master, "output")?;
    other.expect_state("MASTER", ELECTION)?;
    let scene = Scene::on(master)?;
    scene.caused("egress-blocked", "NETFILTER_DROP")?;
    // On a busy machine the kernel tells later than a standby is given.
    scene.end_with(&["egress-blocked"], &["vip-conflict"])
}

#[test]
fn a_settled_pair_that_refreshes_its_announcements_is_no_incident() -> Result<()> {
    let lab = Lab::new()?;
    let instance = |priority| Instance {
        extra: "garp_master_refresh 1",
        ..fast(priority)
    };
    let (_one, _other) = pair(&lab, &instance(150), &instance(100))?;
    let master = lab.host("lb0");
    for seat in ["lb0", "lb1", "third"] {
        let scene = Scene::on(lab.host(seat))?;
        scene.settled(master)?;
        scene.find("a refresh", |record| record["kind"] == "gratuitous")?;
        // When a takeover would be complete.
        let first = scene.advert(master, None)?;
        scene.find("adverts for a while", |record| {
            let later = |one: &serde_json::Value| crate::watcher::nanos(one).unwrap_or_default();
            record["record"] == "advert" && later(record) - later(&first) > 3_000_000_000
        })?;
        scene.without("an incident", |record| record["record"] == "incident")?;
        scene.without("an announcement", |record| record["record"] == "announced")?;
        scene.end(&[])?;
    }
    Ok(())
}

#[test]
fn a_permanent_neighbour_entry_that_leads_elsewhere_is_found() -> Result<()> {
    let lab = Lab::new()?;
    let (_one, _other) = pair(&lab, &fast(150), &fast(100))?;
    let third = lab.host("third");
    let mac = lab.host("lb1").mac_text();
    let entry = [
        "10.77.0.100",
        "lladdr",
        &mac,
        "dev",
        "eth0",
        "nud",
        "permanent",
    ];
    third.run("ip", &[&["neigh", "replace"], &entry[..]].concat())?;
    let scene = Scene::of(&lab)?;
    let finding = scene.raised("stale-garp")?;
    let message = finding["message"].as_str().unwrap_or_default();
    assert!(
        message.contains(&mac) && message.contains("neighbour table"),
        "{message}"
    );
    third.run("ip", &["neigh", "del", "10.77.0.100", "dev", "eth0"])?;
    scene.cleared("stale-garp")?;
    scene.end(&["stale-garp"])
}
