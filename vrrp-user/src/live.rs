//! The shell around the observer on a live host: the one place where tasks, clocks and the kernel
//! meet.
//!
//! A single task owns everything and waits for whatever comes first: events in the ring buffer, a
//! deadline of the observer, a change of interfaces, a signal. Each output is written by a thread of its
//! own behind a bounded queue, so nothing here waits for a disk or a pager. All work is bounded, so that
//! no flood keeps a signal, a deadline or the news of a loss waiting.
//!
//! ```text
//! kernel --ring--> Driver --Input--> Observer --Record--> Ports --> threads of the outputs
//!    ^               ^
//!    '--- attach ----+---- netlink: interfaces come, go, are renamed
//! ```

mod clock;
mod conf;
mod counting;
mod driver;
mod drops;
mod logs;
mod losses;
mod neighbours;
mod ports;
mod seats;
mod session;
mod signals;
mod sockets;
mod taps;
mod turn;

use std::{io, time::Duration};

use tokio::{task::yield_now, time::sleep};

pub use clock::{Clock, ClockError};
pub use session::Session;
pub use sockets::is_daemon_here;
pub use taps::NothingToWatch;

use crate::{
    capture::{AttachError, CaptureError},
    dropped::Dropped,
    input::News,
    keepalived_conf::{Conf, ConfFile},
    link::WatchError,
    machine::HostLook,
    model::Timestamp,
    probe::{Asker, AskerError},
    report::{Appetite, Report, Writer},
    settings::Settings,
    source::{Logs, SourceError},
};
use driver::Driver;
use drops::DropWatch;
use ports::RunPorts;
use signals::Signals;
use sockets::Looks;
use turn::Work;

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
        /// What failed.
        source: io::Error,
    },
    /// A log that was asked for cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The output refused.
    #[error("cannot write the output")]
    Write(#[source] io::Error),
}

/// When the routers that advertise each second have been heard twice.
const GETTING_TO_KNOW: Duration = Duration::from_millis(1900);
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
    let signals = Signals::new().map_err(system("handle signals"))?;
    let probes = observer.probe.is_some();
    let mut known = None;
    let mut run = Driver::open(watch, observer, |taps, links, kernel, clock| {
        match taps.begin(links, kernel) {
            // It may come yet.
            Err(LiveError::NothingToWatch(why)) => taps.wait(&why),
            begun => begun?,
        }
        let mut sources = logs.describe();
        for path in logs.missing() {
            let note = format!("{path} does not exist; it is read when it comes");
            tracing::warn!("{note}");
            taps.note(note);
        }
        let conf = conf.map(|(file, conf)| {
            sources.push(format!("configuration {}", file.path().display()));
            known = Some(conf);
            file
        });
        Ok(RunPorts {
            asker: probes.then(Asker::open).transpose()?,
            writer: Writer::spawn(report).map_err(system("start a thread"))?,
            logs: Logs::start(&logs, clock.now()?)?,
            conf,
            drops: DropWatch::default(),
            looks: Looks::new(),
            sources,
            idle: None,
        })
    })
    .await?;
    if let Some(conf) = known {
        let now = run.clock.now()?;
        run.tell(now, News::Conf(conf));
    }
    run.identify()?;
    run.announce();
    run.survey()?;
    let outcome = run.until_end(signals, duration).await;
    let written = run.finish().await;
    outcome.and(written)
}

type Live = Driver<RunPorts>;

impl Live {
    async fn until_end(
        &mut self,
        mut signals: Signals,
        duration: Option<Duration>,
    ) -> Result<(), LiveError> {
        let begun = self.clock.now()?;
        let end = begun + duration.unwrap_or(Duration::MAX);
        while self.ports.writer.appetite() == Appetite::More {
            // The runtime looks for signals only when there is nothing to do, or it is asked to.
            yield_now().await;
            let now = self.clock.now()?;
            let deadline = self.deadline();
            let reading = self.reading_due();
            let ports = &mut self.ports;
            // Every arm may be cancelled without loss: none takes anything before it is ready.
            tokio::select! {
                biased;
                _ = signals.interrupt.recv() => return Ok(()),
                _ = signals.terminate.recv() => return Ok(()),
                () = ports.writer.unread() => return Ok(()),
                () = sleep(end.since(now)), if duration.is_some() => return Ok(()),
                _ = signals.hangup.recv() => ports.writer.reopen(),
                _ = self.accounting.tick() => self.catch_up()?,
                _ = self.verifying.tick() => {
                    self.catch_up()?;
                    self.verify()?;
                    self.reread_conf()?;
                    if now.since(begun) >= GETTING_TO_KNOW {
                        self.kernel.settle(self.clock.boot_nanos(now))?;
                    }
                    self.tell_unread()?;
                }
                () = until(reading, now) => self.take_traffic()?,
                () = until(self.relink_at, now) => self.relink().await?,
                work = async {
                    // In turn: more of one kind than can be done keeps none of the others waiting.
                    tokio::select! {
                        () = until(deadline, now) => Work::Deadline,
                        changed = self.link_watch.changed() => Work::Links(changed),
                        filled = self.ring.fill(&mut self.events) => Work::Frames(filled),
                        dropped = ports.drops.next() => Work::Drops(dropped),
                        (time, look) = ports.looks.next() => Work::Look(time, look),
                        entries = ports.logs.next() => Work::Lines(entries),
                    }
                } => match work {
                    Work::Deadline => {
                        // Silence is no news where nothing could be seen.
                        self.verify_if_stale(now)?;
                        self.catch_up()?;
                    }
                    Work::Links(changed) => self.take_addresses(&changed?)?,
                    Work::Frames(filled) => {
                        filled.map_err(unheard)?;
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

    /// Tells what was counted, after the frames that say who was active meanwhile.
    fn take_traffic(&mut self) -> Result<(), LiveError> {
        self.catch_up()?;
        let now = self.clock.now()?;
        if self.counted(now).is_some() {
            let traffic = self.read_traffic(now)?;
            self.tell(now - SETTLING, News::Traffic(traffic));
        }
        Ok(())
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
        self.ports.drops.end();
        self.ports.writer.settle().await;
        let accounted = self.take_traffic();
        if let Ok(now) = self.clock.now() {
            self.tell(now - SETTLING, News::Finish);
        }
        let written = self.ports.writer.finish().await.map_err(LiveError::Write);
        written.and(accounted)
    }
}

fn unheard(source: io::Error) -> LiveError {
    LiveError::System {
        doing: "wait for events",
        source,
    }
}

/// Waits until `time`; for ever without one.
async fn until(time: Option<Timestamp>, now: Timestamp) {
    match time {
        Some(time) => sleep(time.since(now)).await,
        None => std::future::pending().await,
    }
}
