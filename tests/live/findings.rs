//! Real routers come, go and fail; vrrpwatch says what happened, in time, and nothing else.

mod account;
mod already;
mod bridges;
mod conflicts;
mod daemon;
mod drops;
mod mismatches;
pub(crate) mod scene;
mod seat;

use std::time::Duration;

use anyhow::Result;
use vrrp_tests::lab::{Instance, Lab};

use self::scene::{ELECTION, MASTER_DOWN, Scene, assert_within, fast, pair};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_start_and_a_resignation_are_changes_and_no_findings() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let (one, other) = pair(&lab, &fast(150), &fast(100))?;
    let start = scene.state("first-seen", lab.host("lb0"))?;
    assert_eq!(scene.announced(&start)?, ["10.77.0.100"]);

    one.stop()?;
    other.expect_state("MASTER", ELECTION)?;
    let change = scene.state("resigned", lab.host("lb1"))?;
    assert_eq!(change["from"], "10.77.0.10");
    assert!(
        change["outage_ms"].as_u64().is_some_and(|ms| ms < 1000),
        "{change}"
    );
    assert_eq!(scene.announced(&change)?, ["10.77.0.100"]);
    scene.end(&[])
}

#[test]
fn a_readable_password_is_worth_a_word() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let _pair = pair(&lab, &Instance::usual(150), &Instance::usual(100))?;
    let first = scene.advert(lab.host("lb0"), None)?;
    let finding = scene.raised("plaintext-auth")?;
    assert_eq!(finding["severity"], "info");
    assert_eq!(finding["vrid"], 51);
    assert_within(SECOND, &first, &finding)?;
    scene.end(&["plaintext-auth"])
}

#[test]
fn a_killed_master_is_a_silent_failover_and_leaves_its_address() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let (one, other) = pair(&lab, &fast(150), &fast(100))?;
    scene.settled(lab.host("lb0"))?;
    one.kill()?;
    other.expect_state("MASTER", ELECTION)?;
    let change = scene.state("timeout", lab.host("lb1"))?;
    let finding = scene.raised("silent-failover")?;
    assert_within(SECOND, &change, &finding)?;

    // The address is still there, which shows as soon as somebody asks for it.
    scene.settled(lab.host("lb1"))?;
    assert_eq!(lab.host("third").arping("10.77.0.100")?.len(), 2);
    let conflict = scene.raised("vip-conflict")?;
    assert_eq!(conflict["cause"], "leftover");
    let message = conflict["message"].as_str().unwrap_or_default();
    assert!(message.contains(&lab.host("lb0").mac_text()), "{message}");
    scene.end(&["silent-failover", "vip-conflict"])
}

#[test]
fn a_pulled_cable_is_a_silent_failover() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let (one, other) = pair(&lab, &fast(150), &fast(100))?;
    scene.settled(lab.host("lb0"))?;
    lab.switch().unplug("lb0")?;
    other.expect_state("MASTER", ELECTION)?;
    let change = scene.state("timeout", lab.host("lb1"))?;
    assert_within(SECOND, &change, &scene.raised("silent-failover")?)?;

    lab.switch().plug("lb0")?;
    one.expect_state("MASTER", ELECTION)?;
    let back = scene.state("preempted", lab.host("lb0"))?;
    assert_eq!(scene.announced(&back)?, ["10.77.0.100"]);
    scene.end(&["silent-failover"])
}

#[test]
fn a_silent_cut_is_a_silent_failover() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let (_one, other) = pair(&lab, &fast(150), &fast(100))?;
    scene.settled(lab.host("lb0"))?;
    lab.switch().cut("lb0")?;
    other.expect_state("MASTER", ELECTION)?;
    let change = scene.state("timeout", lab.host("lb1"))?;
    assert_within(SECOND, &change, &scene.raised("silent-failover")?)?;

    lab.switch().heal()?;
    other.expect_state("BACKUP", ELECTION)?;
    let back = scene.state("preempted", lab.host("lb0"))?;
    // lb0 never knew that it was cut off: it announces nothing, unless it hears of lb1.
    let announced = scene.announced(&back)?;
    let stale = if announced.is_empty() {
        scene.raised("stale-garp")?;
        ["stale-garp"].as_slice()
    } else {
        &[]
    };
    scene.end_with(&["silent-failover"], stale)
}

