//! Traffic of virtual addresses: what is counted, and what is not.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use aya::maps::{HashMap, PerCpuHashMap};
use etherparse::{IpNumber, Ipv4Options};
use vrrp_ebpf::{
    Counter, WatchKey, hook, map,
    traffic::{Flow, FlowCount, FlowKey, MAX_FLOWS, MacKey, direction},
    watch_key_v4,
};
use vrrp_tests::{
    frames::{self, ACK, RST, SYN, tcp},
    lab::wait_until,
};
use vrrp_user::{
    capture::{KernelHalf, LoadSettings, Mode},
    model::MacAddr,
};

use crate::{
    lab::{HOOKS, Lab},
    network::Wire,
    wire::receive,
};

const VIP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
const VIP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x100);
const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 50);
const CLIENT6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x50);
const OURS: [u8; 6] = [2, 0, 0, 0, 0, 0xa0];
const THEIRS: [u8; 6] = [2, 0, 0, 0, 0, 0xa1];

fn key(address: IpAddr) -> WatchKey {
    match address {
        IpAddr::V4(address) => watch_key_v4(address.octets()),
        IpAddr::V6(address) => address.octets(),
    }
}

/// Programs that count, for both addresses.
fn lab() -> Lab {
    let mut lab = Lab::with(&LoadSettings {
        traffic: true,
        ..LoadSettings::default()
    });
    for address in [VIP.into(), VIP6.into()] {
        include::<WatchKey>(&mut lab, map::COUNTED, key(address));
    }
    include::<MacKey>(&mut lab, map::OWN_MACS, OURS);
    lab
}

fn include<K: aya::Pod>(lab: &mut Lab, name: &str, key: K) {
    let mut set: HashMap<_, K, u8> = lab.map_mut(name).try_into().unwrap();
    set.insert(key, 1, 0).unwrap();
}

/// All that was counted, and counting from zero again.
fn take(lab: &mut Lab) -> Vec<(Flow, FlowCount)> {
    let mut flows: PerCpuHashMap<_, FlowKey, FlowCount> =
        lab.map_mut(map::FLOWS).try_into().unwrap();
    let keys: Vec<FlowKey> = flows.keys().map(Result::unwrap).collect();
    keys.into_iter()
        .map(|key| {
            let mut sum: FlowCount = [0; 3];
            for count in flows.get(&key, 0).unwrap().iter() {
                for (sum, count) in sum.iter_mut().zip(count) {
                    *sum += count;
                }
            }
            flows.remove(&key).unwrap();
            (Flow::of_key(key), sum)
        })
        .collect()
}

/// Runs the frame on a hook; nothing else may come of it. Gives back what was counted.
fn counted(lab: &mut Lab, hook: u8, frame: &[u8]) -> Vec<(Flow, FlowCount)> {
    let outcome = lab.run_on(hook, frame);
    assert_eq!(outcome.moved(), [], "hook {hook} on {frame:02x?}");
    assert!(outcome.events.is_empty());
    take(lab)
}

/// The frame counts for this address, on every hook of this direction and on no other.
fn counts(lab: &mut Lab, frame: &[u8], address: IpAddr, way: u8, opens: u64) {
    for hook in HOOKS {
        let outward = hook == hook::TC_EGRESS;
        let found = counted(lab, hook, frame);
        if outward != (way == direction::OUT) {
            assert_eq!(found, [], "hook {hook} on {frame:02x?}");
            continue;
        }
        let [(flow, count)] = found[..] else {
            panic!("{} flows of {frame:02x?}", found.len());
        };
        assert_eq!(flow.address, key(address));
        assert_eq!(flow.direction, way);
        assert!(flow.ifindex > 0);
        assert_eq!(count, [1, frame.len() as u64, opens], "{frame:02x?}");
    }
}

fn never_counts(lab: &mut Lab, frame: &[u8]) {
    for hook in HOOKS {
        assert_eq!(counted(lab, hook, frame), [], "hook {hook} on {frame:02x?}");
    }
}

#[test]
fn segments_are_counted_and_new_connections_among_them() {
    let mut lab = lab();
    for (vip, client) in [
        (IpAddr::from(VIP), IpAddr::from(CLIENT)),
        (VIP6.into(), CLIENT6.into()),
    ] {
        for (flags, opens) in [(SYN, 1), (SYN | ACK, 0), (ACK, 0), (RST, 0)] {
            let inward = tcp(client, vip, OURS, flags);
            counts(&mut lab, &inward, vip, direction::IN, opens);
            let outward = tcp(vip, client, THEIRS, flags);
            counts(&mut lab, &outward, vip, direction::OUT, opens);
        }
    }
}

#[test]
fn counters_add_up() {
    let mut lab = lab();
    let segment = tcp(CLIENT.into(), VIP.into(), OURS, SYN);
    lab.run_times(hook::TC_INGRESS, &segment, 1000);
    let [(_, count)] = take(&mut lab)[..] else {
        panic!("one flow");
    };
    assert_eq!(count, [1000, 1000 * segment.len() as u64, 1000]);
}

