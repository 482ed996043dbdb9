//! Other people's programs that the tests and the demo run.

use std::path::Path;

use anyhow::{Result, ensure};

use super::apt;
use crate::shell::{self, find_program};

/// Programs, and Debian's packages of them.
const PEERS: [(&str, &str); 16] = [
    ("keepalived", "keepalived"),
    ("vrrpd", "frr"),
    ("tcpdump", "tcpdump"),
    ("arping", "arping"),
    ("nft", "nftables"),
    ("ip", "iproute2"),
    ("ethtool", "ethtool"),
    ("nsenter", "util-linux"),
    ("journalctl", "systemd"),
    ("systemd-journal-remote", "systemd-journal-remote"),
    ("sshd", "openssh-server"),
    ("openssl", "openssl"),
    ("bpftool", "bpftool"),
    // What advice names, and tests/commands tries.
    ("ps", "procps"),
    ("xz", "xz-utils"),
    ("bzip2", "bzip2"),
];

/// Packages that bring a service, which Debian would start at once and at every boot, and its unit.
const SERVICES: [(&str, &str); 3] = [
    ("keepalived", "keepalived"),
    ("frr", "frr"),
    ("openssh-server", "ssh"),
];

/// Finds all programs, or installs what is missing.
pub(super) fn ensure() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    if apt::is_available() {
        install(&missing)?;
    }
    let missing = self::missing();
    ensure!(
        missing.is_empty(),
        "the tests need programs that are not installed; install these (named as in Debian) by \
         your distribution's means: {}",
        missing.join(" ")
    );
    Ok(())
}

fn missing() -> Vec<&'static str> {
    PEERS
        .into_iter()
        .filter(|(program, _)| find_program(program).is_none())
        .map(|(_, package)| package)
        .collect()
}

/// Installs packages, and sees to it that none of them becomes a service of this host: a second
/// speaker of VRRP or a routing daemon is nothing that running tests should leave behind.
fn install(packages: &[&str]) -> Result<()> {
    let services: Vec<&str> = SERVICES
        .into_iter()
        .filter(|(package, _)| packages.contains(package))
        .map(|(_, unit)| unit)
        .collect();
    if services.is_empty() || !Path::new("/run/systemd/system").is_dir() {
        return apt::install(packages);
    }
    println!(
        "{} will be installed, but neither started nor enabled as a service",
        services.join(" and ")
    );
    let systemctl = |args: &[&str]| -> Result<()> {
        shell::run(shell::as_root("systemctl", args)?.args(&services))
    };
    // What is masked cannot be started by the package's installation.
    systemctl(&["mask", "--runtime"])?;
    let installed = apt::install(packages);
    systemctl(&["unmask", "--runtime"])?;
    installed?;
    systemctl(&["disable"])
}
