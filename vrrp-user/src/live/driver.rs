//! What the shells on a live host have in common: what the kernel shows, on its way to an observer, and
//! what the observer hands out, on its way to the shell.
//!
//! A shell is a [`Driver`] with [`Ports`] of its own. It waits for the first event and calls the
//! driver, which sees to the order: frames before what happened after them, losses before time passes.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{
    Clock, LiveError, SETTLING, counting::Counting, losses::Losses, taps::Taps, turn::Turn,
};
use crate::{
    capture::{Backlog, Event, KernelHalf, LoadSettings, Mode, Ring},
    chain::Chain,
    frame::Frame,
    input::{Input, News},
    link::{Links, Watch},
    machine::AddressChange,
    model::{Span, Timestamp},
    observer::{self, Observer, Output, Request},
    record::{LossReason, Record, Start},
    settings::WatchSettings,
    traffic::Traffic,
};

/// How often kernel counters are read when nothing else asks for them: a loss is told this soon.
const ACCOUNTING: Duration = Duration::from_millis(200);
/// How often it is looked whether the programs are still attached.
const VERIFYING: Duration = Duration::from_secs(1);
/// Interfaces that change come in bursts; one look after the burst is enough.
const LINK_SETTLING: Duration = Duration::from_millis(100);

/// What a shell does with what the observer hands out, and what it alone knows.
pub(super) trait Ports {
    /// Takes a record.
    fn record(&mut self, record: Record);

    /// Takes the frame of the record before.
    fn frame(&mut self, frame: Frame);

    /// Does what the observer asks for. What it asks of the kernel's filter is done already.
    fn request(&mut self, request: Request, clock: &Clock);

    /// Takes what the observer was told; `is_idle`: time passed, and nothing came of it.
    fn told(&mut self, at: Timestamp, input: Input, is_idle: bool);

    /// The logs and the configuration that are read, in words.
    fn sources(&self) -> Vec<String>;

    /// Tells what was lost behind the observer since the last call.
    fn lost(&mut self) -> Vec<(LossReason, u64)>;
}

/// The kernel half, an observer, and the ports of a shell.
pub(super) struct Driver<P> {
    pub(super) clock: Clock,
    pub(super) kernel: KernelHalf,
    pub(super) ring: Ring,
    pub(super) events: Vec<Event>,
    pub(super) taps: Taps,
    pub(super) link_watch: Watch,
    /// The interfaces as they were last.
    pub(super) links: Links,
    /// When to look what became of interfaces that have changed.
    pub(super) relink_at: Option<Timestamp>,
    /// When to read the kernel's counters, whatever else happens.
    pub(super) accounting: Interval,
    /// When to look whether the programs are still attached.
    pub(super) verifying: Interval,
    /// When it was last seen that they are.
    pub(super) verified: Option<Timestamp>,
    /// Only where traffic is counted.
    counting: Option<Counting>,
    losses: Losses,
    /// Where the kernel tells.
    backlog: Option<Backlog>,
    /// Frames that were passed over to stay in time, since they were last told.
    passed_over: u64,
    pub(super) observer: Observer,
    pub(super) ports: P,
}

impl<P: Ports> Driver<P> {
    /// Loads the programs; needs a tokio runtime. `begin` attaches them for the first time, and opens
    /// the ports.
    ///
    /// # Errors
    /// What has to be had cannot be had.
    pub(super) async fn open(
        watch: WatchSettings,
        settings: observer::Settings,
        begin: impl FnOnce(&mut Taps, &Links, &mut KernelHalf, &Clock) -> Result<P, LiveError>,
    ) -> Result<Self, LiveError> {
        let clock = Clock::new()?;
        let mut kernel = KernelHalf::load(&LoadSettings {
            arp: settings.arp,
            traffic: settings.traffic.is_some(),
            debug: watch.kernel_log,
            xdp: watch.mode != Mode::Auto,
            ..LoadSettings::default()
        })?;
        if watch.kernel_log {
            tokio::spawn(kernel.take_debug_log()?.run());
        }
        let ring = kernel.take_ring()?;
        let link_watch = Watch::new()?;
        let links = link_watch.snapshot().await?;
        let mut taps = Taps::new(watch.selection, watch.mode);
        let ports = begin(&mut taps, &links, &mut kernel, &clock)?;
        let now = clock.now()?;
        Ok(Self {
            counting: settings.traffic.map(|_| Counting::new(now)),
            observer: Observer::new(settings),
            events: Vec::with_capacity(Ring::BATCH),
            clock,
            kernel,
            ring,
            taps,
            link_watch,
            links,
            relink_at: None,
            accounting: every(ACCOUNTING),
            verifying: every(VERIFYING),
            verified: None,
            losses: Losses::default(),
            backlog: Backlog::open().ok(),
            passed_over: 0,
            ports,
        })
    }

    /// Tells the observer something, and passes on what comes of it.
    pub(super) fn tell(&mut self, at: Timestamp, news: News) {
        let input = Input {
            observer: self.observer.settings().observer.clone(),
            news,
        };
        // Asked for the time alone: it costs too much for every frame.
        let is_due = || self.observer.poll_timeout().is_some_and(|due| due <= at);
        let is_idle = matches!(input.news, News::Time) && !is_due();
        self.observer.handle(at, &input);
        let is_idle = is_idle && !self.observer.has_output();
        self.ports.told(at, input, is_idle);
        while let Some(output) = self.observer.poll_output() {
            match output {
                Output::Record(record) => self.ports.record(record),
                Output::Frame(frame) => self.ports.frame(frame),
                Output::Request(request) => self.request(request),
            }
        }
    }

