//! Hosts on a segment, what they say, and what an observer makes of it.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use etherparse::{
    ArpEthIpv4Packet, ArpOperation, ArpPacket, EtherType, Ethernet2Header, IpNumber, Ipv4Header,
};
use vrrp_tests::{frames::GROUP_V4, vrrp::Message};
use vrrp_user::{
    frame::{Direction, Frame, LinkType, Origin, Tap},
    input::News,
    model::{FingerprintKey, Timestamp},
    observer::{Observer, Output, Settings},
    record::{Body, Code, FindingRecord, Record, SCHEMA, Start, StateRecord, Status},
    sight::Seat,
};

/// A second, in the milliseconds of a script.
pub(crate) const SECOND: u64 = 1000;

/// The address that the routers of most scenes share.
pub(crate) const VIP: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 100);

/// A machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    pub(crate) ip: Ipv4Addr,
    pub(crate) mac: [u8; 6],
}

pub(crate) const ONE: Host = host(10);
pub(crate) const TWO: Host = host(11);
pub(crate) const THIRD: Host = host(50);

const fn host(last: u8) -> Host {
    Host {
        ip: Ipv4Addr::new(10, 77, 0, last),
        mac: [2, 0, 0, 0, 0, last],
    }
}

/// What is said when, in milliseconds; put in order when it is played.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    pub(crate) frames: Vec<(u64, Vec<u8>)>,
}

impl Script {
    pub(crate) fn frame(mut self, at: u64, frame: Vec<u8>) -> Self {
        self.frames.push((at, frame));
        self
    }

    pub(crate) fn advert(self, at: u64, host: Host, message: &Message) -> Self {
        self.frame(at, advert(host, message))
    }

    /// An advert each second from `from` to `until`, both included.
    pub(crate) fn adverts(mut self, from: u64, until: u64, host: Host, message: &Message) -> Self {
        let step = if message.version == 3 {
            u64::from(message.interval) * 10
        } else {
            u64::from(message.interval) * SECOND
        };
        let mut at = from;
        while at <= until {
            self = self.advert(at, host, message);
            at += step;
        }
        self
    }

    /// Five announcements, as keepalived makes them.
    pub(crate) fn announce(mut self, at: u64, host: Host, address: Ipv4Addr) -> Self {
        for _ in 0..5 {
            self = self.frame(at, arp(ArpOperation::REQUEST, host, address, address));
        }
        self
    }

    /// The third machine asks, and these answer.
    pub(crate) fn ask(mut self, at: u64, address: Ipv4Addr, answers: &[Host]) -> Self {
        self = self.frame(at, arp(ArpOperation::REQUEST, THIRD, THIRD.ip, address));
        for host in answers {
            self = self.frame(at + 1, arp(ArpOperation::REPLY, *host, address, THIRD.ip));
        }
        self
    }

    /// Nothing of interest, but a sign that the capture goes on until then.
    pub(crate) fn quiet_until(self, at: u64) -> Self {
        self.frame(at, arp(ArpOperation::REQUEST, THIRD, THIRD.ip, THIRD.ip))
    }

    /// In the order in which it happens.
    pub(crate) fn in_order(mut self) -> Vec<(u64, Vec<u8>)> {
        self.frames.sort_by_key(|(at, _)| *at);
        self.frames
    }

    pub(crate) fn play(self) -> Played {
        let mut stage = Stage::new();
        for (at, frame) in self.in_order() {
            stage.frame(at, frame);
        }
        Played(stage.records)
    }
}

/// An observer that is being fed.
pub(crate) struct Stage {
    pub(crate) observer: Observer,
    pub(crate) records: Vec<Record>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self {
            observer: Observer::new(Self::settings()),
            records: Vec::new(),
        }
    }

    pub(crate) fn settings() -> Settings {
        Settings::new(FingerprintKey::new([7; 16]))
    }

    pub(crate) fn frame(&mut self, at: u64, frame: Vec<u8>) {
        self.frame_going(at, frame, None);
    }

    pub(crate) fn frame_going(&mut self, at: u64, frame: Vec<u8>, direction: Option<Direction>) {
        let frame = seen(at, frame, direction);
        self.observer.handle(frame.time, &News::Frame(frame).into());
        self.collect();
    }

    pub(crate) fn tell(&mut self, at: u64, news: News) {
        self.observer.handle(time(at), &news.into());
        self.collect();
    }

    pub(crate) fn collect(&mut self) {
        while let Some(output) = self.observer.poll_output() {
            if let Output::Record(record) = output {
                self.records.push(record);
            }
        }
    }
}

/// A frame as it is seen on `eth0`.
pub(crate) fn seen(at: u64, frame: Vec<u8>, direction: Option<Direction>) -> Frame {
    Frame {
        time: time(at),
        origin: Origin {
            interface: Some("eth0".into()),
            direction,
            tap: Tap(1),
        },
        link: LinkType::Ethernet,
        stripped_tag: None,
        length: u32::try_from(frame.len()).expect("a frame"),
        data: Bytes::from(frame),
    }
}

