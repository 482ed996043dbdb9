//! Whatever an observer may be told, drawn at random.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, LazyLock},
};

use etherparse::ArpOperation;
use jiff::tz::TimeZone;
use proptest::{prelude::*, sample::select};
use vrrp_tests::vrrp::{Message, Variant};
use vrrp_user::{
    dropped::Dropped,
    frame::Direction,
    input::News,
    keepalived_conf::Conf,
    link::{Link, Links},
    log::{Calendar, Entry, Envelopes},
    machine::{AddressChange, HostLook, VrrpSocket},
    model::{Family, MacAddr, Span, Vrid},
    observer::{ArpMode, Settings},
    probe::{self, ProbeSettings},
    record::{LossReason, Unread, UnreadRecord, Volume},
    sight::{Blindness, Seat},
    tracker::Segment,
    traffic::Traffic,
    wire::VlanStack,
};

use crate::{
    seat::{self, PASSWORD, SOCKET, STOPPED},
    stage::{Host, ONE, Stage, THIRD, TWO, VIP, advert, advert_to, arp, seat, seen, start, time},
};

/// Something that an observer is told; when it is told, it is made of this.
#[expect(
    clippy::large_enum_variant,
    reason = "they are few, and made by many strategies"
)]
#[derive(Clone)]
pub(crate) enum Event {
    Frame {
        bytes: Vec<u8>,
        direction: Option<Direction>,
    },
    Line {
        host: &'static str,
        text: &'static str,
        recalled: bool,
    },
    Other(News),
}

impl fmt::Debug for Event {
    /// Short: many are printed when a property does not hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame { bytes, direction } => {
                write!(f, "Frame({direction:?} ")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str(")")
            }
            Self::Line {
                host,
                text,
                recalled,
            } => write!(f, "Line({host} {text}, recalled: {recalled})"),
            Self::Other(news) => {
                let news = serde_json::to_string(news).expect("it is JSON");
                write!(f, "Other({news})")
            }
        }
    }
}

impl Event {
    /// The same line, if it is one, from before the run.
    fn recalled(self) -> Self {
        match self {
            Self::Line { host, text, .. } => Self::Line {
                host,
                text,
                recalled: true,
            },
            other => other,
        }
    }

    /// What the observer is told at this time.
    pub(crate) fn news(&self, at: u64) -> Vec<News> {
        match self {
            Self::Frame { bytes, direction } => {
                vec![News::Frame(seen(at, bytes.clone(), *direction))]
            }
            Self::Line {
                host,
                text,
                recalled,
            } => {
                let raw = format!("{} {host} {text}", time(at));
                let mut lines = Vec::new();
                let calendar = Calendar::new(TimeZone::UTC, time(at));
                Envelopes::new(calendar).read(raw.as_bytes(), &mut lines);
                let entries = lines.into_iter().filter_map(Entry::read);
                entries
                    .map(if *recalled { News::Recall } else { News::Log })
                    .collect()
            }
            Self::Other(news) => vec![news.clone()],
        }
    }
}

/// Events and the time before each, in milliseconds.
type Course = Vec<(u64, Event)>;

/// A course of events: what is told at the start, a trouble that needs several events to come about, if
/// any, and what chance brings, mostly at the pace of adverts.
pub(crate) fn scripts() -> impl Strategy<Value = Course> {
    let pause =
        prop_oneof![4 => 0_u64..20, 4 => 200_u64..400, 2 => 900_u64..1100, 1 => 0_u64..90_000];
    let events = prop::collection::vec((pause, events()), 0..60);
    let trouble = select(vec![Vec::new(), usurped(), kept()]);
    (before(), trouble, events).prop_map(|(before, trouble, events)| {
        let before = before.into_iter().map(|event| (0, event));
        before.chain(trouble).chain(events).collect()
    })
}

