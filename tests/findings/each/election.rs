//! Who is active, and whether it can be seen.

use vrrp_user::{
    input::News,
    sight::{Blindness, Seat},
};

use crate::stage::{ONE, Played, SECOND, Script, Stage, TWO, VIP, message, pair, seat};

/// A second router goes on advertising, or does so once: its advert crossed one of the better.
pub(super) fn split_brain(trouble: bool) -> Played {
    let until = if trouble { 15_300 } else { 5300 };
    Script::default()
        .adverts(0, 15 * SECOND, ONE, &message(150))
        .adverts(5300, until, TWO, &message(100))
        .play()
}

/// The active router falls silent, and nobody takes over, or the backup does in its time.
pub(super) fn no_master(trouble: bool) -> Played {
    let script = if trouble {
        pair()
    } else {
        pair().adverts(8609, 20 * SECOND, TWO, &message(100))
    };
    script.quiet_until(20 * SECOND).play()
}

/// The active router falls silent, and another announces the address without being heard, or nobody does.
pub(super) fn unheard_master(trouble: bool) -> Played {
    let script = if trouble {
        pair().announce(9 * SECOND, TWO, VIP)
    } else {
        pair()
    };
    script.quiet_until(30 * SECOND).play()
}

/// A router asks for its unicast peer in place of each advert, and gets no answer, or one.
pub(super) fn peer_unreachable(trouble: bool) -> Played {
    crate::scenes::unicast(!trouble)
}

/// A backup takes over from a router that fell silent, or that resigned.
pub(super) fn silent_failover(trouble: bool) -> Played {
    let script = if trouble {
        pair()
    } else {
        pair().advert(5500, ONE, &message(0))
    };
    script.adverts(8609, 20 * SECOND, TWO, &message(100)).play()
}

/// The active router changes three times in a minute, or twice.
pub(super) fn flapping(trouble: bool) -> Played {
    let script = pair()
        .advert(5500, ONE, &message(0))
        .adverts(6110, 12_110, TWO, &message(100))
        .adverts(12_500, 20_500, ONE, &message(150));
    let script = if trouble {
        script
            .advert(20_900, ONE, &message(0))
            .adverts(21_500, 30 * SECOND, TWO, &message(100))
    } else {
        script.adverts(21_500, 30 * SECOND, ONE, &message(150))
    };
    script.play()
}

/// An advert comes after more than one and a half intervals, or a little less.
pub(super) fn advert_gap(trouble: bool) -> Played {
    let next = if trouble { 6600 } else { 6400 };
    Script::default()
        .adverts(0, 5 * SECOND, ONE, &message(150))
        .adverts(next, 15 * SECOND, ONE, &message(150))
        .play()
}

/// The interface is down after ten seconds, or stays as it is.
pub(super) fn blind(trouble: bool) -> Played {
    let mut stage = Stage::new();
    stage.tell(0, News::Seats(vec![seat("eth0")]));
    let script = Script::default().adverts(0, 10 * SECOND, ONE, &message(150));
    for (at, frame) in script.in_order() {
        stage.frame(at, frame);
    }
    let then = Seat {
        blind: trouble.then_some(Blindness::Down),
        ..seat("eth0")
    };
    stage.tell(10_500, News::Seats(vec![then]));
    Played(stage.records)
}
