//! The link header of a frame, down to the ether type.

use etherparse::{
    EtherType, Ethernet2Slice, LinuxSllProtocolType, LinuxSllSlice, ether_type as ethertype,
};

use crate::{
    frame::{Frame, LinkType},
    model::MacAddr,
};

/// What every kind of link header says.
pub(super) struct Link<'a> {
    pub(super) source: Option<MacAddr>,
    pub(super) destination: Option<MacAddr>,
    pub(super) ether_type: EtherType,
    pub(super) payload: &'a [u8],
}

impl<'a> Link<'a> {
    /// `None` where the header is cut, or does not announce a protocol by an ether type.
    pub(super) fn parse(frame: &'a Frame) -> Option<Self> {
        let data = &frame.data[..];
        match frame.link {
            LinkType::Ethernet => {
                let header = Ethernet2Slice::from_slice_without_fcs(data).ok()?;
                Some(Self {
                    source: Some(MacAddr::new(header.source())),
                    destination: Some(MacAddr::new(header.destination())),
                    ether_type: header.ether_type(),
                    payload: header.payload_slice(),
                })
            }
            LinkType::LinuxSll => {
                let header = LinuxSllSlice::from_slice(data).ok()?;
                let LinuxSllProtocolType::EtherType(ether_type) = header.protocol_type() else {
                    return None;
                };
                Some(Self {
                    source: mac(header.sender_address()),
                    destination: None,
                    ether_type,
                    payload: header.payload_slice(),
                })
            }
            LinkType::LinuxSll2 => Self::parse_sll2(data),
            LinkType::RawIp => Some(Self {
                source: None,
                destination: None,
                ether_type: match data.first()? >> 4 {
                    4 => ethertype::IPV4,
                    6 => ethertype::IPV6,
                    _ => return None,
                },
                payload: data,
            }),
        }
    }

    /// LINKTYPE_LINUX_SLL2 of the tcpdump group, which etherparse does not know: protocol (2),
    /// reserved (2), interface index (4), ARPHRD (2), packet type (1), address length (1),
    /// address (8).
    fn parse_sll2(data: &'a [u8]) -> Option<Self> {
        let (header, payload) = data.split_first_chunk::<20>()?;
        let length = usize::from(header[11]).min(8);
        Some(Self {
            source: mac(&header[12..12 + length]),
            destination: None,
            ether_type: EtherType(u16::from_be_bytes([header[0], header[1]])),
            payload,
        })
    }
}

/// The address in a field of variable length; loopback and tunnels have none of six bytes.
fn mac(address: &[u8]) -> Option<MacAddr> {
    <[u8; 6]>::try_from(address).ok().map(MacAddr::new)
}
