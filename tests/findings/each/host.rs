//! The watched host: its log, its configuration, its addresses, and what its kernel drops. `ONE` is on
//! it.

use vrrp_user::{frame::Direction, input::News, machine::AddressChange};

use crate::{
    account::{self, Account, BEGIN},
    seat::{ACTIVE, PASSWORD, SOCKET, STOPPED, Seat},
    stage::{ONE, Played, SECOND, TWO, VIP},
};

/// This host goes on advertising although a better router is heard on the wire, or only a worse one is.
pub(super) fn local_drop(trouble: bool) -> Played {
    let other = if trouble { 200 } else { 100 };
    let mut seat = Seat::holding();
    seat.look(10, &[SOCKET]);
    for second in 0..9 {
        seat.advert(second * SECOND + 200, (ONE, 51, 150));
        seat.advert(second * SECOND + 700, (TWO, 51, other));
    }
    seat.end()
}

/// The kernel says that it drops the adverts of this host, which has the address, or says nothing.
pub(super) fn egress_blocked(trouble: bool) -> Played {
    let mut seat = Seat::holding();
    seat.look(10, &[SOCKET]);
    seat.adverts(500, 1500, ACTIVE);
    if trouble {
        seat.drops(2000, Direction::Out, ONE);
    }
    seat.adverts(2500, 8500, ACTIVE);
    seat.end()
}

/// A stranger takes the address from the active router, or that router itself does.
pub(super) fn address_lost(trouble: bool) -> Played {
    const DAEMON: u32 = 7;
    let mut seat = Seat::new(&[ONE.ip], None);
    seat.look(10, &[SOCKET]);
    let change = |present, by| {
        News::Address(AddressChange {
            address: VIP.into(),
            present,
            by: Some(by),
        })
    };
    seat.stage.tell(200, change(true, DAEMON));
    seat.adverts(210, 3210, (ONE, 51, 150));
    let by = if trouble { DAEMON + 1 } else { DAEMON };
    seat.stage.tell(3500, change(false, by));
    seat.adverts(4210, 5210, (ONE, 51, 150));
    seat.end()
}

/// The daemon of a host that has the address is not there, or is.
pub(super) fn daemon_died(trouble: bool) -> Played {
    let mut seat = Seat::holding();
    seat.conf("each-died", PASSWORD);
    let there = [SOCKET];
    seat.look(10, if trouble { &[] } else { &there });
    seat.adverts(500, 8500, ACTIVE);
    seat.end()
}

/// The daemon of a host that has the address is stopped, or runs.
pub(super) fn daemon_stalled(trouble: bool) -> Played {
    let mut seat = Seat::holding();
    seat.look(10, &[if trouble { STOPPED } else { SOCKET }]);
    seat.adverts(500, 8500, ACTIVE);
    seat.end()
}

/// The log says that the address is announced, and no frame leaves, or the frames are seen.
pub(super) fn not_sent(trouble: bool) -> Played {
    account::announcing(if trouble { 0..0 } else { 4..16 })
}

/// The log says that the daemon is a backup, and it goes on advertising, or stops.
pub(super) fn log_and_wire(trouble: bool) -> Played {
    let mut account = Account::new();
    for text in BEGIN {
        account.line(0, "lb0", text);
    }
    account.line(1000, "lb0", "(VI_1) Entering MASTER STATE");
    account.adverts(1000, 5000, ONE, 150);
    account.line(5100, "lb0", "(VI_1) Entering BACKUP STATE");
    if trouble {
        account.adverts(6000, 15 * SECOND, ONE, 150);
    } else {
        account.adverts(6000, 15 * SECOND, TWO, 200);
    }
    account.end(16 * SECOND)
}

/// The router advertises another priority than its configuration has, or that.
pub(super) fn configuration(trouble: bool) -> Played {
    let mut seat = Seat::holding();
    seat.conf("each-drift", PASSWORD);
    seat.look(10, &[SOCKET]);
    let priority = if trouble { 120 } else { 150 };
    seat.adverts(500, 8500, (ONE, 51, priority));
    seat.end()
}

/// The logger says that it dropped lines, or that it folded some.
pub(super) fn log_gap(trouble: bool) -> Played {
    account::stalled(Some(if trouble {
        "imuxsock lost 17 messages from pid 7 due to rate-limiting"
    } else {
        "message repeated 4 times: [ (VI_1) something]"
    }))
}
