//! FRR's VRRP router on a host of the laboratory.

use std::{
    fmt::{self, Write as _},
    fs,
    net::IpAddr,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use nix::{sys::signal::Signal, unistd::User};

use super::{
    host::Host,
    process::{Process, Stream, Tee},
};

/// Where FRR keeps the sockets of its daemons, in a directory for each `-N` name.
pub(super) const RUN_DIRECTORY: &str = "/var/run/frr";

/// How long a daemon may take to start or to end.
const LIMIT: Duration = Duration::from_secs(10);

/// A virtual router of FRR.
#[derive(Clone, Copy, Debug)]
pub struct FrrRouter<'a> {
    /// 2 or 3.
    pub version: u8,
    /// The virtual router's number, for both families.
    pub vrid: u8,
    /// 1 to 254.
    pub priority: u8,
    /// Milliseconds between adverts, a multiple of 10 (of 1000 in VRRPv2).
    pub interval_ms: u16,
    /// The virtual addresses. FRR wants the first IPv6 address to be link-local.
    pub addresses: &'a [IpAddr],
}

/// FRR's zebra and vrrpd.
#[derive(Debug)]
pub struct Frr {
    vrrpd: Process,
    // Stops after vrrpd, which needs it to the last.
    _zebra: Process,
    _run_directory: RunDirectory,
}

/// The sockets of one set of daemons.
#[derive(Debug)]
struct RunDirectory(PathBuf);

impl Frr {
    pub(super) fn start(host: &Host, router: &FrrRouter<'_>) -> Result<Self> {
        make_macvlans(host, router)?;
        let run_directory = RunDirectory::new(host.namespace().name())?;

        let zebra = daemon(host, "zebra", "")?;
        zebra.expect_line(Stream::Stdout, "its start", LIMIT, |line| {
            line.contains("starting: vty")
        })?;
        let vrrpd = daemon(host, "vrrpd", &configuration(router)?)?;
        let frr = Self {
            vrrpd,
            _zebra: zebra,
            _run_directory: run_directory,
        };
        frr.expect_log("Initialize -> Backup", LIMIT)?;
        Ok(frr)
    }

    /// Waits until a virtual router becomes master.
    pub fn expect_master(&self, limit: Duration) -> Result<String> {
        self.expect_log("Backup -> Master", limit)
    }

    /// Waits for the next line of vrrpd's log that contains `text`.
    pub fn expect_log(&self, text: &str, limit: Duration) -> Result<String> {
        self.vrrpd
            .expect_line(Stream::Stdout, &format!("{text:?}"), limit, |line| {
                line.contains(text)
            })
    }

    /// Ends vrrpd in good order (SIGTERM): a master resigns with priority 0.
    pub fn stop(mut self) -> Result<()> {
        self.vrrpd.stop(Signal::SIGTERM, LIMIT).map(drop)
    }
}

impl RunDirectory {
    fn new(name: &str) -> Result<Self> {
        let user = User::from_name("frr")?.context(
            "there is no user frr; `cargo xtask setup --tests` installs what the tests need",
        )?;
        let directory = Path::new(RUN_DIRECTORY).join(name);
        fs::create_dir_all(&directory)
            .and_then(|()| chown(&directory, Some(user.uid.as_raw()), Some(user.gid.as_raw())))
            .with_context(|| format!("could not make {}", directory.display()))?;
        Ok(Self(directory))
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// FRR adopts the macvlan devices that carry a virtual MAC address and the virtual addresses; it
/// makes none.
fn make_macvlans(host: &Host, router: &FrrRouter<'_>) -> Result<()> {
    let namespace = host.namespace();
    for (family, byte) in [(4, 1), (6, 2)] {
        let addresses: Vec<&IpAddr> = router
            .addresses
            .iter()
            .filter(|address| address.is_ipv4() == (family == 4))
            .collect();
        if addresses.is_empty() {
            continue;
        }
        let device = format!("vrrp{family}-{}", router.vrid);
        namespace.ip(&format!(
            "link add name {device} link eth0 address 00:00:5e:00:{byte:02x}:{:02x} \
             type macvlan mode bridge",
            router.vrid
        ))?;
        // FRR wants stable link-local addresses on the device; `ip link add addrgenmode` is not
        // understood by every kernel.
        namespace.sysctl(&format!("net/ipv6/conf/{device}/addr_gen_mode"), "3")?;
        let mut lines = String::new();
        for address in addresses {
            let prefix = if address.is_ipv4() { 24 } else { 64 };
            writeln!(lines, "address add {address}/{prefix} dev {device}")?;
        }
        writeln!(lines, "link set dev {device} up")?;
        namespace.ip(&lines)?;
    }
    Ok(())
}

/// Starts a daemon of FRR with its own set of sockets.
fn daemon(host: &Host, program: &str, configuration: &str) -> Result<Process> {
    let file = host.new_file(&format!("{program}.conf"));
    fs::write(&file, configuration)
        .and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(0o644)))
        .with_context(|| format!("could not write {}", file.display()))?;
    // -P 0: no port for a terminal.
    host.spawn(
        program,
        [
            "-N".as_ref(),
            host.namespace().name().as_ref(),
            "-f".as_ref(),
            file.as_os_str(),
            "-P".as_ref(),
            "0".as_ref(),
            "--log".as_ref(),
            "stdout".as_ref(),
            "--log-level".as_ref(),
            "debugging".as_ref(),
        ],
        Tee::Nothing,
    )
}

fn configuration(router: &FrrRouter<'_>) -> Result<String, fmt::Error> {
    let vrid = router.vrid;
    let mut text = format!(
        "interface eth0\n vrrp {vrid} version {}\n vrrp {vrid} priority {}\n \
         vrrp {vrid} advertisement-interval {}\n",
        router.version, router.priority, router.interval_ms
    );
    for address in router.addresses {
        let family = if address.is_ipv4() { "ip" } else { "ipv6" };
        writeln!(text, " vrrp {vrid} {family} {address}")?;
    }
    Ok(text)
}
