//! Incidents as text: what happened, and the course of it on one line.

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
    net::IpAddr,
    sync::Arc,
};

use super::{ALERT, Millis, STRONG, Style, WARNING, local_time};
use crate::{
    escape::escape,
    model::MacAddr,
    record::{IncidentRecord, Step, What},
};

impl Style {
    pub(super) fn incident(self, incident: &IncidentRecord, line: &mut String) -> fmt::Result {
        let IncidentRecord { vrid, to, .. } = incident;
        write!(
            line,
            "INCIDENT vrid {vrid}: {} {}",
            self.paint(STRONG, to),
            if incident.from == Some(*to) {
                "is active again"
            } else {
                "took over"
            },
        )?;
        if let Some(from) = incident.from.filter(|from| from != to) {
            write!(line, " from {from}")?;
        }
        match (incident.outage_ms, incident.silence_ms) {
            (Some(outage), _) => {
                let outage = Millis(outage);
                write!(line, " after an outage of {}", self.paint(ALERT, outage))?;
            }
            (None, Some(silence)) => write!(line, " after {} without adverts", Millis(silence))?,
            (None, None) => {}
        }
        write!(line, " ({})", escape(&incident.trigger))?;
        let several = macs(incident).len() > 1;
        for (position, step) in incident.steps.iter().enumerate() {
            if position == 0 {
                write!(line, "\n    {} ", local_time(step.time))?;
            } else {
                write!(line, " · +{} ", Millis(step.offset_ms))?;
            }
            course(step, several, line)?;
        }
        if let Some(converged) = incident.converged_ms {
            write!(line, " · first right answer after {}", Millis(converged))?;
        }
        for missing in &incident.missing {
            let missing = escape(missing);
            write!(line, "\n    {} {missing}", self.paint(WARNING, "missing:"))?;
        }
        Ok(())
    }
}

/// The MACs that the addresses are said to be at.
fn macs(incident: &IncidentRecord) -> BTreeSet<MacAddr> {
    incident
        .steps
        .iter()
        .filter_map(|step| match &step.what {
            What::Announced { mac, .. } | What::Answered { mac, .. } => Some(*mac),
            _ => None,
        })
        .collect()
}

/// A step, with the MAC where it tells one from another.
fn course(step: &Step, several: bool, line: &mut String) -> fmt::Result {
    match &step.what {
        What::LastAdvert { host, source } => {
            who(host.as_ref(), *source, line)?;
            line.push_str(" last advert");
        }
        What::Resigned { host, source } => {
            who(host.as_ref(), *source, line)?;
            line.push_str(" resigns");
        }
        What::FirstAdvert { host, source, .. } => {
            who(host.as_ref(), *source, line)?;
            line.push_str(" first advert");
        }
        What::StillAdvertises { host, source } => {
            who(host.as_ref(), *source, line)?;
            line.push_str(" still advertises");
        }
        What::Announced {
            address,
            mac,
            count,
        } => {
            let announcement = match address {
                IpAddr::V4(_) => "gratuitous ARP",
                IpAddr::V6(_) => "unsolicited NA",
            };
            write!(line, "{count} {announcement} for {address}")?;
            if several {
                write!(line, " at {mac}")?;
            }
        }
        What::Answered { address, mac } => {
            write!(line, "{address} answered for")?;
            if several {
                write!(line, " by {mac}")?;
            }
        }
        What::Log { host, event, .. } => {
            if let Some(host) = host {
                write!(line, "{} ", escape(host))?;
            }
            write!(line, "log {}", event.as_str().to_ascii_uppercase())?;
            if let Some(uncertain) = step.uncertain_ms {
                write!(line, " (within {})", Millis(uncertain))?;
            }
        }
    }
    Ok(())
}

/// The host by its name, where its log tells that; otherwise by its address.
fn who(host: Option<&Arc<str>>, source: IpAddr, line: &mut String) -> fmt::Result {
    match host {
        Some(host) => write!(line, "{}", escape(host)),
        None => write!(line, "{source}"),
    }
}
