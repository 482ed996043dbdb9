//! A laboratory of network namespaces: hosts on one switch, with real daemons on them.
//!
//! ```text
//!   lb0 ── eth0 ┐                            .10  02:00:00:00:00:a0  fd77::10
//!   lb1 ── eth0 ┼── br0 (namespace "sw")     .11  02:00:00:00:00:a1  fd77::11
//!   third ─ eth0 ┘                           .50  02:00:00:00:00:c3  fd77::50
//! ```
//!
//! The network is 10.77.0.0/24. Nothing leaves the namespaces, and everything a laboratory made
//! goes when it is dropped. Its names carry the process that made it, so that several run side by
//! side, and what a killed one left behind is recognised and swept away by the next.

// Every function here fails in the same way: a tool is missing, or the kernel or a daemon refused.
#![expect(
    clippy::missing_errors_doc,
    reason = "the error says which tool or daemon refused, and with what words"
)]

mod capture;
mod deadline;
mod frr;
mod host;
mod injector;
mod keepalived;
mod leftovers;
mod namespace;
mod process;
mod program;
mod switch;
mod transcript;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

pub use self::{
    capture::{Capture, tcpdump_lines},
    deadline::{Deadline, interrupt, is_interrupted, now, wait_for, wait_until},
    frr::{Frr, FrrRouter},
    host::Host,
    injector::Injector,
    keepalived::{Authentication, Instance, Keepalived, Unicast},
    namespace::Namespace,
    process::{Process, Stream, Tee},
    program::{built, find_program, vrrpwatch},
    switch::Switch,
};

/// The hosts and the switch between them.
#[derive(Debug)]
pub struct Lab {
    hosts: Vec<Host>,
    switch: Switch,
    directory: PathBuf,
}

impl Lab {
    /// The usual three: `lb0`, `lb1` and `third`.
    pub fn new() -> Result<Self> {
        Self::with_hosts(&["lb0", "lb1", "third"])
    }

    /// A laboratory with the named hosts, out of `lb0` to `lb9` and `third`.
    pub fn with_hosts(names: &[&str]) -> Result<Self> {
        ensure!(
            nix::unistd::geteuid().is_root(),
            "the laboratory needs root for its network namespaces: run it by `cargo xtask test`"
        );
        leftovers::sweep();
        let tag = leftovers::new_tag()?;
        let directory = std::env::temp_dir().join(&tag);
        fs::create_dir(&directory)
            .with_context(|| format!("could not create {}", directory.display()))?;
        let switch = Switch::new(&tag)?;
        let hosts = names
            .iter()
            .map(|name| Host::new(&tag, name, &switch, &directory))
            .collect::<Result<Vec<_>>>()?;
        switch.wait_until_forwarding(hosts.len())?;
        hosts.iter().try_for_each(Host::wait_until_up)?;
        Ok(Self {
            hosts,
            switch,
            directory,
        })
    }

    /// The host of that name.
    ///
    /// # Panics
    /// When the laboratory was made without it, which is a mistake in the test.
    #[expect(
        clippy::panic,
        reason = "an unknown name is a mistake in the test's own text"
    )]
    pub fn host(&self, name: &str) -> &Host {
        self.hosts
            .iter()
            .find(|host| host.name() == name)
            .unwrap_or_else(|| panic!("this laboratory has no host {name}"))
    }

    /// What connects the hosts, and what can come between them.
    pub fn switch(&self) -> &Switch {
        &self.switch
    }

    /// A directory for files of the test; it goes with the laboratory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The hosts and the switch clean up after themselves; what fails here the next sweep does.
        let _ = fs::remove_dir_all(&self.directory);
    }
}
