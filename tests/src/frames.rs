//! Frames made to order, for tests that feed them to the kernel programs or the decoder.
//!
//! Headers come from etherparse; this adds what it does not know and what is wrong on purpose.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{
    ArpEthIpv4Packet, ArpOperation, ArpPacket, EtherType, Ethernet2Header, IpAuthHeader,
    IpFragOffset, IpNumber, Ipv4Header, Ipv6Header, Ipv6RawExtHeader, PacketBuilder,
};

/// MAC address of the sender: VRID 10's virtual one.
pub const SOURCE_MAC: [u8; 6] = [0x00, 0x00, 0x5e, 0x00, 0x01, 0x0a];
/// Where adverts go on the wire.
pub const MULTICAST_MAC: [u8; 6] = [0x01, 0x00, 0x5e, 0x00, 0x00, 0x12];
/// The sender of IPv4 packets.
pub const SOURCE_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The VRRP group of IPv4.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// The sender of IPv6 packets.
pub const SOURCE_V6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
/// The VRRP group of IPv6.
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);

/// IP protocol of VRRP and CARP.
pub const VRRP: IpNumber = IpNumber(112);

/// Length of an Ethernet header in bytes.
pub const ETHERNET: usize = Ethernet2Header::LEN;

/// An Ethernet frame.
pub fn ethernet(ether_type: EtherType, payload: &[u8]) -> Vec<u8> {
    let header = Ethernet2Header {
        source: SOURCE_MAC,
        destination: MULTICAST_MAC,
        ether_type,
    };
    [&header.to_bytes()[..], payload].concat()
}

/// The frame with VLAN tags, outermost first, each a TPID and its tag control information.
pub fn tagged(frame: &[u8], tags: &[(u16, u16)]) -> Vec<u8> {
    let (addresses, rest) = frame.split_at(12);
    let mut tagged = addresses.to_vec();
    for (protocol, control) in tags {
        tagged.extend(protocol.to_be_bytes());
        tagged.extend(control.to_be_bytes());
    }
    tagged.extend(rest);
    tagged
}

/// The frame filled up with zeros, as a NIC fills it up to the least that Ethernet carries.
pub fn padded(mut frame: Vec<u8>, length: usize) -> Vec<u8> {
    frame.resize(length.max(frame.len()), 0);
    frame
}

/// An IPv4 packet in a frame.
pub fn ipv4(protocol: IpNumber, payload: &[u8]) -> Vec<u8> {
    ipv4_with(protocol, payload, |_header| {})
}

/// An IPv4 packet in a frame, its header changed before the checksum is made.
///
/// # Panics
///
/// Where the payload does not fit an IPv4 packet.
pub fn ipv4_with(
    protocol: IpNumber,
    payload: &[u8],
    change: impl FnOnce(&mut Ipv4Header),
) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("the payload fits a packet");
    let mut header = Ipv4Header::new(length, 255, protocol, SOURCE_V4.octets(), GROUP_V4.octets())
        .expect("the payload fits a packet");
    change(&mut header);
    header.header_checksum = header.calc_header_checksum();
    ethernet(EtherType::IPV4, &[&header.to_bytes()[..], payload].concat())
}

/// A fragment of an IPv4 packet; `offset` in units of eight bytes.
///
/// # Panics
///
/// Where the offset has more than 13 bits.
pub fn ipv4_fragment(protocol: IpNumber, offset: u16, more: bool, payload: &[u8]) -> Vec<u8> {
    ipv4_with(protocol, payload, |header| {
        header.more_fragments = more;
        header.dont_fragment = false;
        header.fragment_offset = IpFragOffset::try_new(offset).expect("13 bits");
    })
}

/// An IPv6 packet in a frame; `next` is the type of what the payload begins with.
///
/// # Panics
///
/// Where the payload does not fit an IPv6 packet.
pub fn ipv6(next: IpNumber, payload: &[u8]) -> Vec<u8> {
    ipv6_from(SOURCE_V6, next, payload)
}

