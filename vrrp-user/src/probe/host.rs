//! This host: what it holds, and from where it may ask.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::question::{Parties, Question};
use crate::{
    frame::VlanTag,
    link::{Assigned, Link, LinkKind, LinkState, Links},
    machine::Holding,
    model::MacAddr,
    tracker::Segment,
    wire::VlanStack,
};

/// What this host holds, and from where it may ask. A snapshot, like the [`Links`] it is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    vantages: Vec<Vantage>,
    /// All its addresses, and where each is.
    held: BTreeMap<IpAddr, Holding>,
    /// It answers for its addresses on every interface, as Linux does by default (arp_ignore 0).
    answers_anywhere: bool,
    /// Where the frames of each interface belong.
    places: BTreeMap<Arc<str>, Segment>,
    /// The same by the index of the interface.
    indices: BTreeMap<u32, Segment>,
    /// The ports of bridges and bonds, and to which of these is delivered what arrives there.
    ports: BTreeMap<Arc<str>, Arc<str>>,
    macs: BTreeSet<MacAddr>,
}

/// An interface that can ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Vantage {
    segment: Segment,
    ifindex: u32,
    mac: MacAddr,
    carrier: bool,
    assigned: Vec<Assigned>,
}

/// Why an address cannot be asked for.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Obstacle {
    /// The interface has no address of its own to ask from.
    NoAddress,
    /// The address is not in a subnet of the interface.
    BeyondSubnet,
    /// The interface has no carrier: the cable, or the port of the switch.
    NoCarrier,
    /// The question did not leave.
    NotSent,
}

impl Obstacle {
    /// As written in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAddress => "no-address",
            Self::BeyondSubnet => "beyond-subnet",
            Self::NoCarrier => "no-carrier",
            Self::NotSent => "not-sent",
        }
    }

    /// In words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::NoAddress => "no interface that is watched has an address to ask from",
            Self::BeyondSubnet => {
                "none of this host's interfaces that are watched is in its subnet"
            }
            Self::NoCarrier => "the interface in its subnet has no carrier",
            Self::NotSent => "the question did not leave this host",
        }
    }
}

impl Host {
    /// The host with these interfaces, of which some are `watched`: answers to a question are seen
    /// only there.
    pub fn new(links: &Links, watched: &BTreeSet<u32>) -> Self {
        let mut host = Self::default();
        let names: BTreeSet<&Arc<str>> = watched
            .iter()
            .filter_map(|index| links.get(*index))
            .map(|link| &link.name)
            .collect();
        host.answers_anywhere = links
            .iter()
            .any(|(_, link)| link.answers && !link.arp_ignore);
        for (index, link) in links.iter() {
            let Some(place) = links.place(index, watched) else {
                continue;
            };
            let segment = Segment {
                interface: Some(place.interface.clone()),
                vlan: VlanStack::new(place.tag.map(VlanTag::id)),
            };
            for assigned in &link.assigned {
                host.hold(link, assigned, &segment);
            }
            host.places.insert(link.name.clone(), segment.clone());
            host.indices.insert(index, segment.clone());
            if let Some(bundle) = links.bundle(index) {
                host.ports.insert(link.name.clone(), bundle.name.clone());
            }
            let Some(mac) = link.mac else { continue };
            host.macs.insert(mac);
            // A macvlan has a MAC of its own, which other machines would come to know.
            if link.state == LinkState::Down || !link.broadcast || link.kind == LinkKind::Alias {
                continue;
            }
            // A port of a bond or bridge has no address that counts.
            let own_place = place.interface == link.name || matches!(link.kind, LinkKind::Vlan(_));
            if !names.contains(&place.interface) || !own_place {
                continue;
            }
            host.vantages.push(Vantage {
                segment,
                ifindex: index,
                mac,
                carrier: link.state == LinkState::Up,
                assigned: link.assigned.clone(),
            });
        }
        host
    }

    /// Takes in an address of an interface. Of several that have the same, one that answers counts.
    fn hold(&mut self, link: &Link, assigned: &Assigned, segment: &Segment) {
        let holding = Holding {
            interface: link.name.clone(),
            segment: segment.clone(),
            mac: link.mac,
            answers: link.answers && assigned.usable,
            duplicate: assigned.duplicate,
        };
        let known = self.held.get(&assigned.address);
        if known.is_none_or(|known| holding.answers && !known.answers) {
            self.held.insert(assigned.address, holding);
        }
    }

    /// Where this host has the address.
    pub fn holding(&self, address: IpAddr) -> Option<&Holding> {
        self.held.get(&address)
    }

    /// The interface of this host that has the address and answers for it there.
    pub fn holder(&self, address: IpAddr) -> Option<&Arc<str>> {
        let holding = self.holding(address)?;
        self.answers_for(address).then_some(&holding.interface)
    }

    /// Whether neighbours that ask this host for the address get an answer. Not so a real server
    /// behind LVS, which has it on `lo` or `kube-ipvs0`, with arp_ignore.
    pub fn answers_for(&self, address: IpAddr) -> bool {
        self.holding(address).is_some_and(|holding| {
            // By IPv6 an interface answers for its own addresses alone.
            holding.answers || (self.answers_anywhere && address.is_ipv4())
        })
    }

    /// All its addresses, and where each is.
    pub fn holdings(&self) -> impl Iterator<Item = (IpAddr, &Holding)> {
        self.held
            .iter()
            .map(|(address, holding)| (*address, holding))
    }

    /// Where the frames of each interface belong, by its index.
    pub(crate) const fn indices(&self) -> &BTreeMap<u32, Segment> {
        &self.indices
    }

    /// Where the frames of each interface belong.
    pub(crate) const fn places(&self) -> &BTreeMap<Arc<str>, Segment> {
        &self.places
    }

