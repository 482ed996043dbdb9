//! What the daemons have to do with an incident: their hosts' names, and lines that should be there.

use std::{net::IpAddr, sync::Arc};

use crate::{
    daemon::{Daemons, Host},
    log::LogEvent,
    model::Timestamp,
    record::{Body, ChangeReason, IncidentRecord, Record, What},
    tracker::RouterId,
    world::World,
};

/// Completes an incident by what is known of the daemons at `now`.
pub(crate) fn complete(record: &mut Record, world: &World, now: Timestamp) {
    let daemons = &world.daemons;
    let taken = record.time;
    let interface = record.interface.clone();
    let Body::Incident(incident) = &mut record.body else {
        return;
    };
    let (vrid, family) = (incident.vrid, incident.family);
    let is_it = |id: RouterId| {
        let router = world.tracker.router(id);
        router.is_some_and(|router| {
            (router.vrid, router.family) == (vrid, family) && router.segment.interface == interface
        })
    };
    // When they came it may not have been known which virtual router an instance is.
    incident.steps.retain(|step| match &step.what {
        What::Log {
            host,
            instance: Some(instance),
            ..
        } => daemons.may_be(host, instance, &is_it),
        _ => true,
    });
    for step in &mut incident.steps {
        name(&mut step.what, daemons);
    }
    let missing: Vec<String> = expected(incident)
        .filter_map(|line| {
            let host = daemons.sending(line.writer)?;
            is_missing(&line, host, incident, taken, now)
                .then(|| format!("a line of {} that it {}", host.called(), line.says))
        })
        .collect();
    incident.missing.extend(missing);
}

fn name(what: &mut What, daemons: &Daemons) {
    let known = |source: &IpAddr| -> Option<Arc<str>> { daemons.sending(*source)?.name.clone() };
    match what {
        What::LastAdvert { host, source }
        | What::Resigned { host, source }
        | What::FirstAdvert { host, source, .. }
        | What::StillAdvertises { host, source } => *host = known(source),
        What::Announced { .. } | What::Answered { .. } | What::Log { .. } => {}
    }
}

/// A line that a daemon writes when a role changes hands.
struct Line {
    writer: IpAddr,
    /// Any of these will do.
    events: &'static [LogEvent],
    says: &'static str,
}

fn expected(incident: &IncidentRecord) -> impl Iterator<Item = Line> {
    let of_new = |events, says| {
        Some(Line {
            writer: incident.to,
            events,
            says,
        })
    };
    let of_old = |events, says| {
        Some(Line {
            writer: incident.from?,
            events,
            says,
        })
    };
    let became = of_new(
        &[LogEvent::StateMaster, LogEvent::StateMasterPre],
        "became master",
    );
    let other = match incident.reason {
        Some(ChangeReason::Timeout) => {
            of_new(&[LogEvent::AdvertTimeout], "waited for adverts in vain")
        }
        Some(ChangeReason::Resigned) => of_old(&[LogEvent::TxPrio0], "resigned"),
        Some(ChangeReason::Preempted | ChangeReason::TieBreak | ChangeReason::PriorityLowered) => {
            of_old(
                &[LogEvent::StateBackup, LogEvent::StateFault],
                "gave its role up",
            )
        }
        Some(ChangeReason::FirstSeen | ChangeReason::Restarted | ChangeReason::Unobserved)
        | None => None,
    };
    became.into_iter().chain(other)
}

/// Whether a line that would be in the log is not.
fn is_missing(
    line: &Line,
    host: &Host,
    incident: &IncidentRecord,
    taken: Timestamp,
    now: Timestamp,
) -> bool {
    let from = incident.steps.first().map_or(taken, |step| step.time);
    // Where a later line is there, an earlier one would be.
    let told = host.wrote_around(from) && host.wrote_around(taken);
    let covered = line
        .events
        .iter()
        .all(|event| host.coverage.covers(*event, from, now));
    let written = incident.steps.iter().any(|step| {
        matches!(&step.what, What::Log { host: writer, event, .. }
            if *writer == host.name && line.events.contains(event))
    });
    told && covered && !written
}
