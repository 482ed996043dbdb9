//! Two machines with one address.

use std::time::Duration;

use anyhow::Result;
use vrrp_tests::lab::{FrrRouter, Instance, Lab, wait_until};

use super::scene::{ELECTION, MASTER_DOWN, Scene, assert_after, assert_within, clock, fast, pair};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_filter_between_the_routers_is_a_split_brain_until_it_goes() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let (_one, other) = pair(&lab, &fast(150), &fast(100))?;
    scene.settled(lab.host("lb0"))?;
    lab.switch().block_vrrp("lb0", "lb1")?;
    other.expect_state("MASTER", ELECTION)?;
    let second = scene.advert(lab.host("lb1"), None)?;
    let finding = scene.raised("split-brain")?;
    assert_eq!(finding["severity"], "critical");
    assert_eq!(finding["cause"], "not-received");
    assert_eq!(finding["vrid"], 51);
    // Beyond one round of the election.
    assert_within(MASTER_DOWN + SECOND, &second, &finding)?;

    lab.switch().heal()?;
    let healed = clock()?;
    other.expect_state("BACKUP", ELECTION)?;
    let cleared = scene.cleared("split-brain")?;
    // The other one may send once more, and is given as long as a backup would give it.
    assert_after(healed, MASTER_DOWN + SECOND, &cleared)?;
    // keepalived announces the address again if it heard of the other one as master.
    scene.end_with(&["split-brain"], &["stale-garp"])
}

#[test]
fn one_address_in_two_virtual_routers() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let one = Instance {
        vrid: 51,
        ..fast(100)
    };
    let other = Instance {
        vrid: 50,
        ..fast(102)
    };
    let (_one, second) = pair(&lab, &one, &other)?;
    second.expect_state("MASTER", ELECTION)?;
    let advert = scene.advert(lab.host("lb1"), None)?;
    let finding = scene.raised("vip-in-two-vrids")?;
    assert_eq!(finding["severity"], "critical");
    assert_eq!(finding["addresses"][0], "10.77.0.100");
    let message = finding["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("50") && message.contains("51"),
        "{message}"
    );
    assert_within(MASTER_DOWN + SECOND, &advert, &finding)?;
    scene.end(&["vip-in-two-vrids"])
}

#[test]
fn one_vrid_for_two_services() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    let other = Instance {
        addresses: &["10.77.0.101/24"],
        ..fast(100)
    };
    let (_one, second) = pair(&lab, &fast(150), &other)?;
    second.expect_state("MASTER", ELECTION)?;
    let advert = scene.advert(lab.host("lb1"), None)?;
    let finding = scene.raised("vrid-collision")?;
    assert_eq!(finding["severity"], "critical");
    assert_within(MASTER_DOWN + SECOND, &advert, &finding)?;
    scene.end_with(&["vrid-collision"], &["address-list-mismatch"])
}

#[test]
fn an_outsider_with_the_address() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0", "lb1", "lb2", "third"])?;
    let scene = Scene::of(&lab)?;
    let _pair = pair(&lab, &fast(150), &fast(100))?;
    scene.settled(lab.host("lb0"))?;
    let rogue = lab.host("lb2");
    rogue.add_address("10.77.0.100/24")?;
    wait_until("both to answer", ELECTION, || {
        let answers = lab.host("third").arping("10.77.0.100");
        answers.is_ok_and(|answers| answers.contains(&rogue.mac_text()))
    })?;
    let claim = scene.find("the claim", |record| {
        record["record"] == "arp"
            && record["sender_mac"] == *rogue.mac_text()
            && record["sender_ip"] == "10.77.0.100"
    })?;
    let finding = scene.raised("vip-conflict")?;
    assert_eq!(finding["severity"], "critical");
    assert_eq!(finding["cause"], "outsider");
    let message = finding["message"].as_str().unwrap_or_default();
    assert!(message.contains(&rogue.mac_text()), "{message}");
    assert_within(SECOND, &claim, &finding)?;
    scene.end(&["vip-conflict"])
}

#[test]
fn two_owners() -> Result<()> {
    let lab = Lab::new()?;
    let scene = Scene::of(&lab)?;
    lab.switch().block_vrrp("lb0", "lb1")?;
    let _one = lab.host("lb0").keepalived(&fast(255).to_string())?;
    let _other = lab.host("lb1").keepalived(&fast(255).to_string())?;
    let advert = scene.advert(lab.host("lb1"), None)?;
    let finding = scene.raised("owner-conflict")?;
    assert_eq!(finding["severity"], "critical");
    assert_within(MASTER_DOWN + SECOND, &advert, &finding)?;
    scene.raised("split-brain")?;
    scene.end_with(&["owner-conflict", "split-brain"], &["false-owner"])
}

#[test]
fn an_address_that_duplicate_address_detection_took_from_the_active_router() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1) = (lab.host("lb0"), lab.host("lb1"));
    let (local, shared) = ("fe80::77:100".parse()?, "fd77::100".parse()?);
    // FRR's addresses are on their interface before it is active, and the kernel asks for them.
    for which in ["all", "default"] {
        let setting = format!("net/ipv6/conf/{which}/accept_dad");
        lb0.namespace().sysctl(&setting, "1")?;
    }
    lb1.namespace()
        .ip("address add fd77::100/64 dev eth0 nodad")?;
    let scene = Scene::on(lb0)?;
    let router = lb0.frr(&FrrRouter {
        version: 3,
        vrid: 51,
        priority: 150,
        interval_ms: 1000,
        addresses: &[local, shared],
    })?;
    router.expect_master(ELECTION)?;
    // Whatever it found then, the kernel asks anew.
    lb0.namespace()
        .ip("address delete fd77::100/64 dev vrrp6-51\n\
         address add fd77::100/64 dev vrrp6-51")?;
    let finding = scene.raised("duplicate-address")?;
    assert_eq!(finding["addresses"], serde_json::json!(["fd77::100"]));
    let holder = lb1.mac_text();
    let message = finding["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("This host"), "{finding} ({holder})");
    Ok(())
}
