//! Packages of Debian and its descendants.

use std::{
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use anyhow::{Context as _, Result};

use crate::shell::{self, find_program};

/// Whether this machine takes its packages from apt.
pub(super) fn is_available() -> bool {
    find_program("apt-get").is_some() && find_program("dpkg-query").is_some()
}

/// Whether the package is installed.
pub(super) fn is_installed(package: &str) -> bool {
    shell::ask(Command::new("dpkg-query").args(["-W", "-f=${db:Status-Status}", package]))
        .is_some_and(|status| status == "installed")
}

/// The version that apt would install, as the package lists have it. Fetches the lists first,
/// because those of a fresh machine are empty and others may be old.
pub(super) fn candidate(package: &str) -> Result<Option<String>> {
    update()?;
    let policy = shell::ask(
        Command::new("apt-cache")
            .args(["policy", package])
            .env("LC_ALL", "C"),
    );
    Ok(policy
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.trim().strip_prefix("Candidate: "))
        .filter(|version| *version != "(none)")
        .map(str::to_owned))
}

/// Installs those of the packages that are not there.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    update()?;
    // env and not Command::env: sudo clears the environment.
    // RUNLEVEL: where there is no systemd, invoke-rc.d then starts no service.
    let mut command = shell::as_root(
        "env",
        &["DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get"],
    )?;
    command
        .args(["install", "--yes", "--no-install-recommends"])
        .args(&missing);
    let advice = shell::line(&command);
    shell::run(&mut command).with_context(|| {
        format!("the distribution's packages could not be installed; see above, then try: {advice}")
    })
}

/// Fetches the package lists, once in the life of this process.
fn update() -> Result<()> {
    static DONE: AtomicBool = AtomicBool::new(false);
    if !DONE.swap(true, Ordering::Relaxed) {
        let outcome = shell::run(&mut shell::as_root("apt-get", &["update", "--quiet"])?);
        if let Err(error) = outcome {
            // One source of several that does not answer need not be the one that matters.
            println!("{error:#}; going on with the package lists that are there");
        }
    }
    Ok(())
}
