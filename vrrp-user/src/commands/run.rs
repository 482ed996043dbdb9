//! `vrrpwatch run`: the observer driven by the kernel.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use super::{Failure, Outcome, random, runtime, settings};
use crate::{
    cli::RunArgs,
    link::Selection,
    live::{LiveSettings, watch},
    observer::ArpMode,
    report::Report,
};

pub(super) fn run(args: &RunArgs) -> Result<Outcome, Failure> {
    if args.output.arp == ArpMode::Off && !args.probe.probe.is_empty() {
        return Err(Failure::BlindProbe);
    }
    let live = LiveSettings {
        selection: Selection::new(&args.interfaces)?,
        mode: args.mode,
        arp: args.output.arp,
        kernel_log: args.kernel_log,
        duration: args.output.duration,
    };
    let host = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    let mut settings = settings(&args.output, host)?;
    settings.probe = args.probe.settings(random()?);
    log_to_standard_error(args.kernel_log);
    let report = Report::open(&args.output.report())?;
    let runtime = runtime()?;
    let result = runtime.block_on(watch(live, settings, report));
    // A writing thread that hangs on a pipe nobody reads is left to its fate.
    runtime.shutdown_background();
    result?;
    Ok(Outcome::Fine)
}

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
