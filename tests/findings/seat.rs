//! A seat: the observer on one of the hosts, with what that host shows of itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use jiff::tz::TimeZone;
use vrrp_tests::vrrp::Message;
use vrrp_user::{
    dropped::Dropped,
    frame::Direction,
    input::News,
    keepalived_conf::Conf,
    link::{Assigned, Link, LinkKind, LinkState, Links},
    log::{Calendar, Entry, Envelopes},
    machine::{HostLook, ProcessState, VrrpSocket},
    model::{Family, FingerprintKey, MacAddr, Vrid},
    observer::{Output, Request},
    probe,
    record::{Body, Record, Status},
};

use crate::stage::{Host, ONE, Played, SECOND, Stage, TWO, VIP, advert, seen, start, time};

/// As the routers of these scenes have it.
pub(crate) const PASSWORD: &str = "authentication {\n auth_type PASS\n auth_pass testpass\n }";

/// The other router, which is active.
pub(crate) const ACTIVE: (Host, u8, u8) = (TWO, 51, 100);

/// The observer on a host.
pub(crate) struct Seat {
    pub(crate) stage: Stage,
    pub(crate) requests: Vec<Request>,
    /// Its neighbour table; without a MAC where the neighbour does not answer.
    pub(crate) neighbours: BTreeMap<(u32, IpAddr), Option<MacAddr>>,
    /// Its own address.
    pub(crate) own: Ipv4Addr,
}

/// An interface with addresses.
pub(crate) fn link(name: &str, answers: bool, addresses: &[Ipv4Addr]) -> Link {
    Link {
        name: Arc::from(name),
        state: LinkState::Up,
        broadcast: true,
        answers,
        arp_ignore: false,
        mac: Some(MacAddr::new(ONE.mac)),
        kind: LinkKind::Other,
        lower: None,
        master: None,
        addresses: BTreeSet::new(),
        assigned: addresses
            .iter()
            .map(|address| Assigned {
                address: (*address).into(),
                prefix: 24,
                usable: true,
                duplicate: false,
            })
            .collect(),
        strips_tags: false,
    }
}

/// The socket of a daemon that runs.
pub(crate) const SOCKET: VrrpSocket = VrrpSocket {
    inode: 7,
    of_group: true,
    unread: 0,
    dropped: 0,
    process: Some(ProcessState::Runs),
};

/// The same of one that is stopped.
pub(crate) const STOPPED: VrrpSocket = VrrpSocket {
    process: Some(ProcessState::Stopped),
    ..SOCKET
};

impl Seat {
    /// With eth0, and another interface beside it.
    pub(crate) fn new(addresses: &[Ipv4Addr], other: Option<Link>) -> Self {
        let eth0 = link("eth0", true, addresses);
        Self::with([Some(eth0), other], addresses[0])
    }

    /// With these interfaces, of which the first, with the index 2, is watched.
    pub(crate) fn with(links: [Option<Link>; 2], own: Ipv4Addr) -> Self {
        let mut seat = Self {
            stage: Stage::new(),
            requests: Vec::new(),
            neighbours: BTreeMap::new(),
            own,
        };
        seat.stage
            .observer
            .handle(time(0), &News::Start(start()).into());
        seat.show(0, links);
        seat
    }

    /// Shows what its interfaces are at this time.
    pub(crate) fn show(&mut self, at: u64, links: [Option<Link>; 2]) {
        let links = (2..).zip(links);
        let links = links.filter_map(|(index, link)| Some((index, link?)));
        let host = probe::Host::new(&Links::new(links), &BTreeSet::from([2]));
        self.stage
            .observer
            .handle(time(at), &News::Host(host).into());
        self.collect();
    }

    /// One that holds the address.
    pub(crate) fn holding() -> Self {
        Self::new(&[ONE.ip, VIP], None)
    }

    pub(crate) fn look(&mut self, at: u64, sockets: &[VrrpSocket]) {
        let joined = sockets
            .iter()
            .map(|_| (Arc::from("eth0"), Family::Ipv4))
            .collect();
        let look = HostLook {
            sockets: sockets.to_vec(),
            joined,
            neighbours: self.neighbours.clone(),
        };
        self.stage
            .observer
            .handle(time(at), &News::Daemon(look).into());
        self.collect();
    }

    pub(crate) fn conf(&mut self, name: &str, auth: &str) {
        let conf = conf(name, auth);
        self.stage.observer.handle(
            vrrp_user::model::Timestamp::default(),
            &News::Conf(conf).into(),
        );
    }

