//! What daemons say, put beside what they do; lines made to order.

use vrrp_tests::vrrp::Message;
use vrrp_user::{
    frame::Direction,
    input::News,
    log::{Calendar, Entry, Envelopes},
    record::{Body, Code, IncidentRecord, LogRecord, Status},
};

use crate::stage::{Host, ONE, Played, SECOND, Stage, TWO, VIP, advert, time};

/// The daemon of a host, as its log begins.
pub(crate) const BEGIN: [&str; 3] = [
    "Starting Keepalived v2.2.7 (01/16,2022)",
    "Command line: 'keepalived' '-D'",
    "(VI_1) Entering BACKUP STATE (init)",
];

/// A stage with a log.
pub(crate) struct Account {
    stage: Stage,
    envelopes: Envelopes,
}

impl Account {
    pub(crate) fn new() -> Self {
        let zone = jiff::tz::TimeZone::UTC;
        Self {
            stage: Stage::new(),
            envelopes: Envelopes::new(Calendar::new(zone, time(0))),
        }
    }

    /// A line of keepalived on a host of this name.
    pub(crate) fn line(&mut self, at: u64, host: &str, text: &str) {
        let raw = format!("{} {host} Keepalived_vrrp[7]: {text}", time(at));
        self.raw(at, &raw);
    }

    fn raw(&mut self, at: u64, raw: &str) {
        let mut lines = Vec::new();
        self.envelopes.read(raw.as_bytes(), &mut lines);
        for entry in lines.into_iter().filter_map(Entry::read) {
            self.stage
                .observer
                .handle(time(at), &News::Log(entry).into());
        }
        self.stage.collect();
    }

    /// Adverts each second, both ends included; those of the first host leave this machine.
    pub(crate) fn adverts(&mut self, from: u64, until: u64, host: Host, priority: u8) {
        let message = Message::v2(51, priority, [VIP.into()]);
        let direction = if host.ip == ONE.ip {
            Direction::Out
        } else {
            Direction::In
        };
        for at in (from..=until).step_by(1000) {
            self.stage
                .frame_going(at, advert(host, &message), Some(direction));
        }
    }

    pub(crate) fn end(mut self, at: u64) -> Played {
        self.stage.observer.handle(time(at), &News::Time.into());
        self.stage
            .observer
            .handle(vrrp_user::model::Timestamp::default(), &News::Finish.into());
        self.stage.collect();
        Played(self.stage.records)
    }
}

/// A master whose adverts end, and nothing in its log explains it; with a line of the logger before.
pub(crate) fn stalled(gap: Option<&str>) -> Played {
    let mut account = Account::new();
    for text in BEGIN {
        account.line(0, "lb0", text);
    }
    account.line(1000, "lb0", "(VI_1) Entering MASTER STATE");
    account.adverts(1000, 10 * SECOND, ONE, 150);
    if let Some(gap) = gap {
        let raw = format!("{} lb0 rsyslogd: {gap}", time(9 * SECOND));
        account.raw(9 * SECOND, &raw);
    }
    account.end(14 * SECOND)
}

#[test]
fn what_needs_a_complete_log_holds_back_when_lines_are_missing() {
    assert!(stalled(None).codes().contains(&Code::DaemonStalled));
    let held = stalled(Some(
        "imuxsock lost 17 messages from pid 7 due to rate-limiting",
    ));
    assert!(held.codes().contains(&Code::LogGap));
    assert!(!held.codes().contains(&Code::DaemonStalled));
    // What is folded is not missing.
    let folded = stalled(Some("message repeated 4 times: [ (VI_1) something]"));
    assert!(!folded.codes().contains(&Code::LogGap));
    assert!(folded.codes().contains(&Code::DaemonStalled));
}

