//! What is wrong with the virtual routers: one detector for each finding, a file each.
//!
//! A detector looks at the state of a virtual router and says whether its finding holds, does not,
//! or cannot be told. It keeps no state of its own, so a finding cannot be raised twice or
//! forgotten: the `ledger` compares what holds with what held before. When time alone can change
//! the answer, the detector names the deadline, and is asked again then and not before; the records
//! are therefore the same however often the clock is read in between.
//!
//! What is wrong with single packets is counted as `incident`s.

mod account;
mod address_list_mismatch;
mod address_lost;
mod advert_gap;
mod auth_mismatch;
mod bad_checksum;
mod bad_ttl;
mod blind;
mod carp_neighbour;
mod checksum_variant_mismatch;
mod config_drift;
mod daemon_died;
mod daemon_stalled;
mod disagreement;
mod displaced;
mod duplicate_address;
mod egress_blocked;
mod false_owner;
mod flapping;
mod flood;
mod garp_missing;
mod garp_not_sent;
mod hearsay;
mod incident;
mod interval_mismatch;
mod kept;
mod ledger;
mod local_drop;
mod log_gap;
mod log_wire_disagree;
mod malformed_advert;
#[cfg(feature = "mutate")]
mod mutation;
mod new_sender;
mod no_master;
mod orphaned;
mod own;
mod owner_conflict;
mod peer_unreachable;
mod plaintext_auth;
mod reflected_advert;
mod rivals;
mod roll;
mod seats;
mod silent_failover;
mod split_brain;
mod stale_garp;
mod traffic_at_standby;
mod unheard_master;
mod unicast_multicast_mix;
mod version_mismatch;
mod view;
mod vip_conflict;
mod vip_in_two_vrids;
mod vip_unanswered;
mod vip_without_master;
mod vip_wrong_answer;
mod vmac_mismatch;
mod vrid_collision;
mod words;

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    frame::Direction,
    model::{Span, Timestamp, Vrid},
    probe::Round,
    record::{Body, LossReason, OpenFinding, Record, Severity},
    tracker::{
        Router, RouterId, Segment,
        admission::{Rejection, admit},
    },
    traffic::Traffic,
    wire::{self, Advert},
    world::World,
};
use displaced::Displaced;
use flood::Flood;
use incident::Incidents;
use ledger::{Key, Ledger, Subject};
use reflected_advert::Echoes;
use roll::{DETECTORS, PAIR_DETECTORS};
use view::{Assessment, Matter, Matters, View};

/// A packet, and where and when it was seen.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// When it was seen.
    pub time: Timestamp,
    /// Where it was seen.
    pub origin: &'a crate::frame::Origin,
    /// What it is.
    pub packet: &'a wire::Packet,
}

/// Finds what is wrong with the virtual routers of a [`World`]. Does no I/O and reads no clock; see the
/// module's documentation.
#[derive(Debug, Default)]
pub struct Analyst {
    now: Timestamp,
    ledger: Ledger,
    incidents: Incidents,
    echoes: Echoes,
    displaced: Displaced,
    flood: Flood,
    worst: Option<Severity>,
    records: Vec<Record>,
}

/// When the adverts of a router would have come, at the usual interval.
const ADVERTS_WOULD_COME: Span = Span::from_millis(3900);

impl Analyst {
    /// The findings that are in force.
    pub fn open_findings(&self) -> Vec<OpenFinding> {
        self.ledger.all()
    }

    /// The worst finding raised so far.
    pub const fn worst(&self) -> Option<Severity> {
        self.worst
    }

    /// Takes in what came of asking for an address.
    pub(crate) fn handle_round(&mut self, world: &mut World, round: &Round, now: Timestamp) {
        self.handle_timeout(world, now);
        let concerned = world.tracker.note_round(round, now);
        let unheard_of = concerned.is_empty()
            && world
                .tracker
                .sights()
                .everywhere_since()
                .is_some_and(|since| round.asked.since(since) >= ADVERTS_WOULD_COME);
        if unheard_of && !round.answers.is_empty() && !round.held {
            self.note(&round.segment, vip_without_master::report(round));
        }
        for id in concerned {
            self.assess(world, id);
        }
    }

    /// Takes in the traffic of an address in the interval that ends `now`.
    pub(crate) fn handle_traffic(&mut self, world: &mut World, traffic: &Traffic, now: Timestamp) {
        self.handle_timeout(world, now);
        let here =
            |router: &Router| traffic_at_standby::is_active_here(router, &world.daemons, now);
        for id in world.tracker.note_traffic(traffic, here, now) {
            self.assess(world, id);
        }
    }

