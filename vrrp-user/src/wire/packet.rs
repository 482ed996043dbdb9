//! From the frame to the message: the way through link, VLAN and IP headers.

use std::{fmt, net::IpAddr};

use etherparse::{
    Icmpv6Slice, IpAuthHeaderSlice, IpNumber, Ipv4ExtensionsSlice, Ipv6FragmentHeaderSlice,
    Ipv6RawExtHeaderSlice, LaxIpPayloadSlice, LaxIpv4Slice, LaxIpv6Slice, LaxLinkExtSlice,
    LaxNetSlice, LaxSlicedPacket, LenSource, ip_number,
};

use serde::{Deserialize, Serialize};

use super::{
    advert::{Advert, Defect, IpContext},
    arp::Arp,
    carp::Carp,
    checksum::VRRP_PROTOCOL,
    link::Link,
    nd::Nd,
};
use crate::{
    frame::{Direction, Frame, VlanTag},
    model::{FingerprintKey, MacAddr},
};

/// A decoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// VLANs the frame is in.
    pub vlan: VlanStack,
    /// Sender on the link; a cooked or raw capture may not have it.
    pub source_mac: Option<MacAddr>,
    /// Receiver on the link.
    pub destination_mac: Option<MacAddr>,
    /// What the frame carries.
    pub body: Body,
}

/// What a frame of ours carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// VRRP.
    Advert(Advert),
    /// CARP.
    Carp(Carp),
    /// ARP.
    Arp(Arp),
    /// Neighbour discovery.
    Nd(Nd),
}

/// VLAN identifiers of a frame, the outer first. Priority tags (VLAN 0) are left out: a host takes
/// such a frame for untagged.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VlanStack(Vec<u16>);

impl VlanStack {
    /// The stack of these identifiers.
    pub fn new(ids: impl IntoIterator<Item = u16>) -> Self {
        Self(ids.into_iter().filter(|id| *id != 0).collect())
    }

    /// The identifiers, the outer first.
    pub fn ids(&self) -> &[u16] {
        &self.0
    }
}

impl fmt::Display for VlanStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, id) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "." };
            write!(f, "{separator}{id}")?;
        }
        Ok(())
    }
}

/// Decodes a frame, fingerprinting passwords under `key`. `None`: the frame is not VRRP, CARP, ARP
/// or neighbour discovery, or is cut before that can be told.
pub fn decode(frame: &Frame, key: &FingerprintKey) -> Option<Packet> {
    let link = Link::parse(frame)?;
    let packet = LaxSlicedPacket::from_ether_type(link.ether_type, link.payload);
    let inline = packet
        .link_exts
        .iter()
        .filter_map(|extension| match extension {
            LaxLinkExtSlice::Vlan(tag) => Some(tag.vlan_identifier().value()),
            LaxLinkExtSlice::Macsec(_) => None,
        });
    let vlan = VlanStack::new(
        frame
            .stripped_tag
            .map(VlanTag::id)
            .into_iter()
            .chain(inline),
    );
    let cut = (frame.data.len() as u64) < u64::from(frame.length);
    let body = match packet.net.as_ref()? {
        LaxNetSlice::Arp(arp) => Body::Arp(Arp::from_slice(arp)?),
        LaxNetSlice::Ipv4(ip) => ipv4(ip, cut, key)?,
        LaxNetSlice::Ipv6(ip) => {
            let sent_here = frame.origin.direction == Some(Direction::Out);
            ipv6(ip, cut, sent_here, key)?
        }
    };
    Some(Packet {
        vlan,
        source_mac: link.source,
        destination_mac: link.destination,
        body,
    })
}

fn ipv4(ip: &LaxIpv4Slice<'_>, cut: bool, key: &FingerprintKey) -> Option<Body> {
    let header = ip.header();
    if header.fragments_offset().value() != 0 {
        return None;
    }
    let mut defects = Vec::new();
    // Zero is what a frame has before the card of its sender fills the checksum in.
    if header.header_checksum() != 0
        && header.header_checksum() != header.to_header().calc_header_checksum()
    {
        defects.push(Defect::BadIpChecksum);
    }
    let Ipv4ExtensionsSlice { auth } = ip.extensions();
    let context = IpContext {
        source: IpAddr::V4(header.source_addr()),
        destination: IpAddr::V4(header.destination_addr()),
        ttl: header.ttl(),
        identification: Some(header.identification()),
        ah: auth.map(|auth| (auth.spi(), auth.sequence_number())),
        cut,
        defects,
    };
    vrrp(context, ip.payload(), key)
}