/// An IPv6 packet of this sender in a frame.
///
/// # Panics
///
/// Where the payload does not fit an IPv6 packet.
pub fn ipv6_from(source: Ipv6Addr, next: IpNumber, payload: &[u8]) -> Vec<u8> {
    let header = Ipv6Header {
        payload_length: u16::try_from(payload.len()).expect("the payload fits a packet"),
        next_header: next,
        hop_limit: 255,
        source: source.octets(),
        destination: GROUP_V6.octets(),
        ..Ipv6Header::default()
    };
    ethernet(EtherType::IPV6, &[&header.to_bytes()[..], payload].concat())
}

/// An IPv6 options or routing header of `8 * (1 + more)` bytes in front of a payload.
///
/// # Panics
///
/// Where `more` is beyond what an extension header can have.
pub fn extension(next: IpNumber, more: usize, payload: &[u8]) -> Vec<u8> {
    let header =
        Ipv6RawExtHeader::new_raw(next, &vec![0; 6 + 8 * more]).expect("a length that fits");
    [&header.to_bytes()[..], payload].concat()
}

/// An IPv6 fragment header in front of a payload; `offset` in units of eight bytes.
///
/// By hand, because etherparse 0.19 puts the flag into the wrong bit and reads it from there.
///
/// # Panics
///
/// Where the offset has more than 13 bits.
pub fn ipv6_fragment(next: IpNumber, offset: u16, more: bool, payload: &[u8]) -> Vec<u8> {
    assert!(offset < 1 << 13, "13 bits");
    let [high, low] = (offset << 3 | u16::from(more)).to_be_bytes();
    let header = [next.0, 0, high, low, 0x12, 0x34, 0x56, 0x78];
    [&header[..], payload].concat()
}

/// An authentication header with a 12-byte check value, as keepalived sends it, in front of a
/// payload.
///
/// # Panics
///
/// Never: the check value has a length that fits.
pub fn ah(next: IpNumber, payload: &[u8]) -> Vec<u8> {
    let header = IpAuthHeader::new(next, 0x0a00_0001, 1, &[0xab; 12]).expect("12 bytes fit");
    [&header.to_bytes()[..], payload].concat()
}

/// A VRRPv2 advert of priority 100 for VRID 10 and this many addresses, without authentication.
pub fn advert_v2(addresses: u8) -> Vec<u8> {
    let mut message = vec![0x21, 10, 100, addresses, 0, 1, 0, 0];
    for last in 0..addresses {
        message.extend([10, 0, 0, last]);
    }
    message.extend([0; 8]);
    let checksum = internet_checksum(&message);
    message[6..8].copy_from_slice(&checksum);
    message
}

/// A VRRPv3 advert of priority 100 for VRID 10 and this many IPv6 addresses, the first link-local.
/// Its checksum is left at zero.
pub fn advert_v3_ipv6(addresses: u8) -> Vec<u8> {
    let mut message = vec![0x31, 10, 100, addresses, 0, 100, 0, 0];
    for last in 0..addresses {
        let prefix = if last == 0 { 0xfe80 } else { 0x2001 };
        let address = Ipv6Addr::new(prefix, 0, 0, 0, 0, 0, 1, u16::from(last));
        message.extend(address.octets());
    }
    message
}

fn internet_checksum(message: &[u8]) -> [u8; 2] {
    etherparse::checksum::Sum16BitWords::new()
        .add_slice(message)
        .ones_complement()
        .to_ne_bytes()
}

/// An everyday advert in a frame: VRRPv2 over IPv4, one address.
pub fn advert() -> Vec<u8> {
    ipv4(VRRP, &advert_v2(1))
}

/// An ARP frame; a reply, or a request as `request` says.
pub fn arp(request: bool, sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let operation = if request {
        ArpOperation::REQUEST
    } else {
        ArpOperation::REPLY
    };
    let packet = ArpPacket::from(ArpEthIpv4Packet {
        operation,
        sender_mac: SOURCE_MAC,
        sender_ipv4: sender.octets(),
        target_mac: [0xff; 6],
        target_ipv4: target.octets(),
    });
    ethernet(EtherType::ARP, &packet.to_bytes())
}

