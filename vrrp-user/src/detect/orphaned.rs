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
    machine::{Holding, Machine},
    model::{Family, Span, Timestamp, Vrid},
    record::{Code, Evidence},
    tracker::{Router, Segment},
    world::World,
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
    pub(super) fn seek_orphans(&mut self, world: &mut World) {
        let mut again: Option<Timestamp> = None;
        let mut reports = Vec::new();
        let conf = world.daemons.conf();
        let by_conf = conf.into_iter().flat_map(|conf| &conf.instances);
        // The configuration has them all.
        let by_log = world.daemons.beliefs_here().filter(|_| conf.is_none());
        let meant = by_conf.map(Meant::from).chain(by_log.map(Meant::from));
        for instance in meant.take(MAX_INSTANCES) {
            let instance = &instance;
            let Some(orphan) = Orphan::find(instance, &world.machine) else {
                continue;
            };
            let segment = &orphan.holding().segment;
            if world
                .tracker
                .routers()
                .any(|it| is_it(it, instance, segment))
            {
                continue;
            }
            let Some(due) = self.heard_by(world, segment, instance) else {
                continue;
            };
            if due > self.now {
                again = Some(again.map_or(due, |again| again.min(due)));
                continue;
            }
            if let Some(report) = self.orphan(world, &orphan) {
                reports.push((segment.clone(), report));
                again.get_or_insert(self.now + PACE);
            }
        }
        for (segment, report) in reports {
            self.note(&segment, report);
        }
        if let Some(again) = again {
            world.machine.look_at(again);
        }
    }

    /// When an advert of an instance, or of whoever took over from it, would have been heard.
    fn heard_by(
        &self,
        world: &World,
        segment: &Segment,
        instance: &Meant<'_>,
    ) -> Option<Timestamp> {
        let sight = world
            .tracker
            .sights()
            .of(segment.interface.as_deref(), self.now);
        Some(sight.complete_since()? + instance.interval * 4)
    }

    fn orphan(&self, world: &World, orphan: &Orphan<'_>) -> Option<Report> {
        let (code, daemon, proof, advice) = if world.machine.has_no_daemon() {
            (
                Code::DaemonDied,
                "No VRRP daemon runs on this host",
                "no process of this host has a socket for VRRP",
                daemon_died::ADVICE,
            )
        } else if world.machine.daemon_stopped().is_some() {
            (
                Code::DaemonStalled,
                "The VRRP daemon of this host is there and does not run",
                "the process that has the socket for VRRP is stopped, or does not read it",
                daemon_stalled::ADVICE,
            )
        } else {
            return self.alone(world, orphan);
        };
        let interfaces = orphan.interfaces();
        let addresses = orphan.addresses();
        let family = addresses.first().map_or(Family::Ipv4, |it| Family::of(*it));
        let router = orphan.router();
        // The daemon that is gone was the one to join the group.
        let others = if world.is_deaf(&orphan.holding().segment, family) {
            format!(
                "Whether another router of {router} is active cannot be told from here: this host \
                 has not joined the group, and a switch that snoops IGMP or MLD may withhold adverts \
                 from it."
            )
        } else {
            format!("Nobody advertises {router}: nobody takes over if this host fails.")
        };
        let message = format!(
            "{daemon}, and yet {} {} still on {} and answered for. {others}",
            list(&addresses),
            be(&addresses),
            list(interfaces),
        );
        let evidence = vec![
            orphan.evidence(self.now, proof.to_owned()),
            orphan.evidence(
                self.now,
                format!(
                    "({}) has {} by {}",
                    orphan.instance.name,
                    list(&addresses),
                    orphan.instance.written
                ),
            ),
        ];
        Some(orphan.report(code, message, evidence, advice.to_owned()))
    }

    /// An instance whose unicast peers do not answer: none of its adverts leaves.
    fn alone(&self, world: &World, orphan: &Orphan<'_>) -> Option<Report> {
        let peers = orphan.instance.peers;
        let segment = &orphan.holding().segment;
        if peers.is_empty()
            || !peers
                .iter()
                .all(|peer| world.machine.is_silent(segment, *peer))
        {
            return None;
        }
        let peers = list(peers);
        let message = format!(
            "{} of this host has no backup: its unicast peer {peers} does not answer ARP, so its \
             adverts cannot leave. It holds {}, and goes on.",
            orphan.router(),
            list(orphan.addresses())
        );
        let what = format!("the neighbour table of this host has no answer of {peers}");
        let evidence = vec![orphan.evidence(self.now, what)];
        let advice = peer_unreachable::advice(&peers);
        Some(orphan.report(Code::PeerUnreachable, message, evidence, advice))
    }
}

/// An instance that nobody advertises, and what this host has of its addresses.
struct Orphan<'a> {
    instance: &'a Meant<'a>,
    first: (IpAddr, &'a Holding),
    more: Vec<(IpAddr, &'a Holding)>,
}

impl<'a> Orphan<'a> {
    fn find(instance: &'a Meant<'a>, machine: &'a Machine) -> Option<Self> {
        let mut held = instance
            .addresses
            .iter()
            .filter_map(|address| Some((*address, machine.holding(*address)?.1)));
        Some(Self {
            instance,
            first: held.next()?,
            more: held.collect(),
        })
    }

    /// Where its first address is.
    const fn holding(&self) -> &'a Holding {
        self.first.1
    }

    fn held(&self) -> impl Iterator<Item = &(IpAddr, &'a Holding)> {
        std::iter::once(&self.first).chain(&self.more)
    }

    fn addresses(&self) -> Vec<IpAddr> {
        self.held().map(|(address, _)| *address).collect()
    }

    fn interfaces(&self) -> Vec<&'a str> {
        let mut interfaces: Vec<&str> = self.held().map(|(_, it)| &*it.interface).collect();
        interfaces.dedup();
        interfaces
    }

    fn router(&self) -> String {
        self.instance.vrid.map_or_else(
            || self.instance.name.to_owned(),
            |vrid| format!("VRID {vrid}"),
        )
    }

    const fn evidence(&self, time: Timestamp, what: String) -> Evidence {
        Evidence {
            time,
            source: None,
            mac: None,
            vrid: self.instance.vrid,
            priority: None,
            what,
        }
    }

    fn report(
        &self,
        code: Code,
        message: String,
        evidence: Vec<Evidence>,
        advice: String,
    ) -> Report {
        Report {
            code,
            severity: code.severity(),
            source: self.first.0,
            vrid: self.instance.vrid,
            quiet: QUIET,
            description: Description {
                sources: Vec::new(),
                message,
                evidence,
                advice,
            },
            addresses: self.addresses(),
        }
    }
}

/// Whether a virtual router that was heard of is the one of an instance.
fn is_it(router: &Router, instance: &Meant<'_>, segment: &Segment) -> bool {
    let same = instance.vrid == Some(router.vrid) && router.segment == *segment;
    let mut advertised = router.advertised().iter();
    same || advertised.any(|address| instance.addresses.contains(address))
}
