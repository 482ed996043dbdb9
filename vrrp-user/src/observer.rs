//! The core: inputs and the time in, records and requests out.
//!
//! An [`Observer`] does no I/O and reads no clock. Live capture, replay and tests drive the same
//! object the same way, so what a recording proves holds on the wire:
//!
//! ```text
//! handle(at, Input)  ->  Observer  ->  poll_output, poll_timeout
//! ```
//!
//! Time is what the frames say. It never runs backwards: a frame that arrives late (CPUs race for
//! the ring buffer) is reported with its own time and judged at the latest time seen so far.

mod account;
mod deadlines;
mod description;
mod drops;
mod duplicate;
mod known;
mod outlet;
mod probing;
mod seat;
mod settings;
mod traffic;
mod untold;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::IpAddr,
    sync::Arc,
};

use crate::{
    chronicle::Chronicle,
    daemon::HostName,
    detect::{Analyst, Sighting},
    frame::Frame,
    input::{Input, News},
    model::{Span, Timestamp, Vrid},
    probe::{Prober, Question},
    record::{Body, Loss, LossReason, Record, Severity, Start, Summary},
    tracker::Segment,
    wire::{self, Checksum, Packet},
    world::World,
};
use drops::Counting;
use duplicate::Duplicates;
use known::Acquaintances;
pub use known::Known;
use outlet::Outlet;
pub use settings::{ArpMode, Settings};
use untold::Untold;
use watch::{Lessons, WatchList};

/// What an observer hands back.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are records, and they move once"
)]
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Something to report.
    Record(Record),
    /// The frame of the record before, where frames are kept.
    Frame(Frame),
    /// Something to do.
    Request(Request),
}

/// What an observer asks of the shell around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Let the kernel filter pass ARP and neighbour discovery for this address.
    Watch(IpAddr),
    /// Drop this address from the kernel filter.
    Unwatch(IpAddr),
    /// Count the traffic of an address.
    Count(IpAddr),
    /// Count it no longer.
    Discount(IpAddr),
    /// Ask who has an address.
    Ask(Question),
    /// Look at the VRRP daemons of this host, and tell by [`News::Daemon`].
    FindDaemon,
    /// Count what the kernel drops, and tell by [`News::Drops`], until [`Request::StopCounting`].
    CountDrops,
    /// Give this sender a budget of its own: a frame in each such time.
    Know(Known, Span),
    /// It is one of many again.
    Disown(Known),
    /// Take the counter away, which every dropped packet of the machine pays for.
    StopCounting,
}

/// The core of vrrpwatch. See the module's documentation.
#[derive(Debug)]
pub struct Observer {
    settings: Settings,
    /// Who tells what is being handled.
    telling: Option<Arc<str>>,
    now: Timestamp,
    watch: WatchList,
    /// Addresses whose traffic is counted, if any is.
    counted: Option<WatchList>,
    lessons: Lessons,
    duplicates: Duplicates,
    world: World,
    analyst: Analyst,
    chronicle: Chronicle,
    prober: Option<Prober>,
    /// Of these hosts it was said what is inferred of the times of their lines.
    inferred: BTreeSet<HostName>,
    counting: Option<Counting>,
    untold: Untold,
    acquaintances: Acquaintances,
    /// Only where they are limited.
    outlet: Option<Outlet>,
    summary: Summary,
    /// Records that were told.
    seq: u64,
    /// The latest of their times.
    latest: Timestamp,
    outputs: VecDeque<Output>,
}

impl Observer {
    /// An observer that has seen nothing yet.
    pub fn new(settings: Settings) -> Self {
        let mut outputs = VecDeque::new();
        let mut watch = WatchList::default();
        let asked = settings.probe.iter().flat_map(|probe| &probe.given);
        for address in settings.watched.iter().chain(asked) {
            watch.pin(*address);
            outputs.push_back(Output::Request(Request::Watch(*address)));
        }
        let counted = settings.traffic.map(|_| {
            let mut counted = WatchList::with_limit(vrrp_ebpf::traffic::MAX_COUNTED as usize);
            for address in &settings.watched {
                counted.pin(*address);
                outputs.push_back(Output::Request(Request::Count(*address)));
            }
            counted
        });
        Self {
            prober: settings.probe.clone().map(Prober::new),
            counting: None,
            untold: Untold::default(),
            acquaintances: Acquaintances::default(),
            outlet: settings.limited.then(Outlet::default),
            telling: settings.observer.clone(),
            settings,
            now: Timestamp::from_nanos(0),
            watch,
            counted,
            lessons: Lessons::default(),
            duplicates: Duplicates::default(),
            world: World::default(),
            analyst: Analyst::default(),
            chronicle: Chronicle::default(),
            inferred: BTreeSet::new(),
            summary: Summary::default(),
            seq: 0,
            latest: Timestamp::from_nanos(0),
            outputs,
        }
    }

