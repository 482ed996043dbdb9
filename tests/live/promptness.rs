//! How long `who` takes beyond the wait for an advert.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use vrrp_tests::lab::{Host, Instance, Lab, vrrpwatch};

use crate::asked::held;

const VIP: &str = "10.77.0.100";
const BUDGET: Duration = Duration::from_millis(200);
/// Answers take no longer, and are waited for from the first question on: a run that waited longer
/// waited for an advert all the time.
const ANSWERS: Duration = Duration::from_millis(100);
const MEASUREMENTS: usize = 9;

/// Runs `who` ahead of what else the machine does. Gives back what it took, and how much of that it
/// waited for an advert.
#[expect(
    clippy::disallowed_methods,
    reason = "how long it takes is what is asked"
)]
fn timed(host: &Host) -> Result<(Duration, Duration)> {
    let mut command = host.namespace().command("nice")?;
    command.args(["-n", "-20"]).arg(vrrpwatch()?);
    command.args(["who", "--format", "json", VIP]);
    let begun = Instant::now();
    let output = command.output().context("could not run vrrpwatch")?;
    let taken = begun.elapsed();
    let who: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    assert_eq!(who["verdict"], "agreed", "{who}");
    let waited = who["waited_ms"].as_u64().context("a number")?;
    Ok((taken, Duration::from_millis(waited)))
}

#[test]
fn an_answer_takes_little_more_than_the_wait_for_an_advert() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    let mut beyond = Vec::new();
    for _ in 0..MEASUREMENTS {
        let (taken, waited) = timed(third)?;
        if waited > ANSWERS {
            beyond.push(taken.saturating_sub(waited));
        }
    }
    // What it takes, without what else the machine does: detaching waits for every CPU.
    let least = beyond
        .iter()
        .min()
        .context("an advert always came at once")?;
    assert!(*least <= BUDGET, "{beyond:?}");
    Ok(())
}
