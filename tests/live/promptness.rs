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
/// What the shell says at the end: minutes and seconds of the processor.
const TIMES: &str = r#""$@" || exit; times"#;

/// What a run of `who` took.
#[derive(Debug)]
struct Taken {
    /// In all, beyond its wait for an advert.
    beyond: Duration,
    /// Of the processor.
    processor: Duration,
    /// How long it waited for an advert.
    waited: Duration,
}

/// Runs `who` ahead of what else the machine does.
#[expect(
    clippy::disallowed_methods,
    reason = "how long it takes is what is asked"
)]
fn timed(host: &Host, more: &[&str]) -> Result<Taken> {
    let mut command = host.namespace().command("nice")?;
    command.args(["-n", "-20", "sh", "-c", TIMES, "sh"]);
    command.arg(vrrpwatch()?);
    command.args(["who", "--format", "json", VIP]).args(more);
    let begun = Instant::now();
    let output = command.output().context("could not run vrrpwatch")?;
    let taken = begun.elapsed();
    let words = String::from_utf8(output.stdout)?;
    let mut lines = words.lines();
    let who: serde_json::Value = serde_json::from_str(lines.next().unwrap_or_default())
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    assert_eq!(who["verdict"], "agreed", "{who}");
    let waited = Duration::from_millis(who["waited_ms"].as_u64().context("a number")?);
    let processor = lines.last().context("the times of the children")?;
    Ok(Taken {
        beyond: taken.saturating_sub(waited),
        processor: processor
            .split(' ')
            .map(span)
            .sum::<Option<Duration>>()
            .with_context(|| words.clone())?,
        waited,
    })
}

/// "0m0.040000s" as the shell writes it.
fn span(text: &str) -> Option<Duration> {
    let (minutes, seconds) = text.strip_suffix('s')?.split_once('m')?;
    let minutes = Duration::from_mins(minutes.parse().ok()?);
    let seconds = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
    Some(minutes + seconds)
}

/// On a busy machine all takes longer, detaching above all, which waits for every CPU. So what is
/// measured is the work of `who`, and its time against that of a run beside it that has no choice but
/// to listen until its time is over.
#[test]
fn an_answer_takes_little_more_than_the_wait_for_an_advert() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    let (mut asked, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..MEASUREMENTS {
        asked.push(timed(third, &[])?);
        beside.push(timed(third, &["--wait", "1s"])?);
    }
    let waited = asked.iter().filter(|taken| taken.waited > ANSWERS);
    let least = waited
        .map(|taken| taken.beyond)
        .min()
        .context("an advert always came at once")?;
    let usual = beside.iter().map(|taken| taken.beyond).min();
    let usual = usual.context("measurements")?;
    assert!(least <= usual + BUDGET, "{asked:?} {beside:?}");
    let work = asked.iter().map(|taken| taken.processor).min();
    let work = work.context("measurements")?;
    assert!(work <= BUDGET, "{asked:?}");
    Ok(())
}