/// A neighbour solicitation.
pub fn solicitation(source: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    discovery(source, 135, 0, target)
}

/// A neighbour advertisement; `solicited` says whether it answers somebody.
pub fn advertisement(source: Ipv6Addr, target: Ipv6Addr, solicited: bool) -> Vec<u8> {
    discovery(source, 136, if solicited { 0x60 } else { 0x20 }, target)
}

fn discovery(source: Ipv6Addr, message: u8, flags: u8, target: Ipv6Addr) -> Vec<u8> {
    let mut payload = discovery_message(message, flags, target);
    let checksum = etherparse::checksum::Sum16BitWords::new()
        .add_16bytes(source.octets())
        .add_16bytes(GROUP_V6.octets())
        .add_2bytes(
            u16::try_from(payload.len())
                .expect("a short message")
                .to_be_bytes(),
        )
        .add_2bytes([0, IpNumber::IPV6_ICMP.0])
        .add_slice(&payload)
        .ones_complement();
    payload[2..4].copy_from_slice(&checksum.to_ne_bytes());
    ipv6_from(source, IpNumber::IPV6_ICMP, &payload)
}

/// The ICMPv6 message of neighbour discovery with a link-layer address option, checksum zero.
pub fn discovery_message(message: u8, flags: u8, target: Ipv6Addr) -> Vec<u8> {
    let mut bytes = vec![message, 0, 0, 0, flags, 0, 0, 0];
    bytes.extend(target.octets());
    bytes.extend([if message == 135 { 1 } else { 2 }, 1]);
    bytes.extend(SOURCE_MAC);
    bytes
}

/// A UDP datagram over IPv4 in a frame of 60 bytes.
pub fn udp_v4() -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(SOURCE_MAC, MULTICAST_MAC)
        .ipv4(SOURCE_V4.octets(), [192, 0, 2, 2], 64)
        .udp(4000, 53);
    padded(written(|frame| builder.write(frame, &[0x5a; 18])), 60)
}

/// A UDP datagram over IPv6 in a frame.
pub fn udp_v6() -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(SOURCE_MAC, MULTICAST_MAC)
        .ipv6(SOURCE_V6.octets(), GROUP_V6.octets(), 64)
        .udp(4000, 53);
    written(|frame| builder.write(frame, &[0x5a; 18]))
}

/// The first segment of a TCP connection in a frame of 60 bytes.
pub fn tcp_syn() -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(SOURCE_MAC, MULTICAST_MAC)
        .ipv4(SOURCE_V4.octets(), [192, 0, 2, 2], 64)
        .tcp(40000, 443, 1, 64240)
        .syn();
    padded(written(|frame| builder.write(frame, &[])), 60)
}

/// Flag of a TCP segment that opens a connection.
pub const SYN: u8 = 0x02;
/// Flag of a TCP segment that refuses one.
pub const RST: u8 = 0x04;
/// Flag of a TCP segment that acknowledges something.
pub const ACK: u8 = 0x10;

/// A TCP segment with these flags, in a frame to this MAC.
///
/// # Panics
///
/// Where the addresses are not of one family.
#[expect(
    clippy::panic,
    reason = "two families are a mistake in the test's own text"
)]
pub fn tcp(from: IpAddr, to: IpAddr, mac: [u8; 6], flags: u8) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2(SOURCE_MAC, mac);
    let builder = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => builder.ipv4(from.octets(), to.octets(), 64),
        (IpAddr::V6(from), IpAddr::V6(to)) => builder.ipv6(from.octets(), to.octets(), 64),
        _ => panic!("{from} and {to} are of two families"),
    };
    let mut segment = builder.tcp(40000, 443, 1, 64240);
    if flags & SYN != 0 {
        segment = segment.syn();
    }
    if flags & RST != 0 {
        segment = segment.rst();
    }
    if flags & ACK != 0 {
        segment = segment.ack(1);
    }
    written(|frame| segment.write(frame, b"hello"))
}

fn written<E: std::fmt::Debug>(write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Vec<u8> {
    let mut frame = Vec::new();
    write(&mut frame).expect("a vector takes every packet that has valid lengths");
    frame
}
