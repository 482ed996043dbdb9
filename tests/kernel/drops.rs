//! The counter of dropped packets, on packets that a rule of nftables drops as they come in.

use std::{
    net::IpAddr,
    os::fd::{AsRawFd as _, OwnedFd},
    sync::Arc,
    time::Duration,
};

use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrStorage, sendto, socket,
};
use vrrp_ebpf::MAX_DROPS;
use vrrp_tests::{
    frames::{self, SOURCE_V4, SOURCE_V6, VRRP},
    lab::wait_for,
};
use vrrp_user::{
    capture::{DropCounter, KernelTypes},
    dropped::Dropped,
    frame::Direction,
    model::Vrid,
};

use crate::network::{HERE, THERE, Wire, run};

const LIMIT: Duration = Duration::from_secs(10);
const AH: etherparse::IpNumber = etherparse::IpNumber::AUTHENTICATION_HEADER;

/// A wire whose one end drops all that comes in, and what counts it.
struct Drain {
    counter: DropCounter,
    types: Arc<KernelTypes>,
    sender: OwnedFd,
    device: LinkAddr,
    _wire: Wire,
}

impl Drain {
    fn new() -> Self {
        let wire = Wire::new();
        run("nft", &["add", "table", "netdev", "drain"]);
        let chain =
            format!("{{ type filter hook ingress device {HERE} priority 0; policy drop; }}");
        run("nft", &["add", "chain", "netdev", "drain", "sink", &chain]);
        let (family, kind) = (AddressFamily::Packet, SockType::Raw);
        let sender = socket(family, kind, SockFlag::SOCK_CLOEXEC, None).expect("a packet socket");
        let device = nix::ifaddrs::getifaddrs()
            .expect("the interfaces")
            .filter(|entry| entry.interface_name == THERE)
            .find_map(|entry| {
                entry
                    .address
                    .as_ref()
                    .and_then(SockaddrStorage::as_link_addr)
                    .copied()
            })
            .expect("the other end");
        let types = Arc::new(KernelTypes::read().expect("the kernel describes its types"));
        Self {
            counter: DropCounter::attach(Arc::clone(&types)).expect("drops can be counted"),
            types,
            sender,
            device,
            _wire: wire,
        }
    }

    fn send(&self, frame: &[u8]) {
        let socket = self.sender.as_raw_fd();
        let sent = sendto(socket, frame, &self.device, MsgFlags::empty()).expect("it is sent");
        assert_eq!(sent, frame.len());
    }

    fn rows(&mut self) -> Vec<Dropped> {
        self.counter.read().expect("the counts can be read")
    }

    /// The only row, once so many were counted.
    fn only(&mut self, count: u64) -> Dropped {
        wait_for("the packets to be counted", LIMIT, || {
            let rows = self.rows();
            let total: u64 = rows.iter().map(|row| row.count).sum();
            (total >= count).then_some(rows)
        })
        .map(|mut rows| {
            assert_eq!(rows.len(), 1, "{rows:#?}");
            rows.swap_remove(0)
        })
        .unwrap()
    }

    /// Sends a frame three times, and asserts how it is counted.
    fn counts(&mut self, frame: &[u8], source: IpAddr, vrid: Option<u8>) {
        for _ in 0..3 {
            self.send(frame);
        }
        let row = self.only(3);
        assert_eq!(row.count, 3);
        assert_eq!(row.source, source);
        assert_eq!(row.vrid, vrid.map(Vrid::new));
        assert_eq!(row.interface.as_deref(), Some(HERE));
        assert_eq!(row.direction, Direction::In);
        // Where it is done differs from kernel to kernel.
        let place = row
            .function()
            .expect("the kernel shows its symbols to root");
        assert!(["nf_hook_slow", "nft_do_chain"].contains(&place), "{place}");
        if !self.types.has_reasons() {
            assert_eq!(row.reason, None);
        } else if self.types.reasons().any(|name| name == "NETFILTER_DROP") {
            assert_eq!(row.reason.as_deref(), Some("NETFILTER_DROP"));
        } else {
            assert_eq!(row.reason.as_deref(), Some("NOT_SPECIFIED"));
        }
    }
}

#[test]
fn adverts_are_counted_by_sender_and_router() {
    Drain::new().counts(&frames::advert(), SOURCE_V4.into(), Some(10));
}

#[test]
fn adverts_behind_an_authentication_header_are_counted() {
    let frame = frames::ipv4(AH, &frames::ah(VRRP, &frames::advert_v2(1)));
    Drain::new().counts(&frame, SOURCE_V4.into(), Some(10));
}

#[test]
fn adverts_behind_options_are_counted() {
    let frame = frames::ipv4_with(VRRP, &frames::advert_v2(1), |header| {
        let options = [1, 1, 1, 0][..].try_into().expect("four bytes of options");
        header.options = options;
        header.total_len += 4;
    });
    Drain::new().counts(&frame, SOURCE_V4.into(), Some(10));
}

#[test]
fn adverts_over_ipv6_are_counted() {
    let frame = frames::ipv6(VRRP, &frames::advert_v3_ipv6(1));
    Drain::new().counts(&frame, SOURCE_V6.into(), Some(10));
}

#[test]
fn adverts_in_a_vlan_are_counted() {
    let frame = frames::tagged(&frames::advert(), &[(0x8100, 100)]);
    Drain::new().counts(&frame, SOURCE_V4.into(), Some(10));
}

#[test]
fn a_packet_that_ends_too_early_has_no_router() {
    let frame = frames::ipv4(VRRP, &[0x21]);
    Drain::new().counts(&frame, SOURCE_V4.into(), None);
    let frame = frames::ipv4_fragment(VRRP, 3, false, &[0; 32]);
    Drain::new().counts(&frame, SOURCE_V4.into(), None);
}

#[test]
fn what_is_no_vrrp_is_not_counted() {
    let mut drain = Drain::new();
    for frame in [
        frames::udp_v4(),
        frames::udp_v6(),
        frames::tcp_syn(),
        frames::arp(true, SOURCE_V4, SOURCE_V4),
        frames::ipv4(AH, &frames::ah(etherparse::IpNumber::UDP, &[0; 16])),
        frames::ipv4(VRRP, &[]),
    ] {
        // The last is VRRP by its number alone, and stands for the end of the others.
        drain.send(&frame);
    }
    assert_eq!(drain.only(1).count, 1);
}

#[test]
fn drops_of_other_namespaces_are_not_counted() {
    let mut outside = Drain::new();
    // The thread enters a namespace within, and comes back from it.
    let mut inside = Drain::new();
    inside.counts(&frames::advert(), SOURCE_V4.into(), Some(10));
    assert_eq!(outside.rows(), []);
    drop(inside);
    outside.counts(&frames::advert(), SOURCE_V4.into(), Some(10));
}

#[test]
fn what_there_is_no_room_for_is_counted_in_sum() {
    let mut drain = Drain::new();
    let more = 100;
    for number in 0..MAX_DROPS + more {
        let [_, _, high, low] = number.to_be_bytes();
        drain.send(&frames::ipv4_with(VRRP, &frames::advert_v2(1), |header| {
            header.source = [198, 51, high, low];
        }));
    }
    let uncounted = wait_for("the rest to be counted", LIMIT, || {
        let uncounted = drain.counter.uncounted().expect("it can be read");
        (uncounted >= u64::from(more)).then_some(uncounted)
    });
    assert_eq!(uncounted.unwrap(), u64::from(more));
    assert_eq!(drain.rows().len(), MAX_DROPS as usize);
}
