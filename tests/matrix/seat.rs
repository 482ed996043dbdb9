//! One who watches from a seat, and what came of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;
use vrrp_tests::lab::{Host, Process, Stream, Tee, vrrpwatch};
use vrrp_user::model::Timestamp;

/// How long vrrpwatch may take to start or to end on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// `vrrpwatch run` on a host, as an operator starts it there.
pub(crate) struct Observer(Process);

/// What it wrote.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// When it began to watch, in nanoseconds since the epoch.
    pub(crate) start: i128,
    /// All its records.
    pub(crate) records: Vec<Value>,
    /// What it complained about.
    pub(crate) complaints: Vec<String>,
}

impl Observer {
    /// Starts it and does not wait for it.
    pub(crate) fn spawn(host: &Host, args: &[String]) -> Result<Self> {
        let fixed = ["run", "--format", "json"].map(str::to_owned);
        let args = fixed.iter().chain(args);
        host.spawn(vrrpwatch()?, args, Tee::Nothing).map(Self)
    }

    /// Waits until it watches.
    pub(crate) fn wait_until_it_watches(&self) -> Result<()> {
        self.0
            .expect_line(Stream::Stdout, "the start", LIMIT, |line| {
                line.contains("\"record\":\"start\"")
            })
            .map(drop)
    }

    /// Has it end.
    pub(crate) fn interrupt(&self) -> Result<()> {
        self.0.signal(Signal::SIGTERM)
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Result<Account> {
        let status = self.0.wait(LIMIT)?;
        let mut complaints = self.0.lines(Stream::Stderr);
        if !status.success() {
            complaints.push(format!("it ended with {status}"));
        }
        let records = self
            .0
            .lines(Stream::Stdout)
            .iter()
            .map(|line| serde_json::from_str(line).with_context(|| format!("no record: {line}")))
            .collect::<Result<Vec<Value>>>()?;
        let first = records.iter().find(|record| record["record"] == "start");
        let start = nanos(first.context("it never began to watch")?)?;
        Ok(Account {
            start,
            records,
            complaints,
        })
    }
}

/// What `vrrpwatch who` says on a host.
pub(crate) struct Who(Process);

impl Who {
    /// Asks.
    pub(crate) fn ask(host: &Host, address: &str) -> Result<Self> {
        let args = ["who", "--format", "json", address];
        host.spawn(vrrpwatch()?, args, Tee::Nothing).map(Self)
    }

    /// The verdict and the sentence.
    pub(crate) fn answer(mut self) -> Result<(String, String)> {
        self.0.wait(LIMIT)?;
        let lines = self.0.lines(Stream::Stdout);
        let complaints = self.0.lines(Stream::Stderr).join(" ");
        let Some(line) = lines.first() else {
            return Ok(("none".to_owned(), complaints));
        };
        let who: Value = serde_json::from_str(line)?;
        let text = |key: &str| who[key].as_str().unwrap_or_default().to_owned();
        Ok((text("verdict"), text("message")))
    }
}

/// When what a record tells of happened, in nanoseconds since the epoch.
pub(crate) fn nanos(record: &Value) -> Result<i128> {
    let time: Timestamp = serde_json::from_value(record["time"].clone())
        .with_context(|| format!("no time in {record}"))?;
    Ok(i128::from(time.as_nanos()))
}

/// A point in time in nanoseconds since the epoch.
pub(crate) fn since_epoch(time: SystemTime) -> Result<i128> {
    let nanos = time.duration_since(UNIX_EPOCH)?.as_nanos();
    ensure!(nanos > 0, "the clock has not been set");
    Ok(i128::try_from(nanos)?)
}