    /// Somebody changes the configuration.
    pub(crate) fn change_conf(&mut self, at: u64, name: &str, auth: &str) {
        let conf = conf(name, auth);
        self.stage
            .observer
            .handle(time(at), &News::ConfChanged(conf).into());
        self.collect();
    }

    pub(crate) fn recall(&mut self, text: &str) {
        let mut lines = Vec::new();
        let raw = format!("{} lb0 Keepalived_vrrp[42]: {text}", time(0));
        Envelopes::new(Calendar::new(TimeZone::UTC, time(0))).read(raw.as_bytes(), &mut lines);
        for entry in lines.into_iter().filter_map(Entry::read) {
            self.stage.observer.handle(
                vrrp_user::model::Timestamp::default(),
                &News::Recall(entry).into(),
            );
        }
    }

    pub(crate) fn adverts(
        &mut self,
        from: u64,
        until: u64,
        (host, vrid, priority): (Host, u8, u8),
    ) {
        for at in (from..=until).step_by(1000) {
            self.advert(at, (host, vrid, priority));
        }
    }

    pub(crate) fn advert(&mut self, at: u64, (host, vrid, priority): (Host, u8, u8)) {
        let direction = if host.ip == self.own {
            Direction::Out
        } else {
            Direction::In
        };
        let message = Message::v2(vrid, priority, [VIP.into()]);
        let frame = seen(at, advert(host, &message), Some(direction));
        self.stage
            .observer
            .handle(frame.time, &News::Frame(frame).into());
        self.stage.observer.handle(time(at), &News::Time.into());
        self.collect();
    }

    pub(crate) fn collect(&mut self) {
        while let Some(output) = self.stage.observer.poll_output() {
            match output {
                Output::Record(record) => self.stage.records.push(record),
                Output::Frame(_)
                | Output::Request(
                    Request::Watch(_)
                    | Request::Unwatch(_)
                    | Request::Know(..)
                    | Request::Disown(_),
                ) => {}
                Output::Request(request) => self.requests.push(request),
            }
        }
    }

    pub(crate) fn wants_drops(&self) -> bool {
        self.requests.contains(&Request::CountDrops)
    }

    pub(crate) fn drops(&mut self, at: u64, direction: Direction, source: Host) {
        let dropped = Dropped {
            interface: Some("eth0".into()),
            direction,
            source: source.ip.into(),
            vrid: Some(Vrid::new(51)),
            reason: Some("NETFILTER_DROP".into()),
            place: Some("nf_hook_slow+0xa6".into()),
            count: 2,
        };
        self.stage
            .observer
            .handle(time(at), &News::Drops(vec![dropped]).into());
        self.collect();
    }

    /// Until there is silence for some seconds.
    pub(crate) fn end(self) -> Played {
        let played = self.finish();
        // The first answer is there within five seconds.
        let late = played
            .findings()
            .find(|(at, it)| it.status == Status::Raised && *at > 5 * SECOND);
        assert!(late.is_none(), "{late:?}");
        played
    }

    /// The same, where the trouble comes later.
    pub(crate) fn finish(mut self) -> Played {
        self.stage
            .observer
            .handle(vrrp_user::model::Timestamp::default(), &News::Finish.into());
        self.collect();
        Played(std::mem::take(&mut self.stage.records))
    }
}

/// Whether it is an incident.
pub(crate) fn is_incident(record: &Record) -> bool {
    matches!(record.body, Body::Incident(_))
}

/// Whether it tells what was announced after a change.
pub(crate) fn announced(record: &Record) -> bool {
    matches!(record.body, Body::Announced(_))
}

/// A configuration of the router; `auth` stands in its instance.
pub(crate) fn conf(name: &str, auth: &str) -> Conf {
    let name = format!("vrrpwatch-{name}-{}.conf", std::process::id());
    let path = std::env::temp_dir().join(name);
    let text = format!(
        "vrrp_instance VI_1 {{\n interface eth0\n virtual_router_id 51\n priority 150\n {auth}\n \
         virtual_ipaddress {{\n {VIP}\n }}\n}}\n"
    );
    fs::write(&path, text).expect("room for a file");
    let key = FingerprintKey::new([7; 16]);
    let conf = Conf::read(&path, "lb0", &key).expect("a configuration");
    fs::remove_file(&path).expect("it is there");
    conf
}
