//! `cargo xtask run`: the program on this host, with the rights it needs.

use std::ffi::OsString;

use anyhow::Result;

use crate::{build, shell, workspace};

pub(crate) fn run(args: &[OsString]) -> Result<()> {
    build::build()?;
    shell::become_command(shell::as_root(workspace::vrrpwatch(), &["run"])?.args(args))
}
