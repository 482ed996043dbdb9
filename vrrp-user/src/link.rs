//! The host's network interfaces: which to watch, and which of them are one and the same place.
//!
//! Pure: a [`Links`] is a snapshot that [`Watch`] takes through netlink. An upper device (a VLAN, a
//! macvlan, a bond, a bridge) sees frames that its lower device sees too. [`Links::place`] gives
//! both sightings the same name and VLAN, and the observer then recognises one frame.

mod assigned;
mod selection;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

pub use assigned::Assigned;
pub use selection::{Selection, SelectionError};
pub use watch::{Watch, WatchError};

use crate::{frame::VlanTag, model::MacAddr};

/// A network interface.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own that the kernel tells"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: Arc<str>,
    /// Whether frames can come and go.
    pub state: LinkState,
    /// Able to broadcast: Ethernet and its like.
    pub broadcast: bool,
    /// It has a carrier and resolves addresses: neighbours that ask on it get an answer. Not so the
    /// loopback interface, a dummy, a tunnel, and FRR's macvlan on a standby.
    pub answers: bool,
    /// It resolves its own addresses only, and not those that the host has on other interfaces
    /// (arp_ignore of this interface or of all); known only where there are such.
    pub arp_ignore: bool,
    /// Its Ethernet address.
    pub mac: Option<MacAddr>,
    /// What it is made of.
    pub kind: LinkKind,
    /// Index of the device below it.
    pub lower: Option<u32>,
    /// Index of the bond, team or bridge it is a port of.
    pub master: Option<u32>,
    /// Its addresses of global scope.
    pub addresses: BTreeSet<IpAddr>,
    /// All its addresses with their subnets, in the kernel's order: those added first come first.
    pub assigned: Vec<Assigned>,
    /// Its NIC moves VLAN tags out of the frames; known only where VLAN devices sit on it.
    pub strips_tags: bool,
}

/// Whether frames can come and go through an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Taken down on this host.
    Down,
    /// Up on this host, and no carrier: the cable, or the other end.
    NoCarrier,
    /// Up.
    Up,
}

/// What an interface is made of, as far as it changes where frames are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// A VLAN of its lower device.
    Vlan(VlanTag),
    /// A macvlan or ipvlan: another address on its lower device. keepalived's use_vmac makes one.
    Alias,
    /// A bridge or bond: what arrives at its ports is delivered to it, and not to them.
    Bundle,
    /// Anything else.
    Other,
}

/// All interfaces by their index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links(BTreeMap<u32, Link>);

/// Where a frame belongs, whichever device it was seen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the interface.
    pub interface: Arc<str>,
    /// The VLAN of that interface, where the device is one.
    pub tag: Option<VlanTag>,
}

impl Links {
    /// The snapshot of these interfaces.
    pub fn new(links: impl IntoIterator<Item = (u32, Link)>) -> Self {
        Self(links.into_iter().collect())
    }

    /// The interface with this index.
    pub fn get(&self, index: u32) -> Option<&Link> {
        self.0.get(&index)
    }

