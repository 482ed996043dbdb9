//! The subcommands: from checked arguments to an exit status.

mod arping;
mod explain;
mod lint;
mod replay;
mod run;
mod who;
mod why_dropped;

use std::{io, net::IpAddr, path::Path, process::ExitCode};

use nix::sys::signal::{SigSet, Signal};

use crate::{
    capture::DropsError,
    chain::Chain,
    cli::{Cli, Command},
    escape::escape,
    keepalived_conf::{Conf, ConfError, ConfFile},
    link::SelectionError,
    live::LiveError,
    model::FingerprintKey,
    observer::Settings,
    probe::Obstacle,
    record::RunId,
    replay::OpenError,
    report::TargetError,
    settings::SettingsError,
    source::OpenLogError,
};

/// Runs the chosen subcommand and says how it ended: with the status that `vrrpwatch --help`
/// documents.
pub fn run(cli: Cli) -> ExitCode {
    match let_writes_fail().and_then(|()| dispatch(cli)) {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            complain(&Chain(&failure));
            failure.into()
        }
    }
}

/// A file that has reached the limit of its size is to fail alone, by the error of the write: the signal
/// for it would end the program.
fn let_writes_fail() -> Result<(), Failure> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGXFSZ);
    signals
        .thread_block()
        .map_err(|error| Failure::Write(error.into()))
}

fn dispatch(cli: Cli) -> Result<Outcome, Failure> {
    match cli.command {
        Command::Replay(args) => replay::replay(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::Lint(args) => lint::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Who(args) => who::who(&args),
        Command::Arping(args) => arping::arping(&args),
        Command::WhyDropped(args) => why_dropped::why_dropped(&args),
    }
}

/// How a subcommand ended that did what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Fine,
    /// Something is wrong with the network.
    Findings,
    /// An input could not be read to its end; the complaint is already made.
    Unreadable,
    /// Nobody has the address.
    Nobody,
    /// Who has the address could not be asked.
    Unknown,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fine => Self::SUCCESS,
            Outcome::Findings => Self::from(1),
            Outcome::Unreadable => Self::from(2),
            Outcome::Nobody => Self::from(4),
            Outcome::Unknown => Self::from(5),
        }
    }
}

/// Why a subcommand could not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("cannot write the output")]
    Write(#[source] io::Error),
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Live(#[from] LiveError),
    #[error(transparent)]
    Drops(#[from] DropsError),
    #[error(transparent)]
    Conf(#[from] ConfError),
    #[error(transparent)]
    Log(#[from] OpenLogError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(
        "a recording is replayed alone: it has its logs and its configuration in it, and is not merged \
         with other files"
    )]
    NotAlone,
    #[error("{address} cannot be asked for: {}", .obstacle.describe())]
    CannotAsk { address: IpAddr, obstacle: Obstacle },
    #[error("the system has no random bytes to give")]
    Random(#[source] getrandom::Error),
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Live(
                LiveError::NothingToWatch(_) | LiveError::Write(_) | LiveError::Source(_),
            )
            | Failure::Conf(_)
            | Failure::Log(_)
            | Failure::Settings(_)
            | Failure::NotAlone
            | Failure::Open(_)
            | Failure::Selection(_)
            | Failure::Target(_)
            | Failure::Write(_) => Self::from(2),
            Failure::CannotAsk { .. } => Self::from(5),
            Failure::Live(_) | Failure::Drops(_) | Failure::Random(_) => Self::from(3),
        }
    }
}

/// Says something on standard error, for people.
#[expect(
    clippy::print_stderr,
    reason = "this is the one place that talks to standard error"
)]
fn complain(what: &dyn std::fmt::Display) {
    eprintln!("vrrpwatch: {}", escape(&what.to_string()));
}

/// A runtime for one task.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| {
            Failure::Live(LiveError::System {
                doing: "start a runtime",
                source,
            })
        })
}

/// Writes to standard output at once. Nobody there to read it is no failure.
fn say(write: impl FnOnce(&mut io::StdoutLock<'_>) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match write(&mut out).and_then(|()| io::Write::flush(&mut out)) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Write(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The settings of an observer that is to answer a question about these addresses.
fn ask_settings(addresses: &[IpAddr]) -> Result<Settings, Failure> {
    Ok(Settings {
        watched: addresses.to_vec(),
        run: fresh_run()?,
        ..Settings::new(fresh_key()?)
    })
}

/// A run that no other is.
fn fresh_run() -> Result<RunId, Failure> {
    random().map(RunId::new)
}

/// A number that nobody can guess.
fn random() -> Result<u64, Failure> {
    getrandom::u64().map_err(Failure::Random)
}

/// The configuration of keepalived at this path. Lines for single machines are those for this host.
fn read_conf(path: &Path, key: &FingerprintKey) -> Result<(ConfFile, Conf), Failure> {
    let (file, conf) = ConfFile::open(path, &config_id(), key)?;
    for note in &conf.notes {
        complain(note);
    }
    Ok((file, conf))
}

/// What keepalived on this host calls its configuration, unless told otherwise.
fn config_id() -> String {
    let host = host_name().unwrap_or_default();
    host.split('.').next().unwrap_or_default().to_owned()
}

/// The name of this host.
fn host_name() -> Option<String> {
    nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
}

/// A key that nobody else has.
fn fresh_key() -> Result<FingerprintKey, Failure> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(Failure::Random)?;
    Ok(FingerprintKey::new(key))
}
