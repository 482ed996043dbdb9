//! What a log can say: absence proves nothing where the line would not have been written.

use crate::{
    log::{Details, Entry, LogEvent},
    model::{Span, Timestamp},
};

/// What is known of how a daemon logs.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Release of keepalived.
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

/// After lines were missing, what is missing is not concluded from for so long.
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
            LogEvent::LogGap => {
                self.gap = Some(now);
                self.missing = self
                    .missing
                    .saturating_add(reading.details.count.unwrap_or(1));
            }
            event if needs_detail(event) => self.detailed = Some(true),
            _ => {}
        }
    }

    /// Whether a line of this kind, written at about `time`, would be here.
    pub fn covers(&self, event: LogEvent, time: Timestamp) -> bool {
        let complete = self.gap.is_none_or(|gap| time > gap + GAP_SHADOW);
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
            | LogEvent::MasterIs
            | LogEvent::GarpQ
            | LogEvent::GarpTx
            | LogEvent::NaTx
            | LogEvent::IpChange
            | LogEvent::IntvlAdopt
    )
}

/// The release that wrote such a line first.
const fn since(event: LogEvent) -> Option<Release> {
    match event {
        LogEvent::AdvertTimeout => Some((2, 0, 3)),
        LogEvent::RxPrio0 | LogEvent::IpChange => Some((2, 0, 0)),
        LogEvent::GarpTx | LogEvent::NaTx => Some((1, 2, 21)),
        LogEvent::MasterIs => Some((2, 3, 3)),
        LogEvent::IntvlAdopt => Some((2, 2, 0)),
        LogEvent::Stall => Some((2, 1, 0)),
        _ => None,
    }
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
        let now = Timestamp::from_parts(1000, 0);
        let mut coverage = Coverage::default();
        assert!(coverage.covers(LogEvent::StateMaster, now));
        assert!(!coverage.covers(LogEvent::AdvertTimeout, now));
        coverage.detailed = Some(true);
        assert!(
            !coverage.covers(LogEvent::AdvertTimeout, now),
            "of which release?"
        );
        coverage.version = Some((2, 0, 2));
        assert!(!coverage.covers(LogEvent::AdvertTimeout, now));
        coverage.version = Some((2, 2, 7));
        assert!(coverage.covers(LogEvent::AdvertTimeout, now));
        coverage.gap = Some(now);
        assert!(!coverage.covers(LogEvent::AdvertTimeout, now + GAP_SHADOW));
    }
}
