//! Frames that are made up: what they can make vrrpwatch say, and what not.

use etherparse::ArpOperation;
use vrrp_tests::vrrp::{Message, Variant};
use vrrp_user::record::{Code, Status};

use crate::stage::{
    Host, ONE, Played, SECOND, Script, THIRD, TWO, VIP, advert, advert_to, arp, message,
};

const MINUTE: u64 = 60 * SECOND;

/// A machine that sends in the names of others.
const FORGER: [u8; 6] = [2, 0, 0, 0, 0, 0xee];

/// Two routers that do not hear each other for a minute.
fn split() -> Script {
    Script::default()
        .adverts(0, MINUTE, ONE, &message(150))
        .adverts(300, MINUTE, TWO, &message(100))
}

fn in_the_name_of(host: Host) -> Host {
    Host {
        mac: FORGER,
        ..host
    }
}

fn ends(played: &Played, code: Code) -> Vec<(u64, Status)> {
    played
        .findings()
        .filter(|(_, finding)| finding.code == code)
        .map(|(at, finding)| (at, finding.status))
        .filter(|(_, status)| matches!(status, Status::Cleared | Status::Forgotten))
        .collect()
}

#[test]
fn a_resignation_from_another_mac_is_told_and_ends_nothing() {
    let mut script = split();
    for second in 20..50 {
        script = script.advert(second * SECOND + 310, in_the_name_of(TWO), &message(0));
    }
    let played = script.play();
    let (at, finding) = played.raised(Code::NewSender);
    assert_eq!(at, 20_310);
    assert!(
        finding.message.contains("02:00:00:00:00:ee"),
        "{}",
        finding.message
    );
    assert_eq!(finding.sources, [std::net::IpAddr::from(TWO.ip)]);
    played.raised(Code::SplitBrain);
    assert_eq!(ends(&played, Code::SplitBrain), []);
}

#[test]
fn a_router_that_moves_to_another_card_is_told_for_a_minute() {
    let played = Script::default()
        .adverts(0, 20 * SECOND, ONE, &message(150))
        .adverts(
            21 * SECOND,
            120 * SECOND,
            in_the_name_of(ONE),
            &message(150),
        )
        .play();
    assert_eq!(played.raised(Code::NewSender).0, 21 * SECOND);
    assert_eq!(played.cleared(Code::NewSender), 80 * SECOND);
}

#[test]
fn routers_that_share_a_virtual_mac_are_no_new_sender() {
    let virtual_mac = [0, 0, 0x5e, 0, 1, 51];
    let with = |host: Host| Host {
        mac: virtual_mac,
        ..host
    };
    let played = Script::default()
        .adverts(0, 10 * SECOND, with(ONE), &message(150))
        .adverts(14 * SECOND, 30 * SECOND, with(TWO), &message(100))
        .adverts(31 * SECOND, 40 * SECOND, with(ONE), &message(150))
        .play();
    assert!(!played.codes().contains(&Code::NewSender));
}

#[test]
fn one_advert_to_a_peer_of_another_virtual_router_makes_them_no_one() {
    let (other, its_peer) = (host(12), host(13));
    let service = Message::v2(51, 150, [std::net::Ipv4Addr::new(10, 77, 0, 200).into()]);
    let mut script = Script::default();
    for second in 0..90 {
        let at = second * SECOND;
        script = script
            .frame(at, advert_to(other, &service, its_peer.ip))
            .frame(at + 100, advert_to(ONE, &message(150), TWO.ip))
            .frame(at + 400, advert_to(TWO, &message(100), ONE.ip));
    }
    for second in 40..50 {
        let forged = advert_to(in_the_name_of(ONE), &message(100), other.ip);
        script = script.frame(second * SECOND + 600, forged);
    }
    let played = script.play();
    played.raised(Code::SplitBrain);
    assert_eq!(ends(&played, Code::SplitBrain), []);
    assert!(!played.codes().contains(&Code::VridCollision));
}

#[test]
fn adverts_that_keep_crossing_show_that_two_are_one() {
    let (third, fourth) = (host(12), host(13));
    let mut stage = crate::stage::Stage::new();
    for second in 0..10 {
        let at = second * SECOND;
        stage.frame(at, advert_to(ONE, &message(150), TWO.ip));
        stage.frame(at + 100, advert_to(third, &message(140), fourth.ip));
        assert_eq!(
            routers(&stage),
            if second < 8 { 2.min(second + 2) } else { 1 }
        );
        if second >= 5 {
            stage.frame(at + 200, advert_to(ONE, &message(150), third.ip));
        }
    }
}

fn routers(stage: &crate::stage::Stage) -> u64 {
    let count = stage.observer.world().tracker().routers().count();
    u64::try_from(count).expect("a small number")
}

