//! Recordings of a host together with its log: what is put together agrees with what happened.

use std::{fs, path::PathBuf, time::Duration};

use vrrp_user::{
    model::Timestamp,
    record::{Body, IncidentRecord, Record, What},
};

use crate::{cases, command::Replay};

/// Findings that need both sides.
const JOINED: [&str; 9] = [
    "local-drop",
    "egress-blocked",
    "daemon-stalled",
    "garp-not-sent",
    "address-lost",
    "daemon-died",
    "log-wire-disagree",
    "log-gap",
    "config-drift",
];

/// Daemons that were killed: they stopped running, and that is what is found.
const KILLED: [(&str, &str); 2] = [("04a-v2-kill9", "lb0"), ("07-v3-ipv4-subsecond", "lb0")];

/// A host of a case.
struct Host {
    case: String,
    name: &'static str,
}

impl Host {
    fn all() -> Vec<Self> {
        let hosts: Vec<Self> = cases::all()
            .into_iter()
            .flat_map(|case| {
                ["lb0", "lb1"].map(|name| Self {
                    case: case.clone(),
                    name,
                })
            })
            .filter(|host| host.file("syslog").is_file())
            .collect();
        assert!(!hosts.is_empty(), "no case has a log");
        hosts
    }

    fn file(&self, extension: &str) -> PathBuf {
        cases::folder()
            .join(&self.case)
            .join(format!("{}.{extension}", self.name))
    }

    fn records(&self) -> Vec<Record> {
        let log = self.file("syslog").display().to_string();
        let conf = self.file("conf").display().to_string();
        Replay::file(&self.file("pcap"))
            .args(["--fail-on", "never"])
            .args(["--log", &log, "--log-zone", "UTC"])
            .args(["--keepalived-conf", &conf])
            .records()
    }

    fn incidents(&self) -> Vec<(Timestamp, IncidentRecord)> {
        self.records()
            .into_iter()
            .filter_map(|record| match record.body {
                Body::Incident(incident) => Some((record.time, incident)),
                _ => None,
            })
            .collect()
    }

    /// When this host took each address, by what the kernel said at the time.
    fn truth(&self) -> Vec<(String, Timestamp)> {
        let path = cases::folder().join(&self.case).join("truth.json");
        let text = fs::read_to_string(path).expect("the truth of a case");
        let truth: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let mut taken = Vec::new();
        for (address, holds) in truth.as_object().expect("holds by address") {
            for hold in holds.as_array().expect("a list of holds") {
                let seconds = hold["from"].as_f64().expect("a time");
                if hold["node"] == self.name {
                    let time = Timestamp::from_nanos(0) + Duration::from_secs_f64(seconds);
                    taken.push((address.clone(), time));
                }
            }
        }
        taken
    }
}

/// What is not as exact as the kernel's own time.
const EXACT: Duration = Duration::from_millis(50);
const WHOLE_SECONDS: Duration = Duration::from_millis(1500);

#[test]
fn there_is_an_incident_for_each_takeover_at_its_time() {
    let mut checked = 0;
    for host in Host::all() {
        // ucarp advertises itself, and has other logs.
        if host.case == "33-ucarp-pair" {
            continue;
        }
        let incidents = host.incidents();
        for (address, time) in host.truth() {
            let Host { case, name } = &host;
            let incident = incidents
                .iter()
                .find(|(taken, incident)| {
                    taken.distance(time) <= EXACT
                        && incident
                            .addresses
                            .iter()
                            .any(|one| one.to_string() == address)
                })
                .unwrap_or_else(|| {
                    panic!("{case} {name}: no incident for {address} at {time}: {incidents:#?}")
                });
            let logged = incident.1.steps.iter().any(|step| {
                let near = if step.uncertain_ms.is_some() { WHOLE_SECONDS } else { EXACT };
                matches!(&step.what, What::Log { text, .. } if text.ends_with("Entering MASTER STATE"))
                    && step.time.distance(time) <= near
            });
            assert!(logged, "{case} {name}: {address} at {time}: {incident:#?}");
            checked += 1;
        }
    }
    assert!(checked > 30, "only {checked} takeovers");
}

