//! `cargo xtask bench kernel`: the shipped programs under BPF_PROG_TEST_RUN.

use anyhow::Result;

use crate::{shell, test, workspace};

pub(crate) fn kernel() -> Result<()> {
    let mut command = workspace::cargo();
    // The programs are built with optimisation in any profile, and the kernel times them.
    command.args([
        "bench",
        "--profile",
        "dev",
        "-p",
        "vrrp-tests",
        "--bench",
        "kernel",
    ]);
    shell::run(test::with_root_rights(&mut command)?)
}
