//! What tcpdump saw on a wire: the witness that our own records are compared with.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Result, anyhow};
use nix::sys::signal::Signal;

use super::{
    namespace::{Namespace, run},
    process::{Process, Stream, Tee},
    program::require_program,
};

/// How long tcpdump may take to start or to end.
const LIMIT: Duration = Duration::from_secs(10);

/// A tcpdump that writes to a file.
#[derive(Debug)]
pub struct Capture {
    process: Process,
    file: PathBuf,
}

impl Capture {
    /// Records on a device of a namespace, from the moment this returns.
    pub fn start(namespace: &Namespace, device: &str, file: PathBuf, filter: &str) -> Result<Self> {
        let mut command = namespace.command("tcpdump")?;
        // -Z root: Debian's tcpdump gives up its rights before it opens the file.
        // -B: in KiB; of the usual buffer every frame takes an eighth, however small it is.
        command
            .args([
                "-Z",
                "root",
                "-i",
                device,
                "-n",
                "-U",
                "--immediate-mode",
                "-B",
                "32768",
                "-w",
            ])
            .arg(&file)
            .arg(filter);
        let process = Process::spawn(format!("tcpdump on {device}"), command, Tee::Nothing)?;
        process.expect_line(Stream::Stderr, "\"listening on\"", LIMIT, |line| {
            line.contains("listening on")
        })?;
        Ok(Self { process, file })
    }

    /// The file, which grows while the capture runs.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Ends the capture. A capture that lost frames is no witness, and an error.
    pub fn finish(mut self) -> Result<PathBuf> {
        self.process.stop(Signal::SIGINT, LIMIT)?;
        let complete = self
            .process
            .lines(Stream::Stderr)
            .iter()
            .any(|line| line.starts_with("0 packets dropped by kernel"));
        if !complete {
            return Err(self.process.explain(&anyhow!("tcpdump lost frames")));
        }
        Ok(self.file)
    }
}

/// Has tcpdump describe a file, one line a frame or more with `-v` among `args`.
pub fn tcpdump_lines(file: &Path, args: &[&str]) -> Result<Vec<String>> {
    let mut command = Command::new(require_program("tcpdump")?);
    command.args(["-n", "-r"]).arg(file).args(args);
    Ok(run(&mut command)?.lines().map(str::to_owned).collect())
}