    /// Takes a packet in. Deadlines before it must have been handled.
    pub fn handle(&mut self, world: &mut World, sighting: &Sighting<'_>) {
        self.handle_timeout(world, sighting.time);
        world.tracker.begin(self.now);
        let segment = Segment::of(sighting.origin, &sighting.packet.vlan);
        match &sighting.packet.body {
            wire::Body::Advert(advert) => self.advert(world, &segment, sighting, advert),
            wire::Body::Carp(carp) => {
                let mac = sighting.packet.source_mac;
                let place = (&world.tracker, &segment);
                let report = carp_neighbour::report(carp, mac, place, self.now);
                self.note(&segment, report);
            }
            wire::Body::Arp(arp) => self.arp(world, &segment, sighting, arp),
            wire::Body::Nd(nd) => self.nd(world, &segment, sighting, nd),
        }
    }

    /// Takes in that frames were lost.
    pub fn handle_loss(
        &mut self,
        world: &mut World,
        time: Timestamp,
        lost: &BTreeMap<LossReason, u64>,
    ) {
        self.handle_timeout(world, time);
        let blinding = |reason: &LossReason| {
            matches!(
                reason,
                LossReason::RingFull
                    | LossReason::HostBacklog
                    | LossReason::PassedOver
                    | LossReason::Unreadable
                    | LossReason::BadEvent
                    | LossReason::CaptureDropped
            )
        };
        self.note_suppressed(lost);
        if lost.contains_key(&LossReason::NeighbourFlood) {
            world.tracker.lose_neighbours(self.now);
        }
        if !lost.keys().any(blinding) {
            return;
        }
        world.tracker.lose(self.now);
        self.assess_all(world);
    }

    /// Takes in that adverts of these virtual routers were suppressed.
    pub(crate) fn handle_suppressed(
        &mut self,
        world: &mut World,
        vrids: &BTreeSet<Vrid>,
        now: Timestamp,
    ) {
        self.handle_timeout(world, now);
        for id in world.tracker.lose_adverts(vrids, self.now) {
            self.assess(world, id);
        }
    }

    /// Takes in that time has come to `now`: meets every deadline until then, each at its own time.
    pub fn handle_timeout(&mut self, world: &mut World, now: Timestamp) {
        while let Some(due) = self.poll_timeout(world).filter(|due| *due <= now) {
            self.now = self.now.max(due);
            if let Some((_, id)) = world.tracker.next_due().filter(|(time, _)| *time <= due) {
                self.assess(world, id);
            } else if self.displaced.due.is_some_and(|time| time <= due) {
                self.records.extend(self.displaced.report(self.now));
            } else if self.flood.due().is_some_and(|time| time <= due) {
                self.judge_flood();
            } else {
                let ended = self.incidents.expire(self.now);
                for key in ended {
                    self.records.extend(self.ledger.end(&key, self.now));
                }
            }
        }
        self.now = self.now.max(now);
    }

