//! Addresses of this host's own instances that nobody advertises: there is no virtual router to find
//! anything of, and yet a daemon that was killed or stopped has left them here. The configuration or
//! the log tells that they are its own.

use std::net::IpAddr;

use super::{
    Analyst, daemon_died, daemon_stalled,
    incident::Report,
    peer_unreachable,
    view::Description,
    words::{be, list},
};
use crate::{
    daemon::Belief,
    keepalived_conf::Instance,
    machine::Holding,
    model::{Span, Timestamp, Vrid},
    record::{Code, Evidence},
    tracker::{Router, Segment},
};

/// While it lasts the daemons are looked at this often.
const PACE: Span = Span::from_secs(10);
/// It is over when a look no longer shows it.
const QUIET: Span = Span::from_secs(12);
/// Instances that are looked at.
const MAX_INSTANCES: usize = 256;

/// What is meant to be a virtual router of this host.
struct Meant<'a> {
    name: &'a str,
    vrid: Option<Vrid>,
    addresses: Vec<IpAddr>,
    interval: Span,
    /// To whom it sends its adverts, if not to the group.
    peers: &'a [IpAddr],
    /// Where that is written.
    written: &'static str,
}

impl<'a> From<&'a Instance> for Meant<'a> {
    fn from(instance: &'a Instance) -> Self {
        Self {
            name: &instance.name,
            vrid: instance.vrid,
            addresses: instance.addresses.clone(),
            interval: instance.interval,
            peers: &instance.peers,
            written: "keepalived.conf",
        }
    }
}

impl<'a> From<&'a Belief> for Meant<'a> {
    fn from(belief: &'a Belief) -> Self {
        Self {
            name: &belief.name,
            vrid: belief.vrid,
            addresses: belief.addresses.iter().copied().collect(),
            // No line tells.
            interval: Span::from_secs(1),
            peers: &[],
            written: "its log",
        }
    }
}

impl Analyst {
    /// Looks for such addresses, after a look at the daemons. Where adverts may still come, or it is
    /// to be seen whether it goes on, asks for another look.
    pub(super) fn seek_orphans(&mut self) {
        let mut again: Option<Timestamp> = None;
        let mut reports = Vec::new();
        let conf = self.daemons.conf();
        let by_conf = conf.into_iter().flat_map(|conf| &conf.instances);
        // The configuration has them all.
        let by_log = self.daemons.beliefs_here().filter(|_| conf.is_none());
        let meant = by_conf.map(Meant::from).chain(by_log.map(Meant::from));
        for instance in meant.take(MAX_INSTANCES) {
            let instance = &instance;
            let held: Vec<(IpAddr, &Holding)> = instance
                .addresses
                .iter()
                .filter_map(|address| Some((*address, self.machine.holding(*address)?.1)))
                .collect();
            let Some((_, holding)) = held.first() else {
                continue;
            };
            let segment = &holding.segment;
            if self
                .tracker
                .routers()
                .any(|it| is_it(it, instance, segment))
            {
                continue;
            }
            let Some(due) = self.heard_by(segment, instance) else {
                continue;
            };
            if due > self.now {
                again = Some(again.map_or(due, |again| again.min(due)));
                continue;
            }
            if let Some(report) = self.orphan(instance, &held) {
                reports.push((segment.clone(), report));
                again.get_or_insert(self.now + PACE);
            }
        }
        for (segment, report) in reports {
            self.note(&segment, report);
        }
        if let Some(again) = again {
            self.machine.look_at(again);
        }
    }

    /// When an advert of an instance, or of whoever took over from it, would have been heard.
    fn heard_by(&self, segment: &Segment, instance: &Meant<'_>) -> Option<Timestamp> {
        let sight = self
            .tracker
            .sights()
            .of(segment.interface.as_deref(), self.now);
        Some(sight.complete_since()? + instance.interval * 4)
    }

    fn orphan(&self, instance: &Meant<'_>, held: &[(IpAddr, &Holding)]) -> Option<Report> {
        let (code, daemon, proof, advice) = if self.machine.has_no_daemon() {
            (
                Code::DaemonDied,
                "no VRRP daemon runs on this host",
                "no process of this host has a socket for VRRP",
                daemon_died::ADVICE,
            )
        } else if self.machine.daemon_stopped().is_some() {
            (
                Code::DaemonStalled,
                "the VRRP daemon of this host is there and does not run",
                "the process that has the socket for VRRP is stopped, or does not read it",
                daemon_stalled::ADVICE,
            )
        } else {
            return self.alone(instance, held);
        };
        let addresses: Vec<IpAddr> = held.iter().map(|(address, _)| *address).collect();
        let mut interfaces: Vec<&str> = held.iter().map(|(_, it)| &*it.interface).collect();
        interfaces.dedup();
        let evidence = |what: String| Evidence {
            time: self.now,
            source: None,
            mac: None,
            vrid: instance.vrid,
            priority: None,
            what,
        };
        let router = instance
            .vrid
            .map_or_else(|| instance.name.to_owned(), |vrid| format!("VRID {vrid}"));
        let message = format!(
            "Nobody advertises {router}, {daemon}, and yet {} {} still on {} and answered for: \
             nobody takes over if this host fails.",
            list(&addresses),
            be(&addresses),
            list(interfaces),
        );
        Some(Report {
            code,
            severity: code.severity(),
            source: *addresses.first()?,
            vrid: instance.vrid,
            quiet: QUIET,
            description: Description {
                sources: Vec::new(),
                message,
                evidence: vec![
                    evidence(proof.to_owned()),
                    evidence(format!(
                        "({}) has {} by {}",
                        instance.name,
                        list(&addresses),
                        instance.written
                    )),
                ],
                advice: advice.to_owned(),
            },
            addresses,
        })
    }
}

impl Analyst {
    /// An instance whose unicast peers do not answer: none of its adverts leaves.
    fn alone(&self, instance: &Meant<'_>, held: &[(IpAddr, &Holding)]) -> Option<Report> {
        let (address, holding) = held.first()?;
        let is_silent = |peer: &IpAddr| self.machine.is_silent(&holding.segment, *peer);
        if instance.peers.is_empty() || !instance.peers.iter().all(is_silent) {
            return None;
        }
        let code = Code::PeerUnreachable;
        let peers = list(instance.peers);
        let addresses: Vec<IpAddr> = held.iter().map(|(address, _)| *address).collect();
        let router = instance
            .vrid
            .map_or_else(|| instance.name.to_owned(), |vrid| format!("VRID {vrid}"));
        Some(Report {
            code,
            severity: code.severity(),
            source: *address,
            vrid: instance.vrid,
            quiet: QUIET,
            description: Description {
                sources: Vec::new(),
                message: format!(
                    "{router} of this host has no backup: its unicast peer {peers} does not answer \
                     ARP, so its adverts cannot leave. It holds {}, and goes on.",
                    list(&addresses)
                ),
                evidence: vec![Evidence {
                    time: self.now,
                    source: None,
                    mac: None,
                    vrid: instance.vrid,
                    priority: None,
                    what: format!("the neighbour table of this host has no answer of {peers}"),
                }],
                advice: peer_unreachable::advice(&peers),
            },
            addresses,
        })
    }
}

/// Whether a virtual router that was heard of is the one of an instance.
fn is_it(router: &Router, instance: &Meant<'_>, segment: &Segment) -> bool {
    let same = instance.vrid == Some(router.vrid) && router.segment == *segment;
    let mut advertised = router.advertised().iter();
    same || advertised.any(|address| instance.addresses.contains(address))
}
