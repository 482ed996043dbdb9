//! Which interfaces to watch.

use std::{collections::BTreeSet, net::IpAddr};

use globset::{Glob, GlobMatcher};

use super::{Link, LinkKind, LinkState, Links};

/// What `-i` says.
#[derive(Clone, Debug)]
pub enum Selection {
    /// Nothing: every interface that is up, can broadcast and has a global address, but no VLAN or
    /// macvlan whose lower device is watched anyway.
    Default,
    /// Names and patterns.
    Patterns(Vec<GlobMatcher>),
}

/// A pattern that cannot be one.
#[derive(Debug, thiserror::Error)]
#[error("-i {pattern:?} is not a valid pattern")]
pub struct SelectionError {
    /// Which.
    pub pattern: String,
    /// Why.
    pub source: globset::Error,
}

impl Selection {
    /// Reads the values of `-i`.
    ///
    /// # Errors
    /// One of them is not a valid pattern.
    pub fn new(patterns: &[String]) -> Result<Self, SelectionError> {
        if patterns.is_empty() {
            return Ok(Self::Default);
        }
        let compile = |pattern: &String| match Glob::new(pattern) {
            Ok(glob) => Ok(glob.compile_matcher()),
            Err(source) => Err(SelectionError {
                pattern: pattern.clone(),
                source,
            }),
        };
        patterns
            .iter()
            .map(compile)
            .collect::<Result<_, _>>()
            .map(Self::Patterns)
    }

    /// The indices of the interfaces to watch.
    pub fn choose(&self, links: &Links) -> BTreeSet<u32> {
        match self {
            Self::Patterns(patterns) => links
                .iter()
                .filter(|(_, link)| patterns.iter().any(|pattern| pattern.is_match(&*link.name)))
                .map(|(index, _)| index)
                .collect(),
            Self::Default => {
                let able: BTreeSet<u32> = links
                    .iter()
                    .filter(|(_, link)| {
                        link.state != LinkState::Down && link.broadcast && has_global_address(link)
                    })
                    .map(|(index, _)| index)
                    .collect();
                let is_own_place = |index: &u32| {
                    links
                        .get(*index)
                        .is_some_and(|link| match (link.kind, link.lower) {
                            (LinkKind::Vlan(_) | LinkKind::Alias, Some(lower)) => {
                                !able.contains(&lower)
                            }
                            (
                                LinkKind::Vlan(_)
                                | LinkKind::Alias
                                | LinkKind::Bundle
                                | LinkKind::Other,
                                _,
                            ) => true,
                        })
                };
                able.iter().copied().filter(is_own_place).collect()
            }
        }
    }

    /// Whether something that concerns this interface is wanted, where nothing said means all.
    pub fn admits(&self, interface: Option<&str>) -> bool {
        match self {
            Self::Default => true,
            Self::Patterns(patterns) => {
                interface.is_some_and(|name| patterns.iter().any(|it| it.is_match(name)))
            }
        }
    }

    /// The patterns that no interface has.
    pub fn unmatched(&self, links: &Links) -> Vec<String> {
        match self {
            Self::Default => Vec::new(),
            Self::Patterns(patterns) => patterns
                .iter()
                .filter(|pattern| !links.iter().any(|(_, link)| pattern.is_match(&*link.name)))
                .map(|pattern| pattern.glob().glob().to_owned())
                .collect(),
        }
    }
}

fn has_global_address(link: &Link) -> bool {
    link.addresses.iter().any(|address| match address {
        IpAddr::V4(address) => !address.is_loopback() && !address.is_link_local(),
        IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
    })
}

#[cfg(test)]
mod tests {
    use super::{super::tests::link, *};
    use crate::frame::VlanTag;

    fn host() -> Links {
        let tag = VlanTag {
            protocol: 0x8100,
            tci: 100,
        };
        Links::new([
            (
                1,
                Link {
                    broadcast: false,
                    ..link("lo")
                },
            ),
            (2, link("eth0")),
            (
                3,
                Link {
                    kind: LinkKind::Vlan(tag),
                    lower: Some(2),
                    ..link("eth0.100")
                },
            ),
            (
                4,
                Link {
                    addresses: BTreeSet::new(),
                    ..link("eth1")
                },
            ),
            (
                5,
                Link {
                    kind: LinkKind::Vlan(tag),
                    lower: Some(4),
                    ..link("eth1.100")
                },
            ),
            (
                6,
                Link {
                    state: LinkState::Down,
                    ..link("eth2")
                },
            ),
        ])
    }

    #[test]
    fn the_default_is_what_carries_addresses_and_nothing_twice() {
        assert_eq!(Selection::Default.choose(&host()), BTreeSet::from([2, 5]));
    }

    #[test]
    fn patterns_choose_by_name_alone() {
        let chosen = |patterns: &[&str]| {
            let patterns: Vec<_> = patterns.iter().map(ToString::to_string).collect();
            Selection::new(&patterns).expect("valid").choose(&host())
        };
        assert_eq!(chosen(&["eth2", "lo"]), BTreeSet::from([1, 6]));
        assert_eq!(chosen(&["eth*.100"]), BTreeSet::from([3, 5]));
    }

    #[test]
    fn what_matches_nothing_and_what_cannot_is_told() {
        let typo = Selection::new(&["eht0".to_owned(), "eth0".to_owned()]).expect("valid");
        assert_eq!(typo.unmatched(&host()), ["eht0"]);
        let error = Selection::new(&["eth[".to_owned()]).expect_err("unclosed");
        assert!(
            error
                .to_string()
                .starts_with("-i \"eth[\" is not a valid pattern"),
            "{error}"
        );
    }
}
