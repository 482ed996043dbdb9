//! What the kernel itself says of adverts that do not reach the daemon.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;
use vrrp_tests::lab::{Host, Lab, Process, Stream, Tee, vrrpwatch, wait_until};
use vrrp_user::capture::KernelTypes;

use super::{
    daemon::drop_vrrp,
    scene::{ELECTION, Scene, fast, pair},
};
use crate::{
    attached::counts_drops,
    watcher::{LIMIT, Watcher},
    wire::{Wire, is_advert},
};

/// The least time for which drops may be counted, and some for a busy machine.
const COUNTING: Duration = Duration::from_secs(15);

/// What the kernel is to say where it knows this reason.
fn cause(reason: &str) -> Result<Option<String>> {
    let types = KernelTypes::read()?;
    if !types.has_reasons() {
        return Ok(None);
    }
    let known = types.reasons().any(|name| name == reason);
    Ok(Some(
        if known { reason } else { "NOT_SPECIFIED" }.to_owned(),
    ))
}

/// Sees adverts kept from the daemon on `lb1`. The finding, as the kernel explains it, has to pass.
fn explains(
    lab: &Lab,
    keep: impl FnOnce(&Host) -> Result<()>,
    check: impl FnOnce(&Value) -> Result<()>,
) -> Result<()> {
    let backup = lab.host("lb1");
    let scene = Scene::with_log(backup)?;
    let (_master, other) = pair(lab, &fast(150), &fast(100))?;
    scene.settled(lab.host("lb0"))?;
    ensure!(
        !counts_drops(scene.pid())?,
        "it counts drops without a suspicion"
    );
    keep(backup)?;
    other.expect_state("MASTER", ELECTION)?;
    let raised = scene.raised("local-drop")?;
    assert_eq!(raised["cause"], Value::Null, "{raised}");
    let updated = scene.find("what drops them", |record| {
        record["code"] == "local-drop" && record["status"] == "updated"
    })?;
    let record = scene.find("the drops themselves", |record| record["record"] == "drop")?;
    assert_eq!(record["source"], "10.77.0.10", "{record}");
    assert_eq!(record["interface"], "eth0", "{record}");
    assert_eq!(record["direction"], "in", "{record}");
    assert_eq!(record["vrid"], 51, "{record}");
    assert!(record["count"].as_u64() > Some(0), "{record}");
    assert!(record["counted_ms"].as_u64() <= Some(10_000), "{record}");

    // It lasts, and nobody counts any more.
    wait_until("the counter to be taken away", LIMIT, || {
        counts_drops(scene.pid()).is_ok_and(|counts| !counts)
    })?;
    scene.settled_after(lab.host("lb0"), Some(&record))?;
    ensure!(!counts_drops(scene.pid())?, "it counts drops again");
    check(&updated)?;
    scene.end_with(
        &["local-drop"],
        &["split-brain", "vip-conflict", "stale-garp", "advert-gap"],
    )
}

#[test]
fn a_firewall_is_named_by_the_kernel() -> Result<()> {
    let lab = Lab::new()?;
    explains(
        &lab,
        |backup| drop_vrrp(backup, "input"),
        |finding| {
            if let Some(cause) = cause("NETFILTER_DROP")? {
                assert_eq!(finding["cause"], cause);
            }
            let evidence = finding["evidence"].to_string();
            assert!(evidence.contains("the kernel has dropped"), "{evidence}");
            let advice = finding["advice"].as_str().unwrap_or_default();
            assert!(advice.contains("nft list ruleset"), "{advice}");
            Ok(())
        },
    )
}

#[test]
fn a_reverse_path_filter_is_named_by_the_kernel() -> Result<()> {
    let lab = Lab::new()?;
    explains(
        &lab,
        |backup| {
            let namespace = backup.namespace();
            namespace.ip("link add name elsewhere type veth peer name nowhere\n\
                 link set dev elsewhere up\n\
                 link set dev nowhere up\n\
                 route add 10.77.0.10/32 dev elsewhere")?;
            namespace.sysctl("net/ipv4/conf/eth0/rp_filter", "1")
        },
        |finding| {
            if let Some(cause) = cause("IP_RPFILTER")? {
                assert_eq!(finding["cause"], cause);
            }
            let advice = finding["advice"].as_str().unwrap_or_default();
            assert!(advice.contains("rp_filter"), "{advice}");
            Ok(())
        },
    )
}

/// `vrrpwatch why-dropped` at work: it counts when this returns.
fn why_dropped(host: &Host, args: &[&str]) -> Result<Process> {
    let args = ["why-dropped"].iter().chain(args);
    let process = host.spawn(vrrpwatch()?, args, Tee::Nothing)?;
    process.expect_line(Stream::Stderr, "that it counts", LIMIT, |line| {
        line.contains("counting dropped VRRP packets")
    })?;
    Ok(process)
}

