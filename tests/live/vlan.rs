//! Frames with VLAN tags, which the kernel strips before TC sees them and XDP finds in place.

use anyhow::Result;
use serde_json::{Value, json};
use vrrp_tests::frames;

use crate::{
    watcher::Watcher,
    wire::{Wire, advert, is_advert},
};

const CUSTOMER: u16 = 0x8100;
const SERVICE: u16 = 0x88a8;

/// Tags, each a TPID and its tag control information, and the VLANs that they mean.
type Case = (&'static [(u16, u16)], &'static [u16]);

const CASES: [Case; 5] = [
    (&[], &[]),
    (&[(CUSTOMER, 100)], &[100]),
    // With priority 7, which is no part of the number.
    (&[(CUSTOMER, 0xe064)], &[100]),
    (&[(SERVICE, 300), (CUSTOMER, 100)], &[300, 100]),
    (&[(CUSTOMER, 200), (CUSTOMER, 100)], &[200, 100]),
];

fn tags_in(mode: &str) -> Result<()> {
    let wire = Wire::new()?;
    let watcher = Watcher::start(wire.third(), &["-i", "eth0", "--mode", mode])?;
    for (number, (tags, vlans)) in (1..).zip(CASES) {
        wire.sender.send(&frames::tagged(&advert(number), tags))?;
        let record = watcher.expect("the advert", |record| is_advert(record, number))?;
        assert_eq!(record["vlan"], json!(vlans), "{tags:x?}");
        assert_eq!(record["defects"], Value::Array(Vec::new()));
    }
    watcher.stop()?;
    Ok(())
}

#[test]
fn in_native_xdp() -> Result<()> {
    tags_in("xdp-native")
}

#[test]
fn in_generic_xdp() -> Result<()> {
    tags_in("xdp-generic")
}

#[test]
fn in_tc() -> Result<()> {
    tags_in("tc")
}

#[test]
fn on_their_way_out() -> Result<()> {
    let wire = Wire::new()?;
    let watcher = Watcher::start(wire.lab.host("lb0"), &["-i", "eth0"])?;
    for (number, (tags, vlans)) in (1..).zip(CASES) {
        wire.sender.send(&frames::tagged(&advert(number), tags))?;
        let record = watcher.expect("the advert", |record| is_advert(record, number))?;
        assert_eq!(record["vlan"], json!(vlans), "{tags:x?}");
        assert_eq!(record["direction"], "out");
    }
    watcher.stop()?;
    Ok(())
}
