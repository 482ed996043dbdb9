//! `run --probe` from every seat, with virtual MACs, IPv6, a proxy, and a thousand addresses.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use anyhow::Result;
use serde_json::Value;
use vrrp_tests::lab::{Instance, Lab, tcpdump_lines, wait_until};

use crate::{asked::held, watcher::Watcher};

const VIP: &str = "10.77.0.100";
const PROBE: [&str; 5] = ["-i", "eth0", "--probe", "--probe-interval", "2s"];

fn is_round(record: &Value, address: &str, outcome: &str) -> bool {
    record["record"] == "probe" && record["address"] == address && record["outcome"] == outcome
}

/// The MACs of a round and their roles.
fn answers(round: &Value) -> BTreeSet<(&str, &str)> {
    round["answers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|answer| Some((answer["mac"].as_str()?, answer["role"].as_str()?)))
        .collect()
}

/// Nothing was found but what is only worth knowing.
fn assert_fine(records: &[Value]) {
    let found: Vec<&Value> = records
        .iter()
        .filter(|record| record["record"] == "finding" && record["severity"] != "info")
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_healthy_pair_from_every_seat() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let _other = lb1.keepalived(&Instance::usual(100).to_string())?;
    held(lb0, VIP)?;
    let watchers = [
        Watcher::start(lb0, &PROBE)?,
        Watcher::start(lb1, &PROBE)?,
        Watcher::start(third, &PROBE)?,
    ];
    for (watcher, outcome) in watchers.iter().zip(["held-here", "answered", "answered"]) {
        for _ in 0..2 {
            let round = watcher.expect(outcome, |record| is_round(record, VIP, outcome))?;
            if outcome == "answered" {
                let lb0 = lb0.mac_text();
                assert_eq!(answers(&round), [(&*lb0, "active-router")].into());
            }
        }
    }
    for watcher in watchers {
        assert_fine(&watcher.stop()?);
    }
    Ok(())
}

#[test]
fn the_virtual_mac_may_answer() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let instance = |priority| Instance {
        virtual_mac: true,
        ..Instance::usual(priority)
    };
    let _one = lb0.keepalived(&instance(150).to_string())?;
    let _other = lb1.keepalived(&instance(100).to_string())?;
    held(lb0, VIP)?;
    let watcher = Watcher::start(third, &PROBE)?;
    let round = watcher.expect("an answer", |record| is_round(record, VIP, "answered"))?;
    let expected = [("00:00:5e:00:01:33", "virtual-mac")];
    assert_eq!(answers(&round), expected.into(), "{round}");
    assert_fine(&watcher.stop()?);
    Ok(())
}

#[test]
fn ipv6_addresses_are_asked_for() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let addresses = ["fe80::77:100/64", "fd77::100/64"];
    let _one = lb0.keepalived(&Instance::version_3(150, &addresses).to_string())?;
    let _other = lb1.keepalived(&Instance::version_3(100, &addresses).to_string())?;
    held(lb0, "fd77::100")?;
    let watcher = Watcher::start(third, &PROBE)?;
    let mut waiting: BTreeSet<&str> = ["fe80::77:100", "fd77::100"].into();
    watcher.expect("answers of both", |record| {
        let lb0 = lb0.mac_text();
        if answers(record) == [(&*lb0, "active-router")].into() {
            waiting.retain(|address| !is_round(record, address, "answered"));
        }
        waiting.is_empty()
    })?;
    assert_fine(&watcher.stop()?);
    Ok(())
}

#[test]
fn a_proxy_is_told_from_other_outsiders() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    lb1.proxy_for("10.77.0.0/25")?;
    // It is known for a proxy when it answers for somebody else as well.
    let args = [&PROBE[..], &["--probe", "10.77.0.10"]].concat();
    let watcher = Watcher::start(third, &args)?;
    let conflict = watcher.expect("vip-conflict", |record| {
        record["record"] == "finding"
            && record["code"] == "vip-conflict"
            && record["cause"] == "proxy-arp"
    })?;
    assert_eq!(conflict["addresses"][0], VIP, "{conflict}");
    watcher.stop()?;
    Ok(())
}

/// Four instances of 250 addresses each, as one advert can have no more than 255.
#[test]
fn a_thousand_addresses_keep_to_the_pace() -> Result<()> {
    const QUESTIONS: usize = 150;
    const RATE: f64 = 20.0;
    let lab = Lab::with_hosts(&["lb0", "third"])?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    third.add_address("10.77.200.50/16")?;
    let mut configuration = String::new();
    for number in 1..=4 {
        let addresses: Vec<String> = (1..=250)
            .map(|last| format!("10.77.{number}.{last}/32"))
            .collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let instance = Instance {
            vrid: 50 + number,
            addresses: &addresses,
            ..Instance::usual(150)
        }
        .to_string();
        let (globals, instance) = instance
            .split_once("vrrp_instance VI_1")
            .unwrap_or_default();
        if number == 1 {
            configuration.push_str(globals);
        }
        write!(configuration, "vrrp_instance VI_{number}{instance}")?;
    }
    let capture = third.capture("arp[6:2] == 1 and src host 10.77.200.50")?;
    let watcher = Watcher::start(third, &["-i", "eth0", "--probe"])?;
    let _one = lb0.keepalived(&configuration)?;
    let times = || -> Vec<f64> {
        // The last frame may be half written.
        tcpdump_lines(capture.file(), &["-tt"])
            .unwrap_or_default()
            .iter()
            .filter_map(|line| line.split(' ').next()?.parse().ok())
            .collect()
    };
    let learned = || -> BTreeSet<String> {
        watcher
            .records()
            .unwrap_or_default()
            .iter()
            .filter(|record| record["record"] == "advert")
            .flat_map(|record| record["addresses"].as_array().cloned().unwrap_or_default())
            .map(|address| address.to_string())
            .collect()
    };
    // keepalived puts an instance's addresses on before it comes to the next.
    let limit = Duration::from_mins(1);
    wait_until("a part of the questions about all addresses", limit, || {
        times().len() >= QUESTIONS && learned().len() == 1000
    })?;
    let times = times();
    // The bucket holds a second's worth, and tcpdump's clock is its own.
    for (position, begin) in times.iter().enumerate() {
        for (more, time) in (0_u32..).zip(&times[position..]) {
            let most = RATE * (time - begin + 0.1) + RATE + 1.0;
            assert!(f64::from(more) <= most, "{more} within {} s", time - begin);
        }
    }
    watcher.stop()?;
    Ok(())
}
