//! Each case says in expected.json what has to be found in its recording, and what must not be.

use std::{fs, path::PathBuf};

use serde_json::Value;
use vrrp_user::{
    input::News,
    model::FingerprintKey,
    observer::{Observer, Output, Settings},
    record::{Body, Code, FindingRecord, Record, Severity, Status},
    replay::{CaptureSource, Item, Replay},
};

/// The folder of the cases.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// The records of a recording.
pub(crate) fn replay(case: &str) -> Vec<Record> {
    let file = folder().join(case).join("traffic.pcap");
    let mut replay = Replay::open(vec![CaptureSource::File(file)]).expect("a capture file");
    let mut observer = Observer::new(Settings::new(FingerprintKey::new([7; 16])));
    while let Some(item) = replay.next_item() {
        match item.expect("a whole recording") {
            Item::Frame(frame) => {
                observer.handle(frame.time, &News::Frame(frame.clone()).into());
            }
            Item::Settings(_) | Item::Told(..) => {}
            Item::Loss { time, lost } => observer.handle(time, &News::Loss(lost).into()),
        }
    }
    observer.handle(vrrp_user::model::Timestamp::default(), &News::Finish.into());
    std::iter::from_fn(|| observer.poll_output())
        .filter_map(|output| match output {
            Output::Record(record) => Some(record),
            Output::Frame(_) | Output::Request(_) => None,
        })
        .collect()
}

#[test]
fn every_case_is_found_what_it_must_and_nothing_it_must_not() {
    let mut complaints = Vec::new();
    let mut cases = 0;
    for entry in fs::read_dir(folder()).expect("the folder of the cases") {
        let path = entry.expect("an entry").path();
        let case = path.file_name().and_then(|name| name.to_str());
        let case = case.expect("a name").to_owned();
        let expected = fs::read_to_string(path.join("expected.json"))
            .unwrap_or_else(|error| panic!("{case}: {error}"));
        let expected: Value = serde_json::from_str(&expected).expect("JSON");
        cases += 1;
        let records = replay(&case);
        let raised: Vec<&FindingRecord> = records
            .iter()
            .filter_map(|record| match &record.body {
                Body::Finding(finding) if finding.status == Status::Raised => Some(finding),
                _ => None,
            })
            .collect();
        let is_raised = |code: &str| raised.iter().any(|finding| finding.code.as_str() == code);
        for code in words(&expected["must"]) {
            if !is_raised(code) {
                complaints.push(format!("{case}: {code} is not raised"));
            }
        }
        for code in words(&expected["never"]) {
            if is_raised(code) {
                complaints.push(format!("{case}: {code} is raised"));
            }
        }
        if let Some(cause) = expected["cause"].as_str() {
            let found = raised.iter().any(|finding| {
                finding
                    .cause
                    .as_ref()
                    .is_some_and(|found| found.as_str() == cause)
            });
            if !found {
                complaints.push(format!("{case}: {cause} is named as no cause"));
            }
        }
    }
    assert!(cases > 16, "only {cases} cases");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn words(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|word| word.as_str().expect("a word"))
}

#[test]
fn carp_is_a_warning_only_where_its_vhid_is_a_vrid() {
    for (case, severity) in [
        ("98-carp-vhid-is-vrid", Severity::Warning),
        ("33-ucarp-pair", Severity::Info),
    ] {
        let found: Vec<FindingRecord> = replay(case)
            .into_iter()
            .filter_map(|record| match record.body {
                Body::Finding(finding) if finding.status == Status::Raised => Some(finding),
                _ => None,
            })
            .filter(|finding| finding.code == Code::CarpNeighbour)
            .collect();
        assert!(!found.is_empty(), "{case}");
        for finding in found {
            assert_eq!(finding.severity, severity, "{case}: {}", finding.message);
            let told = finding.message.contains("00:00:5e:00:01:33");
            assert_eq!(told, severity == Severity::Warning, "{}", finding.message);
        }
    }
}