#[test]
fn nothing_is_found_that_is_not_there() {
    for host in Host::all() {
        let Host { case, name } = &host;
        let killed = KILLED.contains(&(case.as_str(), *name));
        for record in host.records() {
            if let Body::Finding(finding) = &record.body {
                let code = finding.code.as_str();
                let known = killed && code == "daemon-stalled";
                assert!(
                    !JOINED.contains(&code) || known,
                    "{case} {name}: {code}: {}",
                    finding.message
                );
            }
        }
    }
}

#[test]
fn no_line_is_missed_that_is_there() {
    for host in Host::all() {
        // lb0 is silenced there, and does not notice that it is active again.
        if host.case == "40-inject-vrrp" {
            continue;
        }
        for (_, incident) in host.incidents() {
            let Host { case, name } = &host;
            let missed = incident
                .missing
                .iter()
                .any(|what| what.starts_with("a line"));
            assert!(!missed, "{case} {name}: {incident:#?}");
        }
    }
}

#[test]
fn an_incident_reads_like_a_story() {
    let folder = cases::folder().join("20-v2-active-active-sync");
    let log = |name| {
        format!(
            "{name}={}",
            folder.join(name).with_extension("syslog").display()
        )
    };
    let text = Replay::file(&folder.join("lb0.pcap"))
        .args([
            "--fail-on",
            "never",
            "--only",
            "incident",
            "--log-zone",
            "UTC",
        ])
        .args(["--log", &log("lb0"), "--log", &log("lb1")])
        .text();
    let (_, story) = text
        .split_once(
            "20:44:55.815194 INCIDENT vrid 51: 10.77.0.11 took over from 10.77.0.10 after an outage of \
             611ms (",
        )
        .expect("an incident");
    let course = story.lines().nth(1).expect("its course");
    // One of three instances of that host, and only its own lines.
    assert_eq!(
        course.trim(),
        "20:44:55.000000 lb0 log LIFE (within 1s) · +0s lb0 log TX_PRIO0 (within 1s) · +0s lb1 log \
         RX_PRIO0 (within 1s) · +0s lb1 log ADVERT_TIMEOUT (within 1s) · +0s lb1 log STATE_MASTER \
         (within 1s) · +0s lb1 log GROUP (within 1s) · +203ms lb0 resigns · +815ms lb1 first advert \
         · +815ms 5 gratuitous ARP for 10.77.0.100 · +1s lb0 log LIFE (within 1s) · +1s lb0 log \
         LIFE (within 1s)"
    );
}

#[test]
fn log_lines_stand_among_the_frames_with_their_virtual_router() {
    let host = Host {
        case: "02-v2-graceful-failover".to_owned(),
        name: "lb0",
    };
    let records = host.records();
    let logs: Vec<_> = records
        .iter()
        .filter_map(|record| match &record.body {
            Body::Log(log) => Some((record.time, log)),
            _ => None,
        })
        .collect();
    let master = logs
        .iter()
        .find(|(_, log)| log.text == "(VI_1) Entering MASTER STATE")
        .expect("a line");
    assert_eq!(master.1.host.as_deref(), Some("lb0"));
    assert_eq!(master.1.instance.as_deref(), Some("VI_1"));
    assert_eq!(master.1.vrid.map(vrrp_user::model::Vrid::get), Some(51));
    assert!(!master.1.inferred.any() && master.1.uncertain_ms.is_none());
    let position = |wanted: &dyn Fn(&Record) -> bool| records.iter().position(wanted);
    let before =
        position(&|record| record.time < master.0 && matches!(record.body, Body::Advert(_)));
    let line = position(&|record| {
        record.time == master.0 && matches!(&record.body, Body::Log(log) if *log == *master.1)
    });
    assert!(before < line);
}
