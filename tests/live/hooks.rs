//! The hooks that programs are attached to, and that nothing stays attached.

use anyhow::Result;
use nix::sys::signal::Signal;
use serde_json::Value;
use vrrp_tests::lab::{Stream, wait_until};

use crate::{
    attached::{Attached, has_tcx},
    watcher::{LIMIT, Watcher},
    wire::{Wire, is_advert},
};

/// What `vrrpwatch` says of the only interface it watches.
fn attachment(watcher: &Watcher) -> Result<Value> {
    let start = watcher.records()?.swap_remove(0);
    assert_eq!(
        start["attachments"].as_array().map(Vec::len),
        Some(1),
        "{start}"
    );
    Ok(start["attachments"][0].clone())
}

/// Watches in a mode: the kernel agrees on what is attached, adverts come in and go out, and
/// nothing stays.
fn watch_in(mode: &str, ingress: &str) -> Result<()> {
    let wire = Wire::new()?;
    let third = wire.third();
    let watcher = Watcher::start(third, &["-i", "eth0", "--mode", mode])?;

    let attachment = attachment(&watcher)?;
    assert_eq!(attachment["interface"], "eth0");
    assert_eq!(attachment["ingress"], ingress, "{attachment}");
    assert!(
        attachment["reason"].as_str().is_some_and(|r| !r.is_empty()),
        "{attachment}"
    );
    let attached = Attached::on(third, "eth0")?;
    assert_eq!(
        attached.xdp_mode,
        ingress.strip_prefix("xdp-"),
        "{attached:?}"
    );
    let egress = attachment["egress"].as_str().expect("egress is watched");
    let by_tc = if ingress.starts_with("xdp") { 1 } else { 2 };
    match egress {
        "tcx" => assert_eq!(attached.tcx.len(), by_tc, "{attached:?}"),
        _ => assert!(attached.clsact.len() > by_tc, "{attached:?}"),
    }

    wire.advert(100)?;
    let record = watcher.expect("an advert from lb0", |record| is_advert(record, 100))?;
    assert_eq!(record["direction"], "in");
    third.injector("eth0")?.send(&crate::wire::advert(101))?;
    let record = watcher.expect("an advert of its own", |record| is_advert(record, 101))?;
    assert_eq!(record["direction"], "out");

    watcher.stop()?;
    assert!(Attached::on(third, "eth0")?.is_nothing());
    Ok(())
}

#[test]
fn auto_is_tc() -> Result<()> {
    watch_in("auto", if has_tcx() { "tcx" } else { "clsact" })
}

#[test]
fn native_xdp() -> Result<()> {
    watch_in("xdp-native", "xdp-native")
}

#[test]
fn generic_xdp() -> Result<()> {
    watch_in("xdp-generic", "xdp-generic")
}

#[test]
fn a_foreign_xdp_program_is_left_alone() -> Result<()> {
    let wire = Wire::new()?;
    let third = wire.third();
    // To the second one the first one's program is as foreign as a load balancer's.
    let first = Watcher::start(third, &["-i", "eth0", "--mode", "xdp-native"])?;
    let before = Attached::on(third, "eth0")?;
    assert!(before.xdp.is_some(), "{before:?}");

    let second = Watcher::start(third, &["-i", "eth0"])?;
    let attachment = attachment(&second)?;
    let ingress = attachment["ingress"].as_str().unwrap_or_default();
    assert!(["tcx", "clsact"].contains(&ingress), "{attachment}");
    assert_eq!(Attached::on(third, "eth0")?.xdp, before.xdp);

    wire.advert(100)?;
    first.expect("the advert", |record| is_advert(record, 100))?;
    second.expect("the advert", |record| is_advert(record, 100))?;
    second.stop()?;
    assert_eq!(Attached::on(third, "eth0")?, before);

    // Where XDP is asked for by name, there is no falling back, and what is there is named.
    let mut third_one = Watcher::spawn(third, &["-i", "eth0", "--mode", "xdp-native"])?;
    let status = third_one.process().wait(LIMIT)?;
    assert_eq!(status.code(), Some(3));
    let id = format!("id {}", before.xdp.unwrap_or_default());
    let said = third_one.process().lines(Stream::Stderr).join("\n");
    assert!(said.contains(&id), "names what is there: {said}");
    assert_eq!(Attached::on(third, "eth0")?, before);
    first.stop()?;
    assert!(Attached::on(third, "eth0")?.is_nothing());
    Ok(())
}

#[test]
fn an_end_by_ctrl_c_leaves_nothing_attached() -> Result<()> {
    let wire = Wire::new()?;
    let third = wire.third();
    for mode in ["xdp-native", "auto"] {
        let mut watcher = Watcher::start(third, &["-i", "eth0", "--mode", mode])?;
        let status = watcher.process().stop(Signal::SIGINT, LIMIT)?;
        assert!(status.success(), "{status}");
        let last = watcher.records()?.pop().expect("it wrote");
        assert_eq!(last["record"], "summary");
        assert!(Attached::on(third, "eth0")?.is_nothing());
    }
    Ok(())
}

#[test]
fn a_killed_one_leaves_nothing_attached() -> Result<()> {
    let wire = Wire::new()?;
    let third = wire.third();
    for mode in ["xdp-native", "xdp-generic", "auto"] {
        let mut watcher = Watcher::start(third, &["-i", "eth0", "--mode", mode])?;
        assert!(!Attached::on(third, "eth0")?.is_nothing());
        watcher.process().stop(Signal::SIGKILL, LIMIT)?;
        // The kernel takes a dead process's links off in its own time. Filters of clsact stay
        // until the next start finds them.
        if has_tcx() {
            wait_until("the links to go", LIMIT, || {
                Attached::on(third, "eth0").is_ok_and(|attached| attached.is_nothing())
            })?;
        }
        let next = Watcher::start(third, &["-i", "eth0", "--mode", mode])?;
        wire.advert(100)?;
        next.expect("an advert", |record| is_advert(record, 100))?;
        next.stop()?;
        assert!(Attached::on(third, "eth0")?.is_nothing());
    }
    Ok(())
}
