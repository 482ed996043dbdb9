//! A laboratory with vrrpwatch in it, and what it says of the routers there.

use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use nix::unistd::Pid;
use serde_json::Value;
use vrrp_tests::lab::{Host, Instance, Keepalived, Lab, now, wait_for};

use crate::watcher::{LIMIT, Watcher, nanos};

/// Three times the interval, the skew, and a few seconds for a busy machine.
pub(crate) const ELECTION: Duration = Duration::from_secs(15);

/// What is known has to be said within this time.
const PROMPT: Duration = Duration::from_secs(1);

/// After this time a router is known well.
const SETTLING: Duration = Duration::from_millis(1300);

/// The interval of [`fast`] routers, and when a backup of priority 100 takes over from one.
pub(crate) const MASTER_DOWN: Duration = Duration::from_millis(3 * 200 + 200 * 156 / 256);

/// A VRRPv3 router of 10.77.0.100 with five adverts a second.
pub(crate) fn fast(priority: u8) -> Instance<'static> {
    Instance {
        interval: "0.2",
        ..Instance::version_3(priority, &["10.77.0.100/24"])
    }
}

/// vrrpwatch at work.
pub(crate) struct Scene {
    watcher: Watcher,
}

impl Scene {
    /// Begins to watch on `eth0` of a host.
    pub(crate) fn on(host: &Host) -> Result<Self> {
        Self::with(host, &[])
    }

    /// The same with more options.
    pub(crate) fn with(host: &Host, options: &[&str]) -> Result<Self> {
        let mut args = vec!["-i", "eth0"];
        args.extend(options);
        let watcher = Watcher::start(host, &args)?;
        Ok(Self { watcher })
    }

    /// Begins to watch on `eth0` of a host that has keepalived, and to read its log.
    pub(crate) fn with_log(host: &Host) -> Result<Self> {
        let log = host.keepalived_log();
        // One that does not exist yet would be worth a warning.
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)?;
        let log = log.display().to_string();
        Self::with(host, &["--log", &log])
    }

    /// Begins to watch on `third`.
    pub(crate) fn of(lab: &Lab) -> Result<Self> {
        Self::on(lab.host("third"))
    }

    /// Begins to watch what is watched by default.
    pub(crate) fn of_default(host: &Host) -> Result<Self> {
        let watcher = Watcher::start(host, &[])?;
        Ok(Self { watcher })
    }

    /// With a watch that has begun.
    pub(crate) const fn of_watcher(watcher: Watcher) -> Self {
        Self { watcher }
    }

    /// Takes its programs off the interfaces, as another program with the rights can.
    pub(crate) fn detach(&self, host: &Host) -> Result<()> {
        let mut detached = 0;
        for entry in std::fs::read_dir(format!("/proc/{}/fdinfo", self.pid()))? {
            let Ok(info) = std::fs::read_to_string(entry?.path()) else {
                continue;
            };
            for line in info.lines() {
                if let Some(id) = line.strip_prefix("link_id:") {
                    host.run("bpftool", &["link", "detach", "id", id.trim()])?;
                    detached += 1;
                }
            }
        }
        ensure!(detached > 0, "nothing was attached by a link");
        Ok(())
    }

    /// The changes of the active router so far.
    pub(crate) fn changes(&self) -> Result<Vec<Value>> {
        let records = self.watcher.records()?.into_iter();
        Ok(records
            .filter(|record| record["record"] == "state")
            .collect())
    }

    /// The last advert of a host so far.
    pub(crate) fn last_advert(&self, of: &Host) -> Result<Value> {
        let source = of.ipv4().to_string();
        let records = self.watcher.records()?.into_iter();
        records
            .rev()
            .find(|record| record["record"] == "advert" && record["source"] == *source)
            .context("no advert yet")
    }

    /// The process that watches.
    pub(crate) fn pid(&self) -> Pid {
        self.watcher.pid()
    }

    /// Waits for a record, among those that there are and those to come.
    pub(crate) fn find(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        wait_for(what, LIMIT, || {
            let records = self.watcher.records().unwrap_or_default();
            records.into_iter().find(&wanted)
        })
        .with_context(|| format!("what was said:\n{}", self.said()))
    }

    /// Asserts that there is no such record so far.
    pub(crate) fn without(&self, what: &str, unwanted: impl Fn(&Value) -> bool) -> Result<()> {
        let found = self.watcher.records()?.into_iter().find(unwanted);
        ensure!(found.is_none(), "{what}: {found:?}");
        Ok(())
    }

    /// Waits until a router becomes active for this reason.
    pub(crate) fn state(&self, reason: &str, to: &Host) -> Result<Value> {
        let to = to.ipv4().to_string();
        self.find(&format!("{reason} to {to}"), |record| {
            record["record"] == "state" && record["reason"] == reason && record["to"] == *to
        })
    }

    /// Waits until it is known which addresses were announced after this change.
    pub(crate) fn announced(&self, state: &Value) -> Result<Vec<String>> {
        let completed = self.find("what was announced", |record| {
            record["record"] == "announced" && record["since"] == state["time"]
        })?;
        let announced = completed["announcements"].as_array().into_iter().flatten();
        Ok(announced
            .filter_map(|one| one["address"].as_str().map(str::to_owned))
            .collect())
    }

    /// Waits until a finding is raised.
    pub(crate) fn raised(&self, code: &str) -> Result<Value> {
        self.find(&format!("{code} to be raised"), |record| {
            record["code"] == code && record["status"] == "raised"
        })
    }

    /// Waits until a finding has this cause, from the start or by an update.
    pub(crate) fn caused(&self, code: &str, cause: &str) -> Result<Value> {
        self.find(&format!("{code} by {cause}"), |record| {
            record["code"] == code && record["cause"] == cause
        })
    }

    /// Waits until a finding is cleared.
    pub(crate) fn cleared(&self, code: &str) -> Result<Value> {
        self.find(&format!("{code} to be cleared"), |record| {
            record["code"] == code && record["status"] == "cleared"
        })
    }

    /// Waits for an advert of a host, later than a record if there is one.
    pub(crate) fn advert(&self, of: &Host, after: Option<&Value>) -> Result<Value> {
        let source = of.ipv4().to_string();
        let after = after.map(nanos).transpose()?.unwrap_or(0);
        self.find(&format!("an advert of {source}"), |record| {
            record["record"] == "advert"
                && record["source"] == *source
                && nanos(record).is_ok_and(|time| time > after)
        })
    }

    /// Waits until a host has been active long enough for its going to be noticed: at the start of
    /// a capture nothing is concluded from what is missing.
    pub(crate) fn settled(&self, host: &Host) -> Result<()> {
        self.settled_after(host, None)
    }

    /// The same, beginning after a record.
    pub(crate) fn settled_after(&self, host: &Host, after: Option<&Value>) -> Result<()> {
        let first = nanos(&self.advert(host, after)?)?;
        let source = host.ipv4().to_string();
        self.find("several adverts", |record| {
            record["record"] == "advert"
                && record["source"] == *source
                && nanos(record).is_ok_and(|time| time - first > SETTLING.as_nanos().cast_signed())
        })
        .map(drop)
    }

    /// Ends it. All of `expected` was raised and nothing else; all that was said came in time.
    pub(crate) fn end(self, expected: &[&str]) -> Result<()> {
        self.end_with(expected, &[])
    }

    /// The same where some findings may be raised or not, as the daemons please.
    pub(crate) fn end_with(self, expected: &[&str], possible: &[&str]) -> Result<()> {
        let said = self.said();
        let arrivals = self.watcher.arrivals()?;
        self.watcher.stop()?;
        let mut raised: Vec<(&str, bool)> = Vec::new();
        let records: Vec<&Value> = arrivals.iter().map(|(_, record)| record).collect();
        for (arrival, record) in &arrivals {
            let is_finding = record["record"] == "finding";
            if is_finding && record["status"] == "raised" {
                // A daemon on a busy machine is late by itself, and that is to be told.
                let is_late = record["code"] == "advert-gap" && has_gap(&records, record)?;
                raised.extend(record["code"].as_str().map(|code| (code, is_late)));
            }
            if is_finding || record["record"] == "state" {
                let arrived = arrival.duration_since(UNIX_EPOCH)?.as_nanos();
                let late = i128::try_from(arrived)? - nanos(record)?;
                ensure!(
                    late < i128::try_from(PROMPT.as_nanos())?,
                    "{late} ns late: {record}"
                );
            }
        }
        for code in expected {
            ensure!(
                raised.iter().any(|(raised, _)| raised == code),
                "{code} was not raised:\n{said}"
            );
        }
        for (code, is_late) in raised {
            ensure!(
                is_late || expected.contains(&code) || possible.contains(&code),
                "{code} was raised, too:\n{said}"
            );
        }
        Ok(())
    }

    /// Findings and changes so far, for the message of a failure.
    fn said(&self) -> String {
        let records = self.watcher.records().unwrap_or_default();
        let said: Vec<String> = records
            .iter()
            .filter(|record| record["record"] == "finding" || record["record"] == "state")
            .map(Value::to_string)
            .collect();
        said.join("\n")
    }
}