/// Its exit status and what it said.
fn answer(mut process: Process) -> Result<(i32, Vec<String>)> {
    let status = process.wait(COUNTING)?;
    let lines = process.lines(Stream::Stdout);
    Ok((status.code().context("it was killed")?, lines))
}

#[test]
fn drops_can_be_asked_for_by_hand() -> Result<()> {
    let lab = Lab::new()?;
    let (master, backup) = (lab.host("lb0"), lab.host("lb1"));
    let _pair = pair(&lab, &fast(150), &fast(100))?;
    // Before the daemon listens, adverts are dropped, too.
    wait_until("the backup to listen", LIMIT, || {
        backup
            .run("ip", &["maddress", "show", "dev", "eth0"])
            .is_ok_and(|groups| groups.contains("224.0.0.18"))
    })?;
    let (status, lines) = answer(why_dropped(backup, &["--for", "1"])?)?;
    assert_eq!((status, lines.len()), (0, 1), "{lines:?}");
    assert!(
        lines[0].starts_with("No VRRP packet was dropped"),
        "{lines:?}"
    );

    drop_vrrp(backup, "input")?;
    let there = why_dropped(master, &["--for", "2"])?;
    let elsewhere = why_dropped(backup, &["--for", "2", "-i", "lo"])?;
    let json = why_dropped(backup, &["--for", "2", "-i", "eth*", "--format", "json"])?;
    let (status, lines) = answer(why_dropped(backup, &["--for", "2", "-i", "eth0"])?)?;
    assert_eq!(status, 1, "{lines:?}");
    let expected = cause("NETFILTER_DROP")?.unwrap_or_else(|| "the kernel in ".to_owned());
    assert!(lines[0].starts_with(&expected), "{lines:?}");
    for part in [" on eth0: ", "VRRP packets in 2.", "nft list ruleset"] {
        assert!(lines[0].contains(part), "{part}: {lines:?}");
    }
    assert!(
        lines[1].starts_with("  in  10.77.0.10, vrid 51: "),
        "{lines:?}"
    );
    // Neither on another interface nor in another namespace.
    assert_eq!(answer(elsewhere)?.0, 0);
    assert_eq!(answer(there)?.0, 0);

    let (status, lines) = answer(json)?;
    assert_eq!((status, lines.len()), (1, 1), "{lines:?}");
    let record: Value = serde_json::from_str(&lines[0])?;
    assert_eq!(record["record"], "drop");
    assert_eq!(
        record["reason"].as_str(),
        cause("NETFILTER_DROP")?.as_deref()
    );
    assert_eq!(record["source"], "10.77.0.10");
    Ok(())
}

#[test]
fn adverts_that_do_not_leave_are_told_as_such() -> Result<()> {
    let lab = Lab::new()?;
    let master = lab.host("lb0");
    let (_one, other) = pair(&lab, &fast(150), &fast(100))?;
    drop_vrrp(master, "output")?;
    other.expect_state("MASTER", ELECTION)?;
    let (status, lines) = answer(why_dropped(master, &["--for", "2", "-i", "eth0"])?)?;
    assert_eq!(status, 1, "{lines:?}");
    let expected = cause("NETFILTER_DROP")?.unwrap_or_else(|| "the kernel in ".to_owned());
    assert!(lines[0].starts_with(&expected), "{lines:?}");
    assert!(
        lines[1].starts_with("  out 10.77.0.10, vrid 51: "),
        "{lines:?}"
    );
    Ok(())
}

#[test]
fn an_interrupt_brings_the_answer_early() -> Result<()> {
    // Nobody listens to VRRP on the host that watches.
    let wire = Wire::new()?;
    let asked = why_dropped(wire.third(), &["--for", "1h"])?;
    ensure!(counts_drops(asked.pid())?, "it does not count");
    let watcher = Watcher::start(wire.third(), &["-i", "eth0"])?;
    for priority in [1, 2] {
        wire.advert(priority)?;
    }
    // When the second is there, the first has been dropped.
    watcher.expect("the second", |record| is_advert(record, 2))?;
    asked.signal(Signal::SIGINT)?;
    let (status, lines) = answer(asked)?;
    // That is no fault: there is nobody whom they are for.
    assert_eq!(status, 0, "{lines:?}");
    assert!(lines[0].contains(" on eth0: "), "{lines:?}");
    assert!(lines[0].contains("no VRRP daemon runs here"), "{lines:?}");
    Ok(())
}

#[test]
fn an_interface_that_is_not_there_is_wrong_use() -> Result<()> {
    let lab = Lab::with_hosts(&["third"])?;
    let third = lab.host("third");
    let mut process = third.spawn(vrrpwatch()?, ["why-dropped", "-i", "eht0"], Tee::Nothing)?;
    let status = process.wait(LIMIT)?;
    assert_eq!(status.code(), Some(2));
    let complaint = process.lines(Stream::Stderr).join("\n");
    assert!(
        complaint.contains("eht0") && complaint.contains("eth0"),
        "{complaint}"
    );
    Ok(())
}