#[test]
fn nobody_left_is_no_master() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let lb0 = lab.host("lb0");
    let only = lb0.keepalived(&fast(150).to_string())?;
    only.expect_state("MASTER", ELECTION)?;
    scene.settled(lb0)?;
    only.stop()?;
    let resignation = scene.find("the resignation", |record| record["priority"] == 0)?;
    let finding = scene.raised("no-master")?;
    assert_eq!(finding["severity"], "critical");
    // A backup, if there were one, would have waited for this long.
    assert_within(MASTER_DOWN + SECOND, &resignation, &finding)?;

    let again = lb0.keepalived(&fast(150).to_string())?;
    again.expect_state("MASTER", ELECTION)?;
    let advert = scene.advert(lb0, Some(&finding))?;
    assert_within(MASTER_DOWN, &advert, &scene.cleared("no-master")?)?;
    scene.end(&["no-master"])
}

#[test]
fn a_crash_with_nobody_left_is_no_master() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let lb0 = lab.host("lb0");
    let only = lb0.keepalived(&fast(150).to_string())?;
    only.expect_state("MASTER", ELECTION)?;
    scene.settled(lb0)?;
    only.kill()?;
    let killed = scene::clock()?;
    let finding = scene.raised("no-master")?;
    scene::assert_after(killed, Duration::from_millis(800) + SECOND, &finding)?;
    scene.end(&["no-master"])
}

#[test]
fn ipv6_changes_and_fails_in_the_same_words() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let addresses = &["fe80::77:100/64", "fd77::100/64"];
    let instance = |priority| Instance {
        addresses,
        ..fast(priority)
    };
    let (one, other) = pair(&lab, &instance(150), &instance(100))?;
    let start = scene.find("the start", |record| record["reason"] == "first-seen")?;
    assert_eq!(start["family"], "ipv6");
    // Which takes longer than for the router to be known.
    assert_eq!(scene.announced(&start)?, ["fd77::100", "fe80::77:100"]);

    one.kill()?;
    other.expect_state("MASTER", ELECTION)?;
    let change = scene.find("the change", |record| record["reason"] == "timeout")?;
    let finding = scene.raised("silent-failover")?;
    assert_eq!(finding["family"], "ipv6");
    assert_within(SECOND, &change, &finding)?;
    scene.end(&["silent-failover"])
}

#[test]
fn a_virtual_mac_address_is_nothing_strange() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let instance = |priority| Instance {
        virtual_mac: true,
        ..fast(priority)
    };
    let (one, other) = pair(&lab, &instance(150), &instance(100))?;
    let start = scene.state("first-seen", lab.host("lb0"))?;
    assert_eq!(start["mac"], "00:00:5e:00:01:33");
    // keepalived's answers come from the virtual address, its questions from the real one.
    assert_eq!(lab.host("third").arping("10.77.0.100")?.len(), 1);
    one.stop()?;
    other.expect_state("MASTER", ELECTION)?;
    let change = scene.state("resigned", lab.host("lb1"))?;
    assert_eq!(lab.host("third").arping("10.77.0.100")?.len(), 1);
    scene.announced(&change)?;
    scene.end(&[])
}

#[test]
fn a_frozen_master_comes_back() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let (one, other) = pair(&lab, &fast(150), &fast(100))?;
    scene.settled(lab.host("lb0"))?;
    one.freeze()?;
    other.expect_state("MASTER", ELECTION)?;
    let change = scene.state("timeout", lab.host("lb1"))?;
    assert_within(SECOND, &change, &scene.raised("silent-failover")?)?;
    // Else lb1 may still be announcing when lb0 is back, and have the last word.
    scene.announced(&change)?;
    one.thaw()?;
    other.expect_state("BACKUP", ELECTION)?;
    let back = scene.state("preempted", lab.host("lb0"))?;
    let announced = scene.announced(&back)?;
    let stale = if announced.is_empty() {
        ["stale-garp"].as_slice()
    } else {
        &[]
    };
    scene.end_with(&["silent-failover"], stale)
}
