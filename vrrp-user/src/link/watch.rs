//! Follows the host's interfaces through netlink.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::IpAddr,
    sync::Arc,
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream::FusedStream as _};
use rtnetlink::{
    Handle,
    packet_core::{NetlinkMessage, NetlinkPayload},
    packet_route::{
        RouteNetlinkMessage,
        address::{AddressAttribute, AddressHeaderFlags, AddressMessage, AddressScope},
        link::{
            InfoData, InfoKind, InfoVlan, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
            VlanProtocol,
        },
    },
    sys::{AsyncSocket as _, SocketAddr},
};
use tokio::task::JoinHandle;

use super::{Assigned, Link, LinkKind, LinkState, Links};
use crate::{frame::VlanTag, machine::AddressChange, model::MacAddr};

/// RTMGRP_LINK, RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR.
const GROUPS: u32 = 0x1 | 0x10 | 0x100;

/// Why interfaces cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// No netlink socket.
    #[error("cannot open a netlink socket")]
    Socket(#[from] io::Error),
    /// The kernel did not answer.
    #[error("the kernel does not list its interfaces")]
    Dump(#[from] rtnetlink::Error),
    /// The connection ended.
    #[error("the netlink connection ended")]
    Ended,
}

/// A netlink connection that tells when interfaces or addresses change.
///
/// The state is always read whole ([`Watch::snapshot`]), so that a message lost on a busy host costs
/// nothing but the knowledge of who removed an address.
pub struct Watch {
    handle: Handle,
    changes: Changes,
    connection: JoinHandle<()>,
}

type Changes =
    futures_channel::mpsc::UnboundedReceiver<(NetlinkMessage<RouteNetlinkMessage>, SocketAddr)>;

impl Watch {
    /// Connects; needs a tokio runtime.
    ///
    /// # Errors
    /// The system refuses the socket.
    pub fn new() -> Result<Self, WatchError> {
        let (mut connection, handle, changes) = rtnetlink::new_connection()?;
        connection
            .socket_mut()
            .socket_mut()
            .bind(&SocketAddr::new(0, GROUPS))?;
        Ok(Self {
            handle,
            changes,
            connection: tokio::spawn(connection),
        })
    }

    /// Waits for a change. Changes that came meanwhile are one. Returns the addresses that came and
    /// went, in order: only here it can be told who took one away. May be cancelled without loss.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn changed(&mut self) -> Result<Vec<AddressChange>, WatchError> {
        let (first, _) = self.changes.next().await.ok_or(WatchError::Ended)?;
        let mut addresses: Vec<AddressChange> = change(&first).into_iter().collect();
        while let Ok((message, _)) = self.changes.try_recv() {
            addresses.extend(change(&message));
        }
        if self.changes.is_terminated() {
            Err(WatchError::Ended)
        } else {
            Ok(addresses)
        }
    }

    /// All interfaces as they are now.
    ///
    /// # Errors
    /// The kernel does not answer.
    pub async fn snapshot(&self) -> Result<Links, WatchError> {
        let mut links: BTreeMap<u32, Link> = self
            .handle
            .link()
            .get()
            .execute()
            .try_filter_map(|message| async move { Ok(link(&message)) })
            .try_collect()
            .await?;
        let addresses: Vec<AddressMessage> =
            self.handle.address().get().execute().try_collect().await?;
        for message in addresses {
            if let Some(link) = links.get_mut(&message.header.index)
                && let Some(address) = address(&message)
            {
                if message.header.scope == AddressScope::Universe {
                    link.addresses.insert(address);
                }
                let unproven = AddressHeaderFlags::Tentative | AddressHeaderFlags::Dadfailed;
                link.assigned.push(Assigned {
                    address,
                    prefix: message.header.prefix_len,
                    usable: !message.header.flags.intersects(unproven),
                    duplicate: message.header.flags.contains(AddressHeaderFlags::Dadfailed),
                });
            }
        }
        let elsewhere = |link: &Link| !link.answers && link.addresses.iter().any(IpAddr::is_ipv4);
        if links.values().any(elsewhere) {
            for link in links.values_mut().filter(|link| link.answers) {
                link.arp_ignore = ignores_arp("all") || ignores_arp(&link.name);
            }
        }
        let with_vlans: Vec<u32> = links
            .values()
            .filter(|link| matches!(link.kind, LinkKind::Vlan(_)))
            .filter_map(|link| link.lower)
            .collect();
        for index in with_vlans {
            if let Some(link) = links.get_mut(&index) {
                link.strips_tags = strips_tags(&link.name).await;
            }
        }
        Ok(Links::new(links))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// The address that a message is about.
fn change(message: &NetlinkMessage<RouteNetlinkMessage>) -> Option<AddressChange> {
    let NetlinkPayload::InnerMessage(inner) = &message.payload else {
        return None;
    };
    let (inner, present) = match inner {
        RouteNetlinkMessage::NewAddress(inner) => (inner, true),
        RouteNetlinkMessage::DelAddress(inner) => (inner, false),
        _ => return None,
    };
    Some(AddressChange {
        address: address(inner)?,
        present,
        by: Some(message.header.port_number).filter(|port| *port != 0),
    })
}

/// The interface in a message; `None` without a name, which no interface lacks.
fn link(message: &LinkMessage) -> Option<(u32, Link)> {
    let flags = message.header.flags;
    let mut name = None;
    let mut link = Link {
        name: Arc::from(""),
        state: if !flags.contains(LinkFlags::Up) {
            LinkState::Down
        } else if flags.contains(LinkFlags::LowerUp) {
            LinkState::Up
        } else {
            LinkState::NoCarrier
        },
        broadcast: flags.contains(LinkFlags::Broadcast),
        answers: flags.contains(LinkFlags::Broadcast | LinkFlags::Up | LinkFlags::LowerUp)
            && !flags.contains(LinkFlags::Noarp),
        arp_ignore: false,
        mac: None,
        kind: LinkKind::Other,
        lower: None,
        master: None,
        addresses: BTreeSet::new(),
        assigned: Vec::new(),
        strips_tags: false,
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(value) => name = Some(value.as_str()),
            LinkAttribute::Address(bytes) => {
                link.mac = <[u8; 6]>::try_from(&bytes[..]).ok().map(MacAddr::new);
            }
            LinkAttribute::Link(index) => link.lower = Some(*index),
            LinkAttribute::Controller(index) => link.master = Some(*index),
            LinkAttribute::LinkInfo(infos) => link.kind = kind(infos),
            _ => {}
        }
    }
    link.name = Arc::from(name?);
    Some((message.header.index, link))
}

fn kind(infos: &[LinkInfo]) -> LinkKind {
    let mut kind = LinkKind::Other;
    for info in infos {
        match info {
            LinkInfo::Kind(InfoKind::MacVlan | InfoKind::MacVtap | InfoKind::IpVlan) => {
                kind = LinkKind::Alias;
            }
            LinkInfo::Kind(InfoKind::Bridge | InfoKind::Bond) => kind = LinkKind::Bundle,
            LinkInfo::Kind(InfoKind::Other(name)) if name == "team" => kind = LinkKind::Bundle,
            LinkInfo::Data(InfoData::Vlan(infos)) => kind = LinkKind::Vlan(tag(infos)),
            _ => {}
        }
    }
    kind
}

fn tag(infos: &[InfoVlan]) -> VlanTag {
    let mut tag = VlanTag {
        protocol: 0x8100,
        tci: 0,
    };
    for info in infos {
        match info {
            InfoVlan::Id(id) => tag.tci = *id,
            InfoVlan::Protocol(VlanProtocol::Ieee8021Ad) => tag.protocol = 0x88a8,
            _ => {}
        }
    }
    tag
}

/// The address of this host; on a point-to-point link `Address` would be the peer's.
fn address(message: &AddressMessage) -> Option<IpAddr> {
    let attributes = || message.attributes.iter();
    attributes()
        .find_map(|attribute| match attribute {
            AddressAttribute::Local(address) => Some(*address),
            _ => None,
        })
        .or_else(|| {
            attributes().find_map(|attribute| match attribute {
                AddressAttribute::Address(address) => Some(*address),
                _ => None,
            })
        })
}

/// Whether ARP for addresses of other interfaces is ignored by this setting. Of the values 1, 2 and 8
/// do so; what cannot be read is taken for the default.
fn ignores_arp(name: &str) -> bool {
    std::fs::read_to_string(format!("/proc/sys/net/ipv4/conf/{name}/arp_ignore"))
        .is_ok_and(|value| matches!(value.trim(), "1" | "2" | "8"))
}

/// Whether the NIC moves VLAN tags out of frames. Where the driver does not tell, assume it: most
/// do, and TC, which is chosen then, sees the tags either way.
async fn strips_tags(name: &str) -> bool {
    active_features(name)
        .await
        .is_none_or(|features| features.iter().any(|feature| feature == "rx-vlan-hw-parse"))
}

/// Names of the offloads that are on.
async fn active_features(name: &str) -> Option<Vec<String>> {
    let (connection, mut handle, _) = ethtool::new_connection().ok()?;
    let connection = tokio::spawn(connection);
    let answers = handle.feature().get(Some(name)).execute().await;
    let mut answers = std::pin::pin!(answers);
    let mut active = None;
    while let Ok(Some(message)) = answers.try_next().await {
        for attribute in message.payload.nlas {
            if let ethtool::EthtoolAttr::Feature(ethtool::EthtoolFeatureAttr::Active(bits)) =
                attribute
            {
                active = Some(
                    bits.into_iter()
                        .filter(|bit| bit.value)
                        .map(|bit| bit.name)
                        .collect(),
                );
            }
        }
    }
    connection.abort();
    active
}
