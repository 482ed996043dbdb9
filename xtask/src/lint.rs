//! `cargo xtask lint`: everything that can be said without running the program.

use anyhow::Result;

use crate::{setup, shell, tidy, workspace};

pub(crate) fn lint() -> Result<()> {
    setup::components()?;
    shell::run(workspace::cargo().args(["fmt", "--all", "--check"]))?;
    tidy::tidy()?;
    setup::build()?;
    shell::run(workspace::cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    shell::run(
        workspace::cargo()
            .args(["doc", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}
