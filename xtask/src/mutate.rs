//! `cargo xtask mutate`: each detector is silenced in turn. Does a test miss it?

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use crate::{shell, workspace};

/// Names the finding that is not told, to a program that is built with the feature `mutate`.
const WITHOUT: &str = "VRRPWATCH_WITHOUT";

/// What is built with it is kept apart: the program would be taken for the real one.
const TARGET: &str = "mutate";

/// The test programs that need no rights, the quicker first.
const PROGRAMS: [&str; 2] = ["findings", "replay"];

/// They draw at random what happens, slowly, and say nothing of a single detector.
const PROPERTIES: &str = "properties::";

/// Silences these detectors, or all, one after the other.
pub(crate) fn mutate(codes: &[String]) -> Result<()> {
    let target = workspace::target().join(TARGET);
    let programs = build(&target)?;
    let all = known(&target)?;
    for code in codes {
        ensure!(all.contains(code), "no finding is called {code}");
    }
    let chosen: Vec<&String> = all
        .iter()
        .filter(|code| codes.is_empty() || codes.contains(code))
        .collect();
    let begun = shell::now();
    println!("{} detectors; first with all of them at work", chosen.len());
    let red = missed(&programs, None)?;
    ensure!(
        red.is_empty(),
        "tests fail with no detector silenced: {}",
        list(&red)
    );
    let mut survivors = Vec::new();
    for (code, number) in chosen.iter().zip(1..) {
        let red = missed(&programs, Some(code))?;
        let tests = match red.len() {
            0 => "no test misses it".to_owned(),
            1 => "1 test".to_owned(),
            count => format!("{count} tests"),
        };
        println!(
            "[{number}/{}] {code}: {tests}{}{}",
            chosen.len(),
            if red.is_empty() { "" } else { ": " },
            list(&red)
        );
        if red.is_empty() {
            survivors.push(code.as_str());
        }
    }
    println!(
        "{} detectors silenced, {} missed, in {} s",
        chosen.len(),
        chosen.len() - survivors.len(),
        begun.elapsed().as_secs()
    );
    ensure!(
        survivors.is_empty(),
        "no test misses {}",
        survivors.join(", ")
    );
    Ok(())
}

/// Builds the program and the tests of it. Gives back where the test programs are.
fn build(target: &Path) -> Result<Vec<PathBuf>> {
    let mut command = workspace::cargo();
    command
        .env("CARGO_TARGET_DIR", target)
        .args(["build", "--package", "vrrp-user", "--package", "vrrp-tests"])
        .args(["--features", "vrrp-user/mutate", "--bin", "vrrpwatch"]);
    for program in PROGRAMS {
        command.args(["--test", program]);
    }
    command.args(["--message-format", "json-render-diagnostics"]);
    println!("+ {}", shell::line(&command));
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("could not run cargo")?;
    ensure!(output.status.success(), "the tests cannot be built");
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    PROGRAMS
        .into_iter()
        .map(|program| {
            messages
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .filter(|message: &serde_json::Value| message["target"]["name"] == program)
                .find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
                .with_context(|| format!("cargo does not say where the tests {program} are"))
        })
        .collect()
}

/// All findings, as the program lists them.
fn known(target: &Path) -> Result<Vec<String>> {
    let program = target.join("debug/vrrpwatch");
    let list = shell::ask(Command::new(program).arg("explain"))
        .context("`vrrpwatch explain` does not list the findings")?;
    let codes: Vec<String> = list
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        .map(str::to_owned)
        .collect();
    ensure!(!codes.is_empty(), "`vrrpwatch explain` lists no findings");
    Ok(codes)
}

/// The tests that fail without a detector: those of the first program in which there are any.
fn missed(programs: &[PathBuf], without: Option<&str>) -> Result<BTreeSet<String>> {
    for program in programs {
        let mut command = Command::new(program);
        command
            .args(["--skip", PROPERTIES])
            .current_dir(workspace::root().join("tests"))
            .env_remove(WITHOUT);
        if let Some(code) = without {
            command.env(WITHOUT, code);
        }
        let output = command
            .output()
            .with_context(|| format!("could not run {}", program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let failed: BTreeSet<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
            .map(str::to_owned)
            .collect();
        ensure!(
            output.status.success() == failed.is_empty(),
            "{} ended with {} and names no test",
            program.display(),
            output.status
        );
        if !failed.is_empty() {
            return Ok(failed);
        }
    }
    Ok(BTreeSet::new())
}

/// The first few of the tests.
fn list(tests: &BTreeSet<String>) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = tests.iter().take(SHOWN).map(String::as_str).collect();
    let more = tests.len().saturating_sub(SHOWN);
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
