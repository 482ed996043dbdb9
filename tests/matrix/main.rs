//! Every trouble, from every seat, begun to be watched at every time: is what is said right?
//!
//! `cargo xtask test --matrix` runs it; with names of scenarios it runs those alone. The whole of it
//! writes docs/seats.md.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it says how far it is, and what is wrong"
)]

mod scenario;
mod scenarios;
mod seat;
mod stage;
mod table;
mod verdict;

use std::{
    fs,
    path::Path,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context as _, Result, ensure};
use vrrp_tests::lab::now;

use self::{
    scenario::{Scenario, Seat, Start},
    verdict::Verdict,
};

/// How many scenarios are played at once: they mostly wait.
const AT_ONCE: usize = 4;

/// The verdicts on a scenario, by seat and start.
type Verdicts = [[Verdict; 3]; 3];

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what the arguments name. Gives back whether all is right.
fn run() -> Result<bool> {
    let (at_once, names) = arguments()?;
    let all = scenarios::all();
    let chosen: Vec<&Scenario> = all
        .iter()
        .filter(|one| names.is_empty() || names.iter().any(|name| one.name.starts_with(name)))
        .collect();
    ensure!(!chosen.is_empty(), "no scenario is called {names:?}");
    let begun = now();
    println!(
        "{} scenarios, {at_once} at once, nine observers each; a scenario takes about 45 s",
        chosen.len()
    );
    let verdicts = play_all(&chosen, at_once)?;
    let cells = verdicts.iter().flatten().flatten();
    let right = cells.clone().filter(|verdict| verdict.wrong.is_empty());
    let (right, total) = (right.count(), cells.count());
    if names.is_empty() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/seats.md");
        fs::write(&page, table::page(&chosen, &verdicts))
            .with_context(|| format!("could not write {}", page.display()))?;
    }
    let took = now().duration_since(begun).unwrap_or_default().as_secs();
    println!(
        "{total} cells: {right} right, {} not, in {} min {} s",
        total - right,
        took / 60,
        took % 60
    );
    Ok(right == total)
}

/// `-j N` and names.
fn arguments() -> Result<(usize, Vec<String>)> {
    let mut at_once = AT_ONCE;
    let mut names = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "-j" {
            let number = arguments.next().context("-j wants a number")?;
            at_once = number.parse().context("-j wants a number")?;
        } else {
            names.push(argument);
        }
    }
    Ok((at_once, names))
}

/// Plays scenarios, several at once, and tells of each when it is over.
fn play_all(scenarios: &[&Scenario], at_once: usize) -> Result<Vec<Verdicts>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let play = || -> Result<()> {
        while let Some((index, scenario)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            scenarios.get(index).map(|scenario| (index, scenario))
        } {
            let verdicts = judged(scenario)
                .with_context(|| format!("{} could not be played", scenario.name))?;
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((index, verdicts));
            if let Some((_, verdicts)) = done.last() {
                tell(scenario, verdicts, (done.len(), scenarios.len()));
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let players: Vec<_> = (0..at_once.max(1)).map(|_| scope.spawn(play)).collect();
        players.into_iter().try_for_each(|player| {
            player
                .join()
                .unwrap_or_else(|_| Err(anyhow::anyhow!("a scenario panicked")))
        })
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, verdicts)| verdicts).collect())
}

fn judged(scenario: &Scenario) -> Result<Verdicts> {
    let course = stage::play(scenario)?;
    let judge = |seat, start| verdict::judge(scenario, &course, seat, start);
    let row = |seat| -> Result<_> { Ok([judge(seat, 0)?, judge(seat, 1)?, judge(seat, 2)?]) };
    Ok([row(0)?, row(1)?, row(2)?])
}

/// Says how a scenario went: one line, and what is wrong.
fn tell(scenario: &Scenario, verdicts: &Verdicts, (done, of): (usize, usize)) {
    let right = verdicts.iter().flatten();
    let right = right.filter(|verdict| verdict.wrong.is_empty()).count();
    println!("[{done}/{of}] {}: {right} of 9 right", scenario.name);
    for (seat, row) in Seat::ALL.into_iter().zip(verdicts) {
        for (start, verdict) in Start::ALL.into_iter().zip(row) {
            if verdict.wrong.is_empty() {
                continue;
            }
            println!("  {}, {}:", seat.host(), start.word());
            for wrong in &verdict.wrong {
                println!("    {wrong}");
            }
            for record in &verdict.records {
                println!("      {record}");
            }
        }
    }
}
