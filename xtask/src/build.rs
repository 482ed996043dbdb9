//! `cargo xtask build`: the program as it ships.

use anyhow::Result;

use crate::{shell, workspace};

pub(crate) fn build() -> Result<()> {
    // The default members of the workspace are what ships.
    shell::run(workspace::cargo().args(["build", "--release"]))
}
