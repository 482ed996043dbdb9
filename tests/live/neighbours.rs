//! Which ARP and neighbour discovery is reported, and which is only counted.

use std::net::{Ipv4Addr, Ipv6Addr};

use anyhow::Result;
use serde_json::Value;
use vrrp_tests::frames;

use crate::{
    watcher::Watcher,
    wire::{Wire, is_advert},
};

/// Watched by order.
const WATCHED: &str = "10.99.0.100";
const WATCHED_6: &str = "fd99::100";

const OTHERS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 99, 0, 1), Ipv4Addr::new(10, 99, 0, 2)];
const OTHER_6: Ipv6Addr = Ipv6Addr::new(0xfd99, 0, 0, 0, 0, 0, 0, 1);

/// Sends neighbour traffic of each kind and gives back the records of it and the summary. The
/// kernels have nothing to say about these addresses.
fn watch(args: &[&str]) -> Result<(Vec<String>, Value)> {
    let wire = Wire::new()?;
    let args: Vec<_> = ["-i", "eth0"].iter().chain(args).copied().collect();
    let watcher = Watcher::start(wire.third(), &args)?;

    let (ours, ours_6) = (WATCHED.parse()?, WATCHED_6.parse()?);
    let [one, other] = OTHERS;
    for frame in [
        frames::arp(true, one, other),
        frames::arp(false, other, one),
        frames::solicitation(frames::SOURCE_V6, OTHER_6),
        frames::advertisement(OTHER_6, OTHER_6, true),
        // These concern the watched.
        frames::arp(true, one, ours),
        frames::arp(false, ours, one),
        frames::solicitation(frames::SOURCE_V6, ours_6),
        frames::advertisement(ours_6, ours_6, true),
        // These announce.
        frames::arp(true, one, one),
        frames::advertisement(OTHER_6, OTHER_6, false),
        crate::wire::advert(1),
    ] {
        wire.sender.send(&frame)?;
    }
    watcher.expect("the last frame", |record| is_advert(record, 1))?;
    let mut records = watcher.stop()?;
    let summary = records.pop().unwrap_or_default();
    let seen = records
        .iter()
        .filter(|record| ["arp", "nd"].iter().any(|kind| record["record"] == *kind))
        .filter(|record| record["source_mac"] == "00:00:5e:00:01:0a")
        .map(|record| {
            let kind = record["kind"].as_str().unwrap_or_default();
            let address = record["target_ip"].as_str().or(record["address"].as_str());
            format!("{kind} {}", address.unwrap_or_default())
        })
        .collect();
    Ok((seen, summary))
}

/// Frames that were left alone. The hosts' kernels may add some of their own.
fn unwatched(summary: &Value) -> u64 {
    summary["unwatched"].as_u64().unwrap_or_default()
}

#[test]
fn what_concerns_the_watched_is_reported_and_the_rest_counted() -> Result<()> {
    let (seen, summary) = watch(&["--watch", WATCHED, "--watch", WATCHED_6])?;
    assert_eq!(
        seen,
        [
            "request 10.99.0.100",
            "reply 10.99.0.1",
            "request fd99::100",
            "reply fd99::100",
            "gratuitous 10.99.0.1",
            "announcement fd99::1",
        ]
    );
    assert!(unwatched(&summary) >= 4, "{summary}");
    Ok(())
}

#[test]
fn all_of_it_on_demand() -> Result<()> {
    let (seen, summary) = watch(&["--arp", "all"])?;
    assert_eq!(seen.len(), 10, "{seen:?}");
    assert_eq!(unwatched(&summary), 0, "{summary}");
    Ok(())
}

#[test]
fn none_of_it_on_demand() -> Result<()> {
    let (seen, summary) = watch(&["--arp", "off", "--watch", WATCHED])?;
    assert!(seen.is_empty(), "{seen:?}");
    assert_eq!(summary["arp"], 0, "{summary}");
    assert_eq!(summary["nd"], 0, "{summary}");
    Ok(())
}

#[test]
fn an_advertised_address_is_watched_from_then_on() -> Result<()> {
    let wire = Wire::new()?;
    let watcher = Watcher::start(wire.third(), &["-i", "eth0"])?;
    // The address in the advert.
    let virtual_ip = Ipv4Addr::new(10, 0, 0, 0);
    let [one, other] = OTHERS;
    wire.sender.send(&frames::arp(true, one, virtual_ip))?;
    wire.advert(1)?;
    watcher.expect("the advert", |record| is_advert(record, 1))?;
    wire.sender.send(&frames::arp(true, other, virtual_ip))?;
    watcher.expect("the question", |record| record["record"] == "arp")?;
    let records = watcher.stop()?;
    let asking: Vec<_> = records
        .iter()
        .filter(|record| record["record"] == "arp")
        .map(|record| &record["sender_ip"])
        .collect();
    assert_eq!(asking, [&other.to_string()]);
    Ok(())
}
