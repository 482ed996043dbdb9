//! `cargo xtask lint`: everything that can be said without running the program.

use std::process::Command;

use anyhow::Result;

use crate::{setup, shell, tap, tidy, workspace};

pub(crate) fn lint() -> Result<()> {
    setup::components()?;
    shell::run(workspace::cargo().args(["fmt", "--all", "--check"]))?;
    tidy::tidy()?;
    tap::check()?;
    shell::run(workspace::cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]))?;
    shell::run(
        Command::new(setup::deny::program())
            .args([
                "--offline",
                "--all-features",
                "check",
                "licenses",
                "bans",
                "sources",
            ])
            .current_dir(workspace::root()),
    )?;
    shell::run(
        workspace::cargo()
            .args(["doc", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}