    /// Takes in what was told at `at`: a frame when it was seen, a look at the host when it was taken, a
    /// line when it was read.
    pub fn handle(&mut self, at: Timestamp, input: &Input) {
        self.telling.clone_from(&input.observer);
        match &input.news {
            News::Start(start) => self.start(at, start),
            News::Frame(frame) => self.frame(at, frame),
            News::Loss(lost) => self.loss(at, lost),
            News::Suppressed(vrids) => self.suppressed(at, vrids),
            News::Unwatched(count) => self.summary.unwatched += count,
            News::Log(entry) => self.log(at, entry),
            News::Recall(entry) => self.world.recall(entry),
            News::Afterword(entry) => self.afterword(entry),
            News::Unread(unread) => self.unread(at, unread),
            News::Conf(conf) => self.world.daemons.set_conf(conf.clone()),
            News::ConfChanged(conf) => self.conf_changed(at, conf),
            News::Host(host) => self.host(at, host),
            News::Seats(seats) => self.seats(at, seats),
            News::Address(change) => self.address(at, change),
            News::Daemon(look) => self.daemon(at, look),
            News::Drops(dropped) => self.drops(at, dropped),
            News::Traffic(traffic) => self.traffic(at, traffic),
            News::Time => self.time(at),
            News::Finish => self.finish(at),
        }
        self.telling.clone_from(&self.settings.observer);
    }

    fn start(&mut self, time: Timestamp, start: &Start) {
        self.advance(time);
        self.analyst.handle_start(&mut self.world, time);
        self.report(time, Body::Start(start.clone()));
    }

    fn frame(&mut self, time: Timestamp, frame: &Frame) {
        if self.has_stepped(time) {
            self.begin_anew(time);
        }
        self.advance(time);
        self.summary.frames += 1;
        let Some(packet) = wire::decode(frame, &self.settings.key) else {
            self.summary.ignored += 1;
            return;
        };
        if self.duplicates.is_duplicate(frame, &packet.vlan) {
            self.summary.duplicates += 1;
            return;
        }
        let segment = Segment::of(&frame.origin, &packet.vlan);
        self.learn(&segment, &packet);
        let Some(body) = self.describe(&packet) else {
            return;
        };
        let record = Record {
            interface: frame.origin.interface.clone(),
            vlan: packet.vlan.ids().to_vec(),
            direction: frame.origin.direction,
            observer: self.telling.clone(),
            ..Record::new(time, body)
        };
        if self.write_frame(&segment, &packet, record) && self.settings.frames {
            self.outputs.push_back(Output::Frame(frame.clone()));
        }
        self.chronicle
            .note_packet(time, frame.origin.interface.as_ref(), &packet);
        self.analyst.handle(
            &mut self.world,
            &Sighting {
                time: self.now,
                origin: &frame.origin,
                packet: &packet,
            },
        );
        self.inform_prober(&segment, frame.origin.direction, &packet, time);
        self.acquaintances.note(self.now);
        self.collect();
    }

