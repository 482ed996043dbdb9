//! What the watched host shows when the watch begins, beside what is advertised.

use std::{collections::BTreeSet, fs, net::Ipv4Addr, sync::Arc};

use etherparse::ArpOperation;
use jiff::tz::TimeZone;
use vrrp_tests::vrrp::Message;
use vrrp_user::{
    dropped::Dropped,
    frame::Direction,
    keepalived_conf::Conf,
    link::{Assigned, Link, LinkKind, LinkState, Links},
    log::{Calendar, Entry, Envelopes},
    machine::{DaemonLook, ProcessState, VrrpSocket},
    model::{Family, FingerprintKey, MacAddr, Vrid},
    observer::{Output, Request},
    probe,
    record::{Body, Cause, ChangeReason, Code, Record, Start, Status},
};

use crate::stage::{Host, ONE, Played, SECOND, Stage, TWO, VIP, advert, arp, seen, time};

/// The seat is `ONE`; another router is active.
struct Seat {
    stage: Stage,
    requests: Vec<Request>,
    /// Its own address.
    own: Ipv4Addr,
}

/// An interface with addresses.
fn link(name: &str, answers: bool, addresses: &[Ipv4Addr]) -> Link {
    Link {
        name: Arc::from(name),
        state: LinkState::Up,
        broadcast: true,
        answers,
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
            })
            .collect(),
        strips_tags: false,
    }
}

const SOCKET: VrrpSocket = VrrpSocket {
    inode: 7,
    of_group: true,
    unread: 0,
    dropped: 0,
    process: Some(ProcessState::Runs),
};

const STOPPED: VrrpSocket = VrrpSocket {
    process: Some(ProcessState::Stopped),
    ..SOCKET
};

impl Seat {
    /// With eth0, and another interface beside it.
    fn new(addresses: &[Ipv4Addr], other: Option<Link>) -> Self {
        let mut seat = Self {
            stage: Stage::new(),
            requests: Vec::new(),
            own: addresses[0],
        };
        let start = Start {
            version: String::new(),
            kernel: None,
            attachments: Vec::new(),
            files: Vec::new(),
            notes: Vec::new(),
            sources: Vec::new(),
        };
        seat.stage.observer.handle_start(time(0), start);
        let links = [(2, link("eth0", true, addresses))];
        let links = links.into_iter().chain(other.map(|link| (3, link)));
        let host = probe::Host::new(&Links::new(links), &BTreeSet::from([2]));
        seat.stage.observer.handle_host(time(0), host);
        seat
    }

    /// One that holds the address.
    fn holding() -> Self {
        Self::new(&[ONE.ip, VIP], None)
    }

    fn look(&mut self, at: u64, sockets: &[VrrpSocket]) {
        let joined = sockets
            .iter()
            .map(|_| (Arc::from("eth0"), Family::Ipv4))
            .collect();
        let look = DaemonLook {
            sockets: sockets.to_vec(),
            joined,
        };
        self.stage.observer.handle_daemon(time(at), look);
        self.collect();
    }

    fn conf(&mut self, name: &str, auth: &str) {
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
        self.stage.observer.set_conf(conf);
    }

    fn recall(&mut self, text: &str) {
        let mut lines = Vec::new();
        let raw = format!("{} lb0 Keepalived_vrrp[42]: {text}", time(0));
        Envelopes::new(Calendar::new(TimeZone::UTC, time(0))).read(raw.as_bytes(), &mut lines);
        for entry in lines.into_iter().filter_map(Entry::read) {
            self.stage.observer.recall_log(&entry);
        }
    }

    fn adverts(&mut self, from: u64, until: u64, (host, vrid, priority): (Host, u8, u8)) {
        for at in (from..=until).step_by(1000) {
            self.advert(at, (host, vrid, priority));
        }
    }

    fn advert(&mut self, at: u64, (host, vrid, priority): (Host, u8, u8)) {
        let direction = if host.ip == self.own {
            Direction::Out
        } else {
            Direction::In
        };
        let message = Message::v2(vrid, priority, [VIP.into()]);
        let frame = seen(at, advert(host, &message), Some(direction));
        self.stage.observer.handle_frame(&frame);
        self.stage.observer.handle_timeout(time(at));
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(output) = self.stage.observer.poll_output() {
            match output {
                Output::Record(record) => self.stage.records.push(record),
                Output::Request(Request::Watch(_) | Request::Unwatch(_)) => {}
                Output::Request(request) => self.requests.push(request),
            }
        }
    }

