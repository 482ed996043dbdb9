//! New connections at a host, and who is active meanwhile.

use vrrp_tests::vrrp::Message;
use vrrp_user::{
    frame::Direction,
    input::News,
    model::Span,
    observer::{Observer, Output, Request, Settings},
    record::{Code, Volume},
    tracker::Segment,
    traffic::Traffic,
    wire::VlanStack,
};

use crate::stage::{Host, ONE, Played, SECOND, Stage, TWO, VIP, advert, seen, time};

/// The length of an interval, in the milliseconds of a script.
const INTERVAL: u64 = 5 * SECOND;

fn traffic(syns: u64, interface: &str) -> Traffic {
    let arrived = Volume {
        packets: 3 * syns,
        bytes: 180 * syns,
        syns,
    };
    Traffic {
        segment: Segment {
            interface: Some(interface.into()),
            vlan: VlanStack::default(),
        },
        address: VIP.into(),
        span: Span::from_millis(INTERVAL),
        arrived,
        left: Volume::default(),
    }
}

/// A host that takes part in the election, or only looks on.
pub(crate) struct Observed {
    stage: Stage,
    /// Who is active in each second, and which way its adverts go.
    active: fn(u64) -> (Host, Direction),
}

impl Observed {
    /// Counts so many new connections in each interval.
    pub(crate) fn play(mut self, syns: &[u64]) -> Played {
        for (second, at) in (0..).zip((0..=syns.len() as u64 * INTERVAL).step_by(1000)) {
            let (host, direction) = (self.active)(second);
            let message = Message::v2(51, if host.ip == ONE.ip { 150 } else { 100 }, [VIP.into()]);
            self.stage
                .frame_going(at, advert(host, &message), Some(direction));
            let intervals = (at / INTERVAL) as usize;
            if at % INTERVAL == 0 && intervals > 0 {
                let counted = traffic(syns[intervals - 1], "eth0");
                self.stage
                    .observer
                    .handle(time(at + 1), &News::Traffic(vec![counted]).into());
                self.stage.collect();
            }
        }
        Played(self.stage.records)
    }
}

pub(crate) fn observed(active: fn(u64) -> (Host, Direction)) -> Observed {
    Observed {
        stage: Stage::new(),
        active,
    }
}

/// Another host is active all the time.
pub(crate) const fn elsewhere(_second: u64) -> (Host, Direction) {
    (ONE, Direction::In)
}

#[test]
fn connections_that_keep_coming_are_found_until_they_stop() {
    let played = observed(elsewhere).play(&[0, 4, 9, 3, 0, 0, 0]);
    let (at, finding) = played.raised(Code::TrafficAtStandby);
    assert_eq!(at, 3 * INTERVAL + 1);
    assert_eq!(finding.sources, [std::net::IpAddr::V4(ONE.ip)]);
    assert_eq!(finding.addresses, [std::net::IpAddr::V4(VIP)]);
    let told = "13 new TCP connections for 10.77.0.100 arrived at this host in 10.0 s, 9 of them \
                in the last 5.0 s";
    assert_eq!(finding.evidence[0].what, told);
    assert_eq!(
        played.cleared(Code::TrafficAtStandby),
        6 * INTERVAL + 1,
        "after two quiet intervals"
    );
}

#[test]
fn one_interval_is_no_habit_and_one_rest_is_no_end() {
    for syns in [&[0, 4, 0, 0, 4, 0, 0][..], &[0, 4, 0, 4, 0, 4]] {
        assert_eq!(observed(elsewhere).play(syns).codes(), []);
    }
    let played = observed(elsewhere).play(&[0, 4, 4, 0, 4, 0, 4, 4]);
    assert_eq!(played.codes(), [Code::TrafficAtStandby]);
    assert!(played.findings().count() < 3, "raised once, and open");
}

#[test]
fn the_active_router_gets_its_connections() {
    let here = |_| (ONE, Direction::Out);
    assert_eq!(observed(here).play(&[5; 6]).codes(), []);
}

#[test]
fn an_interval_with_a_takeover_does_not_count() {
    // This host is active until the twelfth second.
    let handed_over = |second| {
        if second < 12 {
            (TWO, Direction::Out)
        } else {
            (ONE, Direction::In)
        }
    };
    let played = observed(handed_over).play(&[5, 5, 5, 5, 0, 0]);
    assert!(!played.codes().contains(&Code::TrafficAtStandby));
    let played = observed(handed_over).play(&[5, 5, 5, 5, 5, 0, 0]);
    let (at, _) = played.raised(Code::TrafficAtStandby);
    assert_eq!(at, 5 * INTERVAL + 1);
}

#[test]
fn it_ends_when_this_host_becomes_active() {
    let taken_over = |second| {
        if second < 18 {
            (TWO, Direction::In)
        } else {
            (ONE, Direction::Out)
        }
    };
    let played = observed(taken_over).play(&[5; 6]);
    assert_eq!(played.raised(Code::TrafficAtStandby).0, 3 * INTERVAL + 1);
    assert_eq!(played.cleared(Code::TrafficAtStandby), 18 * SECOND);
}

#[test]
fn what_arrives_elsewhere_is_not_about_the_virtual_router() {
    let mut stage = Stage::new();
    for second in 0..40 {
        let message = Message::v2(51, 150, [VIP.into()]);
        let at = second * SECOND;
        stage.frame_going(at, advert(ONE, &message), Some(Direction::In));
        if second % 5 == 0 {
            let routed = traffic(7, "eth1");
            stage
                .observer
                .handle(time(at + 1), &News::Traffic(vec![routed]).into());
        }
    }
    stage.collect();
    assert_eq!(Played(stage.records).codes(), []);
}

#[test]
fn virtual_addresses_are_counted_and_those_of_routers_are_not() {
    let given = std::net::IpAddr::from([10, 77, 0, 200]);
    let mut observer = Observer::new(Settings {
        watched: vec![given],
        traffic: Some(Span::from_secs(10)),
        ..Stage::settings()
    });
    let mut counted = Vec::new();
    for at in [0, SECOND] {
        let message = Message::v2(51, 150, [VIP.into()]);
        let frame = seen(at, advert(ONE, &message), Some(Direction::In));
        observer.handle(frame.time, &News::Frame(frame).into());
        while let Some(output) = observer.poll_output() {
            if let Output::Request(Request::Count(address)) = output {
                counted.push(address);
            }
        }
    }
    assert_eq!(counted, [given, VIP.into()]);
}
