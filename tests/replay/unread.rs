//! Logs in the envelopes of containers and small systems, and logs that tell nothing.

use std::{fs, path::PathBuf};

use vrrp_user::record::{Body, LogRecord, Record, Unread, UnreadRecord};

use crate::{cases, command::Replay};

const CASE: &str = "04a-v2-kill9";

/// A log that was made for a test, and goes away with it.
struct Log(PathBuf);

impl Log {
    fn new(test: &str, lines: &str) -> Self {
        let name = format!("vrrpwatch-unread-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, lines).expect("room for a log");
        Self(path)
    }

    /// The lines of a recorded log, each made into what another logger writes; they are of
    /// `Nov 22 20:43:13 lb1 Keepalived_vrrp[7]: text`, in the year 2026.
    fn rewritten(test: &str, rewrite: impl Fn(&str, &str) -> String) -> Self {
        let lines: Vec<String> = recorded()
            .lines()
            .map(|line| {
                let (time, rest) = line.split_at("Nov 22 20:43:13".len());
                let tagged = rest.strip_prefix(" lb1 ").expect("a host");
                rewrite(time.strip_prefix("Nov 22 ").expect("its day"), tagged) + "\n"
            })
            .collect();
        Self::new(test, &lines.concat())
    }

    /// What is printed, and what is complained of.
    fn replay(&self) -> (Vec<Record>, String) {
        let output = Replay::file(&cases::folder().join(CASE).join("lb1.pcap"))
            .args(["--fail-on", "never", "--format", "json"])
            .args(["--log-zone", "UTC", "--log", &self.0.display().to_string()])
            .output();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let records = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("a record"));
        let complaints = String::from_utf8(output.stderr).expect("UTF-8");
        (records.collect(), complaints)
    }

    /// The lines that are reported.
    fn lines(&self) -> Vec<LogRecord> {
        let (records, complaints) = self.replay();
        assert_eq!(complaints, "");
        let lines = records.into_iter().filter_map(|record| match record.body {
            Body::Log(log) => Some(*log),
            _ => None,
        });
        lines.collect()
    }

    /// Why it told nothing.
    fn unread(&self) -> (UnreadRecord, String) {
        let (records, complaints) = self.replay();
        let mut unread = records.into_iter().filter_map(|record| match record.body {
            Body::Unread(unread) => Some(unread),
            _ => None,
        });
        let only = unread.next().expect("it is told");
        assert_eq!(unread.next(), None);
        (only, complaints)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // It may be gone already.
        let _: std::io::Result<()> = fs::remove_file(&self.0);
    }
}

fn recorded() -> String {
    let path = cases::folder().join(CASE).join("lb1.syslog");
    fs::read_to_string(path).expect("the log of a case")
}

#[test]
fn the_same_log_in_every_envelope_says_the_same() {
    let texts =
        |log: &Log| -> Vec<String> { log.lines().into_iter().map(|line| line.text).collect() };
    let plain = texts(&Log::new("plain", &recorded()));
    assert!(plain.len() > 10, "{plain:?}");
    let text = |tagged: &str| {
        let (_, text) = tagged.split_once(": ").expect("a tag");
        text.to_owned()
    };
    let ctime = |time: &str| format!("Sun Nov 22 {time} 2026");
    let cri = Log::rewritten("cri", |time, tagged| {
        let own = ctime(time);
        format!(
            "2026-11-22T{time}.000001+00:00 stderr F {own}: {}",
            text(tagged)
        )
    });
    assert_eq!(texts(&cri), plain);
    assert!(
        cri.lines()
            .iter()
            .all(|line| line.uncertain_ms.is_none() && !line.inferred.any())
    );
    let compose = Log::rewritten("compose", |time, tagged| {
        format!("keepalived_1  | {}: {}", ctime(time), text(tagged))
    });
    assert_eq!(texts(&compose), plain);
    assert!(
        compose
            .lines()
            .iter()
            .all(|line| line.host.as_deref() == Some("keepalived_1"))
    );
    let openwrt = Log::rewritten("openwrt", |time, tagged| {
        format!("{} daemon.info {tagged}", ctime(time))
    });
    assert_eq!(texts(&openwrt), plain);
}

#[test]
fn a_log_of_another_day_is_told() {
    let log = Log::new("day", &recorded().replace("Nov 22", "Jun 21"));
    let (unread, complaint) = log.unread();
    assert_eq!(unread.reason, Unread::OtherTime);
    assert_eq!(unread.lines, recorded().lines().count() as u64);
    let from = unread.from.expect("a time").to_string();
    assert!(from.starts_with("2026-06-21T20:43:"), "{from}");
    assert!(complaint.contains("none within the capture"), "{complaint}");
    assert!(!complaint.contains("--log-zone"), "{complaint}");
}

#[test]
fn a_log_of_another_zone_is_told_as_such() {
    let log = Log::new("zone", &recorded().replace(" 20:", " 14:"));
    let (unread, complaint) = log.unread();
    assert_eq!(unread.reason, Unread::OtherTime);
    assert!(complaint.contains("--log-zone"), "{complaint}");
}

#[test]
fn a_log_of_which_nothing_is_understood_is_told() {
    let lines = "%% 7 (VI_1) something else \u{1b}[31m\n".repeat(20);
    let (unread, complaint) = Log::new("odd", &lines).unread();
    assert_eq!((unread.reason, unread.lines), (Unread::NotUnderstood, 20));
    assert!(
        complaint.contains("20 lines, and none in a format"),
        "{complaint}"
    );
    let empty = Log::new("empty", "").unread().0;
    assert_eq!((empty.reason, empty.lines), (Unread::Empty, 0));
    let others = recorded().replace("Keepalived", "nginx");
    let others = Log::new("others", &others).unread().0;
    assert_eq!(others.reason, Unread::NoDaemon);
}