    /// Does what the observer asks for.
    fn request(&mut self, request: Request) {
        match request {
            Request::Watch(address) => {
                if let Err(error) = self.kernel.watch(address) {
                    tracing::warn!(%address, error = %Chain(&error), "the kernel filter takes no more addresses");
                }
            }
            Request::Unwatch(address) => {
                if let Err(error) = self.kernel.unwatch(address) {
                    tracing::warn!(%address, error = %Chain(&error), "an address stays in the kernel filter");
                }
            }
            Request::Count(address) => {
                if let Err(error) = self.kernel.count(address) {
                    tracing::warn!(%address, error = %Chain(&error), "the traffic of an address is not counted");
                }
            }
            Request::Discount(address) => {
                if let Err(error) = self.kernel.discount(address) {
                    tracing::warn!(%address, error = %Chain(&error), "the traffic of an address is still counted");
                }
            }
            Request::Know(known, pace) => {
                if let Err(error) = self.kernel.know(known, pace) {
                    tracing::debug!(?known, error = %Chain(&error), "a sender has no budget of its own");
                }
            }
            Request::Disown(known) => {
                if let Err(error) = self.kernel.disown(known) {
                    tracing::debug!(?known, error = %Chain(&error), "a sender keeps its budget");
                }
            }
            Request::Ask(_) | Request::FindDaemon | Request::CountDrops | Request::StopCounting => {
                self.ports.request(request, &self.clock);
            }
        }
    }

    /// Reports what is watched.
    pub(super) fn announce(&mut self) {
        let start = Start {
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            schema: crate::record::SCHEMA,
            kernel: nix::sys::utsname::uname()
                .ok()
                .map(|name| name.release().to_string_lossy().into_owned()),
            attachments: self.taps.describe(&self.links),
            files: Vec::new(),
            sources: self.ports.sources(),
            notes: self.taps.take_notes(),
        };
        if let Ok(now) = self.clock.now() {
            self.tell(now - SETTLING, News::Start(start));
        }
    }

    /// When the observer is to be told the time.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.observer.poll_timeout().map(|time| time + SETTLING)
    }

    /// Hands the events at hand to the observer.
    pub(super) fn take_events(&mut self) {
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            let frame = self.taps.frame(event, &self.clock);
            self.tell(frame.time, News::Frame(frame));
        }
        // Keeps its room.
        self.events = events;
    }

    /// Takes everything that is in the ring buffer. What is more than a turn's work is passed over,
    /// but for what the kernel programs marked as worth more.
    pub(super) fn drain(&mut self) -> Result<(), LiveError> {
        let turn = Turn::begin(&self.clock)?;
        while self.ring.drain(&mut self.events) == Ring::BATCH {
            self.take_events();
            if turn.is_over(&self.clock)? {
                self.passed_over += self.ring.pass_over(&mut self.events);
                break;
            }
        }
        self.take_events();
        Ok(())
    }

    /// Lets time pass for the observer: only after everything that came until then, and what was
    /// lost, has been told. What did come is never taken for missing.
    pub(super) fn catch_up(&mut self) -> Result<(), LiveError> {
        let now = self.clock.now()? - SETTLING;
        self.drain()?;
        let counts = self.kernel.counts()?;
        let mut news = self.losses.update(counts, self.ring.malformed());
        news.add(
            LossReason::PassedOver,
            std::mem::take(&mut self.passed_over),
        );
        news.add(LossReason::HostBacklog, self.dropped_before());
        for (reason, count) in self.ports.lost() {
            news.add(reason, count);
        }
        if news.unwatched > 0 {
            self.tell(now, News::Unwatched(news.unwatched));
        }
        if news.hides_routers() {
            let vrids = self.losses.note_suppressed(self.kernel.suppressed()?);
            self.tell(now, News::Suppressed(vrids));
        }
        if !news.lost.is_empty() {
            self.tell(now, News::Loss(news.lost));
        }
        self.tell(now, News::Time);
        Ok(())
    }

    /// Frames that this host dropped before anything could see them.
    fn dropped_before(&mut self) -> u64 {
        let Some(backlog) = &mut self.backlog else {
            return 0;
        };
        backlog.take().unwrap_or_else(|error| {
            tracing::debug!(%error, "the kernel does not tell what its CPUs drop");
            0
        })
    }

    /// How long ago the traffic was read last, or since when it is counted; `None` where it is not.
    pub(super) fn counted(&self, now: Timestamp) -> Option<Span> {
        Some(self.counting.as_ref()?.span(now))
    }

    /// When the counters of traffic are to be read.
    pub(super) fn reading_due(&self) -> Option<Timestamp> {
        let interval = self.observer.settings().traffic?;
        Some(self.counting.as_ref()?.due(interval))
    }

    /// What was counted of the traffic since it was last read.
    pub(super) fn read_traffic(&mut self, now: Timestamp) -> Result<Vec<Traffic>, LiveError> {
        match &mut self.counting {
            Some(counting) => Ok(counting.read(now, &mut self.kernel, &self.taps)?),
            None => Ok(Vec::new()),
        }
    }

    /// Tells the observer of addresses that came and went, after the frames that left before. What
    /// else has changed of the interfaces is looked at soon.
    pub(super) fn take_addresses(&mut self, changes: &[AddressChange]) -> Result<(), LiveError> {
        self.drain()?;
        let now = self.clock.now()?;
        for change in changes {
            self.tell(now - SETTLING, News::Address(*change));
        }
        self.relink_at.get_or_insert(now + LINK_SETTLING);
        Ok(())
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
