//! What a log can say: absence proves nothing where the line would not have been written.

use crate::{
    log::{Details, Entry, LogEvent},
    model::{Span, Timestamp},
};

/// What is known of how a daemon logs.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Release of keepalived, or the earliest that it can be by its lines.
    pub version: Option<Release>,
    /// Whether it logs in detail (`-D`); `None` while that is not known.
    pub detailed: Option<bool>,
    /// The last time lines were missing.
    pub gap: Option<Timestamp>,
    /// Lines that are known to be missing.
    pub missing: u64,
}

/// A release of keepalived: major, minor and patch.
pub type Release = (u16, u16, u16);

/// How long nothing is concluded from a missing line after lines were lost.
pub(crate) const GAP_SHADOW: Span = Span::from_mins(1);

impl Coverage {
    pub(super) fn learn(&mut self, entry: &Entry, now: Timestamp) {
        let reading = &entry.reading;
        match reading.event {
            LogEvent::Life => self.learn_release(&reading.details),
            // A first line without the option may be followed by one that has it.
            LogEvent::CommandLine if has_detail_option(&entry.line.text) => {
                self.detailed = Some(true);
            }
            // What is repeated is known, and nothing is missing.
            LogEvent::LogGap if is_repetition(&entry.line.text) => {}
            LogEvent::LogGap => {
                self.gap = Some(now);
                self.missing = self
                    .missing
                    .saturating_add(reading.details.count.unwrap_or(1));
            }
            event => self.learn_from(event, is_of_two(entry)),
        }
    }

    /// A line that only some would have written tells who writes.
    fn learn_from(&mut self, event: LogEvent, of_two: bool) {
        let always = matches!(event, LogEvent::GarpTx | LogEvent::NaTx);
        if needs_detail(event) && (of_two || always) {
            self.detailed = Some(true);
        }
        if of_two {
            let earliest = since(event).unwrap_or_default().max((2, 0, 0));
            self.version = self.version.max(Some(earliest));
        }
    }

    /// Whether a line of this kind, had one been written between `begin` and `now`, would be here.
    pub fn covers(&self, event: LogEvent, begin: Timestamp, now: Timestamp) -> bool {
        // The last word of a time when lines were lost may be outdated for ever.
        let complete = self
            .gap
            .is_none_or(|gap| begin > gap && now > gap + GAP_SHADOW);
        let detailed = !needs_detail(event) || self.detailed == Some(true);
        let known = since(event).is_none_or(|since| self.version.is_some_and(|own| own >= since));
        complete && detailed && known
    }

    fn learn_release(&mut self, details: &Details) {
        let release = details.name.as_deref().and_then(release);
        self.version = release.or(self.version);
    }
}

/// Reads "v2.2.7 (01/16,2022)".
fn release(text: &str) -> Option<Release> {
    let number = text.strip_prefix('v')?.split([' ', ',', '-']).next()?;
    let mut parts = number.split('.').map(|part| part.parse().ok());
    Some((
        parts.next()??,
        parts.next()??,
        parts.next().flatten().unwrap_or(0),
    ))
}

/// Lines that keepalived 2 only writes with `-D`.
const fn needs_detail(event: LogEvent) -> bool {
    matches!(
        event,
        LogEvent::AdvertTimeout
            | LogEvent::RxPrio0
            | LogEvent::TxPrio0
            | LogEvent::Vips
            | LogEvent::MasterIs
            | LogEvent::GarpQ
            | LogEvent::GarpTx
            | LogEvent::NaTx
            | LogEvent::IpChange
            | LogEvent::IntvlAdopt
            | LogEvent::Preempt
            | LogEvent::File
    )
}

/// The release that wrote such a line first.
const fn since(event: LogEvent) -> Option<Release> {
    match event {
        LogEvent::AdvertTimeout => Some((2, 0, 3)),
        LogEvent::RxPrio0 | LogEvent::TxPrio0 | LogEvent::IpChange => Some((2, 0, 0)),
        LogEvent::Preempt => Some((2, 0, 8)),
        // By unicast it was told earlier.
        LogEvent::SendErr => Some((2, 0, 16)),
        LogEvent::File => Some((2, 0, 19)),
        LogEvent::GarpTx | LogEvent::NaTx => Some((1, 2, 21)),
        LogEvent::MasterIs => Some((2, 3, 3)),
        LogEvent::IntvlAdopt | LogEvent::Vips => Some((2, 2, 0)),
        LogEvent::Stall => Some((2, 1, 0)),
        _ => None,
    }
}

