//! A flood of made-up frames takes no place of known senders, and each frame of it is counted.

use std::net::Ipv4Addr;

use aya::maps::HashMap;
use etherparse::IpNumber;
use vrrp_ebpf::{
    Counter,
    budget::{self, Known, SenderKey},
    hook, kind, map, standing,
};
use vrrp_tests::frames;
use vrrp_user::observer::ArpMode;

use crate::lab::Lab;

/// An advert of the usual kind from this source, for this VRID.
fn advert(source: Ipv4Addr, vrid: u8, priority: u8) -> Vec<u8> {
    let mut message = frames::advert_v2(1);
    message[1] = vrid;
    message[2] = priority;
    frames::ipv4_with(IpNumber(112), &message, |header| {
        header.source = source.octets();
    })
}

fn made_up(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0a63_0000 + number)
}

fn know(lab: &mut Lab, key: SenderKey) {
    let mut known: HashMap<_, SenderKey, Known> = lab.map_mut(map::KNOWN).try_into().unwrap();
    known.insert(key, [250_000_000, 0, 0], 0).unwrap();
}

/// How many of so many made-up adverts are delivered, and the counters that moved.
fn flood(lab: &mut Lab, from: u32, count: u32, vrid: u8) -> (u64, u64) {
    let (mut delivered, mut suppressed) = (0, 0);
    for number in from..from + count {
        let counts = lab
            .run_on(hook::TC_INGRESS, &advert(made_up(number), vrid, 200))
            .counts;
        delivered += counts.get(Counter::DeliveredVrrp);
        suppressed += counts.get(Counter::VrrpOverBudget);
    }
    (delivered, suppressed)
}

const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

#[test]
fn strangers_have_one_budget_and_known_routers_their_own() {
    let mut lab = Lab::guarded(ArpMode::Watched);
    know(&mut lab, budget::router_v4(ROUTER.octets(), 51));
    // What the known one says is remembered.
    let own = lab.run_on(hook::TC_INGRESS, &advert(ROUTER, 51, 150));
    assert_eq!(own.events[0].0.standing, standing::KNOWN);

    let (delivered, suppressed) = flood(&mut lab, 0, 3000, 7);
    assert_eq!(delivered + suppressed, 3000);
    assert!(
        (400..1000).contains(&delivered),
        "{delivered} were delivered"
    );

    // The known one and its peer, which was never heard, are heard in it.
    let own = lab.run_on(hook::TC_INGRESS, &advert(ROUTER, 51, 150));
    assert_eq!(own.moved(), [(Counter::DeliveredVrrp, 1)]);
    assert_eq!(own.events[0].0.standing, standing::KNOWN);
    let peer = lab.run_on(hook::TC_INGRESS, &advert(PEER, 51, 100));
    assert_eq!(peer.moved(), [(Counter::DeliveredVrrp, 1)]);
    assert_eq!(peer.events[0].0.standing, standing::ALIKE);
}

#[test]
fn a_forged_router_spends_its_own_budget_alone() {
    let mut lab = Lab::guarded(ArpMode::Watched);
    know(&mut lab, budget::router_v4(ROUTER.octets(), 51));
    know(&mut lab, budget::router_v4(PEER.octets(), 51));
    let forged = lab.run_times(hook::TC_INGRESS, &advert(ROUTER, 51, 0), 1000);
    let delivered = forged.counts.get(Counter::DeliveredVrrp);
    assert!((30..60).contains(&delivered), "{delivered} were delivered");
    let over = forged.counts.get(Counter::KnownOverBudget);
    assert_eq!(delivered + over, 1000);
    let known: HashMap<_, SenderKey, Known> = lab.map_mut(map::KNOWN).try_into().unwrap();
    let key = budget::router_v4(ROUTER.octets(), 51);
    assert_eq!(known.get(&key, 0).unwrap()[2], over);
    let peer = lab.run_on(hook::TC_INGRESS, &advert(PEER, 51, 100));
    assert_eq!(peer.moved(), [(Counter::DeliveredVrrp, 1)]);
}

#[test]
fn one_sender_does_not_spend_the_budget_of_all() {
    let mut lab = Lab::guarded(ArpMode::Watched);
    let loud = lab.run_times(hook::TC_INGRESS, &advert(ROUTER, 9, 100), 2000);
    let over = loud.counts.get(Counter::SenderOverBudget);
    let delivered = loud.counts.get(Counter::DeliveredVrrp);
    assert_eq!(delivered + over, 2000);
    assert!((60..100).contains(&delivered), "{delivered} were delivered");
    let (delivered, _) = flood(&mut lab, 0, 300, 9);
    assert_eq!(delivered, 300);
}

#[test]
fn made_up_claims_leave_room_for_known_machines() {
    let mut lab = Lab::guarded(ArpMode::Watched);
    let address = Ipv4Addr::new(10, 0, 0, 1);
    lab.watch(vrrp_ebpf::watch_key_v4(address.octets()));
    let claim = |mac: [u8; 6]| {
        let mut frame = frames::arp(false, address, address);
        frame[6..12].copy_from_slice(&mac);
        frame[22..28].copy_from_slice(&mac);
        frame
    };
    let (mut delivered, mut suppressed) = (0, 0);
    for number in 0..4000_u16 {
        let [high, low] = number.to_be_bytes();
        let counts = lab
            .run_on(hook::TC_INGRESS, &claim([2, 9, 0, 0, high, low]))
            .counts;
        delivered += counts.get(Counter::DeliveredArp);
        suppressed += counts.get(Counter::NeighbourOverBudget);
    }
    assert_eq!(delivered + suppressed, 4000);
    assert!(
        (1900..2600).contains(&delivered),
        "{delivered} were delivered"
    );
    let machine = [2, 0, 0, 0, 0, 0xa0];
    know(&mut lab, budget::machine(machine));
    let known = lab.run_on(hook::TC_INGRESS, &claim(machine));
    assert_eq!(known.moved(), [(Counter::DeliveredArp, 1)]);
    let (header, _) = known.events[0];
    assert_eq!((header.kind, header.standing), (kind::ARP, standing::KNOWN));
}