    fn wants_drops(&self) -> bool {
        self.requests.contains(&Request::CountDrops)
    }

    fn drops(&mut self, at: u64, direction: Direction, source: Host) {
        let dropped = Dropped {
            interface: Some("eth0".into()),
            direction,
            source: source.ip.into(),
            vrid: Some(Vrid::new(51)),
            reason: Some("NETFILTER_DROP".into()),
            place: Some("nf_hook_slow+0xa6".into()),
            count: 2,
        };
        self.stage.observer.handle_drops(time(at), &[dropped]);
        self.collect();
    }

    /// Until there is silence for some seconds.
    fn end(mut self) -> Played {
        self.stage.observer.finish();
        self.collect();
        let played = Played(std::mem::take(&mut self.stage.records));
        // The first answer is there within five seconds.
        let late = played
            .findings()
            .find(|(at, it)| it.status == Status::Raised && *at > 5 * SECOND);
        assert!(late.is_none(), "{late:?}");
        played
    }
}

/// As the routers of these scenes have it.
const PASSWORD: &str = "authentication {\n auth_type PASS\n auth_pass testpass\n }";

const ACTIVE: (Host, u8, u8) = (TWO, 51, 100);

#[test]
fn a_daemon_is_gone_whose_address_the_configuration_has() {
    let mut seat = Seat::holding();
    seat.conf("gone", PASSWORD);
    seat.look(10, &[]);
    seat.adverts(500, 8500, ACTIVE);
    let played = seat.end();
    let (at, finding) = played.raised(Code::DaemonDied);
    assert!(at < SECOND, "raised at {at}");
    assert_eq!(finding.addresses, [std::net::IpAddr::V4(VIP)]);
    assert!(
        finding.advice.contains("Start keepalived"),
        "{}",
        finding.advice
    );
    assert!(
        !finding.advice.contains("address del"),
        "{}",
        finding.advice
    );
    assert_eq!(played.codes(), [Code::DaemonDied]);
}

#[test]
fn a_daemon_is_gone_that_was_master_by_its_log() {
    let mut seat = Seat::holding();
    seat.recall("(VI_1) Entering MASTER STATE");
    seat.recall(&format!("Sending gratuitous ARP on eth0 for {VIP}"));
    seat.look(10, &[]);
    seat.adverts(500, 8500, ACTIVE);
    assert_eq!(seat.end().codes(), [Code::DaemonDied]);
}

#[test]
fn a_daemon_that_comes_back_ends_it() {
    let mut seat = Seat::holding();
    seat.conf("back", PASSWORD);
    seat.look(10, &[]);
    seat.adverts(500, 2500, ACTIVE);
    seat.look(3000, &[SOCKET]);
    seat.adverts(3200, 6200, (ONE, 51, 150));
    let played = seat.end();
    assert_eq!(played.codes(), [Code::DaemonDied]);
    assert_eq!(played.cleared(Code::DaemonDied), 3000);
}

#[test]
fn a_daemon_that_is_stopped_is_stalled() {
    let mut seat = Seat::holding();
    seat.look(10, &[STOPPED]);
    seat.adverts(500, 8500, ACTIVE);
    let (at, _) = seat.end().raised(Code::DaemonStalled);
    assert!(at < SECOND, "raised at {at}");
}

#[test]
fn an_address_that_is_nobodys_is_claimed_by_this_host() {
    let mut seat = Seat::holding();
    seat.look(10, &[]);
    seat.adverts(500, 8500, ACTIVE);
    let played = seat.end();
    let (_, finding) = played.raised(Code::VipConflict);
    assert_eq!(finding.cause, Some(Cause::Outsider));
    assert!(
        finding.message.contains("of this host"),
        "{}",
        finding.message
    );
    assert_eq!(played.codes(), [Code::VipConflict]);
}

