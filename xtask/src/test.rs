//! `cargo xtask test`: every test, the privileged ones too.

use std::{ffi::OsString, process::Command};

use anyhow::{Context as _, Result};

use crate::{setup, shell, workspace};

/// How many tests run at a time. Most of a live test is waiting for timers of daemons, so this has
/// little to do with the number of processors.
const THREADS: &str = "6";

pub(crate) fn test(args: &[OsString]) -> Result<()> {
    setup::tests()?;

    // Live tests run the program itself, which `cargo test` does not build. Building both in one
    // go, with the same features, is what keeps the second command from building it all again.
    shell::run(workspace::cargo().args(["build", "--workspace", "--bins", "--tests"]))?;

    let mut command = workspace::cargo();
    command
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(args);
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        command.env("RUST_TEST_THREADS", THREADS);
    }
    shell::run(with_root_rights(&mut command)?)
}

/// Plays every trouble and judges what is said of it from every seat: docs/seats.md.
pub(crate) fn matrix(args: &[OsString]) -> Result<()> {
    setup::tests()?;
    shell::run(workspace::cargo().args(["build", "--package", "vrrp-user", "--bins"]))?;
    let mut command = workspace::cargo();
    command
        .args(["test", "--package", "vrrp-tests", "--test", "matrix", "--"])
        .args(args);
    shell::run(with_root_rights(&mut command)?)
}

/// Has cargo start what it built as root. cargo itself, and with it all that it writes, stays the
/// user's.
pub(crate) fn with_root_rights(cargo: &mut Command) -> Result<&mut Command> {
    if !shell::is_root() {
        // Asks for the password, if at all, before the long part.
        shell::run(&mut shell::as_root("true", &[])?)?;
        cargo.env(runner_variable()?, "sudo -E");
    }
    Ok(cargo)
}

/// The variable that tells cargo how to start what it built.
fn runner_variable() -> Result<String> {
    let version =
        shell::ask(Command::new("rustc").arg("-vV")).context("could not run `rustc -vV`")?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("`rustc -vV` names no host")?;
    let host = host.to_uppercase().replace('-', "_");
    Ok(format!("CARGO_TARGET_{host}_RUNNER"))
}
