//! Runs that end by themselves.

use anyhow::Result;

use crate::{
    watcher::Watcher,
    wire::{Wire, advert, priorities},
};

#[test]
fn a_count_ends_the_run_after_exactly_so_many() -> Result<()> {
    let wire = Wire::new()?;
    // What is made of the adverts counts, too, unless it is not asked for.
    let args = ["-i", "eth0", "--only", "start,advert", "--count", "3"];
    let watcher = Watcher::start(wire.third(), &args)?;
    for priority in 1..=8 {
        wire.sender.send(&advert(priority))?;
    }
    let records = watcher.wait()?;
    assert_eq!(priorities(&records), [1, 2, 3]);
    Ok(())
}

#[test]
fn a_duration_ends_the_run_with_a_summary() -> Result<()> {
    let wire = Wire::new()?;
    let watcher = Watcher::start(wire.third(), &["-i", "eth0", "--for", "500ms"])?;
    wire.advert(1)?;
    let records = watcher.wait()?;
    assert_eq!(priorities(&records), [1]);
    let summary = records.last().expect("it wrote");
    assert_eq!(summary["record"], "summary");
    assert_eq!(summary["adverts"], 1);
    Ok(())
}

#[test]
fn only_what_is_asked_for_is_written() -> Result<()> {
    let wire = Wire::new()?;
    let args = ["-i", "eth0", "--only", "start,arp", "--count", "1"];
    let watcher = Watcher::start(wire.third(), &args)?;
    wire.advert(1)?;
    let address = "10.77.0.99".parse()?;
    wire.sender
        .send(&vrrp_tests::frames::arp(true, address, address))?;
    let records = watcher.wait()?;
    let kinds: Vec<_> = records.iter().map(|record| &record["record"]).collect();
    assert_eq!(kinds, ["start", "arp"]);
    Ok(())
}
