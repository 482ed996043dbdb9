//! `cargo xtask bench live`: what watching costs the traffic that is watched.

use anyhow::{Result, ensure};

use crate::{build, setup, shell, test, workspace};

pub(crate) fn live() -> Result<()> {
    ensure!(
        shell::find_program("iperf3").is_some(),
        "iperf3, which sends the stream, is not installed; on Debian: \
         apt-get install --no-install-recommends iperf3"
    );
    build::build()?;
    setup::tests()?;
    let mut command = workspace::cargo();
    command.args(["bench", "-p", "vrrp-tests", "--bench", "live"]);
    shell::run(test::with_root_rights(&mut command)?)
}
