//! Every envelope, with the same line inside.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::model::Span;

const TEXT: &str = "(VI_1) Entering MASTER STATE";

/// A reader in the autumn of 2026, in Berlin, where it is two hours past UTC in July.
fn envelopes() -> Envelopes {
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
    let reference = "2026-11-22T20:43:13Z".parse().expect("a time");
    Envelopes::new(Calendar::new(zone, reference))
}

fn read(raw: &str) -> Vec<LogLine> {
    let mut lines = Vec::new();
    envelopes().read(raw.as_bytes(), &mut lines);
    lines
}

fn only(raw: &str) -> LogLine {
    let mut lines = read(raw);
    assert_eq!(lines.len(), 1, "{raw}: {lines:?}");
    lines.remove(0)
}

/// Start and width of the window.
fn time(line: &LogLine) -> (String, Span) {
    let window = line.time.expect("a time");
    (window.start.to_string(), window.width())
}

const SECOND: Span = Span::from_secs(1);
const MICROSECOND: Span = Span::from_micros(1);

#[test]
fn syslog_in_its_dialects() {
    let cases = [
        (
            "Jul 10 09:27:24 node Keepalived_vrrp[3352]: ",
            ("2026-07-10T07:27:24.000000Z", SECOND, Some(3352)),
        ),
        (
            "Apr 29 19:09:09 node Keepalived_vrrp: ",
            ("2026-04-29T17:09:09.000000Z", SECOND, None),
        ),
        (
            "Dec  1 10:25:24 node Keepalived_vrrp[29509]: ",
            ("2026-12-01T09:25:24.000000Z", SECOND, Some(29509)),
        ),
        (
            "<30>Jul 10 09:27:24 node Keepalived_vrrp[3352]: ",
            ("2026-07-10T07:27:24.000000Z", SECOND, Some(3352)),
        ),
        (
            "2018-03-20T01:07:06.777476+08:00 node Keepalived_vrrp[28979]: ",
            ("2018-03-19T17:07:06.777476Z", MICROSECOND, Some(28979)),
        ),
        (
            "2016-01-18T11:14:20+00:00 node Keepalived_vrrp[5824]: ",
            ("2016-01-18T11:14:20.000000Z", SECOND, Some(5824)),
        ),
        (
            "<30>1 2024-07-10T09:27:24.123456+02:00 node Keepalived_vrrp 3352 - - ",
            ("2024-07-10T07:27:24.123456Z", MICROSECOND, Some(3352)),
        ),
        (
            "<30>1 2024-07-10T09:27:24Z node Keepalived_vrrp 3352 ID1 [a x=\"]\\\"\"][b] \u{feff}",
            ("2024-07-10T09:27:24.000000Z", SECOND, Some(3352)),
        ),
    ];
    for (front, (start, width, pid)) in cases {
        let line = only(&format!("{front}{TEXT}\r\n"));
        assert_eq!(line.text, TEXT, "{front}");
        assert_eq!(line.host.as_deref(), Some("node"), "{front}");
        assert_eq!(line.ident.as_deref(), Some("Keepalived_vrrp"), "{front}");
        assert_eq!(line.pid, pid, "{front}");
        assert_eq!(line.writer, Writer::Daemon, "{front}");
        assert_eq!(time(&line), (start.to_owned(), width), "{front}");
    }
}

#[test]
fn files_of_the_daemons_own() {
    let cases = [
        (
            "Wed Feb 21 21:57:11 2024: ",
            "2024-02-21T20:57:11.000000Z",
            SECOND,
        ),
        (
            "Wed Feb 21 21:57:11.123456789 2024: ",
            "2024-02-21T20:57:11.123456Z",
            Span::from_nanos(1),
        ),
        (
            "2026/08/21 11:22:20 VRRP: ",
            "2026-08-21T09:22:20.000000Z",
            SECOND,
        ),
        (
            "2026/08/21 11:22:20.123 VRRP: ",
            "2026-08-21T09:22:20.123000Z",
            Span::from_millis(1),
        ),
    ];
    for (front, start, width) in cases {
        let line = only(&format!("{front}{TEXT}"));
        assert_eq!(line.text, TEXT, "{front}");
        assert_eq!(line.writer, Writer::Daemon, "{front}");
        assert_eq!(time(&line), (start.to_owned(), width), "{front}");
        assert!(line.inferred.zone && !line.inferred.year, "{front}");
    }
}

