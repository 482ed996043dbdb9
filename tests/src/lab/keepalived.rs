//! keepalived on a host of the laboratory, and its configuration.

use std::{
    fmt::{self, Display, Formatter},
    fs,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use anyhow::{Context as _, Result};
use nix::{
    sys::signal::{self, Signal},
    unistd::Pid,
};

use super::{
    deadline::wait_until,
    host::Host,
    process::{Process, Stream, Tee},
};

/// How long keepalived may take to start or to end.
const LIMIT: Duration = Duration::from_secs(10);

/// A running keepalived: the parent, and its child that speaks VRRP.
#[derive(Debug)]
pub struct Keepalived {
    process: Process,
    configuration: PathBuf,
    vrrp_pid_file: PathBuf,
}

impl Keepalived {
    /// Starts keepalived, and waits until it read its configuration and is in its first state.
    pub(super) fn start(host: &Host, configuration: &str) -> Result<Self> {
        let file = host.new_file("keepalived.conf");
        fs::write(&file, configuration)
            .with_context(|| format!("could not write {}", file.display()))?;
        Self::launch(host, file)
    }

    /// Ends it in good order and starts it with another configuration.
    pub fn restart(self, host: &Host, configuration: &str) -> Result<Self> {
        self.rewrite(configuration)?;
        let file = self.configuration.clone();
        self.stop()?;
        Self::launch(host, file)
    }

    fn launch(host: &Host, file: PathBuf) -> Result<Self> {
        let pid_file = host.new_file("keepalived.pid");
        let vrrp_pid_file = host.new_file("keepalived.vrrp.pid");
        // VRRP only; log to the console, in detail; stay in the foreground.
        let process = host.spawn(
            "keepalived",
            [
                "-P".as_ref(),
                "-l".as_ref(),
                "-D".as_ref(),
                "-n".as_ref(),
                "-f".as_ref(),
                file.as_os_str(),
                "-p".as_ref(),
                pid_file.as_os_str(),
                "-r".as_ref(),
                vrrp_pid_file.as_os_str(),
            ],
            Tee::File(host.keepalived_log()),
        )?;
        let keepalived = Self {
            process,
            configuration: file,
            vrrp_pid_file,
        };
        // BACKUP, or MASTER at once with the priority of an owner.
        keepalived.expect_log(") Entering ", LIMIT)?;
        Ok(keepalived)
    }

    /// Waits for the next time that an instance enters a state: `MASTER`, `BACKUP` or `FAULT`.
    /// Gives back the line of the log.
    pub fn expect_state(&self, state: &str, limit: Duration) -> Result<String> {
        let entering = format!("Entering {state} STATE");
        self.expect_log(&entering, limit)
    }

    /// Waits for the next line of the log that contains `text`.
    pub fn expect_log(&self, text: &str, limit: Duration) -> Result<String> {
        self.process
            .expect_line(Stream::Stderr, &format!("{text:?}"), limit, |line| {
                line.contains(text)
            })
    }

    /// The lines of the log so far.
    pub fn log(&self) -> Vec<String> {
        self.process.lines(Stream::Stderr)
    }

    /// Replaces the configuration and has it read (SIGHUP).
    pub fn reload(&self, configuration: &str) -> Result<()> {
        self.rewrite(configuration)?;
        self.process.signal(Signal::SIGHUP)
    }

    /// Ends it in good order (SIGTERM): a master resigns with priority 0 and drops its addresses.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.process.stop(Signal::SIGTERM, LIMIT)
    }

    /// Kills it so that it can do nothing more: no priority 0, and the addresses stay.
    ///
    /// The parent is stopped first. Otherwise it starts a new child, or the child hears of its
    /// death and resigns.
    pub fn kill(mut self) -> Result<()> {
        let child = self.vrrp_pid()?;
        self.process.signal(Signal::SIGSTOP)?;
        signal::kill(child, Signal::SIGKILL).context("could not kill the VRRP process")?;
        wait_until("the end of the VRRP process", LIMIT, || is_dead(child))?;
        self.process.stop(Signal::SIGKILL, LIMIT).map(drop)
    }

    /// Kills the process that speaks VRRP (SIGKILL); its parent says so and starts another one.
    pub fn kill_child(&self) -> Result<()> {
        signal::kill(self.vrrp_pid()?, Signal::SIGKILL).context("could not kill the VRRP process")
    }

    /// Replaces the configuration without having it read.
    pub fn rewrite(&self, configuration: &str) -> Result<()> {
        fs::write(&self.configuration, configuration)
            .with_context(|| format!("could not write {}", self.configuration.display()))
    }

    /// The file of its configuration.
    pub fn configuration(&self) -> &Path {
        &self.configuration
    }

    /// Freezes the process that speaks VRRP (SIGSTOP), as a host does that is short of memory;
    /// [`Keepalived::thaw`] lets it go on.
    pub fn freeze(&self) -> Result<()> {
        signal::kill(self.vrrp_pid()?, Signal::SIGSTOP).context("could not stop the VRRP process")
    }

    /// Lets a frozen process go on.
    pub fn thaw(&self) -> Result<()> {
        signal::kill(self.vrrp_pid()?, Signal::SIGCONT).context("could not continue it")
    }

    fn vrrp_pid(&self) -> Result<Pid> {
        let text = fs::read_to_string(&self.vrrp_pid_file)
            .with_context(|| format!("could not read {}", self.vrrp_pid_file.display()))?;
        text.trim()
            .parse()
            .map(Pid::from_raw)
            .with_context(|| format!("{text:?} is no process id"))
    }
}

