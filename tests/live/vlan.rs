//! Frames with VLAN tags. The kernel strips one before TC sees the frame; XDP finds it in place,
//! unless something stripped it before: a NIC, or the bridge in the laboratory's switch.

use anyhow::Result;
use serde_json::json;
use vrrp_tests::{frames, lab::Injector};

use crate::{
    watcher::Watcher,
    wire::{Wire, advert, is_advert, second_cable},
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

/// Sends frames with tags and without, and reads of the VLANs they came in.
fn send_and_read(sender: &Injector, watcher: Watcher, direction: &str) -> Result<()> {
    for (number, (tags, vlans)) in (1..).zip(CASES) {
        sender.send(&frames::tagged(&advert(number), tags))?;
        let record = watcher.expect("the advert", |record| is_advert(record, number))?;
        assert_eq!(record["vlan"], json!(vlans), "{tags:x?}");
        assert_eq!(record["direction"], direction);
        assert_eq!(record["defects"], json!([]));
    }
    watcher.stop()?;
    Ok(())
}

/// Over a cable without a switch.
fn tags_in(mode: &str) -> Result<()> {
    let wire = Wire::new()?;
    let third = wire.third();
    second_cable(third)?;
    let watcher = Watcher::start(third, &["-i", "eth7", "--mode", mode])?;
    send_and_read(&third.injector("far7")?, watcher, "in")
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
    tags_in("auto")
}

#[test]
fn stripped_by_the_switch() -> Result<()> {
    let wire = Wire::new()?;
    let watcher = Watcher::start(wire.third(), &["-i", "eth0", "--mode", "auto"])?;
    send_and_read(&wire.sender, watcher, "in")
}

#[test]
fn on_their_way_out() -> Result<()> {
    let wire = Wire::new()?;
    let watcher = Watcher::start(wire.lab.host("lb0"), &["-i", "eth0"])?;
    send_and_read(&wire.sender, watcher, "out")
}