#[test]
fn what_containers_put_before_a_line() {
    const OWN: &str = "Fri Nov 25 04:56:55 2022: ";
    const EXACT: &str = "2022-11-25T03:56:55.306531Z";
    let nanosecond = Span::from_nanos(1);
    let stamp = "2022-11-25T03:56:55.306531381+00:00";
    let cases = [
        (format!("{stamp} stderr F {OWN}"), None, EXACT, nanosecond),
        (format!("{stamp} stdout P {OWN}"), None, EXACT, nanosecond),
        (format!("{stamp} {OWN}"), None, EXACT, nanosecond),
        (
            format!("keepalived_1  | {OWN}"),
            Some("keepalived_1"),
            "2022-11-25T03:56:55.000000Z",
            SECOND,
        ),
        (
            format!("\u{1b}[36mkeepalived-1  |\u{1b}[0m {OWN}"),
            Some("keepalived-1"),
            "2022-11-25T03:56:55.000000Z",
            SECOND,
        ),
        (
            format!("keepalived-1  | {stamp} {OWN}"),
            Some("keepalived-1"),
            EXACT,
            nanosecond,
        ),
        (
            format!("[pod/keepalived-x7k2p/main] {stamp} {OWN}"),
            Some("keepalived-x7k2p"),
            EXACT,
            nanosecond,
        ),
    ];
    for (front, host, start, width) in cases {
        let line = only(&format!("{front}{TEXT}"));
        assert_eq!(line.text, TEXT, "{front}");
        assert_eq!(line.writer, Writer::Daemon, "{front}");
        assert_eq!(line.host.as_deref(), host, "{front}");
        assert_eq!(time(&line), (start.to_owned(), width), "{front}");
        assert_eq!(line.inferred.any(), width == SECOND, "{front}");
    }
    // A host of syslog is no daemon's own time.
    let line = only(&format!("{stamp} node Keepalived_vrrp[7]: {TEXT}"));
    assert_eq!(line.host.as_deref(), Some("node"));
    // What only looks like a prefix.
    for odd in [
        "|",
        " | ",
        "a b | c",
        "\u{1b}[",
        "\u{1b}[3",
        "[pod/",
        "[pod/a/b]",
        "[pod//] x",
    ] {
        assert_eq!(only(odd).writer, Writer::Unknown, "{odd}");
    }
}

#[test]
fn small_systems() {
    let cases = [
        (
            "Mon Mar 24 12:49:43 2025 daemon.info Keepalived_vrrp[8316]: ",
            ("2025-03-24T11:49:43.000000Z", SECOND, None, true),
        ),
        (
            "Mon Mar 24 12:49:43 2025 [1742820583.123] daemon.info Keepalived_vrrp[8316]: ",
            (
                "2025-03-24T12:49:43.123000Z",
                Span::from_millis(1),
                None,
                false,
            ),
        ),
        (
            "Mar 24 12:49:43 OpenWrt daemon.info Keepalived_vrrp[8316]: ",
            ("2026-03-24T11:49:43.000000Z", SECOND, Some("OpenWrt"), true),
        ),
    ];
    for (front, (start, width, host, inferred)) in cases {
        let line = only(&format!("{front}{TEXT}"));
        assert_eq!(line.text, TEXT, "{front}");
        assert_eq!(line.ident.as_deref(), Some("Keepalived_vrrp"), "{front}");
        assert_eq!(line.pid, Some(8316), "{front}");
        assert_eq!(line.host.as_deref(), host, "{front}");
        assert_eq!(time(&line), (start.to_owned(), width), "{front}");
        assert_eq!(line.inferred.any(), inferred, "{front}");
    }
    let kernel = only("Mon Mar 24 12:49:43 2025 kern.info kernel: [   12.345678] eth0: link down");
    assert_eq!(kernel.writer, Writer::System);
}

#[test]
fn containers() {
    let line = only(
        r#"{"log":"Tue Feb 12 02:08:58 2019: VRRP child process(27323) died: Respawning\n","stream":"stderr","time":"2019-02-12T02:08:58.507727722Z"}"#,
    );
    assert_eq!(line.text, "VRRP child process(27323) died: Respawning");
    assert_eq!(
        time(&line),
        (
            "2019-02-12T02:08:58.507727Z".to_owned(),
            Span::from_nanos(1)
        )
    );
    assert!(!line.inferred.any(), "the engine says all of it");
}