/// The daemon of this host, which sends as `TWO`, takes over by its log although `ONE` goes on: what the
/// kernel drops is counted.
fn usurped() -> Course {
    let advert = |host, priority, direction| Event::Frame {
        bytes: advert(host, &Message::v3(51, priority, [VIP.into()])),
        direction: Some(direction),
    };
    let line = |text| Event::Line {
        host: "lb1",
        text,
        recalled: false,
    };
    let better = || advert(ONE, 150, Direction::In);
    let own = || advert(TWO, 100, Direction::Out);
    let mut course = vec![(0, own()), (500, better())];
    course.extend((0..6).map(|_| (1000, better())));
    course.extend([
        (
            200,
            line("Keepalived_vrrp[7]: (VI_1) Receive advertisement timeout"),
        ),
        (0, line("Keepalived_vrrp[7]: (VI_1) Entering MASTER STATE")),
        (0, own()),
        (800, better()),
    ]);
    course
}

/// This host has the address of a router that is active elsewhere, and its daemon runs.
fn kept() -> Course {
    let advert = || Event::Frame {
        bytes: advert(TWO, &Message::v2(51, 100, [VIP.into()])),
        direction: Some(Direction::In),
    };
    let mut course = vec![
        (0, host(&[ONE.ip, VIP], true, false)),
        (10, look(vec![SOCKET], true, None)),
    ];
    course.extend((0..4).map(|_| (1000, advert())));
    course
}

/// What is told when a run starts, and only then.
fn before() -> impl Strategy<Value = Vec<Event>> {
    let conf = prop::option::of(0_usize..CONFS);
    let recalled = prop::collection::vec(lines().prop_map(Event::recalled), 0..3);
    (any::<bool>(), conf, recalled).prop_map(|(starts, conf, recalled)| {
        let start = starts.then(|| Event::Other(News::Start(start())));
        let conf = conf.map(|number| Event::Other(News::Conf(CONF[number].clone())));
        start.into_iter().chain(conf).chain(recalled).collect()
    })
}

/// What an observer is told once; it asks for addresses only where `asking`.
pub(crate) fn settings(asking: bool) -> impl Strategy<Value = Settings> {
    let arp = select(vec![ArpMode::All, ArpMode::Watched, ArpMode::Off]);
    let watched = select(vec![vec![], vec![VIP.into()], vec![IpAddr::from(THIRD.ip)]]);
    let given = watched.clone();
    (arp, watched, given, any::<bool>(), any::<bool>()).prop_map(
        move |(arp, watched, given, traffic, limited)| Settings {
            arp,
            watched,
            probe: asking.then(|| ProbeSettings {
                learned: true,
                given,
                interval: Span::from_secs(5),
                rate: 10,
                seed: 7,
            }),
            traffic: traffic.then_some(Span::from_secs(10)),
            limited,
            ..Stage::settings()
        },
    )
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        14 => frames(),
        6 => lines(),
        1 => losses(),
        1 => prop::collection::btree_set(vrids(), 0..3)
            .prop_map(|vrids| Event::Other(News::Suppressed(vrids))),
        1 => (0_u64..100).prop_map(|count| Event::Other(News::Unwatched(count))),
        1 => select(vec![Unread::Empty, Unread::NotUnderstood, Unread::NoDaemon])
            .prop_map(unread),
        2 => (0_usize..CONFS)
            .prop_map(|number| Event::Other(News::ConfChanged(CONF[number].clone()))),
        2 => held(),
        2 => seats(),
        2 => (any::<bool>(), prop::option::of(1_u32..3)).prop_map(|(present, by)| {
            Event::Other(News::Address(AddressChange { address: VIP.into(), present, by }))
        }),
        3 => looks(),
        2 => drops(),
        2 => prop::collection::vec(traffic(), 0..3)
            .prop_map(|traffic| Event::Other(News::Traffic(traffic))),
        1 => Just(Event::Other(News::Start(start()))),
        2 => Just(Event::Other(News::Time)),
    ]
}

fn hosts() -> impl Strategy<Value = Host> {
    select(vec![ONE, TWO, THIRD])
}

fn vrids() -> impl Strategy<Value = Vrid> {
    prop_oneof![8 => Just(51_u8), 2 => Just(52), 1 => any::<u8>()].prop_map(Vrid::new)
}

fn directions() -> impl Strategy<Value = Option<Direction>> {
    select(vec![None, Some(Direction::In), Some(Direction::Out)])
}

