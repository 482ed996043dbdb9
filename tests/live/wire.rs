//! Frames of our own making on the wire, told from each other by their priority.

use anyhow::Result;
use etherparse::checksum::Sum16BitWords;
use serde_json::Value;
use vrrp_tests::{
    frames,
    lab::{Host, Injector, Lab, wait_until},
};

use crate::watcher::LIMIT;

/// Two hosts: `lb0` sends what the test makes up, `third` watches.
pub(crate) struct Wire {
    pub(crate) lab: Lab,
    /// The cable of `lb0`.
    pub(crate) sender: Injector,
}

/// Makes a cable with the ends `eth7` and `far7`, both on one host.
pub(crate) fn second_cable(host: &Host) -> Result<()> {
    host.namespace()
        .ip("link add name eth7 up type veth peer name far7\n\
         link set dev far7 up")?;
    wait_until_up(host)
}

/// Waits until `far7` can send. Until the kernel has seen to the carrier, it drops what is sent
/// without a word.
pub(crate) fn wait_until_up(host: &Host) -> Result<()> {
    wait_until("the cable", LIMIT, || {
        host.run("ip", &["link", "show", "dev", "far7"])
            .is_ok_and(|text| text.contains("state UP"))
    })
}

impl Wire {
    pub(crate) fn new() -> Result<Self> {
        let lab = Lab::with_hosts(&["lb0", "third"])?;
        let sender = lab.host("lb0").injector("eth0")?;
        Ok(Self { lab, sender })
    }

    /// The host that watches.
    pub(crate) fn third(&self) -> &Host {
        self.lab.host("third")
    }

    /// Sends an advert of this priority.
    pub(crate) fn advert(&self, priority: u8) -> Result<()> {
        self.sender.send(&advert(priority))
    }
}

/// An advert in a frame: VRRPv2 for VRID 10, with one address, from 192.0.2.1.
pub(crate) fn advert(priority: u8) -> Vec<u8> {
    let mut message = frames::advert_v2(1);
    message[2] = priority;
    message[6..8].fill(0);
    let checksum = Sum16BitWords::new()
        .add_slice(&message)
        .ones_complement()
        .to_ne_bytes();
    message[6..8].copy_from_slice(&checksum);
    frames::ipv4(frames::VRRP, &message)
}

/// Whether the record is of the advert with this priority.
pub(crate) fn is_advert(record: &Value, priority: u8) -> bool {
    record["record"] == "advert" && record["priority"] == priority
}

/// The priorities of the adverts among the records.
pub(crate) fn priorities(records: &[Value]) -> Vec<u64> {
    records
        .iter()
        .filter(|record| record["record"] == "advert")
        .filter_map(|record| record["priority"].as_u64())
        .collect()
}