#[test]
fn the_journal() {
    let line = only(
        r#"{"MESSAGE":"(VI_1) Entering MASTER STATE","SYSLOG_IDENTIFIER":"lb-test","_COMM":"keepalived","_PID":"77","SYSLOG_PID":"78","_HOSTNAME":"lb0","__REALTIME_TIMESTAMP":"1795380194000000","_SOURCE_REALTIME_TIMESTAMP":"1795380193451445","__CURSOR":"s=1"}"#,
    );
    assert_eq!(line.text, TEXT);
    assert_eq!(line.writer, Writer::Daemon, "by its command");
    assert_eq!(line.pid, Some(78));
    assert_eq!(line.host.as_deref(), Some("lb0"));
    assert_eq!(
        time(&line).0,
        "2026-11-22T20:43:13.451445Z",
        "when it was sent"
    );

    let bytes = only(r#"{"MESSAGE":[40,86,41,255],"_COMM":["keepalived","x"]}"#);
    assert_eq!(bytes.text, "(V)\u{fffd}");
    assert_eq!(bytes.writer, Writer::Daemon);
    assert_eq!(bytes.time, None);

    assert_eq!(read(r#"{"MESSAGE":null,"_COMM":"keepalived"}"#), []);
    let several = read(r#"{"MESSAGE":"one\ntwo\n","_SYSTEMD_UNIT":"keepalived.service"}"#);
    let texts: Vec<_> = several.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["one", "two"]);
    let stranger = only(r#"{"MESSAGE":"accepted","SYSLOG_IDENTIFIER":"sshd"}"#);
    assert_eq!(stranger.writer, Writer::Stranger);
}

#[test]
fn names_tell_the_writer() {
    for ident in [
        "Keepalived",
        "Keepalived_vrrp",
        "Keepalived_vrrp_default",
        "Keepalived_healthcheckers_ns1_web",
        "vrrpd",
    ] {
        assert_eq!(Writer::of(ident), Writer::Daemon, "{ident}");
    }
    assert_eq!(Writer::of("systemd-journald"), Writer::System);
    for ident in ["Keepalive", "Keepaliveds", "sshd", ""] {
        assert_eq!(Writer::of(ident), Writer::Stranger, "{ident}");
    }
}

#[test]
fn a_month_in_another_language_is_the_nearest_that_fits() {
    let line = only("nov. 21 14:52:59 node kernel: text");
    assert_eq!(time(&line).0, "2026-11-21T13:52:59.000000Z");
    assert!(line.inferred.month);
}

#[test]
fn the_year_is_the_last_that_is_not_to_come() {
    let zone = TimeZone::UTC;
    let reference = "2027-01-01T00:00:05Z".parse().expect("a time");
    let envelopes = Envelopes::new(Calendar::new(zone, reference));
    for (raw, start) in [
        (
            "Dec 31 23:59:59 node Keepalived: x",
            "2026-12-31T23:59:59.000000Z",
        ),
        (
            "Jan  1 00:00:01 node Keepalived: x",
            "2027-01-01T00:00:01.000000Z",
        ),
        (
            "Feb 29 00:00:01 node Keepalived: x",
            "2024-02-29T00:00:01.000000Z",
        ),
    ] {
        let mut lines = Vec::new();
        envelopes.read(raw.as_bytes(), &mut lines);
        assert_eq!(time(&lines[0]).0, start, "{raw}");
        assert!(lines[0].inferred.year && lines[0].inferred.zone, "{raw}");
    }
}

#[test]
fn what_is_in_no_envelope_is_text_of_somebody() {
    for raw in [
        "VRRP_Instance(VI_1) Entering BACKUP STATE",
        "Nov 22 25:43:13 node Keepalived: hours end at 23",
        "Nov 32 20:43:13 node Keepalived: months end sooner",
        "<999>1 - - - - - - priorities end sooner",
        "2026-11-22 20:43:13 node Keepalived: no zone",
        "{\"neither\":1}",
        "{\"MESSAGE",
    ] {
        let line = only(raw);
        assert_eq!((line.writer, line.time), (Writer::Unknown, None), "{raw}");
        assert_eq!(line.text, raw);
    }
    // The logger's own words have a time and no name.
    let line = only("Nov 22 20:43:13 node message repeated 2 times: [ (VI_1) x]");
    assert_eq!(line.writer, Writer::Unknown);
    assert_eq!(line.text, "message repeated 2 times: [ (VI_1) x]");
}

#[test]
fn length_is_bounded() {
    let long = "ä".repeat(MAX_RAW);
    assert_eq!(only(&long).text.len(), MAX_LINE);
    let entry = format!(r#"{{"MESSAGE":"{}"}}"#, "x".repeat(MAX_LINE * 2));
    assert_eq!(only(&entry).text.len(), MAX_LINE);
}

proptest! {
    #[test]
    fn nothing_panics(raw in prop::collection::vec(any::<u8>(), 0..200)) {
        envelopes().read(&raw, &mut Vec::new());
    }

    #[test]
    fn nothing_panics_on_what_looks_right(raw in "(<[0-9]{1,4}>1? ?)?[A-Za-zé. ]{0,6}[ 0-9:/.TZ+-]{0,30}[a-zK\\[\\]: \"=-]{0,30}") {
        envelopes().read(raw.as_bytes(), &mut Vec::new());
    }
}