/// Gone, or waiting for its parent (which cannot, being stopped) to take note of its end.
fn is_dead(pid: Pid) -> bool {
    fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"))
        .map_or(true, |stat| stat.contains(") Z "))
}

/// How an instance proves its adverts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication<'a> {
    /// Not at all; the only way in VRRPv3.
    None,
    /// A password in plain text, of which eight bytes count.
    Pass(&'a str),
    /// The IPsec authentication header, with a password.
    Ah(&'a str),
}

/// Addresses of routers that talk to each other without multicast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unicast<'a> {
    /// The instance's own address.
    pub source: &'a str,
    /// Its peers.
    pub peers: &'a [&'a str],
}

/// A configuration of keepalived with one instance, `VI_1` on `eth0`. Its text
/// (`to_string()`) is the file.
#[derive(Clone, Copy, Debug)]
pub struct Instance<'a> {
    /// 2 or 3.
    pub version: u8,
    /// The virtual router's number.
    pub vrid: u8,
    /// 1 to 254; 255 for the owner of the addresses.
    pub priority: u8,
    /// Seconds between adverts, as keepalived reads it: `1`, or `0.2` in VRRPv3.
    pub interval: &'a str,
    /// How adverts are proven.
    pub authentication: Authentication<'a>,
    /// The virtual addresses, with prefix lengths.
    pub addresses: &'a [&'a str],
    /// Unicast peers, if it is not to be multicast.
    pub unicast: Option<Unicast<'a>>,
    /// Whether the virtual MAC address is used.
    pub virtual_mac: bool,
    /// More lines for the instance, as they are.
    pub extra: &'a str,
}

impl<'a> Instance<'a> {
    /// The instance of the usual pair: virtual router 51 with 10.77.0.100, VRRPv2, a plain
    /// password, an advert a second.
    pub const fn usual(priority: u8) -> Self {
        Self {
            version: 2,
            vrid: 51,
            priority,
            interval: "1",
            authentication: Authentication::Pass("testpass"),
            addresses: &["10.77.0.100/24"],
            unicast: None,
            virtual_mac: false,
            extra: "",
        }
    }

    /// A VRRPv3 instance of virtual router 51.
    pub const fn version_3(priority: u8, addresses: &'a [&'a str]) -> Self {
        Self {
            version: 3,
            authentication: Authentication::None,
            addresses,
            ..Self::usual(priority)
        }
    }
}

impl Display for Instance<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // keepalived starts every instance as BACKUP but one of priority 255.
        let state = if self.priority == 255 {
            "MASTER"
        } else {
            "BACKUP"
        };
        writeln!(f, "global_defs {{")?;
        writeln!(f, "    vrrp_version {}", self.version)?;
        writeln!(f, "    script_user root")?;
        writeln!(f, "}}\n")?;
        writeln!(f, "vrrp_instance VI_1 {{")?;
        writeln!(f, "    state {state}")?;
        writeln!(f, "    interface eth0")?;
        writeln!(f, "    virtual_router_id {}", self.vrid)?;
        writeln!(f, "    priority {}", self.priority)?;
        writeln!(f, "    advert_int {}", self.interval)?;
        if self.virtual_mac {
            writeln!(f, "    use_vmac vrrp.{}", self.vrid)?;
        }
        let authentication = match self.authentication {
            Authentication::None => None,
            Authentication::Pass(password) => Some(("PASS", password)),
            Authentication::Ah(password) => Some(("AH", password)),
        };
        if let Some((kind, password)) = authentication {
            writeln!(f, "    authentication {{")?;
            writeln!(f, "        auth_type {kind}")?;
            writeln!(f, "        auth_pass {password}")?;
            writeln!(f, "    }}")?;
        }
        if let Some(unicast) = self.unicast {
            writeln!(f, "    unicast_src_ip {}", unicast.source)?;
            write_block(f, "unicast_peer", unicast.peers)?;
        }
        write_block(f, "virtual_ipaddress", self.addresses)?;
        for line in self.extra.lines() {
            writeln!(f, "    {line}")?;
        }
        writeln!(f, "}}")
    }
}

fn write_block(f: &mut Formatter<'_>, name: &str, lines: &[&str]) -> fmt::Result {
    writeln!(f, "    {name} {{")?;
    for line in lines {
        writeln!(f, "        {line}")?;
    }
    writeln!(f, "    }}")
}
