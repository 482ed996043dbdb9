//! A running process: its output as it comes, its signals, its certain end.

use std::{
    fs::File,
    io,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, anyhow};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};

use super::{
    deadline::{Deadline, wait_for},
    transcript::{Copy, Transcript},
};

/// Lines of output that an error message quotes.
const TAIL: usize = 20;

/// One of the two streams a process writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Where the output of a process goes besides its transcript.
#[derive(Debug)]
pub enum Tee {
    /// Nowhere.
    Nothing,
    /// To this process's standard output.
    Stdout,
    /// To the end of a file.
    File(PathBuf),
}

impl Tee {
    fn open(self) -> Result<Option<Copy>> {
        Ok(match self {
            Self::Nothing => None,
            Self::Stdout => Some(Arc::new(Mutex::new(io::stdout()))),
            Self::File(path) => {
                let file = File::options()
                    .append(true)
                    .create(true)
                    .open(&path)
                    .with_context(|| format!("could not open {}", path.display()))?;
                Some(Arc::new(Mutex::new(file)))
            }
        })
    }
}

/// A child process in a process group of its own (a Ctrl-C at the terminal does not reach it; its
/// owner decides). It is killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdout: Arc<Transcript>,
    stderr: Arc<Transcript>,
}

impl Process {
    /// Starts `command`; `name` is what messages call it.
    pub fn spawn(name: impl Into<String>, mut command: Command, tee: Tee) -> Result<Self> {
        use std::os::unix::process::CommandExt as _;

        let name = name.into();
        let copy = tee.open()?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("could not start {name}"))?;
        let stdout = child.stdout.take().context("standard output is a pipe")?;
        let stderr = child.stderr.take().context("standard error is a pipe")?;
        Ok(Self {
            name,
            child,
            stdout: Transcript::of(stdout, copy.clone()),
            stderr: Transcript::of(stderr, copy),
        })
    }

    /// The process id.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Finds the next line on `stream`, after those that earlier calls passed, for which `wanted`
    /// holds. `what` completes "waited for" in the message of a failure.
    pub fn expect_line(
        &self,
        stream: Stream,
        what: &str,
        limit: Duration,
        wanted: impl FnMut(&str) -> bool,
    ) -> Result<String> {
        let what = format!("{what} from {}", self.name);
        self.transcript(stream)
            .expect(&what, Deadline::after(limit), wanted)
            .and_then(|line| line.ok_or_else(|| anyhow!("the output ended before {what} came")))
            .map_err(|error| self.explain(&error))
    }

    /// All lines on `stream` so far.
    pub fn lines(&self, stream: Stream) -> Vec<String> {
        self.transcript(stream).lines()
    }

    /// When each of those lines arrived.
    pub fn times(&self, stream: Stream) -> Vec<SystemTime> {
        self.transcript(stream).times()
    }

    /// Sends a signal to the process alone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        signal::kill(self.pid(), signal)
            .with_context(|| format!("could not send {signal} to {}", self.name))
    }

    /// Waits for the end of the process and of its output.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        let deadline = Deadline::after(limit);
        let child = &mut self.child;
        let status = wait_for(&what, limit, || child.try_wait().transpose())
            .and_then(|status| status.context("could not wait"))
            .and_then(|status| {
                self.stdout.wait_closed(&what, deadline)?;
                self.stderr.wait_closed(&what, deadline)?;
                Ok(status)
            });
        status.map_err(|error| self.explain(&error))
    }

    /// Sends a signal and waits for the end.
    pub fn stop(&mut self, signal: Signal, limit: Duration) -> Result<ExitStatus> {
        self.signal(signal)?;
        self.wait(limit)
    }

    /// The error with the last lines of both streams added, which tend to say why.
    pub fn explain(&self, error: &anyhow::Error) -> anyhow::Error {
        let mut text = vec![format!("{error:#}; {} wrote at last:", self.name)];
        for (stream, label) in [(Stream::Stdout, "out"), (Stream::Stderr, "err")] {
            let lines = self.lines(stream);
            let last = &lines[lines.len().saturating_sub(TAIL)..];
            text.extend(last.iter().map(|line| format!("  {label}| {line}")));
        }
        anyhow!(text.join("\n"))
    }

    fn transcript(&self, stream: Stream) -> &Transcript {
        match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // The group, so that children of the child do not outlive it.
            let _ = signal::killpg(self.pid(), Signal::SIGKILL);
            let _ = self.child.wait();
        }
    }
}
