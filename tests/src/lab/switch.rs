//! The switch between the hosts, and what can go wrong on it.

use std::time::Duration;

use anyhow::Result;

use super::{deadline::wait_until, namespace::Namespace};

/// IP protocols that a VRRP router speaks: VRRP itself and the authentication header before it.
const VRRP_PROTOCOLS: &str = "{ 112, 51 }";

/// A bridge in a namespace of its own, with one port for each host, named after it.
#[derive(Debug)]
pub struct Switch {
    namespace: Namespace,
}

impl Switch {
    pub(super) fn new(tag: &str) -> Result<Self> {
        let namespace = Namespace::new(format!("{tag}-sw"))?;
        // The bridge itself stays out of the conversation.
        namespace.sysctl("net/ipv6/conf/default/disable_ipv6", "1")?;
        namespace.ip(
            "link add name br0 type bridge mcast_snooping 0 forward_delay 0 stp_state 0\n\
             link set dev br0 up",
        )?;
        namespace.feed(
            "nft",
            &["-f", "-"],
            "table bridge lab { chain forward { type filter hook forward priority 0; }; }",
        )?;
        Ok(Self { namespace })
    }

    /// The namespace of the bridge; its device is `br0`. A capture there sees frames before they
    /// are dropped by [`Switch::block_vrrp`] or [`Switch::cut`].
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Connects the port that a host's cable made.
    pub(super) fn connect(&self, port: &str) -> Result<()> {
        self.namespace
            .ip(&format!("link set dev {port} master br0 up"))
    }

    pub(super) fn wait_until_forwarding(&self, ports: usize) -> Result<()> {
        wait_until("the ports of the switch", Duration::from_secs(5), || {
            self.namespace
                .run("bridge", &["link", "show"])
                .is_ok_and(|text| text.matches("state forwarding").count() == ports)
        })
    }

    /// Drops VRRP between two hosts, both ways; all else passes, as with a firewall that was set
    /// up without VRRP in mind.
    pub fn block_vrrp(&self, one: &str, other: &str) -> Result<()> {
        self.block_vrrp_from(one, other)?;
        self.block_vrrp_from(other, one)
    }

    /// Drops VRRP that one host sends to another; all else passes, VRRP the other way, too.
    pub fn block_vrrp_from(&self, sender: &str, receiver: &str) -> Result<()> {
        let ports = format!("iifname {sender} oifname {receiver}");
        self.rules(&format!(
            "add rule bridge lab forward {ports} ip protocol {VRRP_PROTOCOLS} drop\n\
             add rule bridge lab forward {ports} ip6 nexthdr {VRRP_PROTOCOLS} drop"
        ))
    }

    /// Cuts a host off without its noticing: its link stays up, but no frame comes through, as
    /// when a switch further away fails.
    pub fn cut(&self, host: &str) -> Result<()> {
        self.rules(&format!(
            "add rule bridge lab forward iifname {host} drop\n\
             add rule bridge lab forward oifname {host} drop"
        ))
    }

    /// Pulls the cable of a host: it loses its carrier.
    pub fn unplug(&self, host: &str) -> Result<()> {
        self.namespace.ip(&format!("link set dev {host} down"))
    }

    /// Plugs the cable of a host in again.
    pub fn plug(&self, host: &str) -> Result<()> {
        self.namespace.ip(&format!("link set dev {host} up"))
    }

    /// Lets everything through again that was blocked or cut.
    pub fn heal(&self) -> Result<()> {
        self.rules("flush chain bridge lab forward")
    }

    fn rules(&self, rules: &str) -> Result<()> {
        self.namespace.feed("nft", &["-f", "-"], rules).map(drop)
    }
}
