//! `who` and `arping` run to their end, and what they say, which always fits its schema.

use std::{process::Output, sync::LazyLock, time::Duration};

use anyhow::{Context as _, Result, anyhow, ensure};
use jsonschema::Validator;
use schemars::schema_for;
use serde_json::Value;
use vrrp_tests::lab::{Host, vrrpwatch, wait_until};
use vrrp_user::who::Line;

const ELECTION: Duration = Duration::from_secs(10);

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = serde_json::to_value(schema_for!(Line)).expect("JSON");
    jsonschema::validator_for(&schema).expect("a valid schema")
});

/// Runs vrrpwatch on a host to its end.
pub(crate) fn run(host: &Host, args: &[&str]) -> Result<Output> {
    host.namespace()
        .command(vrrpwatch()?)?
        .args(args)
        .output()
        .context("could not run vrrpwatch")
}

/// The exit status and the lines, without a complaint.
pub(crate) fn ask(host: &Host, args: &[&str]) -> Result<(i32, Vec<Value>)> {
    let output = run(host, &[args, &["--format", "json"]].concat())?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(complaint.is_empty(), "it complained: {complaint}");
    let status = output.status.code().context("it was killed")?;
    let text = String::from_utf8(output.stdout)?;
    Ok((status, text.lines().map(line).collect::<Result<_>>()?))
}

/// A line, which fits the schema and can be read back.
fn line(text: &str) -> Result<Value> {
    let value: Value = serde_json::from_str(text)?;
    SCHEMA
        .validate(&value)
        .map_err(|error| anyhow!("{error}: {text}"))?;
    let read: Line = serde_json::from_str(text)?;
    ensure!(serde_json::to_value(read)? == value, "it reads as another");
    Ok(value)
}

/// The exit status of `who` and what it says of the address.
pub(crate) fn who(host: &Host, args: &[&str]) -> Result<(i32, Value)> {
    let (status, lines) = ask(host, &[&["who"], args].concat())?;
    let line = lines.into_iter().next().context("it said nothing")?;
    Ok((status, line))
}

/// Waits until the address is where it should be.
pub(crate) fn held(host: &Host, address: &str) -> Result<()> {
    wait_until(&format!("{address} on {}", host.name()), ELECTION, || {
        host.has_address(address).unwrap_or(false)
    })
}
