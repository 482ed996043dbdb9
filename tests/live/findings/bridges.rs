//! A daemon that listens on a port of a bridge, where the kernel delivers nothing.

use anyhow::Result;
use vrrp_tests::lab::{Host, Instance, Lab};

use super::scene::{ELECTION, Scene, fast};
use crate::watcher::Watcher;

/// Puts the interface of a host into a bridge, which gets its address.
fn into_bridge(host: &Host) -> Result<()> {
    let address = host.ipv4();
    host.namespace().ip(&format!(
        "link add name br-int type bridge\n\
         link set dev br-int up\n\
         address delete {address}/24 dev eth0\n\
         link set dev eth0 master br-int\n\
         address add {address}/24 dev br-int"
    ))
}

/// Both are masters, as one of them does not hear the other. What a watch there says of it.
fn watch(args: &[&str], beside: &[&str]) -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1) = (lab.host("lb0"), lab.host("lb1"));
    into_bridge(lb1)?;
    let _one = lb0.keepalived(&fast(150).to_string())?;
    let deaf = Instance {
        extra: "mcast_src_ip 10.77.0.11",
        ..fast(100)
    };
    let other = lb1.keepalived(&deaf.to_string())?;
    other.expect_state("MASTER", ELECTION)?;
    let watcher = Watcher::start(lb1, args)?;
    let scene = Scene::of_watcher(watcher);
    let finding = scene.raised("local-drop")?;
    assert_eq!(finding["cause"], "wrong-interface", "{finding}");
    for part in ["eth0", "br-int"] {
        let message = finding["message"].as_str().unwrap_or_default();
        assert!(message.contains(part), "{finding}");
    }
    let advice = finding["advice"].as_str().unwrap_or_default();
    assert!(advice.contains("`interface br-int`"), "{finding}");

    // As it is told, so it is mended.
    other.stop()?;
    let mended = deaf
        .to_string()
        .replace("interface eth0", "interface br-int");
    let _other = lb1.keepalived(&mended)?;
    scene.cleared("local-drop")?;
    scene.end_with(&["local-drop"], beside)
}

/// What may be told of two masters, and of the end of one.
const BESIDE: &[&str] = &["split-brain", "stale-garp"];

#[test]
fn seen_from_its_port() -> Result<()> {
    watch(&["-i", "eth0"], BESIDE)
}

#[test]
fn seen_from_the_bridge_where_what_it_sends_does_not_pass() -> Result<()> {
    watch(&["-i", "br-int"], BESIDE)
}

#[test]
fn seen_from_both() -> Result<()> {
    watch(&[], BESIDE)
}