fn ipv6(ip: &LaxIpv6Slice<'_>, cut: bool, sent_here: bool, key: &FingerprintKey) -> Option<Body> {
    let header = ip.header();
    let (source, destination) = (header.source_addr(), header.destination_addr());
    let payload = ip.payload();
    if payload.ip_number == ip_number::IPV6_ICMP {
        // Every host discards these (RFC 4861 section 7.1), so that they change nothing.
        if header.hop_limit() != 255 || header.payload_length() == 0 {
            return None;
        }
        let message = Icmpv6Slice::from_slice(payload.payload).ok()?;
        // What this host sends may leave the checksum to the card.
        if !sent_here
            && !cut
            && !payload.incomplete
            && !message.is_checksum_valid(source.octets(), destination.octets())
        {
            return None;
        }
        return Nd::from_slice(source, destination, &message).map(Body::Nd);
    }
    let Chain { ah, fragment } = Chain::read(header.next_header(), ip.extensions().slice());
    if fragment.is_some_and(|offset| offset != 0) {
        return None;
    }
    let context = IpContext {
        source: IpAddr::V6(source),
        destination: IpAddr::V6(destination),
        ttl: header.hop_limit(),
        identification: None,
        ah,
        cut,
        defects: Vec::new(),
    };
    vrrp(context, payload, key)
}

/// What the extension headers of an IPv6 packet say that concerns us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Chain {
    /// SPI and sequence number of an authentication header.
    ah: Option<(u32, u32)>,
    /// Fragment offset in units of eight octets, where there is a fragment header.
    fragment: Option<u16>,
}

impl Chain {
    /// Reads as many headers of a chain as are whole. The library's own iterator over a chain reads
    /// without looking at its end, and may walk a checked chain alone; one that is cut in the
    /// middle is not.
    fn read(first: IpNumber, mut rest: &[u8]) -> Self {
        let mut chain = Self::default();
        let mut next = first;
        loop {
            let (length, after) = match next {
                ip_number::IPV6_HOP_BY_HOP
                | ip_number::IPV6_ROUTE
                | ip_number::IPV6_DEST_OPTIONS => {
                    let Ok(header) = Ipv6RawExtHeaderSlice::from_slice(rest) else {
                        return chain;
                    };
                    (header.slice().len(), header.next_header())
                }
                ip_number::IPV6_FRAG => {
                    let Ok(header) = Ipv6FragmentHeaderSlice::from_slice(rest) else {
                        return chain;
                    };
                    chain.fragment = Some(header.fragment_offset().value());
                    (header.slice().len(), header.next_header())
                }
                ip_number::AUTH => {
                    let Ok(header) = IpAuthHeaderSlice::from_slice(rest) else {
                        return chain;
                    };
                    chain.ah = Some((header.spi(), header.sequence_number()));
                    (header.slice().len(), header.next_header())
                }
                _ => return chain,
            };
            next = after;
            rest = rest.get(length..).unwrap_or_default();
        }
    }
}

fn vrrp(
    mut context: IpContext,
    payload: &LaxIpPayloadSlice<'_>,
    key: &FingerprintKey,
) -> Option<Body> {
    if payload.ip_number != IpNumber(VRRP_PROTOCOL) {
        return None;
    }
    let message = payload.payload;
    let IpContext {
        source,
        destination,
        ttl,
        ..
    } = context;
    // A capture may end with the packet and leave the padding of the frame behind: nothing is cut
    // unless the packet itself is.
    context.cut &= payload.incomplete;
    // The lower layers fall back to the frame's length where the IP length is a lie; only a whole
    // frame proves that.
    if !context.cut && (payload.incomplete || payload.len_source == LenSource::Slice) {
        context.defects.push(Defect::IpLengthBeyondFrame);
    }
    if payload.fragmented {
        context.defects.push(Defect::Fragmented);
        // The rest of the message travels in packets of their own.
        context.cut = true;
    }
    if let Some(carp) = Carp::parse(source, destination, ttl, message) {
        return Some(Body::Carp(carp));
    }
    Some(Body::Advert(Advert::parse(context, message, key)))
}
