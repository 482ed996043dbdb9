//! The session of an operator that vrrpwatch was made for: two hosts that were meant to be a pair,
//! with one address and two VRIDs.

use std::{env, fs, net::Ipv4Addr};

use vrrp_tests::vrrp::Message;
use vrrp_user::{
    model::Timestamp,
    record::{Body, Code, Status},
};

use crate::{
    recorded::{folder, replay},
    stage::{Host, SECOND, Script},
};

const CASE: &str = "50-two-vrids-of-a-session";
/// Seconds since the epoch.
const START: u64 = 1_600_000_000;
const ADDRESS: Ipv4Addr = Ipv4Addr::new(189, 124, 160, 100);

fn recording() -> Vec<u8> {
    let one = Host {
        ip: Ipv4Addr::new(189, 124, 161, 57),
        mac: [2, 0, 0, 0, 0, 57],
    };
    let other = Host {
        ip: Ipv4Addr::new(189, 124, 160, 136),
        mac: [2, 0, 0, 0, 0, 136],
    };
    let message = |vrid, priority| Message {
        auth_data: *b"1234\0\0\0\0",
        ..Message::v2(vrid, priority, [ADDRESS.into()])
    };
    let frames = Script::default()
        .adverts(0, 9 * SECOND, one, &message(51, 100))
        .adverts(400, 9 * SECOND, other, &message(50, 102))
        .in_order();
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
        file.extend(word.to_le_bytes());
    }
    for (at, frame) in frames {
        let length = u32::try_from(frame.len()).expect("a frame");
        let seconds = u32::try_from(START + at / 1000).expect("a time");
        let micros = u32::try_from(at % 1000).expect("a time") * 1000;
        for word in [seconds, micros, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}

#[test]
fn the_recording_is_the_session() {
    let path = folder().join(CASE).join("traffic.pcap");
    if env::var_os("BLESS").is_some() {
        fs::write(&path, recording()).expect("the file can be written");
    }
    let kept = fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    assert!(kept == recording(), "{path:?} differs; BLESS=1 rewrites it");
}

#[test]
fn the_operator_is_told_which_two_and_what_to_do() {
    let records = replay(CASE);
    let findings: Vec<_> = records
        .iter()
        .filter_map(|record| match &record.body {
            Body::Finding(finding) if finding.code != Code::PlaintextAuth => {
                Some((record.time, finding))
            }
            _ => None,
        })
        .collect();
    let [(time, finding)] = findings[..] else {
        panic!("one finding, not {findings:#?}");
    };
    assert_eq!(finding.code, Code::VipInTwoVrids);
    assert_eq!(finding.status, Status::Raised);
    let after = time.since(Timestamp::from_parts(START, 0));
    assert_eq!(after.as_millis(), 1400, "when each was heard twice");
    for part in [
        "189.124.160.100 is advertised",
        "VRID 51 by 189.124.161.57",
        "VRID 50 by 189.124.160.136",
        "priority 100",
        "priority 102",
    ] {
        assert!(finding.message.contains(part), "{}", finding.message);
    }
    assert!(
        finding.advice.contains("use one VRID"),
        "{}",
        finding.advice
    );
    assert!(finding.advice.contains("virtual_router_id"));
    assert_eq!(finding.addresses, [std::net::IpAddr::V4(ADDRESS)]);
}
