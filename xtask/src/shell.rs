//! Running commands where the reader can see them.

use std::{
    env,
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, bail, ensure};

/// Directories of the administrator's programs, which are often not on the PATH.
const SYSTEM: [&str; 5] = [
    "/usr/sbin",
    "/sbin",
    "/usr/local/sbin",
    "/usr/lib/frr",
    "/usr/lib/systemd",
];

/// Finds a program on the PATH or where the distribution keeps its daemons.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SYSTEM.iter().map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}

/// Prints a command and runs it; it must succeed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("+ {}", line(command));
    let status = command
        .status()
        .with_context(|| format!("could not run `{}`", line(command)))?;
    ensure!(status.success(), "`{}` failed ({status})", line(command));
    Ok(())
}

/// Runs a command that only asks for something, and gives back what it wrote to standard output,
/// or `None` when it failed or is not there.
pub(crate) fn ask(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Prints a command and becomes it. Returns only if that failed.
pub(crate) fn become_command(command: &mut Command) -> Result<()> {
    println!("+ {}", line(command));
    let error = command.exec();
    Err(error).with_context(|| format!("could not run `{}`", line(command)))
}

/// When it is: to say how long something took.
pub(crate) fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is the time that a reader waits"
    )]
    Instant::now()
}

/// Whether this process is root's.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// A command that runs as root: as it is for root, through sudo for others.
pub(crate) fn as_root(program: impl AsRef<OsStr>, args: &[&str]) -> Result<Command> {
    let program = program.as_ref();
    if is_root() {
        let mut command = Command::new(program);
        command.args(args);
        return Ok(command);
    }
    let mut command = Command::new("sudo");
    command.arg(program).args(args);
    if find_program("sudo").is_none() {
        bail!(
            "this needs root, and there is no sudo; type as root: {}",
            line(&command).trim_start_matches("sudo ")
        );
    }
    Ok(command)
}

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let assignments = command.get_envs().filter_map(|(name, value)| {
        let mut text = OsString::from(name);
        text.push("=");
        text.push(value?);
        // Ours, the same in every command; it would only be in the reader's way.
        (name != "CARGO_TARGET_DIR").then(|| quoted(&text))
    });
    let program = command.get_program();
    // cargo is known here by the path of its toolchain.
    let program = if program.to_string_lossy().ends_with("/bin/cargo") {
        OsStr::new("cargo")
    } else {
        program
    };
    assignments
        .chain([quoted(program)])
        .chain(command.get_args().map(quoted))
        .collect::<Vec<_>>()
        .join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_typed() {
        let mut command = Command::new("/usr/lib/rust/bin/cargo");
        command
            .args(["doc", "", "it's"])
            .env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(
            line(&command),
            r"'RUSTDOCFLAGS=-D warnings' cargo doc '' 'it'\''s'"
        );
    }
}