fn messages() -> impl Strategy<Value = Message> {
    let priority = prop_oneof![
        4 => Just(150_u8), 4 => Just(100), 2 => Just(0), 1 => Just(255), 1 => any::<u8>()
    ];
    let addresses = prop_oneof![
        6 => Just(vec![VIP.into()]),
        1 => Just(vec![VIP.into(), ONE.ip.into()]),
        1 => Just(vec![TWO.ip.into()]),
        1 => Just(Vec::new()),
    ];
    let checksum = prop_oneof![
        8 => Just(Variant::Usual), 1 => Just(Variant::NoPseudoHeader), 1 => Just(Variant::Wrong)
    ];
    let interval = prop_oneof![6 => Just(1_u16), 2 => Just(100), 1 => 0_u16..4096];
    (
        vrids(),
        priority,
        addresses,
        checksum,
        interval,
        2_u8..=3,
        0_u8..3,
    )
        .prop_map(
            |(vrid, priority, addresses, checksum, interval, version, auth_type)| Message {
                version,
                interval: if version == 2 {
                    interval & 0xff
                } else {
                    interval
                },
                checksum,
                auth_type: if version == 2 { auth_type } else { 0 },
                ..Message::v2(vrid.get(), priority, addresses)
            },
        )
}

fn frames() -> impl Strategy<Value = Event> {
    let operation = select(vec![ArpOperation::REQUEST, ArpOperation::REPLY]);
    let address = prop_oneof![4 => Just(VIP), 1 => Just(ONE.ip), 1 => Just(TWO.ip)];
    let bytes = prop_oneof![
        8 => (hosts(), messages()).prop_map(|(host, message)| advert(host, &message)),
        1 => (hosts(), hosts(), messages())
            .prop_map(|(host, to, message)| advert_to(host, &message, to.ip)),
        4 => (operation, hosts(), address.clone(), address)
            .prop_map(|(operation, host, from, to)| arp(operation, host, from, to)),
    ];
    (bytes, directions()).prop_map(|(bytes, direction)| Event::Frame { bytes, direction })
}

fn lines() -> impl Strategy<Value = Event> {
    let text = select(vec![
        "Keepalived[6]: Starting Keepalived v2.2.7 (01/16,2022)",
        "Keepalived[6]: Command line: 'keepalived' '-D'",
        "Keepalived[6]: Stopping",
        "Keepalived_vrrp[7]: (VI_1) Entering BACKUP STATE (init)",
        "Keepalived_vrrp[7]: (VI_1) Entering BACKUP STATE",
        "Keepalived_vrrp[7]: (VI_1) Entering MASTER STATE",
        "Keepalived_vrrp[7]: (VI_1) Entering FAULT STATE",
        "Keepalived_vrrp[7]: (VI_1) Receive advertisement timeout",
        "Keepalived_vrrp[7]: (VI_1) Sending/queueing gratuitous ARPs on eth0 for 10.77.0.100",
        "Keepalived_vrrp[7]: Sending gratuitous ARP on eth0 for 10.77.0.100",
        "Keepalived_vrrp[7]: (VI_1) Master received advert from 10.77.0.11 with higher priority 200, ours 150",
        "Keepalived_vrrp[7]: Netlink reflector reports IP 10.77.0.100 removed",
        "Keepalived_vrrp[7]: A thread timer expired 4.000000 seconds ago",
        "rsyslogd: imuxsock lost 17 messages from pid 7 due to rate-limiting",
        "sshd[9]: Accepted publickey",
    ]);
    (select(vec!["lb0", "lb1"]), text).prop_map(|(host, text)| Event::Line {
        host,
        text,
        recalled: false,
    })
}

fn losses() -> impl Strategy<Value = Event> {
    let reason = select(vec![
        LossReason::RingFull,
        LossReason::Unreadable,
        LossReason::PassedOver,
        LossReason::SenderFlood,
        LossReason::NeighbourFlood,
        LossReason::OutputFull,
    ]);
    prop::collection::btree_map(reason, 0_u64..3, 0..3)
        .prop_map(|lost| Event::Other(News::Loss(lost)))
}

