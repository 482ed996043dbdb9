//! The project's own commands: `cargo xtask VERB`, one file a verb.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "telling what is done and how it went is what a task runner is for"
)]

mod bench;
mod build;
mod demo;
mod fuzz;
mod lint;
mod mutate;
mod run;
mod setup;
mod shell;
mod tap;
mod test;
mod tidy;
mod workspace;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The commands of the vrrpwatch project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Install what is missing for an option; building needs nothing but Rust. Each command is
    /// printed before it runs.
    Setup {
        /// Install what the tests and the demo need, too: keepalived, FRR, tcpdump and others.
        #[arg(long)]
        tests: bool,
        /// Install what `cargo xtask tap` needs, too: a compiler and a linker for the kernel's
        /// target.
        #[arg(long)]
        tap: bool,
    },
    /// Build target/release/vrrpwatch, setting up what is missing.
    Build,
    /// Build, and run `vrrpwatch run` on this host with the rights it needs.
    Run {
        /// Arguments of `vrrpwatch run`.
        #[arg(last = true)]
        args: Vec<OsString>,
    },
    /// Run every test, the privileged ones too, setting up what is missing.
    Test {
        /// Play every trouble from every seat instead, and write docs/seats.md; takes minutes.
        #[arg(long)]
        matrix: bool,
        /// Arguments of `cargo test`; with --matrix, names of scenarios.
        #[arg(last = true)]
        args: Vec<OsString>,
    },
    /// Check format, lints, documentation and the rules of the house.
    Lint,
    /// Watch a real keepalived pair start, fail over and split, in namespaces of its own.
    Demo,
    /// Feed hostile bytes to every reader of them, under AddressSanitizer.
    Fuzz {
        /// For how long, each target.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// The targets [default: all].
        targets: Vec<String>,
    },
    /// Silence each detector in turn, and see whether a test misses it.
    Mutate {
        /// The findings [default: all].
        codes: Vec<String>,
    },
    /// Build the kernel programs from source and put them into vrrp-ebpf/prebuilt.
    Tap,
    /// Measure what vrrpwatch costs.
    Bench {
        #[command(subcommand)]
        subject: bench::Subject,
    },
}

fn main() -> ExitCode {
    match perform(Cli::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the backtrace: what went wrong is a command, and it has said so.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(verb: Verb) -> Result<()> {
    match verb {
        Verb::Setup { tests, tap } => {
            if tap {
                setup::tap()?;
            }
            if tests {
                setup::tests()?;
            }
            println!("Everything is there.");
            Ok(())
        }
        Verb::Build => build::build(),
        Verb::Run { args } => run::run(&args),
        Verb::Test { matrix: true, args } => test::matrix(&args),
        Verb::Test { args, .. } => test::test(&args),
        Verb::Lint => lint::lint(),
        Verb::Demo => demo::demo(),
        Verb::Fuzz { seconds, targets } => fuzz::fuzz(seconds, &targets),
        Verb::Mutate { codes } => mutate::mutate(&codes),
        Verb::Tap => tap::tap(),
        Verb::Bench { subject } => bench::bench(subject),
    }
}
