//! From flags to settings.

use crate::{
    cli::{OutputArgs, ReplayArgs, RunArgs},
    link::Selection,
    model::FingerprintKey,
    observer,
    record::RunId,
    report::{Content, OutputSettings, Place},
    settings::{Settings, SettingsError, WatchSettings},
    source::{JournalSettings, LogFile, LogSettings},
};

impl RunArgs {
    /// What the run is told. `key`, `run` and `seed` are drawn by lot, and `host` is the name of this one.
    ///
    /// # Errors
    /// It cannot be followed.
    pub fn settings(
        &self,
        key: FingerprintKey,
        run: RunId,
        seed: u64,
        host: Option<String>,
    ) -> Result<Settings, SettingsError> {
        let observer = observer::Settings {
            probe: self.probe.settings(seed),
            traffic: self.traffic.interval(),
            limited: true,
            observer: host.map(Into::into),
            ..self.output.observer(key, run)
        };
        let mut report = self.output.report(&observer.key)?;
        let recording = self.record.as_ref().map(|file| OutputSettings {
            place: Place::File(file.clone()),
            content: Content::Recording {
                settings: Box::new(observer.clone()),
            },
        });
        report.outputs.extend(recording);
        Settings {
            watch: WatchSettings {
                selection: Selection::new(&self.interfaces)?,
                mode: self.mode,
                kernel_log: self.kernel_log,
            },
            logs: self.logs(),
            conf: self.log.keepalived_conf.clone(),
            observer,
            report,
            duration: self.output.duration,
        }
        .checked()
    }

    fn logs(&self) -> LogSettings {
        let zone = self.log.zone();
        let directory = self.journal_directory.clone();
        let journal = (self.journal || directory.is_some()).then_some(JournalSettings {
            directory,
            from_start: self.log_from_start,
        });
        if self.log.logs.is_empty() && journal.is_none() && self.notify_fifo.is_none() {
            return LogSettings::usual(zone);
        }
        LogSettings {
            files: self.log.logs.clone(),
            from_start: self.log_from_start,
            journal,
            notify_fifo: self.notify_fifo.clone(),
            zone,
        }
    }
}

impl ReplayArgs {
    /// What the replay is told. `key` and `run` are drawn by lot.
    ///
    /// # Errors
    /// It cannot be followed.
    pub fn settings(&self, key: FingerprintKey, run: RunId) -> Result<Settings, SettingsError> {
        let observer = self.output.observer(key, run);
        let journals = self.journal_file.iter().map(|path| LogFile {
            host: None,
            path: path.clone(),
        });
        Settings {
            watch: WatchSettings::default(),
            logs: LogSettings {
                files: self.log.logs.iter().cloned().chain(journals).collect(),
                from_start: true,
                journal: None,
                notify_fifo: None,
                zone: self.log.zone(),
            },
            conf: self.log.keepalived_conf.clone(),
            report: self.output.report(&observer.key)?,
            observer,
            duration: self.output.duration,
        }
        .checked()
    }
}

impl OutputArgs {
    /// What the core is told.
    fn observer(&self, key: FingerprintKey, run: RunId) -> observer::Settings {
        observer::Settings {
            arp: self.arp,
            watched: self.watch.clone(),
            frames: self.keeps_frames(),
            run,
            ..observer::Settings::new(key)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::{
        cli::{Cli, Command},
        model::FingerprintKey,
        record::RunId,
    };

    /// What is said of these arguments of `run`.
    fn refusal(args: &[&str]) -> String {
        let args = ["vrrpwatch", "run"].iter().chain(args);
        let Command::Run(args) = Cli::parse_from(args).command else {
            panic!("it is run");
        };
        let settings = args.settings(FingerprintKey::new([7; 16]), RunId::new(7), 7, None);
        settings.map(|_| ()).expect_err("a refusal").to_string()
    }

    #[test]
    fn a_refusal_names_the_setting_and_the_way_out() {
        for (args, setting, way) in [
            (&["--probe", "--arp", "off"][..], "--arp off", "leave out"),
            (
                &["--probe", "--probe-interval", "900ms"],
                "900ms",
                "1s or more",
            ),
            (
                &["--probe", "--probe-rate", "0"],
                "--probe-rate 0",
                "1 to 1000",
            ),
            (
                &["--vip-traffic", "--vip-traffic-interval", "10ms"],
                "--vip-traffic-interval 10ms",
                "1s or more",
            ),
            (&["--output", "a", "--record", "a"], "\"a\"", "another file"),
            (
                &["--output", "pcapng:a", "-c", "1"],
                "--count",
                "--output text:-",
            ),
            (&["--overwrite"], "--overwrite", "--write"),
            (&["-i", "eth["], "-i \"eth[\"", "pattern"),
        ] {
            let refusal = refusal(args);
            assert!(
                refusal.contains(setting) && refusal.contains(way),
                "{args:?}: {refusal}"
            );
        }
    }
}
