//! Two routers that advertise: of one virtual router or of two.

use std::net::Ipv4Addr;

use vrrp_tests::{
    frames::GROUP_V4,
    vrrp::{Message, Variant},
};

use crate::stage::{Host, ONE, Played, SECOND, Script, TWO, VIP, advert_to};

/// An address of another service.
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 200);

fn v2(priority: u8) -> Message {
    Message::v2(51, priority, [VIP.into()])
}

fn v3(priority: u8) -> Message {
    Message::v3(51, priority, [VIP.into()])
}

/// Both advertise for fifteen seconds.
fn both((host, message): (Host, &Message), (other, its): (Host, &Message)) -> Played {
    Script::default()
        .adverts(0, 15 * SECOND, host, message)
        .adverts(400, 15 * SECOND, other, its)
        .play()
}

/// The second service has the VRID of the first, or one of its own.
pub(super) fn vrid_collision(trouble: bool) -> Played {
    let vrid = if trouble { 51 } else { 52 };
    let other = Message::v2(vrid, 100, [OTHER.into()]);
    both((ONE, &v2(150)), (TWO, &other))
}

/// The second VRID has the address of the first, or one of its own.
pub(super) fn vip_in_two_vrids(trouble: bool) -> Played {
    let address = if trouble { VIP } else { OTHER };
    let other = Message::v2(52, 100, [address.into()]);
    both((ONE, &v2(150)), (TWO, &other))
}

/// Both say that they own the address, or the first alone.
pub(super) fn owner_conflict(trouble: bool) -> Played {
    let priority = if trouble { 255 } else { 254 };
    both((ONE, &v2(255)), (TWO, &v2(priority)))
}

/// Who says that it owns the address does not have it as its own, or does.
pub(super) fn false_owner(trouble: bool) -> Played {
    let address = if trouble { VIP } else { ONE.ip };
    let message = Message::v2(51, 255, [address.into()]);
    Script::default()
        .adverts(0, 15 * SECOND, ONE, &message)
        .play()
}

/// The second advertises every two seconds, or each second as the first.
pub(super) fn interval(trouble: bool) -> Played {
    let other = Message {
        interval: if trouble { 2 } else { 1 },
        ..v2(100)
    };
    both((ONE, &v2(150)), (TWO, &other))
}

/// The second speaks VRRPv3, or VRRPv2 as the first.
pub(super) fn version(trouble: bool) -> Played {
    let other = if trouble { v3(100) } else { v2(100) };
    both((ONE, &v2(150)), (TWO, &other))
}

/// The second has another password, or the same.
pub(super) fn auth(trouble: bool) -> Played {
    let other = Message {
        auth_data: if trouble { *b"otherpas" } else { *b"testpass" },
        ..v2(100)
    };
    both((ONE, &v2(150)), (TWO, &other))
}

/// The second has one address more, or the same.
pub(super) fn address_list(trouble: bool) -> Played {
    let mut other = v2(100);
    if trouble {
        other.addresses.push(OTHER.into());
    }
    both((ONE, &v2(150)), (TWO, &other))
}

/// The second leaves the pseudo header out of its checksum, or covers it as the first.
pub(super) fn checksum_variant(trouble: bool) -> Played {
    let other = Message {
        checksum: if trouble {
            Variant::NoPseudoHeader
        } else {
            Variant::Usual
        },
        ..v3(100)
    };
    both((ONE, &v3(150)), (TWO, &other))
}

/// The second sends to the first alone, or to the group.
pub(super) fn unicast_multicast(trouble: bool) -> Played {
    let to = if trouble { ONE.ip } else { GROUP_V4 };
    let mut script = Script::default().adverts(0, 15 * SECOND, ONE, &v2(150));
    for second in 0..15 {
        let frame = advert_to(TWO, &v2(100), to);
        script = script.frame(second * SECOND + 400, frame);
    }
    script.play()
}
