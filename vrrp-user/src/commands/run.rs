//! `vrrpwatch run`: the observer driven by the kernel.

use std::{io::IsTerminal as _, path::Path};

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use super::{Failure, Outcome, host_name, random, read_conf, runtime, settings};
use crate::{
    cli::RunArgs,
    keepalived_conf::{Conf, ConfFile},
    link::Selection,
    live::{LiveSettings, watch},
    observer::{ArpMode, Settings},
    report::{Content, OutputSettings, Place, Report},
    source::{JournalSettings, LogSettings},
};

pub(super) fn run(args: &RunArgs) -> Result<Outcome, Failure> {
    if args.output.arp == ArpMode::Off && !args.probe.probe.is_empty() {
        return Err(Failure::BlindProbe);
    }
    let mut settings = settings(&args.output, host_name())?;
    settings.limited = true;
    settings.probe = args.probe.settings(random()?);
    let traffic = args.traffic.interval();
    settings.traffic = traffic.is_some();
    let conf = conf(args, &settings)?;
    let live = LiveSettings {
        logs: logs(args),
        conf,
        selection: Selection::new(&args.interfaces)?,
        mode: args.mode,
        arp: args.output.arp,
        kernel_log: args.kernel_log,
        traffic,
        duration: args.output.duration,
    };
    log_to_standard_error(args.kernel_log);
    let mut report = args.output.report(&settings.key)?;
    report
        .outputs
        .extend(args.record.as_ref().map(|file| OutputSettings {
            place: Place::File(file.clone()),
            content: Content::Recording {
                settings: Box::new(settings.clone()),
            },
        }));
    let report = Report::open(&report.checked()?)?;
    let runtime = runtime()?;
    let result = runtime.block_on(watch(live, settings, report));
    // A writing thread that hangs on a pipe nobody reads is left to its fate.
    runtime.shutdown_background();
    result?;
    Ok(Outcome::Fine)
}

/// The logs to read.
fn logs(args: &RunArgs) -> LogSettings {
    let zone = args.log.zone();
    let directory = args.journal_directory.clone();
    let journal = (args.journal || directory.is_some()).then_some(JournalSettings {
        directory,
        from_start: args.log_from_start,
    });
    if args.log.logs.is_empty() && journal.is_none() && args.notify_fifo.is_none() {
        return LogSettings::usual(zone);
    }
    LogSettings {
        files: args.log.logs.clone(),
        from_start: args.log_from_start,
        journal,
        notify_fifo: args.notify_fifo.clone(),
        zone,
    }
}

/// keepalived's configuration: the one asked for, or the usual one if it can be read.
fn conf(args: &RunArgs, settings: &Settings) -> Result<Option<(ConfFile, Conf)>, Failure> {
    match &args.log.keepalived_conf {
        Some(path) => read_conf(path, settings).map(Some),
        None => Ok(read_conf(Path::new(USUAL_CONF), settings).ok()),
    }
}

const USUAL_CONF: &str = "/etc/keepalived/keepalived.conf";

/// Sends log lines of this program and of the kernel programs to standard error; VRRPWATCH_LOG
/// chooses which.
fn log_to_standard_error(kernel_log: bool) {
    // The netlink crate warns of every attribute that is younger than itself.
    let default = if kernel_log {
        "warn,netlink_packet_route=error,vrrp_tap=debug"
    } else {
        "warn,netlink_packet_route=error"
    };
    let filter = EnvFilter::builder()
        .with_env_var("VRRPWATCH_LOG")
        .try_from_env()
        .unwrap_or_else(|_| EnvFilter::new(default));
    let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(coloured);
    // A second subscriber can only be there in a test, and serves as well.
    let _: Result<(), _> = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init();
}