#[test]
fn random_claims_do_not_hide_the_one_that_goes_on() {
    let rogue = Host {
        ip: VIP,
        mac: [2, 0, 0, 0, 0x0b, 0xad],
    };
    let mut script = Script::default()
        .adverts(0, 2 * MINUTE, ONE, &message(150))
        .announce(10, ONE, VIP);
    for second in 11..120 {
        script = script.ask(second * SECOND + 500, VIP, &[ONE, rogue]);
    }
    for number in 0..2000_u16 {
        let [high, low] = number.to_be_bytes();
        let made_up = Host {
            ip: VIP,
            mac: [6, high, low, low, high, 1],
        };
        let reply = arp(ArpOperation::REPLY, made_up, VIP, THIRD.ip);
        script = script.frame(30 * SECOND + u64::from(number) * 25, reply);
    }
    let played = script.play();
    let (at, _) = played.raised(Code::VipConflict);
    assert!(at < 13 * SECOND, "raised at {at}");
    assert_eq!(ends(&played, Code::VipConflict), []);
    let told: Vec<_> = played
        .findings()
        .filter(|(at, finding)| finding.code == Code::VipConflict && *at > 31 * SECOND)
        .collect();
    assert!(told.len() <= 60, "{} updates", told.len());
    for (at, finding) in told {
        assert!(finding.message.contains("02:00:00:00:0b:ad"), "at {at}");
        assert!(finding.message.len() < 1000, "{}", finding.message);
    }
}

#[test]
fn adverts_with_a_bad_checksum_do_not_excuse_a_late_one() {
    let noise = Message {
        checksum: Variant::Wrong,
        ..message(90)
    };
    let mut script = Script::default()
        .adverts(0, 4 * SECOND, ONE, &message(150))
        .adverts(6600, 10_600, ONE, &message(150));
    for second in 0..10 {
        script = script.advert(second * SECOND + 400, THIRD, &noise);
    }
    let played = script.play();
    assert_eq!(played.raised(Code::AdvertGap).0, 6600);
}

#[test]
fn what_has_to_go_is_forgotten_and_what_is_open_stays() {
    let mut script = Script::default();
    // Six hundred that are real, and the first of them split.
    for vlan in 1..=600_u16 {
        for second in 0..3 {
            let at = second * SECOND + u64::from(vlan);
            let tagged = |host, priority| {
                let frame = advert(host, &message(priority));
                vrrp_tests::frames::tagged(&frame, &[(0x8100, vlan)])
            };
            script = script.frame(at, tagged(ONE, 150));
            if vlan == 1 {
                script = script.frame(at + 300, tagged(TWO, 100));
            }
        }
    }
    let played = script.play();
    played.raised(Code::SplitBrain);
    let forgotten = |code| {
        played
            .findings()
            .filter(|(_, finding)| finding.code == code && finding.status == Status::Forgotten)
            .count()
    };
    assert_eq!(forgotten(Code::SplitBrain), 0);
    assert!(forgotten(Code::PlaintextAuth) >= 88);
    assert!(
        played
            .findings()
            .all(|(at, finding)| finding.status != Status::Cleared || at > 3500),
        "nothing is over"
    );
}

#[test]
fn a_flood_is_told_once_with_who_sends_it_and_ends() {
    let mut script = Script::default().adverts(0, MINUTE, ONE, &message(150));
    for number in 0..1500_u16 {
        let [high, low] = number.to_be_bytes();
        let made_up = Host {
            ip: [10, 99, high, low].into(),
            mac: FORGER,
        };
        let vrid = 60 + u8::try_from(number % 100).expect("it is below 100");
        let advert = Message::v2(vrid, 100, [VIP.into()]);
        script = script.advert(10 * SECOND + u64::from(number) * 4, made_up, &advert);
    }
    let played = script.play();
    let (at, finding) = played.raised(Code::Flood);
    assert!((11_000..13_000).contains(&at), "raised at {at}");
    assert!(
        finding.message.contains("02:00:00:00:00:ee"),
        "{}",
        finding.message
    );
    let over = played.cleared(Code::Flood);
    assert!((20_000..23_000).contains(&over), "cleared at {over}");
}

#[test]
fn a_start_and_a_takeover_of_many_are_no_flood() {
    let mut script = Script::default();
    for vrid in 1..=250_u8 {
        let own = Message::v2(vrid, 150, [[10, 78, 0, vrid].into()]);
        let at = u64::from(vrid) * 3;
        script = script.adverts(at, 10 * SECOND, ONE, &own).adverts(
            14 * SECOND + at,
            20 * SECOND,
            TWO,
            &own,
        );
        for repeat in 0..2 {
            let at = 14 * SECOND + at + repeat * 5 * SECOND;
            script = script.announce(at, TWO, [10, 78, 0, vrid].into());
        }
    }
    assert!(!script.play().codes().contains(&Code::Flood));
}

const fn host(last: u8) -> Host {
    Host {
        ip: std::net::Ipv4Addr::new(10, 77, 0, last),
        mac: [2, 0, 0, 0, 0, last],
    }
}
