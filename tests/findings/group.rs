//! A host that has left the group of VRRP: a switch that snoops IGMP may withhold all adverts from it, and
//! lets announcements through, which are broadcasts.

use etherparse::ArpOperation;
use vrrp_user::{frame::Direction, record::Code};

use crate::{
    seat::{SOCKET, Seat, link},
    stage::{ONE, Played, SECOND, TWO, VIP, arp},
};

/// This host's daemon is active, and is stopped at 5 s: it resigns, and its host leaves the group.
fn stopped() -> Seat {
    let mut seat = Seat::holding();
    seat.look(0, &[SOCKET]);
    seat.adverts(0, 5 * SECOND, (ONE, 51, 150));
    seat.advert(5200, (ONE, 51, 0));
    seat.show(5300, [Some(link("eth0", true, &[ONE.ip])), None]);
    seat.look(5400, &[]);
    seat
}

fn announce(seat: &mut Seat, at: u64) {
    let frame = arp(ArpOperation::REQUEST, TWO, VIP, VIP);
    seat.stage.frame_going(at, frame, Some(Direction::In));
}

fn quiet(mut seat: Seat, until: u64) -> Played {
    seat.look(until, &[]);
    seat.finish()
}

#[test]
fn who_announces_has_taken_over_and_its_adverts_may_be_withheld() {
    let mut seat = stopped();
    for at in 0..5 {
        announce(&mut seat, 5850 + at);
    }
    let played = quiet(seat, 20 * SECOND);
    let codes = played.codes();
    assert!(!codes.contains(&Code::NoMaster), "{codes:?}");
    assert!(!codes.contains(&Code::UnheardMaster), "{codes:?}");
}

#[test]
fn where_nobody_announces_nobody_took_over_and_it_says_what_that_is_judged_by() {
    let played = quiet(stopped(), 20 * SECOND);
    let (_, finding) = played.raised(Code::NoMaster);
    assert!(finding.message.contains("has not joined"), "{finding:?}");
    assert!(finding.message.contains("nobody may hold"), "{finding:?}");
}

#[test]
fn where_adverts_arrived_since_they_would_arrive_now() {
    let mut seat = stopped();
    seat.adverts(6 * SECOND, 10 * SECOND, (TWO, 51, 100));
    let played = quiet(seat, 20 * SECOND);
    let (_, finding) = played.raised(Code::NoMaster);
    assert!(!finding.message.contains("has not joined"), "{finding:?}");
}

#[test]
fn what_a_killed_daemon_left_is_told_without_a_word_about_others() {
    let mut seat = Seat::holding();
    seat.conf("VI_1", "");
    seat.look(0, &[]);
    let played = quiet(seat, 5 * SECOND);
    let (_, finding) = played.raised(Code::DaemonDied);
    assert!(
        finding.message.contains("cannot be told from here"),
        "{finding:?}"
    );
    assert!(
        !finding.message.contains("Nobody advertises"),
        "{finding:?}"
    );
}
