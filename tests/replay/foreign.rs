//! Capture files of other tools: what they hold is read, or it is told what was not.

use std::path::PathBuf;

use vrrp_user::record::{Body, Code, LossReason, Record};

use crate::command::Replay;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("replay/files")
        .join(name)
}

/// The records of a file, what was said of it, and the status.
fn replay(name: &str) -> (Vec<Record>, String, Option<i32>) {
    let output = Replay::file(&file(name))
        .args(["--format", "json"])
        .output();
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let records = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a record"))
        .collect();
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    (records, said, output.status.code())
}

fn found(records: &[Record], code: Code) -> bool {
    records
        .iter()
        .any(|record| matches!(&record.body, Body::Finding(finding) if finding.code == code))
}

fn lost(records: &[Record], reason: LossReason) -> u64 {
    match &records.last().expect("a summary").body {
        Body::Summary(summary) => summary.lost.get(&reason).copied().unwrap_or(0),
        other => panic!("{other:?}"),
    }
}

#[test]
fn frames_of_a_foreign_link_are_named_and_the_others_read() {
    let (records, said, status) = replay("foreign-link.pcapng");
    assert!(found(&records, Code::SplitBrain));
    assert_eq!(lost(&records, LossReason::ForeignLink), 1);
    assert!(said.contains("1 frames of lo0 were not read"), "{said}");
    assert!(said.contains("NULL"), "{said}");
    assert_eq!(status, Some(1), "findings, and not an unreadable file");
}

#[test]
fn frames_without_times_are_told() {
    let (records, said, status) = replay("no-times.pcapng");
    assert!(said.contains("204 frames have no time"), "{said}");
    assert_eq!(lost(&records, LossReason::Untimed), 204);
    assert_eq!(status, Some(2), "what matters could not be read");
}

#[test]
fn statistics_of_a_big_endian_file_are_read_as_they_are() {
    let (records, _, _) = replay("big-endian.pcapng");
    assert_eq!(lost(&records, LossReason::CaptureDropped), 10);
}

#[test]
fn what_another_program_can_convert_is_named_with_its_command() {
    for (magic, format, command) in [
        (&b"snoop\0\0\0\0\0\0\x02"[..], "snoop", "editcap"),
        (&b"\x28\xb5\x2f\xfd\0\0\0\0"[..], "zstd", "zstd -d"),
        (&b"\xfd7zXZ\0\0\0"[..], "xz", "xz -dk"),
        (&b"BZh91AY&"[..], "bzip2", "bzip2 -dk"),
    ] {
        let output = Replay::stdin(magic.to_vec()).output();
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(said.contains(format) && said.contains(command), "{said}");
        assert_eq!(output.status.code(), Some(2));
    }
}

/// keepalived on a bridge: each frame passes the bridge and its port, and `tcpdump -i any` records
/// both.
#[test]
fn a_frame_on_a_bridge_and_on_its_port_is_one() {
    for name in ["any-on-a-bridge.pcap", "any-on-a-bridge-version-1.pcap"] {
        let (records, said, status) = replay(name);
        assert_eq!((said.as_str(), status), ("", Some(0)), "{name}");
        assert!(!found(&records, Code::ReflectedAdvert), "{name}");
        let Body::Summary(summary) = &records.last().expect("a summary").body else {
            panic!("no summary");
        };
        assert!(summary.duplicates >= summary.adverts, "{name}: {summary:?}");
        let adverts = records
            .iter()
            .filter(|record| matches!(record.body, Body::Advert(_)));
        for advert in adverts {
            assert!(advert.direction.is_some(), "{name}: {advert:?}");
        }
    }
}
