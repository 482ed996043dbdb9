//! The neighbour table of this host, through netlink: where it sends what is for an address.

use std::{collections::BTreeMap, net::IpAddr};

use futures_util::TryStreamExt as _;
use rtnetlink::packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};

use crate::model::MacAddr;

/// Entries that are kept: a router between large networks has very many.
const MAX_ENTRIES: usize = 16_384;

/// The entries that are in use, by the index of their interface. What a host does not send anything to
/// may be as old as it likes. `None` for the MAC of one that does not answer; no entries where the
/// system does not tell.
pub(super) async fn in_use() -> BTreeMap<(u32, IpAddr), Option<MacAddr>> {
    let Ok((connection, handle, _)) = rtnetlink::new_connection() else {
        return BTreeMap::new();
    };
    let connection = tokio::spawn(connection);
    let mut messages = std::pin::pin!(handle.neighbours().get().execute());
    let mut entries = BTreeMap::new();
    while let Ok(Some(message)) = messages.try_next().await {
        if entries.len() < MAX_ENTRIES {
            entries.extend(entry(&message));
        }
    }
    connection.abort();
    entries
}

fn entry(message: &NeighbourMessage) -> Option<((u32, IpAddr), Option<MacAddr>)> {
    // Something waits to be sent to it, or did until a moment ago.
    let silent = matches!(
        message.header.state,
        NeighbourState::Incomplete | NeighbourState::Failed
    );
    let in_use = matches!(
        message.header.state,
        NeighbourState::Reachable
            | NeighbourState::Delay
            | NeighbourState::Probe
            | NeighbourState::Permanent
    );
    let mut address = None;
    let mut mac = None;
    for attribute in &message.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(own)) => {
                address = Some(IpAddr::V4(*own));
            }
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(own)) => {
                address = Some(IpAddr::V6(*own));
            }
            NeighbourAttribute::LinkLocalAddress(bytes) => {
                mac = <[u8; 6]>::try_from(&bytes[..]).ok().map(MacAddr::new);
            }
            _ => {}
        }
    }
    let key = (message.header.ifindex, address?);
    if silent {
        return Some((key, None));
    }
    Some((key, Some(mac?))).filter(|_| in_use)
}
