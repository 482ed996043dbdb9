//! A host on the switch: its addresses, its cable, its neighbours.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    net::{Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context as _, Result};

use super::{
    capture::Capture,
    deadline::wait_until,
    frr::{Frr, FrrRouter},
    injector::Injector,
    keepalived::Keepalived,
    namespace::Namespace,
    process::{Process, Tee},
    switch::Switch,
};

/// A host with one interface, `eth0`.
#[derive(Debug)]
pub struct Host {
    name: String,
    number: u8,
    mac: [u8; 6],
    namespace: Namespace,
    directory: PathBuf,
    files: AtomicU32,
}

impl Host {
    pub(super) fn new(tag: &str, name: &str, switch: &Switch, directory: &Path) -> Result<Self> {
        let (number, last) = place(name)
            .with_context(|| format!("a host is called lb0 to lb9 or third, not {name}"))?;
        let host = Self {
            name: name.to_owned(),
            number,
            mac: [2, 0, 0, 0, 0, last],
            namespace: Namespace::new(format!("{tag}-{name}"))?,
            directory: directory.to_owned(),
            files: AtomicU32::new(0),
        };
        let namespace = &host.namespace;
        // Duplicate address detection keeps link-local addresses tentative for a second or two,
        // and VRRP over IPv6 would start late.
        namespace.sysctl("net/ipv6/conf/all/accept_dad", "0")?;
        namespace.sysctl("net/ipv6/conf/default/accept_dad", "0")?;
        // keepalived joins the group once for every virtual router; the default is 20.
        namespace.sysctl("net/ipv4/igmp_max_memberships", "200")?;
        namespace.ip(&format!(
            "link add name eth0 address {} type veth peer name {name} netns {}\n\
             address add {}/24 broadcast + dev eth0\n\
             address add {}/64 dev eth0 nodad\n\
             link set dev eth0 up",
            host.mac_text(),
            switch.namespace().name(),
            host.ipv4(),
            host.ipv6(),
        ))?;
        switch.connect(name)?;
        Ok(host)
    }

    /// The name: `lb0`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of `eth0`.
    pub fn mac(&self) -> [u8; 6] {
        self.mac
    }

    /// The address of `eth0` as text: `02:00:00:00:00:a0`.
    pub fn mac_text(&self) -> String {
        self.mac.map(|byte| format!("{byte:02x}")).join(":")
    }

    /// The IPv4 address of `eth0`, in a /24.
    pub fn ipv4(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, 0, self.number)
    }

    /// The IPv6 address of `eth0`, in a /64. Its last group reads like the last number of the IPv4
    /// address.
    pub fn ipv6(&self) -> Ipv6Addr {
        let digits = u16::from(self.number / 10 * 16 + self.number % 10);
        Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, digits)
    }

    /// The namespace of the host.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Waits until the host can send. Until the kernel has seen to the carrier, which it does in its
    /// own time, it drops every frame that is sent without a word.
    pub(super) fn wait_until_up(&self) -> Result<()> {
        let name = format!("the cable of {}", self.name);
        wait_until(&name, Duration::from_secs(5), || {
            self.namespace
                .run("ip", &["link", "show", "dev", "eth0"])
                .is_ok_and(|text| text.contains("state UP"))
        })
    }

    /// Runs a program on the host to its end, and gives back what it wrote to standard output.
    pub fn run(&self, program: &str, args: &[&str]) -> Result<String> {
        self.namespace.run(program, args)
    }

    /// Starts a program on the host.
    pub fn spawn<A: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        args: impl IntoIterator<Item = A>,
        tee: Tee,
    ) -> Result<Process> {
        let program = program.as_ref();
        let name = Path::new(program).file_name().unwrap_or(program);
        let label = format!("{} on {}", name.to_string_lossy(), self.name);
        let mut command = self.namespace.command(program)?;
        command.args(args);
        Process::spawn(label, command, tee)
    }

    /// Starts keepalived with a configuration, for example an [`Instance`](super::Instance)'s text.
    pub fn keepalived(&self, configuration: &str) -> Result<Keepalived> {
        Keepalived::start(self, configuration)
    }

    /// The log of all keepalived processes of this host so far, one after the other.
    pub fn keepalived_log(&self) -> PathBuf {
        self.directory.join(format!("{}.keepalived.log", self.name))
    }

    /// Starts FRR's VRRP router.
    pub fn frr(&self, router: &FrrRouter<'_>) -> Result<Frr> {
        Frr::start(self, router)
    }

    /// Records what tcpdump sees on `eth0`, from the moment this returns.
    pub fn capture(&self, filter: &str) -> Result<Capture> {
        self.capture_on("eth0", filter)
    }

    /// The same on another device.
    pub fn capture_on(&self, device: &str, filter: &str) -> Result<Capture> {
        let file = self.new_file("capture.pcap");
        Capture::start(&self.namespace, device, file, filter)
    }

    /// Opens a device of the host to send frames through.
    pub fn injector(&self, device: &str) -> Result<Injector> {
        Injector::open(&self.namespace, device)
    }

    /// Adds an address (with its prefix length) to `eth0`.
    pub fn add_address(&self, address: &str) -> Result<()> {
        self.namespace
            .ip(&format!("address add {address} dev eth0"))
    }

    /// Takes an address (with its prefix length) away.
    pub fn delete_address(&self, address: &str) -> Result<()> {
        self.namespace
            .ip(&format!("address delete {address} dev eth0"))
    }

    /// Has it answer ARP for a whole network, which it believes to lie behind another interface.
    pub fn proxy_for(&self, network: &str) -> Result<()> {
        self.namespace.ip(&format!(
            "link add name back0 up type veth peer name back1\n\
             link set dev back1 up\n\
             route add {network} dev back0"
        ))?;
        for (parameter, value) in [
            ("conf/eth0/proxy_arp", "1"),
            ("conf/all/rp_filter", "0"),
            ("conf/eth0/rp_filter", "0"),
            ("ip_forward", "1"),
        ] {
            self.namespace
                .sysctl(&format!("net/ipv4/{parameter}"), value)?;
        }
        Ok(())
    }

    /// Whether the host has the address on any of its interfaces.
    pub fn has_address(&self, address: &str) -> Result<bool> {
        let text = self.run("ip", &["-oneline", "address", "show"])?;
        Ok(text
            .split_whitespace()
            .any(|word| word.split('/').next() == Some(address)))
    }

    /// Asks by ARP who has an address, and gives back the MAC addresses that answered within a
    /// second, as text.
    pub fn arping(&self, address: &str) -> Result<BTreeSet<String>> {
        // arping fails when nobody answers; that is an answer, too.
        let output = self
            .namespace
            .command("arping")?
            .args(["-I", "eth0", "-c", "1", "-w", "1", address])
            .output()
            .context("could not run arping")?;
        Ok(String::from_utf8_lossy(&output.stdout)
            .split(|c: char| c.is_whitespace() || "[]()".contains(c))
            .filter(|word| word.len() == 17 && word.matches(':').count() == 5)
            .map(str::to_lowercase)
            .collect())
    }

    /// A file of the laboratory's directory that nobody else has.
    pub(super) fn new_file(&self, suffix: &str) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        self.directory
            .join(format!("{}.{number}.{suffix}", self.name))
    }
}

/// The last number of the IPv4 address and the last byte of the MAC address, by name.
fn place(name: &str) -> Option<(u8, u8)> {
    if name == "third" {
        return Some((50, 0xc3));
    }
    let number = name.strip_prefix("lb")?.parse::<u8>().ok()?;
    (number < 10).then_some((10 + number, 0xa0 + number))
}
