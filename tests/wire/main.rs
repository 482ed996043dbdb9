//! The decoder against messages of every shape: what was encoded comes back, and nothing whatever
//! makes it panic or print a password.

#![cfg(test)]

mod material;
mod withheld;

use std::net::IpAddr;

use bytes::Bytes;
use etherparse::ip_number;
use proptest::prelude::*;
use vrrp_tests::{
    frames::{self, GROUP_V4, GROUP_V6, SOURCE_V4, SOURCE_V6},
    vrrp::{Message, Variant},
};
use vrrp_user::{
    frame::{Frame, LinkType},
    model::{AdvertInterval, Priority, Vrid},
    wire::{Auth, Body, Checksum, Defect, decode},
};

use material::{KEY, advert_of, ethernet_frame, frame_of, message};

proptest! {
    #[test]
    fn decode_of_encode_is_identity(message in message()) {
        let (source, group): (IpAddr, IpAddr) = match message.addresses.first() {
            Some(IpAddr::V6(_)) => (SOURCE_V6.into(), GROUP_V6.into()),
            _ => (SOURCE_V4.into(), GROUP_V4.into()),
        };
        let advert = advert_of(&message, source, group);
        prop_assert_eq!(advert.version, Some(message.version));
        prop_assert_eq!(advert.vrid.map(Vrid::get), Some(message.vrid));
        prop_assert_eq!(advert.priority.map(Priority::get), Some(message.priority));
        let unit = if message.version == 2 { 1000 } else { 10 };
        prop_assert_eq!(
            advert.interval.map(AdvertInterval::as_millis),
            Some(u64::from(message.interval) * unit)
        );
        prop_assert_eq!(&advert.addresses, &message.addresses);
        let expected = match message.checksum {
            Variant::Wrong => Checksum::Bad,
            // VRRPv2 has no pseudo header to leave out or to change, and a multicast advert has
            // the group in it anyway.
            Variant::Usual | Variant::Multicast(_) => Checksum::Ok,
            Variant::NoPseudoHeader if message.version == 2 => Checksum::Ok,
            Variant::NoPseudoHeader => Checksum::OkNoPseudoHeader,
        };
        prop_assert_eq!(advert.checksum, Some(expected));
        let auth = match (message.version, message.auth_type) {
            (2, 1) => Auth::Pass(Some(KEY.fingerprint(message.auth_data))),
            _ => Auth::None,
        };
        prop_assert_eq!(&advert.auth, &auth);
        let odd = advert.defects.iter().find(|defect| !matches!(
            defect,
            Defect::VridZero | Defect::IntervalZero | Defect::FirstAddressNotLinkLocal
        ));
        prop_assert_eq!(odd, None);
    }

    #[test]
    fn a_message_cut_anywhere_is_described(message in message(), cut in any::<prop::sample::Index>()) {
        let whole = ethernet_frame(&message);
        let length = cut.index(whole.len());
        // The wire cut it: the frame is as short as its data.
        let cut_by_sender = Frame { data: whole.slice(..length), ..frame_of(whole.slice(..length)) };
        let _: Option<_> = decode(&cut_by_sender, &KEY);
        // The capture cut it: nothing is a defect that only the missing part could disprove.
        let cut_by_capture = Frame {
            length: u32::try_from(whole.len()).expect("a frame"),
            ..frame_of(whole.slice(..length))
        };
        if let Some(Body::Advert(advert)) = decode(&cut_by_capture, &KEY).map(|packet| packet.body) {
            prop_assert_eq!(advert.checksum, None);
            for defect in [
                Defect::HeaderTooShort,
                Defect::AddressesMissing,
                Defect::AuthDataMissing,
                Defect::IpLengthBeyondFrame,
                Defect::TrailingBytes,
            ] {
                prop_assert!(!advert.defects.contains(&defect), "{:?} of a cut capture", defect);
            }
        }
    }

    #[test]
    fn a_chain_of_ipv6_headers_cut_anywhere_is_no_harm(
        chain in prop::collection::vec((0_usize..5, 0_usize..3), 0..5),
        cut in any::<prop::sample::Index>(),
        claimed in any::<u16>(),
    ) {
        let mut payload = vec![0x31, 51, 100, 0, 0, 100, 0, 0];
        let mut next = frames::VRRP;
        for (kind, more) in chain {
            let number;
            (number, payload) = match kind {
                0 => (ip_number::IPV6_HOP_BY_HOP, frames::extension(next, more, &payload)),
                1 => (ip_number::IPV6_ROUTE, frames::extension(next, more, &payload)),
                2 => (ip_number::IPV6_DEST_OPTIONS, frames::extension(next, more, &payload)),
                3 => (ip_number::IPV6_FRAG, frames::ipv6_fragment(next, 0, more > 0, &payload)),
                _ => (ip_number::AUTH, frames::ah(next, &payload)),
            };
            next = number;
        }
        let whole = frames::ipv6(next, &payload);
        let start = frames::ETHERNET + 40;
        // In memory of its own: a sanitizer sees a byte that is read beyond the end.
        let mut bytes = whole[..start + cut.index(whole.len() - start + 1)].to_vec();
        let _: Option<_> = decode(&frame_of(Bytes::from(bytes.clone())), &KEY);
        // The length of the packet is the sender's word.
        bytes[frames::ETHERNET + 4..frames::ETHERNET + 6].copy_from_slice(&claimed.to_be_bytes());
        let _: Option<_> = decode(&frame_of(Bytes::from(bytes)), &KEY);
    }

    #[test]
    fn nothing_makes_the_decoder_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        link in prop::sample::select(vec![
            LinkType::Ethernet, LinkType::LinuxSll, LinkType::LinuxSll2, LinkType::RawIp,
        ]),
        extra in 0_u32..2000,
    ) {
        let length = u32::try_from(bytes.len()).expect("short") + extra;
        let frame = Frame { link, length, ..frame_of(Bytes::from(bytes)) };
        let _: Option<_> = decode(&frame, &KEY);
    }

    #[test]
    fn a_damaged_message_is_described_without_its_password(
        message in message(),
        position in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        let message = Message { auth_data: *b"\xc0\xff\xee\x99\xc0\xff\xee\x99", ..message };
        let mut bytes = ethernet_frame(&message).to_vec();
        // Any byte from the IP header to the last address; the password itself is not damaged, and
        // neither is the count lowered so that it would become an unrelated tail.
        let area = bytes.len() - 14 - 8;
        let position = 14 + position.index(area);
        bytes[position] = value;
        if let Some(packet) = decode(&frame_of(Bytes::from(bytes)), &KEY)
            && let Body::Advert(advert) = packet.body
            && advert.version == Some(2)
            && !matches!(advert.auth, Auth::None)
        {
            let password: IpAddr = IpAddr::from([0xc0, 0xff, 0xee, 0x99]);
            prop_assert!(!advert.addresses.contains(&password), "{:?}", advert);
        }
    }
}