    /// The next deadline.
    pub fn poll_timeout(&self, world: &World) -> Option<Timestamp> {
        let router = world.tracker.next_due().map(|(due, _)| due);
        [
            router,
            self.incidents.next_due(),
            self.displaced.due,
            self.flood.due(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The records made since the last call, in order.
    pub fn take_records(&mut self) -> Vec<Record> {
        #[cfg(feature = "mutate")]
        self.records.retain(mutation::is_told);
        std::mem::take(&mut self.records)
    }

    fn advert(
        &mut self,
        world: &mut World,
        segment: &Segment,
        sighting: &Sighting<'_>,
        advert: &Advert,
    ) {
        let mac = sighting.packet.source_mac;
        let direction = sighting.origin.direction;
        if self
            .echoes
            .is_echo(segment, advert, mac, direction, self.now)
        {
            let report = reflected_advert::report(advert, mac, direction);
            self.note(segment, report);
            return;
        }
        match admit(advert, sighting.packet.destination_mac) {
            None => {}
            Some(Err(rejection)) => {
                self.note_stranger(segment, flood::Kind::Advert, mac, advert.source);
                if let Some(vrid) = advert.vrid {
                    world
                        .tracker
                        .disturb(segment, vrid, advert.destination, self.now);
                }
                let report = match rejection {
                    Rejection::Malformed(defect) => malformed_advert::report(advert, mac, defect),
                    Rejection::Ttl(ttl) => bad_ttl::report(advert, mac, ttl),
                    Rejection::Checksum => bad_checksum::report(advert, mac),
                };
                self.note(segment, report);
            }
            Some(Ok(claim)) => {
                let source = claim.source;
                if direction == Some(Direction::Out) {
                    world.daemons.learn_own(source);
                }
                let ledger = &self.ledger;
                let (id, forgotten) =
                    world
                        .tracker
                        .advert(segment, claim, mac, |id| ledger.is_open(id), self.now);
                for router in forgotten {
                    self.forget(world, &router);
                }
                world.introduce(id, source);
                let known = world.tracker.router(id).is_some_and(|router| {
                    router
                        .speakers()
                        .any(|speaker| speaker.source == source && speaker.is_established())
                });
                if !known {
                    self.note_stranger(segment, flood::Kind::Advert, mac, source);
                }
                if direction == Some(Direction::Out) {
                    world.note_own(id, source, self.now);
                }
                self.assess(world, id);
            }
        }
    }

    fn note(&mut self, segment: &Segment, report: incident::Report) {
        let (key, displaced) = self.incidents.note(segment, &report, self.now);
        if let Some(displaced) = displaced {
            self.records
                .extend(self.ledger.forget(&displaced, self.now));
        }
        let record = self.ledger.count(key, segment, report, self.now);
        self.raise(record);
    }

    /// Asks all detectors about a virtual router, and sets the next deadline.
    fn assess(&mut self, world: &mut World, id: RouterId) {
        let now = self.now;
        world.witness(id);
        world.tracker.tick(id, now);
        for (time, body) in world.tracker.take_reports(id) {
            if let Some(router) = world.tracker.router(id) {
                self.records
                    .push(ledger::record(&router.segment, time, body));
            }
        }
        let Some(router) = world.tracker.router(id) else {
            return;
        };
        // While its place is out of sight nothing is found and nothing is cleared: when it is seen
        // again, all are asked.
        if !router.sight().is_open() {
            world.tracker.schedule(id, None, now);
            return;
        }
        let kin = || {
            router
                .kin()
                .keys()
                .filter_map(|other| world.tracker.router(*other))
        };
        let rivalry = OnceCell::new();
        let view = View {
            router,
            rivalry: &rivalry,
            daemons: &world.daemons,
            machine: &world.machine,
            held: kept::holds_any(&world.machine, router),
            multicast: own::multicast(world, router),
            served_by_kin: kin()
                .any(|other| traffic_at_standby::is_active_here(other, &world.daemons, now)),
            open: false,
            now,
        };
        let mut deadline: Option<Timestamp> = None;
        // Of a deadline that has come, the assessment knows already.
        let mut sooner = |time: Option<Timestamp>| {
            let time = time.filter(|time| *time > now);
            deadline = [deadline, time].into_iter().flatten().min();
        };
        let puzzle = kept::puzzle(&view);
        let mut records = Vec::new();
        let open = self.ledger.codes(&Subject::Router(id));
        let matters = Matters::of(&view);
        for detector in DETECTORS {
            let code = detector.code();
            let view = View {
                open: open.contains(code),
                ..view
            };
            let assessment = if matters.has(detector.matter()) {
                sooner(detector.deadline(&view));
                detector.assess(&view)
            } else {
                Assessment::Absent
            };
            // What is between several routers needs all of them to be heard.
            let assessment = if detector.matter() == Matter::Rivals {
                sooner(view.overlooks_until());
                assessment.seen_by(&view)
            } else {
                assessment
            };
            if assessment.is_absent() && !view.open {
                continue;
            }
            let key = Key {
                subject: Subject::Router(id),
                code,
            };
            let describe = |sign: &view::Sign| detector.describe(&view, sign);
            let record = self.ledger.settle(key.clone(), &view, assessment, describe);
            records.extend(record);
            sooner(self.ledger.update_due(&key));
        }
        for other in kin() {
            records.extend(settle_pair(&mut self.ledger, view, other, &mut sooner));
        }
        // Who used to share an address and no longer does.
        let lost = self
            .ledger
            .partners(id, |other| !router.kin().contains_key(&other));
        for key in lost {
            records.extend(self.ledger.end(&key, now));
        }
        world.machine.set_puzzle(id, puzzle, now);
        for record in records {
            self.raise(Some(record));
        }
        world.tracker.schedule(id, deadline, now);
    }

    fn raise(&mut self, record: Option<Record>) {
        let Some(record) = record else { return };
        if let Body::Finding(finding) = &record.body {
            self.worst = self.worst.max(Some(finding.severity));
        }
        self.records.push(record);
    }
}

/// Asks about a virtual router and another one that it shares an address with.
fn settle_pair(
    ledger: &mut Ledger,
    view: View<'_>,
    other: &Router,
    sooner: &mut impl FnMut(Option<Timestamp>),
) -> Vec<Record> {
    let (one, other) = if view.router.id() < other.id() {
        (view.router, other)
    } else {
        (other, view.router)
    };
    let view = View {
        router: one,
        ..view
    };
    let subject = Subject::Pair(one.id(), other.id());
    let open = ledger.codes(&subject);
    let mut records = Vec::new();
    for detector in PAIR_DETECTORS {
        sooner(detector.deadline(&view, other));
        // It is about both: what is overlooked of either may be a sign of it.
        let open = open.contains(detector.code());
        let views = [one, other].map(|router| View {
            router,
            open,
            ..view
        });
        let assessment = views
            .iter()
            .fold(detector.assess(&view, other), Assessment::seen_by);
        for view in &views {
            sooner(view.overlooks_until());
        }
        if assessment.is_absent() && !open {
            continue;
        }
        let key = Key {
            subject: subject.clone(),
            code: detector.code(),
        };
        let describe = |sign: &view::Sign| detector.describe(&view, other, sign);
        records.extend(ledger.settle(key.clone(), &view, assessment, describe));
        sooner(ledger.update_due(&key));
    }
    records
}