    /// All interfaces in the order of their indices.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Link)> {
        self.0.iter().map(|(index, link)| (*index, link))
    }

    /// Whether VLAN devices sit on this interface and its NIC hides their tags from XDP. A bond or
    /// bridge and its ports are one in this: the tags are stripped at a port, and the VLAN devices
    /// sit on the bond.
    pub fn hides_tags(&self, index: u32) -> bool {
        let top = self.top(index);
        let has_vlans = self.0.values().any(|link| {
            matches!(link.kind, LinkKind::Vlan(_))
                && link.lower.is_some_and(|lower| self.top(lower) == top)
        });
        has_vlans
            && self
                .iter()
                .any(|(other, link)| link.strips_tags && self.top(other) == top)
    }

    /// The bond or bridge to which is delivered what arrives at an interface. A VRF, which has ports, too,
    /// leaves that to them.
    pub fn bundle(&self, index: u32) -> Option<&Link> {
        let master = self.get(self.get(index)?.master?)?;
        (master.kind == LinkKind::Bundle).then_some(master)
    }

    /// The bond or bridge that an interface is a port of, or itself.
    fn top(&self, index: u32) -> u32 {
        let master = |index| self.get(index).and_then(|link| link.master);
        // Devices can be stacked, though not as deep as this.
        std::iter::successors(Some(index), |index| master(*index))
            .take(8)
            .last()
            .unwrap_or(index)
    }

    /// The MACs to which frames for this host are sent. That of a macvlan only while it has an
    /// address: keepalived's has the virtual MAC all the time, and what is sent to that one is for
    /// the active router alone.
    pub fn own_macs(&self) -> BTreeSet<MacAddr> {
        let is_for_all = |address: &IpAddr| match address {
            IpAddr::V4(_) => true,
            IpAddr::V6(address) => !address.is_unicast_link_local(),
        };
        self.0
            .values()
            .filter(|link| {
                let mut assigned = link.assigned.iter().map(|own| &own.address);
                link.kind != LinkKind::Alias || assigned.any(is_for_all)
            })
            .filter_map(|link| link.mac)
            // That of a loopback interface.
            .filter(|mac| *mac != MacAddr::new([0; 6]))
            .collect()
    }

    /// Where frames seen on `index` belong, given which interfaces are watched: those of a VLAN or
    /// macvlan to the device below, those of a port to its bond or bridge.
    pub fn place(&self, index: u32, watched: &BTreeSet<u32>) -> Option<Place> {
        let mut link = self.get(index)?;
        let mut tag = None;
        // Devices can be stacked, though not as deep as this.
        for _ in 0..8 {
            let next = match (link.kind, link.lower, link.master) {
                // A second tag has no place; such a device keeps its own name.
                (LinkKind::Vlan(own), Some(lower), _) if tag.is_none() => Some((lower, Some(own))),
                (LinkKind::Alias, Some(lower), _) => Some((lower, tag)),
                (_, _, Some(master)) => Some((master, tag)),
                (
                    LinkKind::Vlan(_) | LinkKind::Alias | LinkKind::Bundle | LinkKind::Other,
                    _,
                    None,
                ) => None,
            };
            match next.filter(|(next, _)| watched.contains(next)) {
                Some((next, next_tag)) => {
                    link = self.get(next)?;
                    tag = next_tag;
                }
                None => break,
            }
        }
        Some(Place {
            interface: link.name.clone(),
            tag,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn link(name: &str) -> Link {
        Link {
            name: Arc::from(name),
            state: LinkState::Up,
            broadcast: true,
            answers: true,
            arp_ignore: false,
            mac: None,
            kind: LinkKind::Other,
            lower: None,
            master: None,
            addresses: BTreeSet::from([IpAddr::from([10, 0, 0, 1])]),
            assigned: Vec::new(),
            strips_tags: false,
        }
    }

    const TAG: VlanTag = VlanTag {
        protocol: 0x8100,
        tci: 100,
    };

    fn host() -> Links {
        let vlan = Link {
            kind: LinkKind::Vlan(TAG),
            lower: Some(2),
            ..link("eth0.100")
        };
        let vmac = Link {
            kind: LinkKind::Alias,
            lower: Some(3),
            ..link("vrrp.51")
        };
        let port = Link {
            master: Some(6),
            strips_tags: true,
            ..link("eth1")
        };
        Links::new([
            (
                2,
                Link {
                    strips_tags: true,
                    ..link("eth0")
                },
            ),
            (3, vlan),
            (4, vmac),
            (5, port),
            (6, link("bond0")),
        ])
    }

    #[test]
    fn an_upper_device_is_the_vlan_of_its_lower_one() {
        let all = BTreeSet::from([2, 3, 4, 5, 6]);
        let eth0 = Place {
            interface: Arc::from("eth0"),
            tag: None,
        };
        let vlan = Place {
            interface: Arc::from("eth0"),
            tag: Some(TAG),
        };
        assert_eq!(host().place(2, &all), Some(eth0));
        assert_eq!(host().place(3, &all), Some(vlan.clone()));
        assert_eq!(host().place(4, &all), Some(vlan), "a macvlan on the VLAN");
        assert_eq!(
            host().place(5, &all),
            Some(Place {
                interface: Arc::from("bond0"),
                tag: None
            })
        );
    }

    #[test]
    fn a_device_alone_keeps_its_name() {
        let alone = BTreeSet::from([3]);
        assert_eq!(
            host().place(3, &alone),
            Some(Place {
                interface: Arc::from("eth0.100"),
                tag: None
            })
        );
        assert_eq!(host().place(9, &alone), None);
    }

    #[test]
    fn a_macvlan_receives_while_it_has_an_address() {
        let mac = |last| MacAddr::new([2, 0, 0, 0, 0, last]);
        let assigned = |address: &str| Assigned {
            address: address.parse().expect("an address"),
            prefix: 64,
            usable: true,
            duplicate: false,
        };
        let macs = |assigned: Vec<Assigned>| {
            let lower = Link {
                mac: Some(mac(1)),
                ..link("eth0")
            };
            let upper = Link {
                mac: Some(mac(2)),
                kind: LinkKind::Alias,
                lower: Some(2),
                assigned,
                ..link("vrrp.51")
            };
            Links::new([(2, lower), (4, upper)]).own_macs()
        };
        assert_eq!(macs(Vec::new()), [mac(1)].into());
        assert_eq!(macs(vec![assigned("fe80::1")]), [mac(1)].into());
        let active = vec![assigned("fe80::1"), assigned("10.77.0.100")];
        assert_eq!(macs(active), [mac(1), mac(2)].into());
    }

    #[test]
    fn tags_are_hidden_only_where_there_are_vlans_to_hide() {
        assert!(host().hides_tags(2));
        assert!(!host().hides_tags(5), "strips tags, but carries no VLAN");

        let on_the_bond = Link {
            kind: LinkKind::Vlan(TAG),
            lower: Some(6),
            ..link("bond0.100")
        };
        let bonded = Links::new(host().0.into_iter().chain([(7, on_the_bond)]));
        assert!(bonded.hides_tags(6), "its port strips them");
        assert!(bonded.hides_tags(5), "the bond carries them");
        assert!(!bonded.hides_tags(7));
    }
}