    /// Without any loss, nothing is reported.
    fn loss(&mut self, time: Timestamp, lost: &BTreeMap<LossReason, u64>) {
        self.advance(time);
        let lost: BTreeMap<_, _> = lost
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(r, c)| (*r, *c))
            .collect();
        if lost.is_empty() {
            return;
        }
        self.analyst.handle_loss(&mut self.world, self.now, &lost);
        self.lose(&lost);
        self.collect();
    }

    /// Counts what was lost, and tells it if it is time.
    fn lose(&mut self, lost: &BTreeMap<LossReason, u64>) {
        for (reason, count) in lost {
            *self.summary.lost.entry(*reason).or_default() += count;
        }
        self.untold.add(lost);
        self.tell_losses(self.now);
    }

    /// Tells what was lost and still waits, and waits no longer with what is lost next.
    fn tell_rest(&mut self) {
        let mut untold = std::mem::take(&mut self.untold);
        if let Some(lost) = untold.rest() {
            self.report(self.now, Body::Loss(Loss { lost }));
        }
    }

    fn suppressed(&mut self, time: Timestamp, vrids: &BTreeSet<Vrid>) {
        self.advance(time);
        self.analyst
            .handle_suppressed(&mut self.world, vrids, self.now);
        self.collect();
    }

    fn tell_losses(&mut self, now: Timestamp) {
        if let Some(lost) = self.untold.take(now) {
            self.report(now, Body::Loss(Loss { lost }));
        }
    }

    fn time(&mut self, now: Timestamp) {
        self.advance(now);
        // Only here is the time that of the clock: frames that waited their turn bring their own,
        // and questions paced by that would leave in a burst.
        self.probe(self.now);
        if self.world.machine.seeks_daemon(self.now) {
            self.outputs.push_back(Output::Request(Request::FindDaemon));
        }
    }

    /// What is known.
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// The worst finding raised so far.
    pub const fn worst(&self) -> Option<Severity> {
        self.analyst.worst()
    }

    fn finish(&mut self, time: Timestamp) {
        self.advance(time);
        self.stop_counting();
        for incident in self.chronicle.finish() {
            self.push_incident(incident);
        }
        self.close_outlet();
        self.tell_rest();
        let summary = Summary {
            open: self.analyst.open_findings(),
            ..self.summary.clone()
        };
        self.report(self.now, Body::Summary(summary));
    }

    /// What it was told once.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether there is anything to take.
    pub fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// The next record or request, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether the clock of the frames was set: no frame is as late as that for having been overtaken by
    /// others, and none comes half an hour after the last with no time passing between.
    fn has_stepped(&self, time: Timestamp) -> bool {
        let begun = self.now > Timestamp::from_nanos(0);
        begun && !self.now.is_continued_by(time)
    }

    /// The clock was set: what was known belongs to another time. It is not over, but nobody can judge
    /// it any more.
    fn begin_anew(&mut self, time: Timestamp) {
        self.now = time;
        self.duplicates = Duplicates::default();
        self.chronicle = Chronicle::default();
        self.acquaintances.begin_anew();
        self.analyst.begin_anew(&mut self.world, time);
        self.tell_rest();
        let lost = BTreeMap::from([(LossReason::ClockStepped, 1)]);
        *self
            .summary
            .lost
            .entry(LossReason::ClockStepped)
            .or_default() += 1;
        self.report(time, Body::Loss(Loss { lost }));
    }

    /// Passes on what the analyst has to report.
    fn collect(&mut self) {
        for mut record in self.analyst.take_records() {
            record.observer.clone_from(&self.settings.observer);
            let incident = self.chronicle.takeover(&record);
            self.guide_prober(&record);
            self.suspect(&record);
            self.write(record);
            if let Some(incident) = incident {
                self.push_incident(incident);
            }
        }
        if self.world.machine.wants_drops() {
            self.count_drops();
        }
    }

    /// Learns which addresses matter: those of virtual routers, and those of the routers
    /// themselves, whose ARP tells which MAC is whose when adverts carry a virtual one.
    fn learn(&mut self, segment: &Segment, packet: &Packet) {
        let wire::Body::Advert(advert) = &packet.body else {
            return;
        };
        if advert.checksum == Some(Checksum::Bad) {
            return;
        }
        let established = advert.vrid.is_some_and(|vrid| {
            let (source, destination) = (advert.source, advert.destination);
            let tracker = &self.world.tracker;
            tracker.is_established(segment, vrid, source, destination)
        });
        let length = u32::try_from(advert.addresses.len()).unwrap_or(u32::MAX);
        if !self.lessons.take(length, established, self.now) {
            return;
        }
        if let Some(prober) = &mut self.prober {
            for address in &advert.addresses {
                prober.learn(segment, *address, self.now);
            }
        }
        self.learn_counted(&advert.addresses, established);
        for address in advert.addresses.iter().chain([&advert.source]) {
            let change = self.watch.learn(*address, established, self.now);
            let requests = change.evicted.map(Request::Unwatch).into_iter();
            let requests = requests.chain(change.added.then_some(Request::Watch(*address)));
            self.outputs.extend(requests.map(Output::Request));
        }
    }

    /// Pushes a record that concerns no interface in particular.
    fn report(&mut self, time: Timestamp, body: Body) {
        self.push(Record {
            observer: self.telling.clone(),
            ..Record::new(time, body)
        });
    }

    /// Tells a record, as the next one of the run.
    fn push(&mut self, mut record: Record) {
        self.seq += 1;
        record.run = self.settings.run;
        record.seq = self.seq;
        record.emitted = (record.time < self.latest).then_some(self.latest);
        self.latest = self.latest.max(record.time);
        self.outputs.push_back(Output::Record(record));
    }
}
