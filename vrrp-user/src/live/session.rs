//! A short watch with a question in mind: the shell of `who` and `arping`.
//!
//! Nothing is written here; the records go to whoever waits for them.

use std::{collections::BTreeMap, net::IpAddr};

use globset::Glob;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::yield_now,
};

use super::{
    Clock, LiveError,
    driver::{Driver, Ports},
    unheard, until,
};
use crate::{
    capture::Mode,
    frame::Frame,
    input::{Input, News},
    link::{LinkKind, LinkState, Links, Selection, Watch},
    model::{Span, Timestamp},
    observer::{Observer, Request, Settings},
    probe::{Asker, AskerError, Host, Question},
    record::{LossReason, Record},
    settings::WatchSettings,
    traffic::Traffic,
};

/// A watch that hands its records over.
pub struct Session {
    driver: Driver<Heard>,
    asker: Asker,
    host: Host,
    interrupt: Signal,
    terminate: Signal,
    interrupted: bool,
}

/// What was heard, and what was not.
#[derive(Default)]
struct Heard {
    records: Vec<Record>,
    lost: BTreeMap<LossReason, u64>,
}

impl Ports for Heard {
    fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    fn frame(&mut self, _frame: Frame) {}

    /// Who asks by itself suspects nobody.
    fn request(&mut self, _request: Request, _clock: &Clock) {}

    fn told(&mut self, _at: Timestamp, input: Input, _is_idle: bool) {
        if let News::Loss(lost) = input.news {
            for (reason, count) in lost {
                *self.lost.entry(reason).or_default() += count;
            }
        }
    }

    fn sources(&self) -> Vec<String> {
        Vec::new()
    }

    fn lost(&mut self) -> Vec<(LossReason, u64)> {
        Vec::new()
    }
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
        let asker = Asker::open()?;
        let heed = |kind| {
            signal(kind).map_err(|source| LiveError::System {
                doing: "handle signals",
                source,
            })
        };
        let selection = match selection {
            Selection::Default => reaching(&Watch::new()?.snapshot().await?, addresses),
            patterns @ Selection::Patterns(_) => patterns,
        };
        let watch = WatchSettings {
            selection,
            mode: Mode::Auto,
            kernel_log: false,
        };
        let mut driver = Driver::open(watch, settings, |taps, links, kernel, _| {
            taps.begin(links, kernel)?;
            Ok(Heard::default())
        })
        .await?;
        driver.identify()?;
        driver.announce();
        driver.survey()?;
        driver.ports.records.clear();
        Ok(Self {
            host: driver.host(),
            driver,
            asker,
            interrupt: heed(SignalKind::interrupt())?,
            terminate: heed(SignalKind::terminate())?,
            interrupted: false,
        })
    }

    /// The time now.
    ///
    /// # Errors
    /// The clock cannot be read.
    pub fn now(&self) -> Result<Timestamp, LiveError> {
        Ok(self.driver.clock.now()?)
    }

    /// What is known of the network by now.
    pub const fn observer(&self) -> &Observer {
        &self.driver.observer
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
        let now = self.driver.clock.now()?;
        let span = self.driver.counted(now).unwrap_or_default();
        Ok((span, self.driver.read_traffic(now)?))
    }

    /// What was lost so far of what this host should have seen, by reason.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn lost(&mut self) -> Result<&BTreeMap<LossReason, u64>, LiveError> {
        self.driver.catch_up()?;
        Ok(&self.driver.ports.lost)
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
        let driver = &mut self.driver;
        while driver.ports.records.is_empty() && !self.interrupted {
            yield_now().await;
            let now = driver.clock.now()?;
            let deadline = driver.deadline();
            tokio::select! {
                biased;
                _ = self.interrupt.recv() => self.interrupted = true,
                _ = self.terminate.recv() => self.interrupted = true,
                () = until(Some(end), now) => {
                    driver.catch_up()?;
                    break;
                }
                _ = driver.accounting.tick() => driver.catch_up()?,
                _ = driver.verifying.tick() => driver.verify()?,
                () = until(driver.relink_at, now) => {
                    driver.relink().await?;
                    self.host = driver.host();
                }
                () = until(deadline, now) => driver.catch_up()?,
                changed = driver.link_watch.changed() => driver.take_addresses(&changed?)?,
                filled = driver.ring.fill(&mut driver.events) => {
                    filled.map_err(unheard)?;
                    driver.take_events();
                }
            }
        }
        Ok(std::mem::take(&mut driver.ports.records))
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