fn unread(reason: Unread) -> Event {
    Event::Other(News::Unread(UnreadRecord {
        log: "/var/log/messages".to_owned(),
        reason,
        lines: 7,
        from: None,
        until: None,
        capture_from: None,
        capture_until: None,
    }))
}

const CONFS: usize = 2;

/// The configurations: that of the router, and one with another password.
static CONF: LazyLock<[Conf; CONFS]> = LazyLock::new(|| {
    let other = "authentication {\n auth_type PASS\n auth_pass other\n }";
    [("told", PASSWORD), ("told-other", other)].map(|(name, auth)| seat::conf(name, auth))
});

fn held() -> impl Strategy<Value = Event> {
    let addresses = select(vec![
        vec![],
        vec![ONE.ip],
        vec![ONE.ip, VIP],
        vec![THIRD.ip],
    ]);
    (addresses, any::<bool>(), any::<bool>())
        .prop_map(|(addresses, answers, duplicate)| host(&addresses, answers, duplicate))
}

fn host(addresses: &[Ipv4Addr], answers: bool, duplicate: bool) -> Event {
    let mut eth0: Link = seat::link("eth0", answers, addresses);
    for assigned in &mut eth0.assigned {
        assigned.duplicate = duplicate;
    }
    let host = probe::Host::new(&Links::new([(2, eth0)]), &BTreeSet::from([2]));
    Event::Other(News::Host(host))
}

fn seats() -> impl Strategy<Value = Event> {
    let blind = select(vec![
        None,
        Some(Blindness::Down),
        Some(Blindness::NoCarrier),
        Some(Blindness::Detached),
    ]);
    let one = (blind, any::<bool>(), any::<bool>()).prop_map(|(blind, egress, named)| Seat {
        blind,
        egress,
        named,
        ..seat("eth0")
    });
    prop::collection::vec(one, 0..2).prop_map(|seats| Event::Other(News::Seats(seats)))
}

fn looks() -> impl Strategy<Value = Event> {
    let sockets = select(vec![vec![], vec![SOCKET], vec![STOPPED]]);
    let knows = select(vec![None, Some(ONE.mac), Some(TWO.mac)]);
    (sockets, any::<bool>(), knows)
        .prop_map(|(sockets, joined, knows)| look(sockets, joined, knows))
}

fn look(sockets: Vec<VrrpSocket>, joined: bool, knows: Option<[u8; 6]>) -> Event {
    let joined: BTreeSet<(Arc<str>, Family)> = joined
        .then(|| (Arc::from("eth0"), Family::Ipv4))
        .into_iter()
        .collect();
    let neighbours: BTreeMap<_, _> = knows
        .into_iter()
        .map(|mac| ((2, IpAddr::from(VIP)), Some(MacAddr::new(mac))))
        .collect();
    Event::Other(News::Daemon(HostLook {
        sockets,
        joined,
        neighbours,
    }))
}

fn drops() -> impl Strategy<Value = Event> {
    let direction = select(vec![Direction::In, Direction::Out]);
    let reason = select(vec![None, Some("NETFILTER_DROP"), Some("IP_RPFILTER")]);
    let one =
        (hosts(), direction, reason, 1_u64..9).prop_map(|(host, direction, reason, count)| {
            Dropped {
                interface: Some("eth0".into()),
                direction,
                source: host.ip.into(),
                vrid: Some(Vrid::new(51)),
                reason: reason.map(Into::into),
                place: Some("nf_hook_slow+0xa6".into()),
                count,
            }
        });
    prop::collection::vec(one, 0..3).prop_map(|dropped| Event::Other(News::Drops(dropped)))
}

fn traffic() -> impl Strategy<Value = Traffic> {
    let address = select(vec![VIP, THIRD.ip]);
    (address, 0_u64..9).prop_map(|(address, syns)| Traffic {
        segment: Segment {
            interface: Some("eth0".into()),
            vlan: VlanStack::default(),
        },
        address: address.into(),
        span: Span::from_secs(5),
        arrived: Volume {
            packets: 3 * syns,
            bytes: 180 * syns,
            syns,
        },
        left: Volume::default(),
    })
}