#[test]
fn a_unicast_advert_with_the_group_in_its_pseudo_header_is_recognised() {
    let address = IpAddr::from([192, 0, 2, 100]);
    let message = Message {
        checksum: Variant::Multicast(GROUP_V4.into()),
        ..Message::v3(51, 100, [address])
    };
    let advert = advert_of(&message, SOURCE_V4.into(), IpAddr::from([192, 0, 2, 2]));
    assert_eq!(advert.checksum, Some(Checksum::OkMulticastPseudoHeader));
}

#[test]
fn the_trailer_of_auth_hmac_is_read() {
    let mut trailer = vec![1, 7, 0, 0];
    trailer.extend(1_780_000_000_u32.to_be_bytes());
    trailer.extend([0, 0, 0, 42]);
    trailer.extend([0xaa; 16]);
    let message = Message {
        trailer,
        ..Message::v3(51, 100, [IpAddr::from([192, 0, 2, 100])])
    };
    let advert = advert_of(&message, SOURCE_V4.into(), GROUP_V4.into());
    let Auth::Hmac(trailer) = advert.auth else {
        panic!("{:?}", advert.auth)
    };
    assert_eq!(
        (trailer.key_id, trailer.seconds, trailer.counter),
        (7, 1_780_000_000, 42)
    );
    assert_eq!(
        (advert.checksum, advert.defects),
        (Some(Checksum::Ok), vec![])
    );
}
