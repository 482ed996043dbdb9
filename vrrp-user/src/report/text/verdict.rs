//! The lines that say who is active and what is wrong.

use std::fmt::{self, Write as _};

use super::{ALERT, Millis, QUIET, RELIEF, STRONG, Style, WARNING, list};
use crate::{
    escape::escape,
    log::Inferred,
    record::{AnnouncedRecord, FindingRecord, LogRecord, Severity, StateRecord, Status},
};

impl Style {
    pub(super) fn state(self, state: &StateRecord, line: &mut String) -> fmt::Result {
        let StateRecord { vrid, to, from, .. } = state;
        write!(line, "STATE vrid {vrid}: {} ", self.paint(STRONG, to))?;
        write!(line, "is active, prio {}", state.priority)?;
        if let Some(from) = from.filter(|from| from != to) {
            write!(line, ", was {from}")?;
        }
        write!(line, " ({})", state.reason.as_str())?;
        match (state.outage_ms, state.silence_ms) {
            (Some(outage), _) => write!(line, ", outage {}", Millis(outage))?,
            (None, Some(silence)) => write!(line, ", {} without adverts", Millis(silence))?,
            (None, None) => {}
        }
        list(", holds", &state.addresses, line)
    }

    pub(super) fn announced(self, record: &AnnouncedRecord, line: &mut String) -> fmt::Result {
        let AnnouncedRecord { vrid, to, .. } = record;
        write!(
            line,
            "STATE vrid {vrid}: {} announced",
            self.paint(STRONG, to)
        )?;
        if record.announcements.is_empty() {
            write!(line, " {}", self.paint(WARNING, "no address"))?;
        }
        for (position, one) in record.announcements.iter().enumerate() {
            let separator = if position == 0 { "" } else { "," };
            write!(line, "{separator} {} {} times", one.address, one.count)?;
            write!(line, " (first after {})", Millis(one.first_ms))?;
        }
        if let Some(converged) = record.converged_ms {
            write!(line, ", answers after {}", Millis(converged))?;
        }
        Ok(())
    }

    pub(super) fn finding(self, finding: &FindingRecord, line: &mut String) -> fmt::Result {
        let label = match finding.severity {
            Severity::Critical => "CRITICAL",
            Severity::Warning => "WARNING",
            Severity::Info => "INFO",
        };
        let colour = match (finding.status, finding.severity) {
            (Status::Cleared, _) => RELIEF,
            (Status::Forgotten, _) | (_, Severity::Info) => QUIET,
            (_, Severity::Critical) => ALERT,
            (_, Severity::Warning) => WARNING,
        };
        let status = match finding.status {
            Status::Raised => "",
            Status::Updated => " (updated)",
            Status::Cleared => " (cleared)",
            Status::Forgotten => " (forgotten)",
        };
        let code = finding.code.as_str();
        write!(
            line,
            "{} {}",
            self.paint(colour, format_args!("{label} {code}{status}:")),
            escape(&finding.message)
        )?;
        if let Some(changes) = finding.changes {
            write!(line, " Changed {changes} times since the last update.")?;
        }
        if matches!(finding.status, Status::Cleared | Status::Forgotten) {
            return Ok(());
        }
        if !finding.advice.is_empty() {
            write!(line, " -> {}", escape(&finding.advice))?;
        }
        Ok(())
    }

    /// The line as it stands in the log: that is how it is known.
    pub(super) fn log(self, log: &LogRecord, line: &mut String) -> fmt::Result {
        line.push_str("LOG");
        if let Some(host) = &log.host {
            write!(line, " {}", self.paint(STRONG, escape(host)))?;
        }
        if let Some(uncertain) = log.uncertain_ms {
            write!(line, " (within {})", Millis(uncertain))?;
        }
        write!(line, ": {}", escape(&log.text))?;
        let Inferred { year, month, zone } = log.inferred;
        let inferred: Vec<&str> = [(year, "year"), (month, "month"), (zone, "zone")]
            .into_iter()
            .filter_map(|(inferred, what)| inferred.then_some(what))
            .collect();
        if !inferred.is_empty() {
            let inferred = inferred.join(" and ");
            write!(
                line,
                " ({inferred} of its times and of those that follow are inferred)"
            )?;
        }
        Ok(())
    }
}
