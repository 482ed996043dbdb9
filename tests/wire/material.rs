//! What the tests of the decoder feed it.

use std::net::IpAddr;

use bytes::Bytes;
use proptest::prelude::*;
use vrrp_tests::{
    frames::{GROUP_V4, SOURCE_V4, VRRP, ipv4, ipv6},
    vrrp::{Message, Variant},
};
use vrrp_user::{
    frame::{Frame, LinkType, Origin, Tap},
    model::{FingerprintKey, Timestamp},
    wire::{Advert, Body, decode},
};

/// A key that stays the same, so that results do.
pub(crate) const KEY: FingerprintKey = FingerprintKey::new([7; 16]);

/// An Ethernet frame that was captured whole.
pub(crate) fn frame_of(data: Bytes) -> Frame {
    Frame {
        time: Timestamp::from_parts(1_800_000_000, 0),
        origin: Origin {
            interface: None,
            direction: None,
            tap: Tap(0),
        },
        link: LinkType::Ethernet,
        stripped_tag: None,
        length: u32::try_from(data.len()).expect("a frame"),
        data,
    }
}

/// The message in a multicast packet in an Ethernet frame.
pub(crate) fn ethernet_frame(message: &Message) -> Bytes {
    let frame = match message.addresses.first() {
        Some(IpAddr::V6(_)) => {
            let group = vrrp_tests::frames::GROUP_V6.into();
            ipv6(
                VRRP,
                &message.encode(vrrp_tests::frames::SOURCE_V6.into(), group),
            )
        }
        _ => ipv4(VRRP, &message.encode(SOURCE_V4.into(), GROUP_V4.into())),
    };
    Bytes::from(frame)
}

/// What the decoder makes of a message in a raw IP packet between these.
pub(crate) fn advert_of(message: &Message, source: IpAddr, destination: IpAddr) -> Advert {
    let payload = message.encode(source, destination);
    let mut packet = Vec::new();
    let builder = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            etherparse::PacketBuilder::ipv4(source.octets(), destination.octets(), 255)
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            etherparse::PacketBuilder::ipv6(source.octets(), destination.octets(), 255)
        }
        _ => panic!("one family: {source} and {destination}"),
    };
    builder
        .write(&mut packet, VRRP, &payload)
        .expect("a packet");
    let frame = Frame {
        link: LinkType::RawIp,
        ..frame_of(Bytes::from(packet))
    };
    match decode(&frame, &KEY).expect("a packet of ours").body {
        Body::Advert(advert) => advert,
        other => panic!("not an advert: {other:?}"),
    }
}

/// Any message that a correct speaker could send, but for zeros where there should be none, and for
/// its checksum.
pub(crate) fn message() -> impl Strategy<Value = Message> {
    let v4 = prop::collection::vec(any::<[u8; 4]>().prop_map(IpAddr::from), 1..255);
    let v6 = prop::collection::vec(any::<[u8; 16]>().prop_map(IpAddr::from), 1..90);
    let checksum = prop::sample::select(vec![
        Variant::Usual,
        Variant::NoPseudoHeader,
        Variant::Wrong,
    ]);
    let common = (any::<u8>(), any::<u8>(), any::<[u8; 8]>(), checksum);
    let version = prop_oneof![
        (Just(2), 0_u16..256, 0_u8..2, v4.clone().boxed()),
        (Just(3), 0_u16..4096, Just(0), v4.boxed()),
        (Just(3), 0_u16..4096, Just(0), v6.boxed()),
    ];
    (common, version).prop_map(|(common, version)| {
        let (vrid, priority, auth_data, checksum) = common;
        let (version, interval, auth_type, addresses) = version;
        Message {
            version,
            vrid,
            priority,
            interval,
            addresses,
            auth_type,
            auth_data,
            trailer: Vec::new(),
            checksum,
        }
    })
}