#[test]
fn a_standby_with_the_address_is_a_conflict_once_it_had_time_to_say_otherwise() {
    let mut seat = Seat::holding();
    seat.look(10, &[SOCKET]);
    seat.adverts(500, 8500, ACTIVE);
    assert!(seat.wants_drops());
    let played = seat.end();
    let (at, finding) = played.raised(Code::VipConflict);
    assert!(at >= 3 * SECOND, "raised at {at}");
    assert_eq!(finding.cause, Some(Cause::Standby));
}

#[test]
fn adverts_that_the_kernel_drops_on_their_way_out_are_blocked() {
    let mut seat = Seat::holding();
    seat.look(10, &[SOCKET]);
    seat.adverts(500, 1500, ACTIVE);
    assert!(seat.wants_drops());
    seat.drops(2000, Direction::Out, ONE);
    seat.adverts(2500, 8500, ACTIVE);
    let played = seat.end();
    let (_, finding) = played.raised(Code::EgressBlocked);
    assert_eq!(finding.cause, Some(Cause::Kernel("NETFILTER_DROP".into())));
    assert_eq!(played.codes(), [Code::EgressBlocked]);
}

#[test]
fn a_daemon_with_another_password_is_the_silent_side_of_a_split_brain() {
    let mut seat = Seat::holding();
    let auth = "authentication {\n auth_type PASS\n auth_pass other\n }";
    seat.conf("password", auth);
    seat.look(10, &[SOCKET]);
    seat.adverts(500, 8500, ACTIVE);
    let played = seat.end();
    let (_, finding) = played.raised(Code::SplitBrain);
    assert_eq!(finding.cause, Some(Cause::AuthMismatch));
    assert_eq!(played.codes(), [Code::SplitBrain]);
}

#[test]
fn adverts_that_arrive_and_are_not_heeded_are_dropped_here() {
    let mut seat = Seat::holding();
    seat.look(10, &[SOCKET]);
    for second in 0..9 {
        seat.advert(second * SECOND + 200, (ONE, 51, 100));
        seat.advert(second * SECOND + 700, (TWO, 51, 150));
        if second == 4 {
            seat.drops(second * SECOND + 800, Direction::In, TWO);
        }
    }
    assert!(seat.wants_drops());
    assert!(seat.requests.contains(&Request::StopCounting));
    let played = seat.end();
    let (_, split) = played.raised(Code::SplitBrain);
    assert_eq!(split.cause, Some(Cause::LocalDrop));
    assert!(!split.message.contains("do not reach"), "{}", split.message);
    let (_, finding) = played.raised(Code::LocalDrop);
    assert_eq!(finding.cause, None);
    let updated = played
        .findings()
        .find(|(_, it)| it.code == Code::LocalDrop && it.status == Status::Updated);
    let (_, updated) = updated.expect("the kernel's answer");
    assert_eq!(updated.cause, Some(Cause::Kernel("NETFILTER_DROP".into())));
    assert!(played.0.iter().all(|record| !is_incident(record)));
}

#[test]
fn the_better_side_of_a_split_brain_knows_that_it_hears_the_other() {
    let mut seat = Seat::holding();
    seat.look(10, &[SOCKET]);
    for second in 0..9 {
        seat.advert(second * SECOND + 200, (ONE, 51, 150));
        seat.advert(second * SECOND + 700, (TWO, 51, 100));
    }
    let played = seat.end();
    let (_, split) = played.raised(Code::SplitBrain);
    assert_eq!(split.cause, Some(Cause::NotReceived));
    assert!(split.message.contains("arrive here"), "{}", split.message);
    assert_eq!(played.codes(), [Code::SplitBrain]);
}

#[test]
fn nothing_is_wrong_with_a_healthy_host() {
    let standby = || Seat::new(&[ONE.ip], None);
    let real_server = || Seat::new(&[ONE.ip], Some(link("lo", false, &[VIP])));
    let macvlan = || Seat::new(&[ONE.ip], Some(link("vrrp4-2-1", false, &[VIP])));
    let elsewhere = || Seat::new(&[ONE.ip], Some(link("eth1", true, &[VIP])));
    for (seat, sockets) in [
        (standby(), vec![SOCKET]),
        (standby(), vec![]),
        (real_server(), vec![]),
        (real_server(), vec![SOCKET]),
        (macvlan(), vec![SOCKET]),
        // Another network that uses the same address.
        (elsewhere(), vec![]),
    ] {
        let mut seat = seat;
        seat.look(10, &sockets);
        seat.adverts(500, 15_500, ACTIVE);
        assert_eq!(seat.end().codes(), []);
    }
}

