//! A running `vrrpwatch` on a host of the laboratory, and the records it writes.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, anyhow, ensure};
use nix::{sys::signal::Signal, unistd::Pid};
use serde_json::Value;
use vrrp_tests::lab::{Host, Process, Stream, Tee, vrrpwatch};
use vrrp_user::model::Timestamp;

/// How long vrrpwatch may take to start, to report or to end, on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// `vrrpwatch run --format json`.
pub(crate) struct Watcher {
    process: Process,
}

impl Watcher {
    /// Starts it and waits until it watches.
    pub(crate) fn start(host: &Host, args: &[&str]) -> Result<Self> {
        let watcher = Self::spawn(host, args)?;
        watcher.expect("the first start", |record| record["record"] == "start")?;
        Ok(watcher)
    }

    /// Starts it with its records going elsewhere: it may say nothing on standard output.
    pub(crate) fn spawn(host: &Host, args: &[&str]) -> Result<Self> {
        let args = ["run", "--format", "json"].iter().chain(args);
        let process = host.spawn(vrrpwatch()?, args, Tee::Nothing)?;
        Ok(Self { process })
    }

    /// The next record, after those that earlier calls passed, for which `wanted` holds.
    pub(crate) fn expect(
        &self,
        what: &str,
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> Result<Value> {
        self.process
            .expect_line(Stream::Stdout, what, LIMIT, |line| {
                parse(line).is_ok_and(|record| wanted(&record))
            })
            .and_then(|line| parse(&line))
    }

    /// All records so far.
    pub(crate) fn records(&self) -> Result<Vec<Value>> {
        let lines = self.process.lines(Stream::Stdout);
        lines.iter().map(|line| parse(line)).collect()
    }

    /// When each record so far arrived, beside it.
    pub(crate) fn arrivals(&self) -> Result<Vec<(SystemTime, Value)>> {
        let records = self.records()?;
        Ok(self
            .process
            .times(Stream::Stdout)
            .into_iter()
            .zip(records)
            .collect())
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> Pid {
        self.process.pid()
    }

    /// The process itself.
    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Ends it by SIGTERM, which is success; it has had nothing to complain about. Gives back all
    /// its records.
    pub(crate) fn stop(self) -> Result<Vec<Value>> {
        self.process.signal(Signal::SIGTERM)?;
        self.wait()
    }

    /// Waits until it ends by itself, in success and without complaint. Gives back all its records.
    pub(crate) fn wait(mut self) -> Result<Vec<Value>> {
        let status = self.process.wait(LIMIT)?;
        if !status.success() {
            return Err(self.process.explain(&anyhow!("{status}")));
        }
        let complaints = self.process.lines(Stream::Stderr);
        ensure!(complaints.is_empty(), "it complained: {complaints:#?}");
        self.records()
    }
}

/// When what a record tells of happened, in nanoseconds since the epoch.
pub(crate) fn nanos(record: &Value) -> Result<i128> {
    let time: Timestamp = serde_json::from_value(record["time"].clone())
        .with_context(|| format!("no time in {record}"))?;
    Ok(i128::from(time.as_nanos()))
}

fn parse(line: &str) -> Result<Value> {
    serde_json::from_str(line).with_context(|| format!("no record: {line}"))
}
