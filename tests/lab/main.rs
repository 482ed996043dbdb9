//! The laboratory itself: real daemons agree on a master, and what we do to the wire is felt.

use std::{net::IpAddr, time::Duration};

use anyhow::Result;
use vrrp_tests::lab::{FrrRouter, Instance, Lab, tcpdump_lines, wait_until};

/// Three times the interval, the skew, and a second for a busy machine.
const ELECTION: Duration = Duration::from_secs(10);

#[test]
fn a_keepalived_pair_elects_lb0_and_lb1_takes_over() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let capture = third.capture("vrrp or arp")?;

    let one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let other = lb1.keepalived(&Instance::usual(100).to_string())?;
    one.expect_state("MASTER", ELECTION)?;
    wait_until("the address on lb0", ELECTION, || {
        lb0.has_address("10.77.0.100").unwrap_or(false)
    })?;
    assert_eq!(
        third.arping("10.77.0.100")?,
        [lb0.mac_text()].into(),
        "only the master answers"
    );

    one.stop()?;
    other.expect_state("MASTER", ELECTION)?;
    wait_until("the advert of lb1", ELECTION, || {
        tcpdump_lines(capture.file(), &[]).is_ok_and(|lines| {
            lines
                .iter()
                .any(|line| line.contains("10.77.0.11 > 224.0.0.18: VRRPv2"))
        })
    })?;

    let lines = tcpdump_lines(&capture.finish()?, &["vrrp"])?;
    let resigned = lines
        .iter()
        .position(|line| line.contains("10.77.0.10 >") && line.contains("prio 0,"))
        .expect("keepalived resigns when it is stopped");
    let (before, after) = lines.split_at(resigned);
    assert!(before.iter().all(|line| line.contains("10.77.0.10 >")));
    assert!(after[1..].iter().all(|line| line.contains("10.77.0.11 >")));
    Ok(())
}

#[test]
fn a_killed_master_leaves_its_address_behind() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1) = (lab.host("lb0"), lab.host("lb1"));
    let one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let other = lb1.keepalived(&Instance::usual(100).to_string())?;
    one.expect_state("MASTER", ELECTION)?;
    let held = || lb0.has_address("10.77.0.100").unwrap_or(false);
    wait_until("the address on lb0", ELECTION, held)?;

    one.kill()?;
    other.expect_state("MASTER", ELECTION)?;
    assert!(held(), "nobody took the address away");
    Ok(())
}

#[test]
fn blocked_vrrp_makes_two_masters_until_it_heals() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let other = lb1.keepalived(&Instance::usual(100).to_string())?;
    one.expect_state("MASTER", ELECTION)?;

    lab.switch().block_vrrp("lb0", "lb1")?;
    other.expect_state("MASTER", ELECTION)?;
    let both = [lb0.mac_text(), lb1.mac_text()].into();
    wait_until("both to answer ARP", ELECTION, || {
        third
            .arping("10.77.0.100")
            .is_ok_and(|answers| answers == both)
    })?;

    lab.switch().heal()?;
    other.expect_state("BACKUP", ELECTION)?;
    Ok(())
}

#[test]
fn a_pulled_cable_is_a_fault_and_a_silent_cut_is_not() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0", "lb1"])?;
    let keepalived = lab
        .host("lb0")
        .keepalived(&Instance::usual(150).to_string())?;
    let other = lab
        .host("lb1")
        .keepalived(&Instance::usual(100).to_string())?;
    keepalived.expect_state("MASTER", ELECTION)?;
    lab.switch().unplug("lb0")?;
    keepalived.expect_state("FAULT", ELECTION)?;
    other.expect_state("MASTER", ELECTION)?;

    lab.switch().plug("lb0")?;
    keepalived.expect_state("MASTER", ELECTION)?;
    other.expect_state("BACKUP", ELECTION)?;
    lab.switch().cut("lb0")?;
    other.expect_state("MASTER", ELECTION)?;
    assert_eq!(
        keepalived
            .log()
            .iter()
            .filter(|line| line.contains("Entering FAULT STATE"))
            .count(),
        1,
        "the cut is not seen as a fault"
    );
    Ok(())
}

#[test]
fn frr_elects_a_master_for_both_families() -> Result<()> {
    let lab = Lab::new()?;
    let addresses: [IpAddr; 3] = [
        "10.77.0.100".parse()?,
        "fe80::77:100".parse()?,
        "fd77::100".parse()?,
    ];
    let router = FrrRouter {
        version: 3,
        vrid: 51,
        priority: 150,
        interval_ms: 500,
        addresses: &addresses,
    };
    let capture = lab.host("third").capture("vrrp or ip6 proto 112")?;
    let one = lab.host("lb0").frr(&router)?;
    let other = lab.host("lb1").frr(&FrrRouter {
        priority: 100,
        ..router
    })?;
    let wanted = ["10.77.0.10 > 224.0.0.18: VRRPv3", "> ff02::12:"];
    wait_until("adverts of both families", ELECTION, || {
        tcpdump_lines(capture.file(), &[]).is_ok_and(|lines| {
            wanted
                .iter()
                .all(|text| lines.iter().any(|line| line.contains(text)))
        })
    })?;

    one.stop()?;
    other.expect_master(ELECTION)?;
    Ok(())
}