#[test]
fn what_was_found_before_lines_went_missing_stays_found() {
    let mut account = Account::new();
    for text in BEGIN {
        account.line(0, "lb0", text);
    }
    account.line(1000, "lb0", "(VI_1) Entering MASTER STATE");
    account.adverts(1000, 10 * SECOND, ONE, 150);
    account
        .stage
        .observer
        .handle(time(14 * SECOND), &News::Time.into());
    let raw = format!(
        "{} lb0 rsyslogd: imuxsock lost 17 messages from pid 7",
        time(14 * SECOND)
    );
    account.raw(14 * SECOND, &raw);
    let played = account.end(20 * SECOND);
    let cleared = played.findings().any(|(_, finding)| {
        finding.code == Code::DaemonStalled && finding.status == Status::Cleared
    });
    assert!(played.codes().contains(&Code::DaemonStalled) && !cleared);
}

#[test]
fn a_release_that_writes_no_such_line_proves_nothing_by_its_absence() {
    let mut account = Account::new();
    // It says nothing of an advert that it cannot send by multicast.
    account.line(0, "lb0", "Starting Keepalived v2.0.10 (11/12,2018)");
    account.line(1000, "lb0", "(VI_1) Entering MASTER STATE");
    account.adverts(1000, 10 * SECOND, ONE, 150);
    let played = account.end(14 * SECOND);
    assert!(!played.codes().contains(&Code::DaemonStalled));
}

/// lb0 falls silent and lb1 takes over, with these lines of its own.
fn takeover(lines: &[&str]) -> IncidentRecord {
    let mut account = Account::new();
    for text in BEGIN {
        account.line(0, "lb1", text);
    }
    account.adverts(1000, 10 * SECOND, TWO, 150);
    for text in lines {
        account.line(13_700, "lb1", text);
    }
    account.adverts(13_700, 20 * SECOND, ONE, 100);
    account.line(20 * SECOND, "lb1", "Netlink reports eth1 up");
    let played = account.end(21 * SECOND);
    let mut incidents = played.0.into_iter().filter_map(|record| match record.body {
        Body::Incident(incident) if incident.from.is_some() => Some(incident),
        _ => None,
    });
    incidents.next().expect("an incident")
}

#[test]
fn lines_that_should_be_there_are_missed() {
    let all = [
        "(VI_1) Receive advertisement timeout",
        "(VI_1) Entering MASTER STATE",
    ];
    let resignation = format!("a resignation of {}", TWO.ip);
    let announcement = format!("an announcement of {VIP}");
    let of_wire = [resignation.as_str(), announcement.as_str()];
    assert_eq!(takeover(&all).missing, of_wire);
    let missed = takeover(&all[1..]).missing;
    assert_eq!(missed[..2], of_wire);
    assert_eq!(
        missed[2..],
        ["a line of lb1 that it waited for adverts in vain"]
    );
}

#[test]
fn the_steps_of_an_incident_name_the_hosts_whose_logs_are_read() {
    let incident = takeover(&["(VI_1) Entering MASTER STATE"]);
    let steps = serde_json::to_value(&incident.steps).expect("JSON");
    let step = |wanted: &str| {
        let steps = steps.as_array().expect("a list");
        steps
            .iter()
            .find(|step| step["step"] == wanted)
            .expect("a step")
    };
    assert_eq!(step("first-advert")["host"], "lb1");
    assert_eq!(step("last-advert").get("host"), None);
}

fn logs(played: &Played) -> Vec<&LogRecord> {
    played
        .0
        .iter()
        .filter_map(|record| match &record.body {
            Body::Log(log) => Some(&**log),
            _ => None,
        })
        .collect()
}

#[test]
fn what_is_inferred_of_times_is_said_once_for_each_host() {
    let mut account = Account::new();
    for host in ["lb0", "lb1"] {
        for second in 10..13 {
            let raw = format!(
                "Jan  1 00:16:{second} {host} Keepalived_vrrp[7]: (A) Entering BACKUP STATE"
            );
            account.raw(0, &raw);
        }
    }
    let played = account.end(SECOND);
    let said: Vec<bool> = logs(&played).iter().map(|log| log.inferred.any()).collect();
    assert_eq!(said, [true, false, false, true, false, false]);
}

