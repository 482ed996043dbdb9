//! `cargo xtask fuzz`: hostile bytes against every reader of them, under AddressSanitizer.

use std::{fs, process::Command};

use anyhow::{Result, ensure};

use crate::{shell, workspace};

const NAME: &str = "cargo-fuzz";

/// The targets in tests/fuzz, and how long an input of each is at most: a frame, some lines, a file of
/// some blocks.
const TARGETS: [(&str, u32); 7] = [
    ("frame", 400),
    ("event", 400),
    ("log", 400),
    ("observer", 400),
    ("capture", 2_000),
    ("conf", 2_000),
    ("recording", 16_000),
];

/// Runs these targets, or all, each for this time.
pub(crate) fn fuzz(seconds: u64, targets: &[String]) -> Result<()> {
    let names = TARGETS.map(|(name, _)| name);
    for target in targets {
        ensure!(
            names.contains(&target.as_str()),
            "there is no target {target}; there are: {}",
            names.join(" ")
        );
    }
    ensure!(
        shell::ask(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])).is_some(),
        "the sanitizer needs a nightly compiler; `rustup toolchain install nightly` installs it"
    );
    let tools = workspace::tools();
    let program = tools.join("bin").join(NAME);
    if shell::ask(Command::new(&program).arg("--version")).is_none() {
        shell::run(
            workspace::cargo()
                .args(["install", NAME, "--locked", "--root"])
                .arg(&tools)
                .env_remove("CARGO_TARGET_DIR"),
        )?;
    }
    let chosen = TARGETS
        .into_iter()
        .filter(|(name, _)| targets.is_empty() || targets.iter().any(|wanted| wanted == name));
    for (target, length) in chosen {
        // What was found interesting is kept for the next run.
        let corpus = workspace::target().join("fuzz/corpus").join(target);
        fs::create_dir_all(&corpus)?;
        let seeds = workspace::root().join("tests/fuzz/seeds").join(target);
        let seeds = seeds.is_dir().then_some(seeds);
        shell::run(
            Command::new("rustup")
                .args(["run", "nightly"])
                .arg(&program)
                .args(["run", "--fuzz-dir", "fuzz", "--target-dir"])
                .arg(workspace::target().join("fuzz/build"))
                .arg(target)
                .arg(corpus)
                .args(seeds)
                .args(["--", "-print_final_stats=1"])
                .arg(format!("-max_len={length}"))
                .arg(format!("-max_total_time={seconds}"))
                .current_dir(workspace::root().join("tests")),
        )?;
    }
    Ok(())
}
