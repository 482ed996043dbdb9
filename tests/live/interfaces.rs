//! Interfaces that come, go, are renamed, or lie on top of each other.

use anyhow::Result;
use serde_json::Value;

use crate::{
    watcher::Watcher,
    wire::{Wire, advert, is_advert, priorities, second_cable, wait_until_up},
};

fn names(start: &Value) -> Vec<&str> {
    start["attachments"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|attachment| attachment["interface"].as_str())
        .collect()
}

fn expect_start(watcher: &Watcher, interfaces: &[&str]) -> Result<()> {
    watcher
        .expect(&format!("a start with {interfaces:?}"), |record| {
            record["record"] == "start" && names(record) == interfaces
        })
        .map(drop)
}

#[test]
fn a_pattern_follows_interfaces_as_they_come_go_and_change_their_names() -> Result<()> {
    let wire = Wire::new()?;
    let third = wire.third();
    let watcher = Watcher::start(third, &["-i", "eth*"])?;

    second_cable(third)?;
    expect_start(&watcher, &["eth0", "eth7"])?;
    let far = third.injector("far7")?;
    far.send(&advert(1))?;
    let record = watcher.expect("an advert on eth7", |record| is_advert(record, 1))?;
    assert_eq!(record["interface"], "eth7");

    third
        .namespace()
        .ip("link set dev eth7 down\nlink set dev eth7 name eth8\nlink set dev eth8 up")?;
    expect_start(&watcher, &["eth0", "eth8"])?;
    wait_until_up(third)?;
    far.send(&advert(2))?;
    let record = watcher.expect("an advert on eth8", |record| is_advert(record, 2))?;
    assert_eq!(record["interface"], "eth8");

    third
        .namespace()
        .ip("link set dev eth8 down\nlink set dev eth8 name dmz8\nlink set dev dmz8 up")?;
    // What is watched stays watched, whatever it is called.
    expect_start(&watcher, &["eth0", "dmz8"])?;
    wait_until_up(third)?;
    far.send(&advert(3))?;
    let record = watcher.expect("an advert on dmz8", |record| is_advert(record, 3))?;
    assert_eq!(record["interface"], "dmz8");

    third
        .namespace()
        .ip("link set dev dmz8 down\nlink set dev dmz8 name eth9\nlink set dev eth9 up")?;
    expect_start(&watcher, &["eth0", "eth9"])?;
    wait_until_up(third)?;
    far.send(&advert(4))?;
    let record = watcher.expect("an advert on eth9", |record| is_advert(record, 4))?;
    assert_eq!(record["interface"], "eth9");

    third.namespace().ip("link delete dev eth9")?;
    expect_start(&watcher, &["eth0"])?;
    wire.advert(5)?;
    let record = watcher.expect("an advert on eth0", |record| is_advert(record, 5))?;
    assert_eq!(record["interface"], "eth0");

    let records = watcher.stop()?;
    assert_eq!(priorities(&records), [1, 2, 3, 4, 5]);
    Ok(())
}

#[test]
fn an_interface_that_comes_back_is_watched_again() -> Result<()> {
    let wire = Wire::new()?;
    let third = wire.third();
    second_cable(third)?;
    let watcher = Watcher::start(third, &["-i", "eth7"])?;
    third.namespace().ip("link delete dev eth7")?;
    expect_start(&watcher, &[])?;

    second_cable(third)?;
    expect_start(&watcher, &["eth7"])?;
    third.injector("far7")?.send(&advert(1))?;
    watcher.expect("an advert", |record| is_advert(record, 1))?;
    watcher.stop()?;
    Ok(())
}

#[test]
fn an_interface_that_is_not_there_yet_is_waited_for() -> Result<()> {
    let wire = Wire::new()?;
    let third = wire.third();
    let watcher = Watcher::start(third, &["-i", "eth7", "-i", "bond0.100"])?;
    let start = watcher.records()?.swap_remove(0);
    assert_eq!(names(&start), [""; 0]);
    let notes = start["notes"].to_string();
    assert!(
        notes.contains("eth7") && notes.contains("bond0.100"),
        "{notes}"
    );

    second_cable(third)?;
    expect_start(&watcher, &["eth7"])?;
    third.injector("far7")?.send(&advert(1))?;
    watcher.expect("an advert", |record| is_advert(record, 1))?;
    watcher.stop()?;
    Ok(())
}

#[test]
fn a_frame_on_a_device_and_on_its_upper_device_is_one() -> Result<()> {
    let wire = Wire::new()?;
    let third = wire.third();
    // A macvlan takes only the groups it has joined.
    third
        .namespace()
        .ip("link add name mac0 link eth0 type macvlan mode bridge\n\
         link set dev mac0 allmulticast on up")?;
    let watcher = Watcher::start(third, &["-i", "eth0", "-i", "mac0"])?;
    let start = watcher.records()?.swap_remove(0);
    assert_eq!(names(&start), ["eth0", "mac0"]);

    for priority in 1..=8 {
        wire.advert(priority)?;
    }
    let upper = third.injector("mac0")?;
    for priority in 101..=108 {
        upper.send(&advert(priority))?;
    }
    watcher.expect("the last advert", |record| is_advert(record, 108))?;

    let records = watcher.stop()?;
    let expected: Vec<u64> = (1..=8).chain(101..=108).collect();
    assert_eq!(priorities(&records), expected);
    for record in records.iter().filter(|r| r["record"] == "advert") {
        assert_eq!(record["interface"], "eth0", "{record}");
        let sent_here = record["priority"].as_u64() > Some(100);
        let direction = if sent_here { "out" } else { "in" };
        assert_eq!(record["direction"], direction, "{record}");
    }
    let summary = records.last().expect("a summary is the last record");
    assert_eq!(summary["duplicates"], 16, "seen on both devices: {summary}");
    Ok(())
}

#[test]
fn by_default_what_is_up_and_has_a_global_address_is_watched() -> Result<()> {
    let wire = Wire::new()?;
    let third = wire.third();
    // One without an address, one that is down, and one that stands on eth0.
    third
        .namespace()
        .ip("link add name bare7 up type veth peer name bare8\n\
         link set dev bare8 up\n\
         link add name down7 type veth peer name down8\n\
         link set dev down8 up\n\
         address add 10.78.0.1/24 dev down7\n\
         link add name mac0 link eth0 up type macvlan mode bridge\n\
         address add 10.77.0.60/24 dev mac0")?;
    let watcher = Watcher::start(third, &[])?;
    let start = watcher.records()?.swap_remove(0);
    assert_eq!(names(&start), ["eth0"]);

    third.namespace().ip("link set dev down7 up")?;
    expect_start(&watcher, &["eth0", "down7"])?;
    watcher.stop()?;
    Ok(())
}