/// Whether the line is in the spelling of keepalived 2, where 1 had another.
fn is_of_two(entry: &Entry) -> bool {
    let of_an_instance = entry.line.text.starts_with('(');
    match entry.reading.event {
        LogEvent::AdvertTimeout | LogEvent::RxPrio0 | LogEvent::MasterIs => true,
        LogEvent::IpChange => entry.reading.details.interface.is_some(),
        LogEvent::StateMaster
        | LogEvent::StateBackup
        | LogEvent::StateBackupInit
        | LogEvent::StateFault
        | LogEvent::TxPrio0
        | LogEvent::GarpQ
        | LogEvent::Vips
        | LogEvent::Preempt
        | LogEvent::IntvlAdopt => of_an_instance,
        _ => false,
    }
}

/// Whether the logger folded equal lines into one.
fn is_repetition(text: &str) -> bool {
    text.starts_with("message repeated ") || text.starts_with("last message repeated ")
}

/// Whether a quoted command line has `-D`, alone or among others, or its long name.
fn has_detail_option(text: &str) -> bool {
    text.split('\'').any(|word| {
        word == "--log-detail"
            || (word.starts_with('-') && !word.starts_with("--") && word.contains('D'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_and_options_are_read() {
        assert_eq!(release("v2.2.7 (01/16,2022)"), Some((2, 2, 7)));
        assert_eq!(release("v1.2.13"), Some((1, 2, 13)));
        assert_eq!(release("v2.1.5, git commit v2.1.5"), Some((2, 1, 5)));
        assert_eq!(release("2.1.5"), None);
        assert!(has_detail_option("Command line: 'keepalived' '-P' '-D'"));
        assert!(has_detail_option("              '-lDn' '-f' '/etc/k'"));
        assert!(has_detail_option("'--log-detail'"));
        assert!(!has_detail_option("'-d' '/srv/-' '--Dont'"));
    }

    #[test]
    fn absence_means_nothing_where_nothing_would_be_written() {
        let begin = Timestamp::from_parts(900, 0);
        let now = Timestamp::from_parts(1000, 0);
        let mut coverage = Coverage::default();
        let covers = |coverage: &Coverage, event| coverage.covers(event, begin, now);
        assert!(covers(&coverage, LogEvent::StateMaster));
        assert!(!covers(&coverage, LogEvent::AdvertTimeout));
        coverage.detailed = Some(true);
        assert!(
            !covers(&coverage, LogEvent::AdvertTimeout),
            "of which release?"
        );
        coverage.version = Some((2, 0, 2));
        assert!(!covers(&coverage, LogEvent::AdvertTimeout));
        coverage.version = Some((2, 2, 7));
        assert!(covers(&coverage, LogEvent::AdvertTimeout));
    }

    #[test]
    fn what_was_lost_stays_unknown() {
        let gap = Timestamp::from_parts(1000, 0);
        let coverage = Coverage {
            gap: Some(gap),
            ..Coverage::default()
        };
        let covers = |begin, now| coverage.covers(LogEvent::StateBackup, begin, now);
        let (before, after) = (gap - Span::from_secs(1), gap + Span::from_secs(1));
        assert!(!covers(after, gap + GAP_SHADOW), "more may be lost");
        assert!(covers(after, after + GAP_SHADOW));
        assert!(!covers(before, after + GAP_SHADOW * 100));
    }

    #[test]
    fn lines_tell_who_writes_them() {
        use crate::log::{Inferred, LogLine, Writer};
        let learn = |text: &str| {
            let line = LogLine {
                host: None,
                writer: Writer::Daemon,
                ident: None,
                pid: None,
                time: None,
                inferred: Inferred::default(),
                text: text.to_owned(),
            };
            let mut coverage = Coverage::default();
            let entry = Entry::read(line).expect("a line of the daemon");
            coverage.learn(&entry, Timestamp::default());
            (coverage.version, coverage.detailed)
        };
        assert_eq!(learn("(a) Entering MASTER STATE"), (Some((2, 0, 0)), None));
        assert_eq!(
            learn("VRRP_Instance(a) Entering MASTER STATE"),
            (None, None)
        );
        assert_eq!(learn("(a) setting VIPs."), (Some((2, 2, 0)), Some(true)));
        let old = "VRRP_Instance(a) setting protocol VIPs.";
        assert_eq!(learn(old), (None, None));
        let old = "Netlink reflector reports IP 10.93.144.58 removed";
        assert_eq!(learn(old), (None, None));
        let gone = "Netlink reflector reports IP 10.93.144.58 removed from eth0";
        assert_eq!(learn(gone), (Some((2, 0, 0)), Some(true)));
        let sent = "Sending gratuitous ARP on eth0 for 10.93.144.58";
        assert_eq!(learn(sent), (None, Some(true)));
    }

    #[test]
    fn lines_that_were_folded_are_not_missing() {
        assert!(is_repetition(
            "message repeated 4 times: [ (a) Entering MASTER STATE]"
        ));
        assert!(!is_repetition(
            "Suppressed 4 messages from keepalived.service"
        ));
    }
}
