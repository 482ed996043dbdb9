//! A short watch with a question in mind: the shell of `who` and `arping`.
//!
//! Nothing is written here; the records go to whoever waits for them.

use std::net::IpAddr;

use globset::Glob;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::yield_now,
};

use super::{Clock, LiveError, SETTLING, counting::Counting, taps::Taps, turn::Turn, until};
use crate::{
    capture::{Event, KernelHalf, LoadSettings, Mode, Ring},
    chain::Chain,
    input::{Input, News},
    link::{LinkKind, LinkState, Links, Selection, Watch},
    model::{Span, Timestamp},
    observer::{Observer, Output, Request, Settings},
    probe::{Asker, AskerError, Host, Question},
    record::{Record, Start},
    traffic::Traffic,
};

/// A watch that hands its records over.
pub struct Session {
    clock: Clock,
    kernel: KernelHalf,
    ring: Ring,
    taps: Taps,
    counting: Counting,
    asker: Asker,
    observer: Observer,
    host: Host,
    events: Vec<Event>,
    interrupt: Signal,
    interrupted: bool,
}

impl Session {
    /// Watches, by TC, which no network card notices: the interfaces of `selection`, or where it
    /// leaves that open those that can reach one of the addresses.
    ///
    /// # Errors
    /// What has to be had cannot be had.
    pub async fn open(
        selection: Selection,
        addresses: &[IpAddr],
        settings: Settings,
    ) -> Result<Self, LiveError> {
        let system = |doing| move |source| LiveError::System { doing, source };
        let clock = Clock::new()?;
        let asker = Asker::open()?;
        let mut kernel = KernelHalf::load(&LoadSettings {
            arp: settings.arp,
            traffic: settings.traffic.is_some(),
            xdp: false,
            ..LoadSettings::default()
        })?;
        let ring = kernel.take_ring()?;
        let links = Watch::new()?.snapshot().await?;
        let selection = match selection {
            Selection::Default => reaching(&links, addresses),
            patterns @ Selection::Patterns(_) => patterns,
        };
        let mut taps = Taps::new(selection, Mode::Auto);
        taps.begin(&links, &mut kernel)?;
        let host = Host::new(&links, &taps.indices());
        if settings.traffic.is_some() {
            kernel.set_own_macs(&links.own_macs())?;
        }
        let interrupt = signal(SignalKind::interrupt()).map_err(system("handle signals"))?;
        let now = clock.now()?;
        let mut session = Self {
            counting: Counting::new(now),
            observer: Observer::new(settings),
            events: Vec::with_capacity(Ring::BATCH),
            clock,
            kernel,
            ring,
            taps,
            asker,
            host,
            interrupt,
            interrupted: false,
        };
        let start = Start {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kernel: None,
            attachments: session.taps.describe(&links),
            files: Vec::new(),
            sources: Vec::new(),
            notes: Vec::new(),
        };
        let now = session.now()?;
        session.tell(now - SETTLING, News::Start(start));
        session.outputs(&mut Vec::new());
        Ok(session)
    }

    /// The time now.
    ///
    /// # Errors
    /// The clock cannot be read.
    pub fn now(&self) -> Result<Timestamp, LiveError> {
        Ok(self.clock.now()?)
    }

    /// What is known of the network by now.
    pub const fn observer(&self) -> &Observer {
        &self.observer
    }

    /// This host.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// What was counted of the addresses' traffic since the last call or the beginning, and how
    /// long that took. Needs [`Settings::traffic`].
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn traffic(&mut self) -> Result<(Span, Vec<Traffic>), LiveError> {
        let now = self.clock.now()?;
        let span = self.counting.span(now);
        let traffic = self.counting.read(now, &mut self.kernel, &self.taps)?;
        Ok((span, traffic))
    }

    /// Whether the user wants to end it.
    pub const fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Asks.
    ///
    /// # Errors
    /// The question does not leave.
    pub fn ask(&mut self, question: &Question) -> Result<(), AskerError> {
        self.asker.ask(question)
    }

    /// Waits for records, at most until `end`.
    ///
    /// # Errors
    /// The system fails underneath.
    pub async fn records(&mut self, end: Timestamp) -> Result<Vec<Record>, LiveError> {
        let mut records = Vec::new();
        while records.is_empty() && !self.interrupted {
            yield_now().await;
            let now = self.clock.now()?;
            let due = self.observer.poll_timeout().map(|time| time + SETTLING);
            tokio::select! {
                biased;
                _ = self.interrupt.recv() => self.interrupted = true,
                () = until(due, now) => {
                    let turn = Turn::begin(&self.clock)?;
                    while self.ring.drain(&mut self.events) == Ring::BATCH {
                        self.take_events(&mut records);
                        if turn.is_over(&self.clock)? {
                            self.ring.pass_over(&mut self.events);
                            break;
                        }
                    }
                    self.take_events(&mut records);
                    self.tell(now - SETTLING, News::Time);
                    self.outputs(&mut records);
                }
                filled = self.ring.fill(&mut self.events) => {
                    filled.map_err(|source| LiveError::System { doing: "wait for events", source })?;
                    self.take_events(&mut records);
                }
                () = until(Some(end), now) => break,
            }
        }
        Ok(records)
    }

    fn tell(&mut self, at: Timestamp, news: News) {
        self.observer.handle(at, &Input::from(news));
    }

    fn take_events(&mut self, records: &mut Vec<Record>) {
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            let frame = self.taps.frame(event, &self.clock);
            self.tell(frame.time, News::Frame(frame));
            self.outputs(records);
        }
        self.events = events;
    }

    fn outputs(&mut self, records: &mut Vec<Record>) {
        while let Some(output) = self.observer.poll_output() {
            match output {
                Output::Record(record) => records.push(record),
                Output::Request(Request::Watch(address)) => {
                    if let Err(error) = self.kernel.watch(address) {
                        tracing::warn!(%address, error = %Chain(&error), "the kernel filter takes no more addresses");
                    }
                }
                // It is over before the filter is full, asks by itself, and suspects nobody.
                Output::Frame(_)
                | Output::Request(
                    Request::Unwatch(_)
                    | Request::Discount(_)
                    | Request::Know(..)
                    | Request::Disown(_)
                    | Request::Ask(_)
                    | Request::FindDaemon
                    | Request::CountDrops
                    | Request::StopCounting,
                ) => {}
                Output::Request(Request::Count(address)) => {
                    if let Err(error) = self.kernel.count(address) {
                        tracing::warn!(%address, error = %Chain(&error), "the traffic of an address is not counted");
                    }
                }
            }
        }
    }
}

/// The interfaces in whose subnets the addresses are; where there are none, the usual ones, whose
/// adverts may tell something.
fn reaching(links: &Links, addresses: &[IpAddr]) -> Selection {
    let names = links.iter().filter_map(|(_, link)| {
        let reaches = link.assigned.iter().any(|own| {
            addresses
                .iter()
                .any(|address| own.address != *address && own.reaches(*address))
        });
        let able = link.state != LinkState::Down && link.broadcast && link.kind != LinkKind::Alias;
        (reaches && able).then(|| Glob::new(&globset::escape(&link.name)).ok())?
    });
    let patterns: Vec<_> = names.map(|glob| glob.compile_matcher()).collect();
    if patterns.is_empty() {
        Selection::Default
    } else {
        Selection::Patterns(patterns)
    }
}
