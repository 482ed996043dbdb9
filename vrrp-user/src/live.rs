//! The shell around the observer on a live host: the one place where tasks, clocks and the kernel
//! meet.
//!
//! A single task owns everything and waits for whatever comes first: events in the ring buffer, a
//! deadline of the observer, a change of interfaces, a signal. Writing is a thread of its own
//! behind a bounded queue, so nothing here waits for a disk or a pager. All work is bounded, so that
//! no flood keeps a signal, a deadline or the news of a loss waiting.
//!
//! ```text
//! kernel --ring--> Live --Frame--> Observer --Record--> Writer thread --> output
//!    ^               ^
//!    '--- attach ----+---- netlink: interfaces come, go, are renamed
//! ```

mod clock;
mod conf;
mod counting;
mod drops;
mod logs;
mod losses;
mod neighbours;
mod requests;
mod seats;
mod session;
mod signals;
mod sockets;
mod taps;
mod turn;

use std::{io, time::Duration};

use tokio::{
    task::yield_now,
    time::{Interval, MissedTickBehavior, interval, sleep},
};

pub use clock::{Clock, ClockError};
pub use session::Session;
pub use sockets::is_daemon_here;
pub use taps::NothingToWatch;

use crate::{
    capture::{AttachError, CaptureError, Event, KernelHalf, LoadSettings, Mode, Ring},
    chain::Chain,
    dropped::Dropped,
    input::News,
    keepalived_conf::{Conf, ConfFile},
    link::{Links, Watch, WatchError},
    machine::{AddressChange, HostLook},
    model::Timestamp,
    observer::Observer,
    probe::{Asker, AskerError},
    record::{LossReason, Start},
    report::{Appetite, Report, Writer},
    settings::Settings,
    source::{Logs, SourceError},
};
use counting::Counting;
use drops::DropWatch;
use losses::Losses;
use signals::Signals;
use sockets::Looks;
use taps::Taps;
use turn::{Turn, Work};

