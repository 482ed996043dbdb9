//! The line of a question who has an address.

use std::fmt::{self, Display, Write as _};

use super::{ALERT, QUIET, STRONG, Style, WARNING};
use crate::{
    probe::Obstacle,
    record::{Answer, Outcome, ProbeRecord},
};

impl Style {
    pub(super) fn probe(self, probe: &ProbeRecord, line: &mut String) -> fmt::Result {
        let address = self.paint(STRONG, probe.address);
        write!(line, "PROBE {address}")?;
        match probe.outcome {
            Outcome::Answered => {}
            Outcome::Unanswered => write!(line, " {}", self.paint(ALERT, "unanswered"))?,
            Outcome::HeldHere => write!(line, " is held here, and nobody else answers")?,
            Outcome::NotAsked => {
                let reason = probe.reason.map_or("unknown", Obstacle::describe);
                write!(line, " {} ({reason})", self.paint(WARNING, "not asked for"))?;
            }
        }
        for (position, answer) in probe.answers.iter().enumerate() {
            let separator = if position == 0 { "" } else { " and" };
            write!(line, "{separator} is at {}", self.answer(answer))?;
            if probe.repeated.contains(&answer.mac) {
                write!(line, ", {}", self.paint(ALERT, "answered more than once"))?;
            }
        }
        Ok(())
    }

    /// "02:00:00:00:00:a0 (active router 10.77.0.10), 0.123 ms"
    pub(crate) fn answer(self, answer: &Answer) -> impl Display + use<> {
        let answer = answer.clone();
        fmt::from_fn(move |f| {
            write!(f, "{}", self.paint(STRONG, answer.mac))?;
            if let Some(role) = answer.role {
                let colour = if role.is_rightful() { QUIET } else { ALERT };
                write!(f, " ({}", self.paint(colour, role.describe()))?;
                if let Some(router) = answer.router {
                    write!(f, " {router}")?;
                }
                write!(f, ")")?;
            }
            write!(f, ", {}", Micros(answer.rtt_us))
        })
    }
}

/// Microseconds as ping has them: "0.123 ms".
pub(crate) struct Micros(pub(crate) u64);

impl Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} ms", self.0 / 1000, self.0 % 1000)
    }
}
