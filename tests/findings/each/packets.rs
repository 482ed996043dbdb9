//! What is wrong with single packets, and with who sends them.

use etherparse::Ipv4Header;
use vrrp_tests::{
    frames::{ETHERNET, GROUP_V4},
    vrrp::{Message, Variant},
};
use vrrp_user::frame::Direction;

use crate::{
    recorded::replay,
    stage::{Host, ONE, Played, SECOND, Script, Stage, VIP, advert, numbered_advert},
};

fn message() -> Message {
    Message::v2(51, 150, [VIP.into()])
}

/// These frames, one each second.
fn each_second(frame: &[u8]) -> Played {
    (0..10)
        .fold(Script::default(), |script, second| {
            script.frame(second * SECOND, frame.to_vec())
        })
        .play()
}

/// The checksum is wrong, or right.
pub(super) fn bad_checksum(trouble: bool) -> Played {
    let message = Message {
        checksum: if trouble {
            Variant::Wrong
        } else {
            Variant::Usual
        },
        ..message()
    };
    each_second(&advert(ONE, &message))
}

/// The TTL is one less than it has to be, or is right.
pub(super) fn bad_ttl(trouble: bool) -> Played {
    let mut frame = advert(ONE, &message());
    if trouble {
        let (mut header, _) = Ipv4Header::from_slice(&frame[ETHERNET..]).expect("an IP packet");
        header.time_to_live = 254;
        header.header_checksum = header.calc_header_checksum();
        let bytes = header.to_bytes();
        frame[ETHERNET..ETHERNET + bytes.len()].copy_from_slice(&bytes);
    }
    each_second(&frame)
}

/// The version is one that there is not, or VRRPv2.
pub(super) fn malformed(trouble: bool) -> Played {
    let message = Message {
        version: if trouble { 7 } else { 2 },
        ..message()
    };
    each_second(&advert(ONE, &message))
}

/// A router goes on from another MAC, or from its own.
pub(super) fn new_sender(trouble: bool) -> Played {
    let later = Host {
        mac: if trouble {
            [2, 0, 0, 0, 0, 0xee]
        } else {
            ONE.mac
        },
        ..ONE
    };
    Script::default()
        .adverts(0, 10 * SECOND, ONE, &message())
        .adverts(11 * SECOND, 20 * SECOND, later, &message())
        .play()
}

/// The virtual MAC is that of another VRID, or of its own.
pub(super) fn virtual_mac(trouble: bool) -> Played {
    let sender = Host {
        mac: [0, 0, 0x5e, 0, 1, if trouble { 52 } else { 51 }],
        ..ONE
    };
    each_second(&advert(sender, &message()))
}

/// For three seconds unknown senders send three hundred adverts a second, or ten.
pub(super) fn flood(trouble: bool) -> Played {
    let (count, pause) = if trouble { (900_u16, 3) } else { (30, 100) };
    let mut script = Script::default().adverts(0, 30 * SECOND, ONE, &message());
    for number in 0..count {
        let [high, low] = number.to_be_bytes();
        let stranger = Host {
            ip: [10, 99, high, low].into(),
            mac: [2, 0, 0, 0, 0, 0xee],
        };
        let vrid = 60 + u8::try_from(number % 100).expect("it is below 100");
        let advert = Message::v2(vrid, 100, [[10, 78, high, low].into()]);
        script = script.advert(10 * SECOND + u64::from(number) * pause, stranger, &advert);
    }
    script.play()
}

/// Two adverts arrive at once: copies of a packet, or two packets, each with a number of its own.
pub(super) fn reflected(trouble: bool) -> Played {
    let mut stage = Stage::new();
    for number in 0..12_u16 {
        let at = u64::from(number / 2) * SECOND;
        let identification = if trouble { number / 2 } else { number };
        let frame = numbered_advert(ONE, &message(), GROUP_V4, identification);
        stage.frame_going(at, frame, Some(Direction::In));
    }
    Played(stage.records)
}

/// A password is in the adverts, or none.
pub(super) fn plaintext(trouble: bool) -> Played {
    let message = Message {
        auth_type: u8::from(trouble),
        ..message()
    };
    each_second(&advert(ONE, &message))
}

/// A pair of ucarp is in the same network, or of keepalived.
pub(super) fn carp(trouble: bool) -> Played {
    Played(replay(if trouble {
        "33-ucarp-pair"
    } else {
        "01-v2-normal"
    }))
}