/// An interface of which everything is seen.
pub(crate) fn seat(interface: &str) -> Seat {
    Seat {
        interface: interface.into(),
        formerly: None,
        blind: None,
        egress: true,
        named: false,
    }
}

/// The point in time of a script.
pub(crate) const fn time(millis: u64) -> Timestamp {
    Timestamp::from_nanos((1_000_000 + millis) * 1_000_000)
}

/// The point in a script of a time.
pub(crate) const fn millis(time: Timestamp) -> u64 {
    time.as_nanos() / 1_000_000 - 1_000_000
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Played(pub(crate) Vec<Record>);

impl Played {
    pub(crate) fn findings(&self) -> impl Iterator<Item = (u64, &FindingRecord)> {
        self.0.iter().filter_map(|record| match &record.body {
            Body::Finding(finding) => Some((millis(record.time), finding)),
            _ => None,
        })
    }

    /// Changes of the active router.
    pub(crate) fn changes(&self) -> Vec<(u64, &StateRecord)> {
        self.0
            .iter()
            .filter_map(|record| match &record.body {
                Body::State(state) => Some((millis(record.time), state)),
                _ => None,
            })
            .collect()
    }

    /// The one finding of this kind that was raised.
    pub(crate) fn raised(&self, code: Code) -> (u64, &FindingRecord) {
        let mut found = self
            .findings()
            .filter(|(_, finding)| finding.code == code && finding.status == Status::Raised);
        let first = found
            .next()
            .unwrap_or_else(|| panic!("{code} was not raised: {:#?}", self.codes()));
        assert!(found.next().is_none(), "{code} was raised twice");
        first
    }

    /// When it was cleared.
    pub(crate) fn cleared(&self, code: Code) -> u64 {
        self.findings()
            .find(|(_, finding)| finding.code == code && finding.status == Status::Cleared)
            .unwrap_or_else(|| panic!("{code} was not cleared: {:#?}", self.codes()))
            .0
    }

    /// What was raised, in order, but for the note that passwords are readable.
    pub(crate) fn codes(&self) -> Vec<Code> {
        self.findings()
            .filter(|(_, finding)| finding.status == Status::Raised)
            .map(|(_, finding)| finding.code)
            .filter(|code| *code != Code::PlaintextAuth)
            .collect()
    }
}

/// An advert to the group, from the MAC of the host.
pub(crate) fn advert(host: Host, message: &Message) -> Vec<u8> {
    advert_to(host, message, GROUP_V4)
}

/// An advert to anywhere.
pub(crate) fn advert_to(host: Host, message: &Message, to: Ipv4Addr) -> Vec<u8> {
    numbered_advert(host, message, to, 0)
}

/// The same in an IP packet with this identification.
pub(crate) fn numbered_advert(
    host: Host,
    message: &Message,
    to: Ipv4Addr,
    identification: u16,
) -> Vec<u8> {
    let payload = message.encode(IpAddr::V4(host.ip), IpAddr::V4(to));
    let length = u16::try_from(payload.len()).expect("it fits a packet");
    let mut header = Ipv4Header::new(length, 255, IpNumber(112), host.ip.octets(), to.octets())
        .expect("it fits a packet");
    header.identification = identification;
    header.header_checksum = header.calc_header_checksum();
    let payload = [&header.to_bytes()[..], &payload].concat();
    ethernet(
        host.mac,
        [1, 0, 0x5e, 0, 0, 0x12],
        EtherType::IPV4,
        &payload,
    )
}

/// ARP from a host that says to be at `sender`.
pub(crate) fn arp(
    operation: ArpOperation,
    host: Host,
    sender: Ipv4Addr,
    target: Ipv4Addr,
) -> Vec<u8> {
    let packet = ArpPacket::from(ArpEthIpv4Packet {
        operation,
        sender_mac: host.mac,
        sender_ipv4: sender.octets(),
        target_mac: [0xff; 6],
        target_ipv4: target.octets(),
    });
    ethernet(host.mac, [0xff; 6], EtherType::ARP, &packet.to_bytes())
}

fn ethernet(
    source: [u8; 6],
    destination: [u8; 6],
    ether_type: EtherType,
    payload: &[u8],
) -> Vec<u8> {
    let header = Ethernet2Header {
        source,
        destination,
        ether_type,
    };
    [&header.to_bytes()[..], payload].concat()
}

/// An advert of VRID 51 with this priority, once a second.
pub(crate) fn message(priority: u8) -> Message {
    Message::v2(51, priority, [VIP.into()])
}

/// A pair of which the better is active for five seconds.
pub(crate) fn pair() -> Script {
    Script::default()
        .adverts(0, 5 * SECOND, ONE, &message(150))
        .announce(10, ONE, VIP)
}

/// A start that says nothing.
pub(crate) fn start() -> Start {
    Start {
        program_version: String::new(),
        schema: SCHEMA,
        kernel: None,
        attachments: Vec::new(),
        files: Vec::new(),
        notes: Vec::new(),
        sources: Vec::new(),
    }
}
