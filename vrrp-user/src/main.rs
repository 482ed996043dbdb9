//! The `vrrpwatch` program: a thin shell over the library.

use std::process::ExitCode;

use clap::Parser as _;
use vrrp_user::{cli::Cli, commands};

fn main() -> ExitCode {
    commands::run(Cli::parse())
}
