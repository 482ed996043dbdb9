//! `cargo xtask test`: every test, the privileged ones too.

mod progress;

use std::{
    ffi::OsString,
    io::{self, BufRead as _, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::{setup, shell, workspace};
use progress::Progress;

/// How many tests run at a time. Most of a live test is waiting for timers of daemons, so this has
/// little to do with the number of processors.
const THREADS: &str = "6";

pub(crate) fn test(args: &[OsString]) -> Result<()> {
    setup::tests()?;

    // Live tests run the program itself, which `cargo test` does not build. Building both in one
    // go, with the same features, is what keeps the second command from building it all again.
    shell::run(workspace::cargo().args(["build", "--workspace", "--bins", "--tests"]))?;

    let split = args.iter().position(|arg| arg == "--");
    let (selection, of_programs) = args.split_at(split.unwrap_or(args.len()));
    let programs = programs(selection)?;
    println!("{} test programs: {}", programs.len(), programs.join(", "));
    let mut command = workspace::cargo();
    command
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(selection)
        .args(of_programs);
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        command.env("RUST_TEST_THREADS", THREADS);
    }
    run(with_root_rights(&mut command)?, programs.len())
}

/// The names of the test programs that cargo would run.
fn programs(selection: &[OsString]) -> Result<Vec<String>> {
    let output = workspace::cargo()
        .args(["test", "--workspace"])
        .args(selection)
        .args(["--no-run", "--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .context("could not run cargo")?;
    ensure!(output.status.success(), "the tests cannot be built");
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    Ok(messages
        .filter(|message| message["profile"]["test"] == true && message["executable"].is_string())
        .filter_map(|message| Some(message["target"]["name"].as_str()?.to_owned()))
        .collect())
}

/// Runs `cargo test`, and says how far it is.
fn run(command: &mut Command, programs: usize) -> Result<()> {
    println!("+ {}", shell::line(command));
    let begun = shell::now();
    // What cargo says and what the tests say come in the order in which they say it.
    let (output, input) = io::pipe()?;
    let mut child = command
        .stdout(input.try_clone()?)
        .stderr(input)
        .spawn()
        .context("could not run cargo")?;
    // The command has the other end, which would keep this one open.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut progress = Progress::new(programs);
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        if let Some(line) = progress.read(&String::from_utf8_lossy(&line)) {
            println!("{line}");
        }
    }
    let status = child.wait()?;
    println!("\n{}", progress.summary(begun.elapsed()));
    ensure!(
        status.success(),
        "`{}` failed ({status})",
        shell::line(command)
    );
    Ok(())
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