    /// The ports of bridges and bonds, and to which of these is delivered what arrives there.
    pub(crate) const fn ports(&self) -> &BTreeMap<Arc<str>, Arc<str>> {
        &self.ports
    }

    /// Whether the MAC is one of this host's.
    pub fn owns(&self, mac: MacAddr) -> bool {
        self.macs.contains(&mac)
    }

    /// Where this host can ask.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.vantages.iter().map(|vantage| &vantage.segment)
    }

    /// The question for an address, in the name of an address that `is_virtual` does not know for a
    /// virtual one: whoever is asked by a virtual address takes the asker for its holder.
    pub(crate) fn question(
        &self,
        segment: &Segment,
        wanted: IpAddr,
        is_virtual: impl Fn(IpAddr) -> bool,
    ) -> Result<Question, Obstacle> {
        let mut obstacle = Obstacle::NoAddress;
        for vantage in self.vantages.iter().filter(|it| it.segment == *segment) {
            let own = vantage
                .assigned
                .iter()
                .filter(|own| own.usable && own.address != wanted && !is_virtual(own.address));
            for own in own {
                if own.address.is_ipv4() == wanted.is_ipv4() && obstacle == Obstacle::NoAddress {
                    obstacle = Obstacle::BeyondSubnet;
                }
                if !own.reaches(wanted) {
                    continue;
                }
                if !vantage.carrier {
                    obstacle = Obstacle::NoCarrier;
                    continue;
                }
                let parties = match (own.address, wanted) {
                    (IpAddr::V4(own), IpAddr::V4(wanted)) => Parties::V4 { own, wanted },
                    (IpAddr::V6(own), IpAddr::V6(wanted)) => Parties::V6 { own, wanted },
                    (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => continue,
                };
                return Ok(Question {
                    ifindex: vantage.ifindex,
                    mac: vantage.mac,
                    parties,
                });
            }
        }
        Err(obstacle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Link;

    const MAC: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 0xa0]);

    fn assigned(text: &str) -> Assigned {
        let (address, prefix) = text.split_once('/').expect("with a prefix");
        Assigned {
            address: address.parse().expect("an address"),
            prefix: prefix.parse().expect("a number"),
            usable: true,
            duplicate: false,
        }
    }

    fn link(name: &str, kind: LinkKind, lower: Option<u32>, addresses: &[&str]) -> Link {
        Link {
            name: Arc::from(name),
            state: LinkState::Up,
            broadcast: true,
            answers: true,
            arp_ignore: false,
            mac: Some(MAC),
            kind,
            lower,
            master: None,
            addresses: BTreeSet::new(),
            assigned: addresses.iter().map(|text| assigned(text)).collect(),
            strips_tags: false,
        }
    }

    fn host() -> Host {
        let tag = VlanTag {
            protocol: 0x8100,
            tci: 100,
        };
        let addresses = [
            "10.77.0.100/24",
            "10.77.0.10/24",
            "10.9.9.9/32",
            "fe80::a0/64",
        ];
        let links = Links::new([
            (2, link("eth0", LinkKind::Other, None, &addresses)),
            (
                3,
                link("eth0.100", LinkKind::Vlan(tag), Some(2), &["10.78.0.10/24"]),
            ),
            (
                4,
                link("vrrp.51", LinkKind::Alias, Some(2), &["10.77.0.101/24"]),
            ),
            (5, link("eth1", LinkKind::Other, None, &["10.79.0.10/24"])),
            (6, link("eth2", LinkKind::Other, None, &[])),
        ]);
        Host::new(&links, &BTreeSet::from([2, 6]))
    }

    fn segment(interface: &str, vlan: Option<u16>) -> Segment {
        Segment {
            interface: Some(Arc::from(interface)),
            vlan: VlanStack::new(vlan),
        }
    }

    fn ask(segment: &Segment, wanted: &str) -> Result<(u32, String), Obstacle> {
        let virtual_address: IpAddr = "10.77.0.100".parse().expect("an address");
        host()
            .question(segment, wanted.parse().expect("an address"), |address| {
                address == virtual_address
            })
            .map(|question| (question.ifindex, question.source().to_string()))
    }

    #[test]
    fn questions_come_from_an_own_address_in_the_same_subnet() {
        let eth0 = segment("eth0", None);
        assert_eq!(ask(&eth0, "10.77.0.200"), Ok((2, "10.77.0.10".to_owned())));
        assert_eq!(ask(&eth0, "fe80::1"), Ok((2, "fe80::a0".to_owned())));
        assert_eq!(
            ask(&segment("eth0", Some(100)), "10.78.0.1"),
            Ok((3, "10.78.0.10".to_owned()))
        );
    }

    #[test]
    fn there_is_no_question_from_elsewhere() {
        let eth0 = segment("eth0", None);
        assert_eq!(ask(&eth0, "10.78.0.1"), Err(Obstacle::BeyondSubnet));
        assert_eq!(ask(&eth0, "10.9.9.8"), Err(Obstacle::BeyondSubnet));
        assert_eq!(
            ask(&segment("eth2", None), "10.9.9.8"),
            Err(Obstacle::NoAddress)
        );
        assert_eq!(
            ask(&segment("eth1", None), "10.79.0.1"),
            Err(Obstacle::NoAddress)
        );
    }

    #[test]
    fn what_the_host_holds_is_known_by_interface() {
        let host = host();
        let holder = |text: &str| host.holder(text.parse().expect("an address"));
        assert_eq!(holder("10.77.0.101").map(|name| &**name), Some("vrrp.51"));
        assert_eq!(holder("10.77.0.102"), None);
        assert!(host.owns(MAC));
    }
}
