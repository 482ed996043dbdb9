//! `cargo xtask build`: the program as it ships.

use anyhow::Result;

use crate::{setup, shell, workspace};

pub(crate) fn build() -> Result<()> {
    setup::build()?;
    // The default members of the workspace are what ships.
    shell::run(workspace::cargo().args(["build", "--release"]))
}
