//! What a run is told, between whoever tells it and the parts that do it.
//!
//! The command line fills a [`Settings`]; nothing behind it knows the command line. Each setting stands
//! in one place, and a part that needs it takes it from there. Whether settings fit together is checked
//! once, by [`Settings::checked`]; an error names the setting as the command line does, and the way out.

use std::{path::PathBuf, time::Duration};

use crate::{
    capture::Mode,
    link::{Selection, SelectionError},
    observer::{self, ArpMode},
    report::{Place, ReportSettings},
    source::LogSettings,
};

/// What a run is told, or a replay.
#[derive(Debug)]
pub struct Settings {
    /// What to watch; of no use in a replay.
    pub watch: WatchSettings,
    /// Logs to read.
    pub logs: LogSettings,
    /// Configuration of keepalived on the host that is watched.
    pub conf: Option<PathBuf>,
    /// What the core is told.
    pub observer: observer::Settings,
    /// Where to write what.
    pub report: ReportSettings,
    /// End after this time.
    pub duration: Option<Duration>,
}

/// What to watch, and how.
#[derive(Debug)]
pub struct WatchSettings {
    /// Interfaces.
    pub selection: Selection,
    /// Hook for what comes in.
    pub mode: Mode,
    /// Whether the kernel programs send debug lines.
    pub kernel_log: bool,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            selection: Selection::Default,
            mode: Mode::default(),
            kernel_log: false,
        }
    }
}

/// Answers may take this long: the longest that a proxy waits, with time to spare.
const ANSWERING: Duration = Duration::from_secs(1);
/// In less, there is too little traffic to count.
const COUNTING: Duration = Duration::from_secs(1);
/// Questions a second that a network and this host bear without notice.
const MAX_RATE: u32 = 1000;

/// Settings that cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A pattern for interfaces is none.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// Two outputs at one place.
    #[error("two outputs go to {0}: name another file for one of them")]
    SamePlace(Place),
    /// Records are counted, and none are written.
    #[error(
        "--count counts records, and no output takes any: leave it out, or add --output text:-"
    )]
    NothingToCount,
    /// Nothing is there that could be replaced.
    #[error(
        "--overwrite replaces files of frames, and none is written: leave it out, or add --write"
    )]
    NothingToReplace,
    /// No frames are kept that could have passwords in them.
    #[error(
        "--write-passwords is for files of frames, and none is written: leave it out, or add --write"
    )]
    NoFrames,
    /// Answers are waited for, and not looked at.
    #[error("--arp off hides the answers that --probe waits for: leave out one of the two")]
    BlindProbe,
    /// An address would be asked for before it can have answered.
    #[error("--probe-interval {0:?} is too short, as answers take up to a second: say 1s or more")]
    HastyProbe(Duration),
    /// No question could be asked, or too many.
    #[error("--probe-rate {0} is no rate to ask at: say 1 to {MAX_RATE}")]
    ProbeRate(u32),
    /// Nothing could be counted in so short a time.
    #[error("--vip-traffic-interval {0:?} is too short to count in: say 1s or more")]
    HastyTraffic(Duration),
}

impl Settings {
    /// The settings, if they can be followed.
    ///
    /// # Errors
    /// They cannot.
    pub fn checked(self) -> Result<Self, SettingsError> {
        if let Some(probe) = &self.observer.probe {
            if self.observer.arp == ArpMode::Off {
                return Err(SettingsError::BlindProbe);
            }
            if probe.interval < ANSWERING {
                return Err(SettingsError::HastyProbe(probe.interval));
            }
            if !(1..=MAX_RATE).contains(&probe.rate) {
                return Err(SettingsError::ProbeRate(probe.rate));
            }
        }
        if let Some(interval) = self.observer.traffic.filter(|it| *it < COUNTING) {
            return Err(SettingsError::HastyTraffic(interval));
        }
        self.report.check()?;
        Ok(self)
    }
}

impl ReportSettings {
    /// Whether the outputs can be had together.
    fn check(&self) -> Result<(), SettingsError> {
        for (position, output) in self.outputs.iter().enumerate() {
            let before = &self.outputs[..position];
            if before.iter().any(|other| other.place == output.place) {
                return Err(SettingsError::SamePlace(output.place.clone()));
            }
        }
        let any_records = self.outputs.iter().any(|it| it.content.is_records());
        if self.count.is_some() && !any_records {
            return Err(SettingsError::NothingToCount);
        }
        Ok(())
    }
}