#[test]
fn any_protocol_counts_and_only_tcp_opens() {
    let mut lab = lab();
    // The byte of the flags says SYN everywhere.
    let payload = [SYN; 40];
    for protocol in [IpNumber::UDP, IpNumber::ICMP, IpNumber::GRE] {
        let mut frame = frames::ipv4_with(protocol, &payload, |header| {
            header.destination = VIP.octets();
        });
        frame[..6].copy_from_slice(&OURS);
        counts(&mut lab, &frame, VIP.into(), direction::IN, 0);
    }
    let mut behind = frames::ipv6(
        IpNumber::IPV6_DESTINATION_OPTIONS,
        &frames::extension(IpNumber::TCP, 0, &payload),
    );
    behind[..6].copy_from_slice(&OURS);
    behind[frames::ETHERNET + 24..frames::ETHERNET + 40].copy_from_slice(&VIP6.octets());
    counts(&mut lab, &behind, VIP6.into(), direction::IN, 0);
}

#[test]
fn options_move_the_flags_and_later_fragments_have_none() {
    let mut lab = lab();
    let message = &tcp(CLIENT.into(), VIP.into(), OURS, SYN)[frames::ETHERNET + 20..];
    for words in 0..=10 {
        let mut frame = frames::ipv4_with(IpNumber::TCP, message, |header| {
            header.destination = VIP.octets();
            header.options = Ipv4Options::try_from(&[0; 40][..4 * words]).unwrap();
            header.set_payload_len(message.len()).unwrap();
        });
        frame[..6].copy_from_slice(&OURS);
        counts(&mut lab, &frame, VIP.into(), direction::IN, 1);
    }
    for (offset, opens) in [(0, 1), (1, 0), (0x1fff, 0)] {
        let mut frame = frames::ipv4_fragment(IpNumber::TCP, offset, true, message);
        frame[..6].copy_from_slice(&OURS);
        frame[frames::ETHERNET + 16..frames::ETHERNET + 20].copy_from_slice(&VIP.octets());
        counts(&mut lab, &frame, VIP.into(), direction::IN, opens);
    }
}

#[test]
fn what_is_sent_to_another_machine_has_not_arrived() {
    let mut lab = lab();
    let virtual_mac = [0, 0, 0x5e, 0, 1, 10];
    for mac in [THEIRS, virtual_mac, [0xff; 6], frames::MULTICAST_MAC] {
        let segment = tcp(CLIENT.into(), VIP.into(), mac, SYN);
        never_counts(&mut lab, &segment);
    }
    include::<MacKey>(&mut lab, map::OWN_MACS, virtual_mac);
    let segment = tcp(CLIENT.into(), VIP.into(), virtual_mac, SYN);
    counts(&mut lab, &segment, VIP.into(), direction::IN, 1);
}

#[test]
fn traffic_of_others_is_left_alone() {
    let mut lab = lab();
    let other: IpAddr = "192.0.2.101".parse().unwrap();
    let other6: IpAddr = "2001:db8::101".parse().unwrap();
    for frame in [
        tcp(CLIENT.into(), other, OURS, SYN),
        tcp(CLIENT6.into(), other6, OURS, SYN),
        frames::udp_v4(),
        frames::udp_v6(),
    ] {
        never_counts(&mut lab, &frame);
    }
    // ARP for the address is no traffic.
    let arp = frames::arp(true, VIP, VIP);
    for hook in HOOKS {
        lab.run_on(hook, &arp);
        assert_eq!(take(&mut lab), []);
    }
}

#[test]
fn vlans_are_told_apart() {
    let mut lab = lab();
    for (vip, client) in [
        (IpAddr::from(VIP), IpAddr::from(CLIENT)),
        (VIP6.into(), CLIENT6.into()),
    ] {
        let segment = tcp(client, vip, OURS, SYN);
        for (tags, vlan) in [
            (&[(0x8100, 0x6064)][..], [0, 100, 0]),
            (&[(0x8100, 0)], [0, 0, 0]),
            (&[(0x88a8, 200), (0x8100, 100)], [0, 200, 100]),
        ] {
            let tagged = frames::tagged(&segment, tags);
            for hook in [hook::XDP, hook::TC_INGRESS] {
                let [(flow, count)] = counted(&mut lab, hook, &tagged)[..] else {
                    panic!("one flow of {tagged:02x?}");
                };
                assert_eq!(flow.vlan, vlan);
                assert_eq!(count, [1, tagged.len() as u64, 1]);
            }
        }
        let deeper = frames::tagged(&segment, &[(0x8100, 1), (0x8100, 2), (0x8100, 3)]);
        never_counts(&mut lab, &deeper);
    }
}

#[test]
fn cut_frames_are_no_danger() {
    let mut lab = lab();
    for (vip, client) in [
        (IpAddr::from(VIP), IpAddr::from(CLIENT)),
        (VIP6.into(), CLIENT6.into()),
    ] {
        let segment = tcp(client, vip, OURS, SYN);
        for length in frames::ETHERNET..segment.len() {
            // The kernel runs no test of TC on a packet without a whole header.
            let whole = length >= frames::ETHERNET + 40;
            let hooks = [Some(hook::XDP), whole.then_some(hook::TC_INGRESS)];
            for hook in hooks.into_iter().flatten() {
                let cut = &segment[..length];
                for (_, count) in counted(&mut lab, hook, cut) {
                    assert_eq!(count[0], 1);
                    assert!(count[2] <= 1);
                }
            }
        }
    }
}

