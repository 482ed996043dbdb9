//! The subcommands: from checked arguments to an exit status.

mod explain;
mod replay;
mod run;

use std::{io, process::ExitCode};

use crate::{
    cli::{Cli, Command, OutputArgs},
    link::SelectionError,
    live::LiveError,
    model::FingerprintKey,
    observer::Settings,
    replay::OpenError,
    report::TargetError,
};

/// Runs the chosen subcommand and says how it ended: with the status that `vrrpwatch --help`
/// documents.
pub fn run(cli: Cli) -> ExitCode {
    let result = match cli.command {
        Command::Replay(args) => replay::replay(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::Run(args) => run::run(&args),
    };
    match result {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            complain(&failure);
            failure.into()
        }
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
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fine => Self::SUCCESS,
            Outcome::Findings => Self::from(1),
            Outcome::Unreadable => Self::from(2),
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
    #[error("cannot write the output: {0}")]
    Write(#[source] io::Error),
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Live(#[from] LiveError),
    #[error("the system has no random bytes to give: {0}")]
    Random(getrandom::Error),
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Live(LiveError::NothingToWatch(_) | LiveError::Write(_))
            | Failure::Open(_)
            | Failure::Selection(_)
            | Failure::Target(_)
            | Failure::Write(_) => Self::from(2),
            Failure::Live(_) | Failure::Random(_) => Self::from(3),
        }
    }
}

/// Says something on standard error, for people.
#[expect(
    clippy::print_stderr,
    reason = "this is the one place that talks to standard error"
)]
fn complain(what: &dyn std::fmt::Display) {
    eprintln!("vrrpwatch: {what}");
}

/// A number that nobody can guess.
fn random() -> Result<u64, Failure> {
    getrandom::u64().map_err(Failure::Random)
}

/// The settings of an observer under a fresh key.
fn settings(args: &OutputArgs, observer: Option<String>) -> Result<Settings, Failure> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(Failure::Random)?;
    Ok(Settings {
        key: FingerprintKey::new(key),
        arp: args.arp,
        watched: args.watch.clone(),
        probe: None,
        observer: observer.map(Into::into),
    })
}
