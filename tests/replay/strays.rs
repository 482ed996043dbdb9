//! Single frames of another time than those around them, in one of several files with a log beside.

use std::{fs, path::PathBuf};

use vrrp_tests::frames;
use vrrp_user::record::{Body, LossReason, Record};

use crate::{
    cases,
    command::{Replay, without_run},
};

/// Where the seconds of the frames stand in a classic pcap file.
fn places(bytes: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut at = 24;
    while at < bytes.len() {
        places.push(at);
        let length = bytes[at + 8..at + 12].try_into().expect("four bytes");
        at += 16 + u32::from_le_bytes(length) as usize;
    }
    places
}

/// The file with a frame of no concern put before the one with this number.
fn with_frame(bytes: &[u8], number: usize, seconds: u32) -> Vec<u8> {
    let at = places(bytes)[number];
    let frame = frames::tcp_syn();
    let length = u32::try_from(frame.len()).expect("a frame").to_le_bytes();
    let header = [seconds.to_le_bytes(), [0; 4], length, length].concat();
    [&bytes[..at], &header, &frame, &bytes[at..]].concat()
}

/// What is said of the network, and how many frames were of another time.
fn said(records: Vec<Record>) -> (Vec<Record>, u64) {
    let Some(Body::Summary(summary)) = records.last().map(|record| record.body.clone()) else {
        panic!("no summary");
    };
    let strays = summary.lost.get(&LossReason::StrayTime).copied();
    assert!(!summary.lost.contains_key(&LossReason::ClockStepped));
    let of_network =
        records
            .into_iter()
            .map(without_run)
            .filter_map(|mut record| match &mut record.body {
                Body::Start(_) | Body::Loss(_) | Body::Summary(_) => None,
                Body::Advert(advert) => {
                    advert.auth_fingerprint = None;
                    Some(record)
                }
                _ => Some(record),
            });
    (of_network.collect(), strays.unwrap_or(0))
}

#[test]
fn a_frame_of_another_year_changes_nothing() {
    let case = cases::folder().join("04a-v2-kill9");
    let of = |name: &str| case.join(name);
    let bytes = fs::read(of("lb0.pcap")).expect("the recording");
    let replay = |file: PathBuf| {
        let log = format!("lb0={}", of("lb0.syslog").display());
        Replay::file(&file)
            .args([of("lb1.pcap")])
            .args(["--log", &log, "--fail-on", "never"])
            .records()
    };
    let (expected, none) = said(replay(of("lb0.pcap")));
    assert!(expected.len() > 50 && none == 0);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("strays");
    fs::create_dir_all(&folder).expect("a folder");
    let last = places(&bytes).len() - 1;
    for (number, seconds) in [
        (0, u32::MAX),
        (1, u32::MAX),
        (7, u32::MAX),
        (7, 0),
        (last, 1),
    ] {
        let file = folder.join(format!("{number}-{seconds}.pcap"));
        fs::write(&file, with_frame(&bytes, number, seconds)).expect("room for a file");
        let (records, strays) = said(replay(file));
        assert_eq!(strays, 1, "{number} {seconds}");
        assert_eq!(records, expected, "{number} {seconds}");
    }
}
