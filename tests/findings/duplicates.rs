//! A router whose duplicate address detection failed, as the wire and as its host show it.

use std::net::{IpAddr, Ipv6Addr};

use etherparse::{EtherType, Ethernet2Header, IpNumber, Ipv6Header, checksum::Sum16BitWords};
use vrrp_tests::vrrp::Message;
use vrrp_user::{
    input::News,
    link::Assigned,
    model::MacAddr,
    record::{Code, Status},
};

use crate::{
    seat::{SOCKET, Seat, link},
    stage::{ONE, Played, SECOND, Stage, TWO, seen, time},
};

const GROUP: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const SHARED: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 0x100);
const LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0x77, 0x100);

/// The link-local address of a machine.
fn own(mac: [u8; 6]) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, u16::from(mac[5]))
}

fn packet(mac: [u8; 6], from: Ipv6Addr, to: Ipv6Addr, next: IpNumber, payload: &[u8]) -> Vec<u8> {
    let ip = Ipv6Header {
        payload_length: u16::try_from(payload.len()).expect("a short message"),
        next_header: next,
        hop_limit: 255,
        source: from.octets(),
        destination: to.octets(),
        ..Ipv6Header::default()
    };
    let [.., a, b, c, d] = to.octets();
    let ethernet = Ethernet2Header {
        source: mac,
        destination: [0x33, 0x33, a, b, c, d],
        ether_type: EtherType::IPV6,
    };
    [&ethernet.to_bytes()[..], &ip.to_bytes(), payload].concat()
}

fn advert(mac: [u8; 6], priority: u8) -> Vec<u8> {
    let message = Message::v3(51, priority, [LOCAL.into(), SHARED.into()]);
    let (from, to) = (own(mac), GROUP);
    let payload = message.encode(from.into(), to.into());
    packet(mac, from, to, IpNumber(112), &payload)
}

fn discovery(mac: [u8; 6], from: Ipv6Addr, to: Ipv6Addr, head: [u8; 8], option: bool) -> Vec<u8> {
    let mut payload = head.to_vec();
    payload.extend(SHARED.octets());
    if option {
        payload.extend([2, 1]);
        payload.extend(mac);
    }
    let length = u16::try_from(payload.len()).expect("a short message");
    let sum = Sum16BitWords::new()
        .add_16bytes(from.octets())
        .add_16bytes(to.octets())
        .add_2bytes(length.to_be_bytes())
        .add_2bytes([0, 58])
        .add_slice(&payload)
        .ones_complement();
    payload[2..4].copy_from_slice(&sum.to_ne_bytes());
    packet(mac, from, to, IpNumber::IPV6_ICMP, &payload)
}

/// Asks whether the shared address is free.
fn asks(mac: [u8; 6]) -> Vec<u8> {
    let [.., a, b, c] = SHARED.octets();
    let to = Ipv6Addr::new(
        0xff02,
        0,
        0,
        0,
        0,
        1,
        0xff00 | u16::from(a),
        u16::from_be_bytes([b, c]),
    );
    discovery(
        mac,
        Ipv6Addr::UNSPECIFIED,
        to,
        [135, 0, 0, 0, 0, 0, 0, 0],
        false,
    )
}

/// Says to all that it has the shared address.
pub(crate) fn has(mac: [u8; 6]) -> Vec<u8> {
    discovery(mac, SHARED, ALL_NODES, [136, 0, 0, 0, 0x20, 0, 0, 0], true)
}

/// `ONE` advertises for ten seconds, and asks after two whether the address is free.
pub(crate) fn play(others: &[(u64, Vec<u8>)]) -> Played {
    let mut stage = Stage::new();
    let mut script: Vec<(u64, Vec<u8>)> = (0..10)
        .map(|second| (second * SECOND, advert(ONE.mac, 150)))
        .collect();
    script.push((2500, asks(ONE.mac)));
    script.extend(others.iter().cloned());
    script.sort_by_key(|(at, _)| *at);
    for (at, frame) in script {
        stage.frame(at, frame);
    }
    stage
        .observer
        .handle(vrrp_user::model::Timestamp::default(), &News::Finish.into());
    stage.collect();
    Played(stage.records)
}

#[test]
fn the_active_router_is_told_that_another_machine_has_the_address() {
    let played = play(&[(2501, has(TWO.mac))]);
    let (at, finding) = played.raised(Code::DuplicateAddress);
    assert_eq!(at, 2501);
    assert_eq!(finding.addresses, [IpAddr::V6(SHARED)]);
    let holder = MacAddr::new(TWO.mac).to_string();
    assert!(finding.message.contains(&holder), "{}", finding.message);
    assert!(
        !finding.advice.contains("address del"),
        "{}",
        finding.advice
    );
}

#[test]
fn it_is_over_once_the_router_says_that_it_has_it() {
    let played = play(&[(2501, has(TWO.mac)), (5000, has(ONE.mac))]);
    assert_eq!(played.cleared(Code::DuplicateAddress), 5000);
}

#[test]
fn nobody_says_no_and_a_late_word_is_none() {
    for others in [
        vec![],
        vec![(4000, has(TWO.mac))],
        vec![(2501, has(ONE.mac))],
    ] {
        let played = play(&others);
        let told = played.codes().contains(&Code::DuplicateAddress);
        assert!(!told, "{:?}", played.codes());
    }
}

#[test]
fn the_host_of_the_active_router_shows_it() {
    let assigned = |address: Ipv6Addr, duplicate: bool| Assigned {
        address: address.into(),
        prefix: 64,
        usable: !duplicate,
        duplicate,
    };
    let with = |duplicate| {
        let mut eth0 = link("eth0", true, &[]);
        eth0.assigned = vec![
            assigned(own(ONE.mac), false),
            assigned(LOCAL, false),
            assigned(SHARED, duplicate),
        ];
        eth0
    };
    let mut seat = Seat::with([Some(with(true)), None], ONE.ip);
    seat.look(10, &[SOCKET]);
    for second in 0..5 {
        let at = 500 + second * SECOND;
        let frame = seen(
            at,
            advert(ONE.mac, 150),
            Some(vrrp_user::frame::Direction::Out),
        );
        seat.stage
            .observer
            .handle(frame.time, &News::Frame(frame.clone()).into());
        seat.stage.observer.handle(time(at), &News::Time.into());
        seat.collect();
    }
    seat.show(6000, [Some(with(false)), None]);
    let played = seat.end();
    let (at, finding) = played.raised(Code::DuplicateAddress);
    assert!(at <= 1500, "raised at {at}");
    assert!(
        finding.message.starts_with("This host cannot use"),
        "{}",
        finding.message
    );
    let cleared = played.findings().any(|(_, finding)| {
        finding.code == Code::DuplicateAddress && finding.status == Status::Cleared
    });
    assert!(cleared);
}
