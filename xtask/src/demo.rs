//! `cargo xtask demo`: a keepalived pair starts, fails over and splits, and vrrpwatch tells.

use anyhow::Result;

use crate::{build, setup, shell, workspace};

/// Sets all up, and plays.
pub(crate) fn demo() -> Result<()> {
    build::build()?;
    setup::tests()?;
    shell::run(workspace::cargo().args([
        "build",
        "--package",
        "vrrp-tests",
        "--bin",
        "vrrp-demo",
    ]))?;
    let demo = workspace::target().join("debug/vrrp-demo");
    shell::become_command(shell::as_root(demo, &[])?.arg(workspace::vrrpwatch()))
}
