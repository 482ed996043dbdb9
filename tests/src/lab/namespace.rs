//! A network namespace and the commands that run in it.

use std::{
    ffi::OsStr,
    fs::File,
    io::Write as _,
    path::PathBuf,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use nix::{
    sched::{CloneFlags, setns},
    sys::signal::{self, Signal},
    unistd::Pid,
};

use super::{
    deadline::{Deadline, poll},
    program::require_program,
};

/// A network namespace. What runs in it is killed, and it goes, when it is dropped.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes a namespace with its loopback up.
    pub(super) fn new(name: String) -> Result<Self> {
        run(Command::new(require_program("ip")?).args(["netns", "add", &name]))?;
        let namespace = Self { name };
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// The name that `ip netns` knows it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file by which the namespace is entered.
    pub fn path(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.name)
    }

    /// A command that runs in the namespace. The process id is the program's own.
    ///
    /// nsenter and not `ip netns exec`, because that one remounts /sys and hides the BPF file
    /// system.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Result<Command> {
        let program = program.as_ref();
        let mut command = Command::new(require_program("nsenter")?);
        command.arg(format!("--net={}", self.path().display()));
        match program.to_str() {
            Some(name) if !name.contains('/') => command.arg(require_program(name)?),
            _ => command.arg(program),
        };
        Ok(command)
    }

    /// Runs `work` in a thread that has entered the namespace. A socket opened there stays there.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let path = self.path();
        let file =
            File::open(&path).with_context(|| format!("could not open {}", path.display()))?;
        thread::scope(|scope| {
            scope
                .spawn(|| {
                    setns(&file, CloneFlags::CLONE_NEWNET)
                        .with_context(|| format!("could not enter {}", path.display()))?;
                    work()
                })
                .join()
                .unwrap_or_else(|_panic| Err(anyhow!("a thread in {} panicked", self.name)))
        })
    }

    /// Runs a program to its end, and gives back what it wrote to standard output.
    pub fn run(&self, program: &str, args: &[&str]) -> Result<String> {
        run(self.command(program)?.args(args))
    }

    /// Runs lines of `ip`, each without the word `ip`, until one fails.
    pub fn ip(&self, lines: &str) -> Result<()> {
        let mut command = Command::new(require_program("ip")?);
        command.args(["-netns", &self.name, "-batch", "-"]);
        feed(&mut command, lines).map(drop)
    }

    /// Feeds `input` to a program in the namespace.
    pub(super) fn feed(&self, program: &str, args: &[&str], input: &str) -> Result<String> {
        feed(self.command(program)?.args(args), input)
    }

    /// Sets a kernel parameter of the namespace, named by its path below /proc/sys.
    pub fn sysctl(&self, parameter: &str, value: &str) -> Result<()> {
        // Which namespace /proc/sys/net speaks of depends on the process that opens the file.
        self.feed("tee", &[&format!("/proc/sys/{parameter}")], value)
            .map(drop)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// Kills what runs in a namespace and removes it, as far as that goes.
pub(super) fn remove(name: &str) {
    let Ok(ip) = require_program("ip") else {
        return;
    };
    let pids = || -> Vec<Pid> {
        run(Command::new(&ip).args(["netns", "pids", name]))
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.trim().parse().ok().map(Pid::from_raw))
            .collect()
    };
    let deadline = Deadline::for_cleanup(Duration::from_secs(5));
    let _ = poll("the namespace to be empty", deadline, || {
        let pids = pids();
        for &pid in &pids {
            let _ = signal::kill(pid, Signal::SIGKILL);
        }
        pids.is_empty().then_some(())
    });
    let _ = run(Command::new(&ip).args(["netns", "delete", name]));
}

/// Runs a command to its end; one that fails is an error with what it said.
pub(super) fn run(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not run {command:?}"))?;
    check(command, &output)
}

fn feed(command: &mut Command, input: &str) -> Result<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not run {command:?}"))?;
    // The input is a few lines and fits the pipe, so this cannot block. A program that ends
    // without reading it has said why.
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child
        .wait_with_output()
        .with_context(|| format!("could not wait for {command:?}"))?;
    check(command, &output).with_context(|| format!("its input was:\n{input}"))
}

fn check(command: &Command, output: &Output) -> Result<String> {
    ensure!(
        output.status.success(),
        "{command:?} failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
