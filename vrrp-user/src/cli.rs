//! The command line: flags and their documentation, no logic.

mod ask;
mod drops;
mod output;
mod probe;
mod settings;
mod traffic;
mod words;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use jiff::tz::TimeZone;

pub use ask::{ArpingArgs, WhoArgs};
pub use drops::WhyDroppedArgs;
pub use output::{OutputArg, OutputArgs};
pub use probe::{ProbeArgs, Target};
pub use traffic::TrafficArgs;

use words::word;

use crate::{
    capture::Mode,
    record::{Code, Severity},
    source::LogFile,
};

/// Watches VRRP and ARP in the kernel and names who holds a virtual IP, who thinks it does, and
/// why.
#[derive(Debug, Parser)]
#[command(name = "vrrpwatch", version, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 fine, 1 findings, 2 wrong use, unreadable input or unwritten \
                        output, 3 missing rights or kernel support, 4 nobody has the address, 5 it \
                        cannot be told."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch the network of this host.
    Run(RunArgs),
    /// Read capture files (pcap, pcapng, gzipped or not) as if they were live; needs no rights.
    Replay(ReplayArgs),
    /// Explain a finding: what it means, how it shows, what to do, what to run next; without a code,
    /// list them.
    Explain(ExplainArgs),
    /// Check keepalived.conf; with a capture, compare it with the network too. Ends with 1 if anything
    /// is wrong.
    Lint(LintArgs),
    /// Show which machine has an address, and whether VRRP and ARP agree.
    Who(WhoArgs),
    /// Ping an address by ARP or neighbour discovery, and show which router each answer comes from.
    Arping(ArpingArgs),
    /// Find out why adverts arrive but keepalived does not get them.
    WhyDropped(WhyDroppedArgs),
}

/// Arguments of `vrrpwatch run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: findings on the screen, all records in a file:\n  \
                  vrrpwatch run --output text,only=finding,incident:- --output json:/tmp/vrrp.jsonl"
)]
pub struct RunArgs {
    /// Interface to watch, by name or pattern ("eth*"); may be repeated [default: every interface
    /// that is up, can broadcast and has a global address].
    #[arg(short, long = "interface", value_name = "NAME")]
    pub interfaces: Vec<String>,
    /// How to see what comes in. XDP costs the traffic that is watched; `auto` hardly does.
    #[arg(long, value_parser = word::<Mode>(), default_value = "auto")]
    pub mode: Mode,
    /// Show debug lines of the kernel programs on standard error; costs time on every frame.
    #[arg(long)]
    pub kernel_log: bool,
    /// Read log files from their start, and not only what is written from now on.
    #[arg(long)]
    pub log_from_start: bool,
    /// Read the journal [default: it, or else the usual log file, if neither is asked for].
    #[arg(long)]
    pub journal: bool,
    /// Read the journal in this directory.
    #[arg(long, value_name = "DIRECTORY")]
    pub journal_directory: Option<PathBuf>,
    /// Read keepalived's notification pipe (vrrp_notify_fifo); it is waited for.
    #[arg(long, value_name = "PATH")]
    pub notify_fifo: Option<PathBuf>,
    /// Record everything that the judgement rests on (frames, log lines, what this host showed) in a new
    /// file: `vrrpwatch replay FILE` gives the same records. It has no passwords. Wireshark opens it.
    #[arg(long, value_name = "FILE.pcapng")]
    pub record: Option<PathBuf>,
    /// Where the daemon's own account comes from.
    #[command(flatten)]
    pub log: LogArgs,
    /// Which addresses to ask for.
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// Whether to count traffic.
    #[command(flatten)]
    pub traffic: TrafficArgs,
    /// What to record and how to write it.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `vrrpwatch replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Capture files, merged by time; "-" is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// End with status 1 when a finding of this severity or worse was raised.
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub fail_on: FailOn,
    /// The journal, as exported by `journalctl -o json`.
    #[arg(long, value_name = "EXPORT.json")]
    pub journal_file: Vec<PathBuf>,
    /// Where the daemon's own account comes from.
    #[command(flatten)]
    pub log: LogArgs,
    /// What to record and how to write it.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Where the daemon's own account comes from.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Log of the VRRP daemon, in any form of syslog or in JSON (docker, journalctl); may be
    /// repeated. With HOST= in front it is the log of another host than the one watched.
    #[arg(long = "log", value_name = "[HOST=]PATH")]
    pub logs: Vec<LogFile>,
    /// Time zone of log lines without one, e.g. Europe/Berlin [default: this host's].
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub log_zone: Option<TimeZone>,
    /// Configuration of keepalived on the host that is watched.
    #[arg(long, value_name = "PATH")]
    pub keepalived_conf: Option<PathBuf>,
}

impl LogArgs {
    /// The zone of lines that name none.
    pub fn zone(&self) -> TimeZone {
        self.log_zone.clone().unwrap_or_else(TimeZone::system)
    }
}

/// Arguments of `vrrpwatch explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Code of the finding, such as split-brain.
    pub code: Option<Code>,
}

/// Arguments of `vrrpwatch lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// The configuration; what it includes is read, too.
    #[arg(value_name = "CONF")]
    pub conf: PathBuf,
    /// A capture of the segment it is for.
    #[arg(value_name = "CAPTURE")]
    pub capture: Option<PathBuf>,
}

/// From which severity on a finding makes `replay` end with status 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// Critical findings.
    Critical,
    /// Critical findings and warnings.
    #[default]
    Warning,
    /// Any finding.
    Info,
    /// None.
    Never,
}

impl FailOn {
    /// Whether the worst finding of a run is bad enough.
    pub fn fails(self, worst: Option<Severity>) -> bool {
        let least = match self {
            Self::Critical => Severity::Critical,
            Self::Warning => Severity::Warning,
            Self::Info => Severity::Info,
            Self::Never => return false,
        };
        worst.is_some_and(|worst| worst >= least)
    }
}

/// Reads the name of a time zone.
fn zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|error| error.to_string())
}

/// Reads "3", "0.5", and what durations look like elsewhere.
fn seconds(text: &str) -> Result<Duration, String> {
    let plain = text.parse::<f64>().ok();
    match plain.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        Some(duration) if !duration.is_zero() => Ok(duration),
        Some(_) => Err("that is no time at all".to_owned()),
        None => duration(text),
    }
}

/// Reads "30s", "5m", "1h30m", "500ms".
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "not a duration; write it like 30s, 5m or 500ms".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_threshold_is_the_least_severity_that_fails() {
        let warning = Some(Severity::Warning);
        assert!(FailOn::Info.fails(warning) && FailOn::Warning.fails(warning));
        assert!(!FailOn::Critical.fails(warning) && !FailOn::Never.fails(warning));
        assert!(!FailOn::Info.fails(None));
    }

    #[test]
    fn seconds_are_plain_numbers_as_arping_has_them() {
        assert_eq!(seconds("3"), Ok(Duration::from_secs(3)));
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("500ms"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "soon", "inf"] {
            assert!(seconds(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for text in ["", "30", "-5s", "0s", "soon"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }
}
