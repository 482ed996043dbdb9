//! `cargo xtask bench replay`: reading a large capture file, against tcpdump.

use anyhow::Result;

use crate::{build, setup, shell, workspace};

pub(crate) fn replay() -> Result<()> {
    build::build()?;
    setup::tests()?;
    shell::run(workspace::cargo().args(["bench", "-p", "vrrp-tests", "--bench", "replay"]))
}