#[test]
fn a_group_is_its_members_where_the_configuration_is_known() {
    let conf = crate::recorded::folder().join("20-v2-active-active-sync/lb0.conf");
    let key = vrrp_user::model::FingerprintKey::new([7; 16]);
    let conf = vrrp_user::keepalived_conf::Conf::read(&conf, "lb0", &key).expect("a configuration");
    let mut account = Account::new();
    account.stage.observer.handle(
        vrrp_user::model::Timestamp::default(),
        &News::Conf(conf).into(),
    );
    for instance in ["A", "C", "D"] {
        account.line(
            0,
            "lb0",
            &format!("({instance}) Entering BACKUP STATE (init)"),
        );
    }
    account.line(
        1000,
        "lb0",
        "VRRP_Group(G) Syncing instances to MASTER state",
    );
    let played = account.end(2000);
    let logs = logs(&played);
    let group = logs.last().expect("a line");
    assert_eq!(group.sync_group.as_deref(), Some("G"));
    assert_eq!(group.members, ["C", "D"]);
    assert!(group.vrid.is_none(), "they have two");
}

/// A master whose adverts are dropped on their way out and which announces the address each second,
/// as it hears another; `leaving` are the seconds in which its announcements leave the host.
pub(crate) fn announcing(leaving: std::ops::Range<u64>) -> Played {
    let mut account = Account::new();
    for text in BEGIN {
        account.line(0, "lb0", text);
    }
    account.line(1000, "lb0", "(VI_1) Entering MASTER STATE");
    account.adverts(1000, 3000, TWO, 100);
    for second in 4..16 {
        let at = second * SECOND;
        account.adverts(at, at, TWO, 100);
        if leaving.contains(&second) {
            let frame = crate::stage::arp(etherparse::ArpOperation::REQUEST, ONE, VIP, VIP);
            let going = Some(Direction::Out);
            account.stage.frame_going(at + 20, frame, going);
        }
        // A log of whole seconds, read as it is written.
        let written = time(at).to_string();
        let (date, _) = written.split_once('.').expect("a fraction");
        let text = format!("Sending gratuitous ARP on eth0 for {VIP}");
        let raw = format!(
            "{date}Z lb0 Keepalived_vrrp[7]: (VI_1) Sending/queueing gratuitous ARPs on eth0 for {VIP}"
        );
        account.raw(at + 30, &raw);
        let raw = format!("{date}Z lb0 Keepalived_vrrp[7]: {text}");
        account.raw(at + 30, &raw);
    }
    account.end(16 * SECOND)
}

#[test]
fn what_a_host_announces_is_seen_though_its_adverts_do_not_leave() {
    let played = announcing(4..16);
    assert!(!played.codes().contains(&Code::GarpNotSent));
}

#[test]
fn announcements_that_never_leave_are_told_once() {
    let played = announcing(0..0);
    played.raised(Code::GarpNotSent);
    let cleared = played
        .findings()
        .any(|(_, finding)| finding.code == Code::GarpNotSent && finding.status == Status::Cleared);
    assert!(!cleared);
}

#[test]
fn announcements_that_stop_leaving_are_told() {
    let played = announcing(4..10);
    let (at, _) = played.raised(Code::GarpNotSent);
    assert!((10_000..13_500).contains(&at), "raised at {at}");
}

/// What is found where a recording does not tell by which way frames went, one router is heard from 5 s
/// on, and by its log lb0 becomes master at `master`.
fn recorded_beside(master: u64) -> Vec<Code> {
    let mut account = Account::new();
    let message = Message::v2(51, 150, [VIP.into()]);
    for at in (0..=15 * SECOND).step_by(1000) {
        if at == master {
            account.line(at, "lb0", "(VI_1) Entering MASTER STATE");
        }
        if at >= 5 * SECOND {
            account.stage.frame(at + 200, advert(TWO, &message));
        }
    }
    account.end(16 * SECOND).codes()
}

#[test]
fn a_router_that_was_not_heard_before_may_be_that_of_the_log() {
    let early = recorded_beside(SECOND);
    assert!(!early.contains(&Code::EgressBlocked), "{early:?}");
    let late = recorded_beside(10 * SECOND);
    assert!(late.contains(&Code::EgressBlocked), "{late:?}");
}