/// Whether the last two adverts of the router that a finding is about are as far apart as it says.
fn has_gap(records: &[&Value], finding: &Value) -> Result<bool> {
    let mut times = Vec::new();
    let mut interval = 0;
    for record in records {
        let is_its = record["record"] == "advert" && record["source"] == finding["sources"][0];
        if is_its && nanos(record)? <= nanos(finding)? {
            times.push(nanos(record)?);
            interval = i128::from(record["interval_ms"].as_u64().unwrap_or_default()) * 1_000_000;
        }
    }
    Ok(matches!(times[..], [.., before, last] if (last - before) * 2 > interval * 3))
}

/// Starts keepalived on `lb0` and `lb1`, and waits until `lb0` is master.
pub(crate) fn pair(
    lab: &Lab,
    one: &Instance<'_>,
    other: &Instance<'_>,
) -> Result<(Keepalived, Keepalived)> {
    let first = lab.host("lb0").keepalived(&one.to_string())?;
    first.expect_state("MASTER", ELECTION)?;
    let second = lab.host("lb1").keepalived(&other.to_string())?;
    Ok((first, second))
}

/// Asserts that a record tells of something at most so much later than another one.
pub(crate) fn assert_within(limit: Duration, from: &Value, to: &Value) -> Result<()> {
    assert_after(nanos(from)?, limit, to)
}

/// Asserts that a record tells of something at most so much later than this point in time.
pub(crate) fn assert_after(from: i128, limit: Duration, to: &Value) -> Result<()> {
    let took = nanos(to)? - from;
    ensure!(
        took <= i128::try_from(limit.as_nanos())?,
        "took {} ms, not {limit:?}: {to}",
        took / 1_000_000
    );
    Ok(())
}

/// The wall clock, in nanoseconds since the epoch.
pub(crate) fn clock() -> Result<i128> {
    Ok(i128::try_from(
        now().duration_since(UNIX_EPOCH)?.as_nanos(),
    )?)
}