#[test]
fn an_advert_is_delivered_and_may_count_as_well() {
    let mut lab = lab();
    // The owner of an address advertises from it.
    let advert = frames::ipv4_with(frames::VRRP, &frames::advert_v2(1), |header| {
        header.source = VIP.octets();
    });
    let outcome = lab.run_on(hook::TC_EGRESS, &advert);
    assert_eq!(outcome.moved(), [(Counter::DeliveredVrrp, 1)]);
    let [(flow, count)] = take(&mut lab)[..] else {
        panic!("one flow");
    };
    assert_eq!(flow.direction, direction::OUT);
    assert_eq!(count, [1, advert.len() as u64, 0]);
}

#[test]
fn a_full_map_is_told_of() {
    let mut lab = lab();
    let mut flows: PerCpuHashMap<_, FlowKey, FlowCount> =
        lab.map_mut(map::FLOWS).try_into().unwrap();
    let cpus = aya::util::nr_cpus().unwrap();
    for number in 0..MAX_FLOWS {
        let mut key: FlowKey = [0xee; 28];
        key[..4].copy_from_slice(&number.to_ne_bytes());
        let none = aya::maps::PerCpuValues::try_from(vec![[0; 3]; cpus]).unwrap();
        flows.insert(key, none, 0).unwrap();
    }
    let segment = tcp(CLIENT.into(), VIP.into(), OURS, SYN);
    let outcome = lab.run_on(hook::TC_INGRESS, &segment);
    assert_eq!(outcome.moved(), [(Counter::TrafficFull, 1)]);
}

#[test]
fn switched_off_nothing_is_counted() {
    let mut lab = Lab::with(&LoadSettings::default());
    include::<WatchKey>(&mut lab, map::COUNTED, key(VIP.into()));
    include::<MacKey>(&mut lab, map::OWN_MACS, OURS);
    let segment = tcp(CLIENT.into(), VIP.into(), OURS, SYN);
    never_counts(&mut lab, &segment);
    let answer = tcp(VIP.into(), CLIENT.into(), THEIRS, SYN | ACK);
    never_counts(&mut lab, &answer);
    // Not even the code is there any more.
    let with = Lab::with(&LoadSettings {
        traffic: true,
        ..LoadSettings::default()
    });
    for hook in HOOKS {
        let (less, more) = (lab.instructions(hook), with.instructions(hook));
        assert!(less < more, "hook {hook}: {less} instructions of {more}");
    }
}

/// The same through what user space has of it, with frames that the stack has taken in: it moves the
/// outer tag out of them.
#[test]
fn what_counts_can_be_changed_at_any_time() {
    const LIMIT: Duration = Duration::from_secs(10);
    let wire = Wire::new();
    let mut kernel = KernelHalf::load(&LoadSettings {
        traffic: true,
        xdp: false,
        ..LoadSettings::default()
    })
    .unwrap();
    let _attachment = kernel.attach(&wire.here, Mode::Auto).unwrap();
    let segment = tcp(CLIENT.into(), VIP.into(), OURS, SYN);
    let frame = frames::tagged(&segment, &[(0x88a8, 7), (0x8100, 0x6064)]);
    kernel.set_own_macs(&[MacAddr::new(OURS)].into()).unwrap();
    for round in 0..2 {
        kernel.count(VIP.into()).unwrap();
        receive(&wire.here, &frame);
        wait_until("the frame", LIMIT, || !kernel.flows().unwrap().is_empty()).unwrap();
        let flows = kernel.flows().unwrap();
        let (flow, volume) = flows.first_key_value().expect("a flow");
        assert_eq!(flows.len(), 1, "round {round}");
        assert_eq!(flow.vlan, [7, 100, 0]);
        assert_eq!(flow.ifindex, wire.here.index);
        assert_eq!((volume.packets, volume.syns), (1, 1));
        kernel.discount(VIP.into()).unwrap();
        kernel.discount(VIP.into()).unwrap();
        assert!(kernel.flows().unwrap().is_empty());
    }
    // What is no longer ours has not arrived; what comes after it shows that it was looked at.
    kernel.count(VIP.into()).unwrap();
    let macs = [MacAddr::new(THEIRS), MacAddr::new([2, 0, 0, 0, 0, 1])];
    kernel.set_own_macs(&macs.into()).unwrap();
    receive(&wire.here, &frame);
    let answer = tcp(CLIENT.into(), VIP.into(), THEIRS, ACK);
    receive(&wire.here, &answer);
    wait_until("the other", LIMIT, || !kernel.flows().unwrap().is_empty()).unwrap();
    let flows: Vec<_> = kernel.flows().unwrap().into_values().collect();
    assert_eq!(flows.len(), 1);
    assert_eq!((flows[0].packets, flows[0].syns), (1, 0));
}
