//! `vrrpwatch run`: the observer driven by the kernel.

use std::{io::IsTerminal as _, path::Path};

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use super::{Failure, Outcome, fresh_key, fresh_run, host_name, random, read_conf, runtime};
use crate::{
    cli::RunArgs,
    keepalived_conf::{Conf, ConfFile},
    live::watch,
    report::Report,
    settings::Settings,
};

pub(super) fn run(args: &RunArgs) -> Result<Outcome, Failure> {
    let settings = args.settings(fresh_key()?, fresh_run()?, random()?, host_name())?;
    let conf = conf(&settings)?;
    log_to_standard_error(settings.watch.kernel_log);
    let report = Report::open(&settings.report)?;
    let runtime = runtime()?;
    let result = runtime.block_on(watch(settings, conf, report));
    // A writing thread that hangs on a pipe nobody reads is left to its fate.
    runtime.shutdown_background();
    result?;
    Ok(Outcome::Fine)
}

/// keepalived's configuration: the one asked for, or the usual one if it can be read.
fn conf(settings: &Settings) -> Result<Option<(ConfFile, Conf)>, Failure> {
    let key = &settings.observer.key;
    match &settings.conf {
        Some(path) => read_conf(path, key).map(Some),
        None => Ok(read_conf(Path::new(USUAL_CONF), key).ok()),
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
