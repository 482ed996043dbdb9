//! The traffic of virtual addresses: from counters that only grow to what an interval brought.
//!
//! Pure: the kernel's counters, the time and the names of the interfaces are arguments.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use vrrp_ebpf::traffic::{Flow, direction};

use crate::{
    model::{Span, Timestamp},
    record::Volume,
    tracker::Segment,
    wire::VlanStack,
};

/// What went to and from an address in an interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Where.
    pub segment: Segment,
    /// The address.
    pub address: IpAddr,
    /// The length of the interval.
    pub span: Span,
    /// What arrived for the address at this host.
    pub arrived: Volume,
    /// What left in its name.
    pub left: Volume,
}

/// The counters as they were at the last look.
#[derive(Debug)]
pub struct Meter {
    since: Timestamp,
    before: BTreeMap<Flow, Volume>,
}

impl Meter {
    /// Nothing counted yet.
    pub const fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            before: BTreeMap::new(),
        }
    }

    /// What came since the last look, for every address that ever had traffic.
    ///
    /// `name`: of an interface, if its counters count. Of a device and its upper device, which both
    /// see a frame, only one does.
    pub fn read(
        &mut self,
        now: Timestamp,
        totals: BTreeMap<Flow, Volume>,
        name: impl Fn(u32) -> Option<Arc<str>>,
    ) -> Vec<Traffic> {
        let span = now.since(self.since);
        let mut all: BTreeMap<(Segment, IpAddr), Traffic> = BTreeMap::new();
        for (flow, total) in &totals {
            let Some(interface) = name(flow.ifindex) else {
                continue;
            };
            let segment = Segment {
                interface: Some(interface),
                vlan: VlanStack::new(flow.vlan),
            };
            let address = Ipv6Addr::from(flow.address).to_canonical();
            let traffic = all
                .entry((segment.clone(), address))
                .or_insert_with(|| Traffic {
                    segment,
                    address,
                    span,
                    arrived: Volume::default(),
                    left: Volume::default(),
                });
            let more = total.since(self.before.get(flow).copied().unwrap_or_default());
            let volume = if flow.direction == direction::IN {
                &mut traffic.arrived
            } else {
                &mut traffic.left
            };
            *volume = volume.plus(more);
        }
        self.since = now;
        self.before = totals;
        all.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(ifindex: u32, vlan: u16, direction: u8) -> Flow {
        Flow {
            address: vrrp_ebpf::watch_key_v4([10, 77, 0, 100]),
            ifindex,
            vlan: [0, vlan, 0],
            direction,
        }
    }

    fn volume(packets: u64) -> Volume {
        Volume {
            packets,
            bytes: 60 * packets,
            syns: packets / 2,
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_parts(seconds, 0)
    }

    fn name(ifindex: u32) -> Option<Arc<str>> {
        (ifindex == 2).then(|| Arc::from("eth0"))
    }

    #[test]
    fn an_interval_has_what_was_added_in_it() {
        let mut meter = Meter::new(at(0));
        let inward = flow(2, 0, direction::IN);
        let outward = flow(2, 0, direction::OUT);
        let first = meter.read(at(10), [(inward, volume(4))].into(), name);
        assert_eq!(first[0].arrived, volume(4));
        let totals = [(inward, volume(10)), (outward, volume(2))].into();
        let [second] = &meter.read(at(15), totals, name)[..] else {
            panic!("one address");
        };
        assert_eq!(second.address, IpAddr::from([10, 77, 0, 100]));
        assert_eq!(second.span, Span::from_secs(5));
        assert_eq!((second.arrived, second.left), (volume(6), volume(2)));
        // An address that had traffic goes on to be told of.
        let totals = [(inward, volume(10)), (outward, volume(2))].into();
        let third = meter.read(at(20), totals, name);
        assert_eq!(third[0].arrived, Volume::default());
    }

    #[test]
    fn a_second_sighting_does_not_count_and_a_vlan_is_another_place() {
        let mut meter = Meter::new(at(0));
        let totals = [
            (flow(2, 100, direction::IN), volume(4)),
            (flow(2, 0, direction::IN), volume(8)),
            (flow(7, 0, direction::IN), volume(4)),
        ];
        let read = meter.read(at(10), totals.into(), name);
        let seen: Vec<(&[u16], Volume)> = read
            .iter()
            .map(|traffic| (traffic.segment.vlan.ids(), traffic.arrived))
            .collect();
        assert_eq!(seen, [(&[][..], volume(8)), (&[100][..], volume(4))]);
    }
}
