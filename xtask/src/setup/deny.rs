//! cargo-deny, which knows the licences and the sources of all that the program is made of.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

use crate::{shell, workspace};

const NAME: &str = "cargo-deny";

/// One that is installed, or the project's own.
pub(crate) fn program() -> PathBuf {
    shell::find_program(NAME).unwrap_or_else(|| workspace::tools().join("bin").join(NAME))
}

/// Finds the program, or builds it.
pub(super) fn ensure() -> Result<()> {
    if shell::ask(Command::new(program()).arg("--version")).is_some() {
        return Ok(());
    }
    shell::run(
        workspace::cargo()
            .args(["install", NAME, "--locked", "--root"])
            .arg(workspace::tools())
            // It runs for a second; building it takes minutes as it is.
            .args(["--config", "profile.release.lto=false"])
            .args(["--config", "profile.release.opt-level=1"])
            .args(["--config", "profile.release.codegen-units=16"])
            // The directory is cargo's own choice again: a build below the workspace's would be
            // mixed up with it.
            .env_remove("CARGO_TARGET_DIR"),
    )
}
