//! Incidents as text: one line to read at a glance, and one for each step.

use std::fmt::{self, Write as _};

use super::{Millis, STRONG, Style, WARNING, local_time};
use crate::{
    model::Timestamp,
    record::{IncidentRecord, Step, What},
};

impl Style {
    pub(super) fn incident(
        self,
        incident: &IncidentRecord,
        time: Timestamp,
        line: &mut String,
    ) -> fmt::Result {
        let IncidentRecord { vrid, to, .. } = incident;
        write!(
            line,
            "INCIDENT vrid {vrid}: {} took over at {} ({})",
            self.paint(STRONG, to),
            local_time(time),
            incident.trigger.escape_debug()
        )?;
        if let Some(outage) = incident.outage_ms {
            write!(line, ", outage {}", Millis(outage))?;
        }
        for step in &incident.steps {
            line.push_str("\n    ");
            step_line(step, line)?;
        }
        for missing in &incident.missing {
            write!(line, "\n    {} {missing}", self.paint(WARNING, "missing:"))?;
        }
        Ok(())
    }
}

fn step_line(step: &Step, line: &mut String) -> fmt::Result {
    write!(line, "{:>9} ", format!("+{}", Millis(step.offset_ms)))?;
    match &step.what {
        What::LastAdvert { source } => write!(line, "last advert of {source}"),
        What::Resigned { source } => write!(line, "{source} resigns"),
        What::FirstAdvert { source, priority } => {
            write!(line, "first advert of {source}, prio {priority}")
        }
        What::StillAdvertises { source } => write!(line, "{source} still advertises"),
        What::Announced {
            address,
            mac,
            count,
        } => write!(line, "{address} is announced at {mac}, {count} times"),
        What::Answered { address, mac } => write!(line, "{address} is answered for by {mac}"),
        What::Log { host, text, .. } => {
            line.push_str("log");
            if let Some(host) = host {
                write!(line, " of {}", host.escape_debug())?;
            }
            if let Some(uncertain) = step.uncertain_ms {
                write!(line, " (within {})", Millis(uncertain))?;
            }
            write!(line, ": {}", text.escape_debug())
        }
    }
}