#[test]
fn nothing_is_wrong_with_a_healthy_master() {
    let mut seat = Seat::holding();
    seat.conf("healthy", PASSWORD);
    seat.look(10, &[SOCKET]);
    seat.adverts(500, 15_500, (ONE, 51, 150));
    assert_eq!(seat.end().codes(), []);
    let mut unseen = Seat::holding();
    unseen.conf("unseen", PASSWORD);
    unseen.adverts(500, 15_500, ACTIVE);
    assert_eq!(unseen.end().codes(), [], "nobody looked for the daemon");
}

#[test]
fn an_address_that_another_virtual_router_of_this_host_serves_is_no_leftover() {
    let mut seat = Seat::holding();
    seat.look(10, &[SOCKET]);
    for second in 0..9 {
        seat.advert(second * SECOND + 200, (ONE, 52, 150));
        seat.advert(second * SECOND + 700, ACTIVE);
    }
    assert_eq!(seat.end().codes(), [Code::VipInTwoVrids]);
}

#[test]
fn a_router_that_preempts_has_the_address_for_a_reason() {
    let mut seat = Seat::new(&[ONE.ip], None);
    seat.look(10, &[SOCKET]);
    seat.adverts(500, 4500, ACTIVE);
    let change = vrrp_user::machine::AddressChange {
        address: VIP.into(),
        present: true,
        by: Some(7),
    };
    seat.stage.observer.handle_address(time(4600), &change);
    seat.adverts(4610, 12_610, (ONE, 51, 150));
    assert_eq!(seat.end().codes(), []);
}

fn is_incident(record: &Record) -> bool {
    matches!(record.body, Body::Incident(_))
}

fn announced(record: &Record) -> bool {
    matches!(&record.body, Body::State(state) if state.completes.is_some())
}

/// A third host, from the moment its watch begins.
fn third() -> Seat {
    Seat::new(&[Ipv4Addr::new(10, 77, 0, 50)], None)
}

fn refresh() -> Vec<u8> {
    arp(ArpOperation::REQUEST, ONE, VIP, VIP)
}

#[test]
fn the_start_of_the_watch_is_no_takeover() {
    let mut seat = third();
    seat.advert(600, (ONE, 51, 150));
    seat.stage.frame(900, refresh());
    for second in 1..12 {
        seat.advert(second * SECOND + 600, (ONE, 51, 150));
        seat.stage.frame(second * SECOND + 900, refresh());
    }
    let played = seat.end();
    assert!(!played.0.iter().any(is_incident));
    assert!(!played.0.iter().any(announced));
    assert_eq!(played.codes(), []);
}

#[test]
fn two_that_were_there_before_did_not_preempt_each_other() {
    let mut seat = third();
    for second in 0..9 {
        seat.advert(second * SECOND + 200, (TWO, 51, 100));
        seat.advert(second * SECOND + 400, (ONE, 51, 150));
    }
    let played = seat.end();
    let reasons: Vec<_> = played.changes().iter().map(|(_, it)| it.reason).collect();
    assert_eq!(reasons, [ChangeReason::FirstSeen, ChangeReason::FirstSeen]);
    assert!(!played.0.iter().any(is_incident));
    assert_eq!(played.codes(), [Code::SplitBrain]);
}

#[test]
fn a_router_that_starts_later_is_news() {
    let mut seat = third();
    seat.stage
        .frame(500, arp(ArpOperation::REQUEST, TWO, TWO.ip, TWO.ip));
    seat.advert(4 * SECOND, (ONE, 51, 150));
    for _ in 0..5 {
        seat.stage.frame(4 * SECOND + 1, refresh());
    }
    seat.adverts(5 * SECOND, 9 * SECOND, (ONE, 51, 150));
    let played = seat.end();
    assert!(played.0.iter().any(announced));
    assert!(played.0.iter().any(is_incident));
}