/// Why watching cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The kernel half is not to be had.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// An interface that was asked for cannot be attached to.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// No interface to watch.
    #[error(transparent)]
    NothingToWatch(#[from] NothingToWatch),
    /// Interfaces cannot be followed.
    #[error(transparent)]
    Links(#[from] WatchError),
    /// Addresses cannot be asked for.
    #[error(transparent)]
    Asker(#[from] AskerError),
    /// The clocks cannot be read.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The runtime or the system refuses something basic.
    #[error("the system refuses to {doing}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// The system's word.
        source: io::Error,
    },
    /// A log that was asked for cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The output refused.
    #[error("cannot write the output")]
    Write(#[source] io::Error),
}

/// How often kernel counters are read when nothing else asks for them: a loss is told this soon.
const ACCOUNTING: Duration = Duration::from_millis(200);
/// How often it is looked whether the programs are still attached.
const VERIFYING: Duration = Duration::from_secs(1);
/// After so long the routers that advertise each second have been heard twice.
const GETTING_TO_KNOW: Duration = Duration::from_millis(1900);
/// Interfaces that change come in bursts; one look after the burst is enough.
const LINK_SETTLING: Duration = Duration::from_millis(100);
/// A frame is stamped before it reaches the ring buffer. Deadlines are judged this much later than
/// they fall, so that no frame that came in time is overlooked.
const SETTLING: Duration = Duration::from_millis(2);

/// Watches until a signal, the end of the duration or the end of the output.
///
/// # Errors
/// Watching cannot begin, or the system fails underneath. Whatever was gathered until then is
/// written.
pub async fn watch(
    settings: Settings,
    conf: Option<(ConfFile, Conf)>,
    report: Report,
) -> Result<(), LiveError> {
    let Settings {
        watch,
        logs,
        observer,
        duration,
        ..
    } = settings;
    let system = |doing| move |source| LiveError::System { doing, source };
    let clock = Clock::new()?;
    let mut kernel = KernelHalf::load(&LoadSettings {
        arp: observer.arp,
        traffic: observer.traffic.is_some(),
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
    match taps.begin(&links, &mut kernel) {
        // It may come yet.
        Err(LiveError::NothingToWatch(why)) => taps.wait(&why),
        begun => begun?,
    }
    let asker = observer.probe.is_some().then(Asker::open).transpose()?;
    let signals = Signals::new().map_err(system("handle signals"))?;
    let writer = Writer::spawn(report).map_err(system("start a thread"))?;
    let mut sources = logs.describe();
    for path in logs.missing() {
        let note = format!("{path} does not exist; it is read when it comes");
        tracing::warn!("{note}");
        taps.note(note);
    }
    let mut known = None;
    let conf = conf.map(|(file, conf)| {
        sources.push(format!("configuration {}", file.path().display()));
        known = Some(conf);
        file
    });
    let now = clock.now()?;
    let counting = observer
        .traffic
        .map(|interval| (interval, Counting::new(now)));
    let mut run = Live {
        logs: Logs::start(&logs, now)?,
        losses: Losses::default(),
        observer: Observer::new(observer),
        events: Vec::with_capacity(Ring::BATCH),
        clock,
        kernel,
        ring,
        taps,
        asker,
        drops: DropWatch::default(),
        looks: Looks::new(),
        counting,
        writer,
        links,
        sources,
        conf,
        passed_over: 0,
        idle: None,
        verified: None,
    };
    if let Some(conf) = known {
        run.tell(now, News::Conf(conf));
    }
    run.identify()?;
    run.announce();
    run.survey()?;
    let outcome = run.until_end(signals, link_watch, duration).await;
    let written = run.finish().await;
    outcome.and(written)
}

struct Live {
    clock: Clock,
    kernel: KernelHalf,
    ring: Ring,
    logs: Logs,
    taps: Taps,
    /// Only where addresses are to be asked for.
    asker: Option<Asker>,
    drops: DropWatch,
    looks: Looks,
    /// Only where traffic is counted.
    counting: Option<(Duration, Counting)>,
    losses: Losses,
    observer: Observer,
    writer: Writer,
    events: Vec<Event>,
    /// The interfaces as they were last.
    links: Links,
    /// The logs and the configuration that are read, in words.
    sources: Vec<String>,
    conf: Option<ConfFile>,
    /// Frames that were passed over to stay in time, since they were last told.
    passed_over: u64,
    /// Until when time passed and nothing came of it, where that is not recorded yet.
    idle: Option<Timestamp>,
    /// When it was last seen that the programs are attached.
    verified: Option<Timestamp>,
}

impl Live {
    async fn until_end(
        &mut self,
        mut signals: Signals,
        mut link_watch: Watch,
        duration: Option<Duration>,
    ) -> Result<(), LiveError> {
        let mut accounting: Interval = interval(ACCOUNTING);
        accounting.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut verifying: Interval = interval(VERIFYING);
        verifying.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let begun = self.clock.now()?;
        let end = begun + duration.unwrap_or(Duration::MAX);
        let mut relink_at: Option<Timestamp> = None;
        while self.writer.appetite() == Appetite::More {
            // The runtime looks for signals only when there is nothing to do, or it is asked to.
            yield_now().await;
            let now = self.clock.now()?;
            let deadline = self.observer.poll_timeout().map(|time| time + SETTLING);
            let reading = self.reading_due();
            // Every arm may be cancelled without loss: none takes anything before it is ready.
            tokio::select! {
                biased;
                _ = signals.interrupt.recv() => return Ok(()),
                _ = signals.terminate.recv() => return Ok(()),
                () = self.writer.unread() => return Ok(()),
                () = sleep(end.since(now)), if duration.is_some() => return Ok(()),
                _ = signals.hangup.recv() => self.writer.reopen(),
                _ = accounting.tick() => self.catch_up()?,
                _ = verifying.tick() => {
                    self.catch_up()?;
                    self.verify()?;
                    self.reread_conf()?;
                    if now.since(begun) >= GETTING_TO_KNOW {
                        self.kernel.settle(self.clock.boot_nanos(now))?;
                    }
                    self.tell_unread()?;
                }
                () = until(reading, now) => self.take_traffic()?,
                () = until(relink_at, now) => {
                    relink_at = None;
                    let links = link_watch.snapshot().await?;
                    // What was seen so far belongs to the interfaces as they were.
                    self.catch_up()?;
                    self.links = links;
                    self.identify()?;
                    self.relink();
                    self.survey()?;
                }
                work = async {
                    // In turn: more of one kind than can be done keeps none of the others waiting.
                    tokio::select! {
                        () = until(deadline, now) => Work::Deadline,
                        changed = link_watch.changed() => Work::Links(changed),
                        filled = self.ring.fill(&mut self.events) => Work::Frames(filled),
                        dropped = self.drops.next() => Work::Drops(dropped),
                        (time, look) = self.looks.next() => Work::Look(time, look),
                        entries = self.logs.next() => Work::Lines(entries),
                    }
                } => match work {
                    Work::Deadline => {
                        // Silence is no news where nothing could be seen.
                        self.verify_if_stale(now)?;
                        self.catch_up()?;
                    }
                    Work::Links(changed) => {
                        self.take_addresses(&changed?)?;
                        relink_at.get_or_insert(now + LINK_SETTLING);
                    }
                    Work::Frames(filled) => {
                        filled.map_err(|source| LiveError::System { doing: "wait for events", source })?;
                        self.take_events();
                    }
                    Work::Drops(dropped) => self.take_drops(&dropped)?,
                    Work::Look(time, look) => self.take_look(time, look)?,
                    Work::Lines(entries) => self.take_entries(&entries)?,
                }
            }
        }
        Ok(())
    }

    /// Hands what the kernel dropped to the observer.
    fn take_drops(&mut self, dropped: &[Dropped]) -> Result<(), LiveError> {
        self.drain()?;
        let now = self.clock.now()? - SETTLING;
        self.tell(now, News::Drops(dropped.to_vec()));
        Ok(())
    }

    /// Reports what is watched.
    fn announce(&mut self) {
        let start = Start {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kernel: nix::sys::utsname::uname()
                .ok()
                .map(|name| name.release().to_string_lossy().into_owned()),
            attachments: self.taps.describe(&self.links),
            files: Vec::new(),
            sources: self.sources.clone(),
            notes: self.taps.take_notes(),
        };
        if let Ok(now) = self.clock.now() {
            self.tell(now - SETTLING, News::Start(start));
        }
    }

    /// Hands the events at hand to the observer.
    fn take_events(&mut self) {
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            let frame = self.taps.frame(event, &self.clock);
            self.tell(frame.time, News::Frame(frame));
        }
        // Keeps its room.
        self.events = events;
    }

    /// Lets time pass for the observer: only after everything that came until then, and what was
    /// lost, has been told. What did come is never taken for missing.
    fn catch_up(&mut self) -> Result<(), LiveError> {
        let now = self.clock.now()? - SETTLING;
        self.drain()?;
        let counts = self.kernel.counts()?;
        let mut news =
            self.losses
                .update(counts, self.ring.malformed(), self.writer.take_dropped());
        news.add(
            LossReason::PassedOver,
            std::mem::take(&mut self.passed_over),
        );
        news.add(LossReason::OutputFailed, self.writer.take_unwritten());
        if news.unwatched > 0 {
            self.tell(now, News::Unwatched(news.unwatched));
        }
        if news.hides_routers() {
            let vrids = self.losses.note_suppressed(self.kernel.suppressed()?);
            self.tell(now, News::Suppressed(vrids));
        }
        if news.lost.values().any(|count| *count > 0) {
            self.tell(now, News::Loss(news.lost));
        }
        self.tell(now, News::Time);
        Ok(())
    }

    /// When the counters of traffic are to be read.
    fn reading_due(&self) -> Option<Timestamp> {
        let (interval, counting) = self.counting.as_ref()?;
        Some(counting.due(*interval))
    }

    /// Tells what was counted, after the frames that say who was active meanwhile.
    fn take_traffic(&mut self) -> Result<(), LiveError> {
        self.catch_up()?;
        let now = self.clock.now()?;
        if let Some((_, counting)) = &mut self.counting {
            let traffic = counting.read(now, &mut self.kernel, &self.taps)?;
            self.tell(now - SETTLING, News::Traffic(traffic));
        }
        Ok(())
    }

    /// Takes everything that is in the ring buffer. What is more than a turn's work is passed over,
    /// but for what the kernel programs marked as worth more.
    fn drain(&mut self) -> Result<(), LiveError> {
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

    /// Tells the observer of addresses that came and went, after the frames that left before.
    fn take_addresses(&mut self, changes: &[AddressChange]) -> Result<(), LiveError> {
        self.drain()?;
        let now = self.clock.now()? - SETTLING;
        for change in changes {
            self.tell(now, News::Address(*change));
        }
        Ok(())
    }

    /// Begins a look at the VRRP daemons of this host.
    fn find_daemon(&mut self) {
        match self.clock.now() {
            Ok(now) => self.looks.begin(now),
            Err(error) => tracing::debug!(error = %Chain(&error), "the clock cannot be read"),
        }
    }

    /// Hands what such a look shows to the observer, after the frames that left before it.
    fn take_look(&mut self, time: Timestamp, look: io::Result<HostLook>) -> Result<(), LiveError> {
        self.drain()?;
        match look {
            Ok(look) => self.tell(time - SETTLING, News::Daemon(look)),
            Err(error) => tracing::debug!(%error, "the sockets of this host cannot be seen"),
        }
        Ok(())
    }

    /// Detaches, takes what is still under way, and writes everything out.
    async fn finish(mut self) -> Result<(), LiveError> {
        self.taps.detach();
        self.drops.end();
        self.writer.settle().await;
        let accounted = self.take_traffic();
        if let Ok(now) = self.clock.now() {
            self.tell(now - SETTLING, News::Finish);
        }
        let written = self.writer.finish().await.map_err(LiveError::Write);
        written.and(accounted)
    }
}

/// Waits until `time`; for ever without one.
async fn until(time: Option<Timestamp>, now: Timestamp) {
    match time {
        Some(time) => sleep(time.since(now)).await,
        None => std::future::pending().await,
    }
}
