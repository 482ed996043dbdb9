//! The addresses of an advert.

use std::{
    cmp::Ordering,
    collections::HashSet,
    fmt,
    hash::{BuildHasher as _, Hash, Hasher, RandomState},
    iter::Copied,
    net::{IpAddr, Ipv4Addr},
    ops::Deref,
    slice,
    sync::{Arc, LazyLock},
};

/// Addresses in order, each once.
///
/// Lists may be long, are looked at with every advert, and hardly ever change: keeping one once more
/// costs nothing, nor does finding that it is the same, and two are compared by walking along both.
#[derive(Clone)]
pub struct AddressList {
    addresses: Arc<[IpAddr]>,
    /// Lists that differ nearly always differ in this.
    hash: u64,
}

/// Without it nobody can make up lists with the same hash. It decides nothing but how long a
/// comparison takes.
static KEY: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));

/// A list that is so many times shorter than the other is looked up in it, and not walked along.
const SHORT: usize = 16;

impl AddressList {
    /// A list of these, which are in order, each once.
    fn new(addresses: Vec<IpAddr>) -> Self {
        let key = *KEY | 1;
        let mix = |hash: u64, bits: u32| {
            let mixed = (hash ^ u64::from(bits) ^ key).wrapping_mul(key);
            mixed ^ (mixed >> 32)
        };
        let hash = addresses.iter().fold(0, |hash, address| match address {
            IpAddr::V4(address) => mix(hash, address.to_bits()),
            IpAddr::V6(address) => {
                let octets = address.octets();
                let words = octets.as_chunks().0.iter();
                words.fold(hash, |hash, word| mix(hash, u32::from_be_bytes(*word)))
            }
        });
        Self {
            hash,
            addresses: addresses.into(),
        }
    }

    /// Whether the list has the address.
    pub fn has(&self, address: IpAddr) -> bool {
        self.binary_search(&address).is_ok()
    }

    /// Whether no address is in both.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        if self.is_same(other) {
            return self.is_empty();
        }
        let (short, long) = if self.len() <= other.len() {
            (self, other)
        } else {
            (other, self)
        };
        if short.len() * SHORT < long.len() {
            return !short.iter().any(|address| long.has(*address));
        }
        self.merged(other)
            .all(|(mine, theirs, _)| !(mine && theirs))
    }

    /// The addresses that are in both.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        self.pick(other, |mine, theirs| mine && theirs)
    }

    /// The addresses that are in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.pick(other, |_, _| true)
    }

    /// The addresses that are not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.pick(other, |mine, theirs| mine && !theirs)
    }

    /// Whether the two are one in memory, and so equal.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.addresses, &other.addresses)
    }

    /// Of all addresses those that are wanted, by whether they are in this list and in the other.
    fn pick(&self, other: &Self, wanted: impl Fn(bool, bool) -> bool) -> Self {
        if self.is_same(other) && wanted(true, true) {
            return self.clone();
        }
        let mut picked = Vec::with_capacity(self.len().max(other.len()));
        picked.extend(
            self.merged(other)
                .filter(|(mine, theirs, _)| wanted(*mine, *theirs))
                .map(|(.., address)| address),
        );
        // What comes out is often what went in.
        match [self, other].into_iter().find(|list| ***list == picked[..]) {
            Some(list) => list.clone(),
            None => Self::new(picked),
        }
    }

    /// All addresses of both in order, and whether this list has it, and the other.
    fn merged<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (bool, bool, IpAddr)> {
        let (mut mine, mut theirs) = (&self[..], &other[..]);
        std::iter::from_fn(move || {
            let (one, other) = (mine.split_first(), theirs.split_first());
            let order = match (one, other) {
                (Some((one, _)), Some((other, _))) => one.cmp(other),
                (Some(_), None) => Ordering::Less,
                (None, _) => Ordering::Greater,
            };
            let next = if order.is_le() { one } else { other };
            if let Some((_, rest)) = one.filter(|_| order.is_le()) {
                mine = rest;
            }
            if let Some((_, rest)) = other.filter(|_| order.is_ge()) {
                theirs = rest;
            }
            Some((order.is_le(), order.is_ge(), *next?.0))
        })
    }
}

impl From<Vec<IpAddr>> for AddressList {
    fn from(mut addresses: Vec<IpAddr>) -> Self {
        if !addresses.is_sorted_by(|one, next| one < next) {
            sort(&mut addresses);
            addresses.dedup();
        }
        Self::new(addresses)
    }
}

/// Puts addresses in order. Those of one family, which they are in an advert, by their bits: it takes
/// a third of the time.
fn sort(addresses: &mut [IpAddr]) {
    let bits: Option<Vec<u32>> = addresses
        .iter()
        .map(|address| match address {
            IpAddr::V4(address) => Some(address.to_bits()),
            IpAddr::V6(_) => None,
        })
        .collect();
    match bits {
        Some(mut bits) => {
            bits.sort_unstable();
            for (address, bits) in addresses.iter_mut().zip(bits) {
                *address = Ipv4Addr::from_bits(bits).into();
            }
        }
        None => addresses.sort_unstable(),
    }
}

impl FromIterator<IpAddr> for AddressList {
    fn from_iter<I: IntoIterator<Item = IpAddr>>(addresses: I) -> Self {
        Self::from(addresses.into_iter().collect::<Vec<_>>())
    }
}

impl Default for AddressList {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Deref for AddressList {
    type Target = [IpAddr];

    fn deref(&self) -> &[IpAddr] {
        &self.addresses
    }
}

impl<'a> IntoIterator for &'a AddressList {
    type Item = IpAddr;
    type IntoIter = Copied<slice::Iter<'a, IpAddr>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter().copied()
    }
}

impl PartialEq for AddressList {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || (self.hash == other.hash && self.addresses == other.addresses)
    }
}

impl Eq for AddressList {}

impl Hash for AddressList {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.hash);
    }
}

/// Lists that are kept once, however many have them: to compare two of these takes a glance.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    known: HashSet<AddressList>,
    /// So many of them had an owner when that was looked at last.
    owned: usize,
}

/// Lists that nobody has any more are looked for when there are so many more.
const MORE: usize = 64;

impl Lists {
    /// The list as it is known already, if it is.
    pub(crate) fn keep(&mut self, list: AddressList) -> AddressList {
        if let Some(known) = self.known.get(&list) {
            return known.clone();
        }
        if self.known.len() >= self.owned * 2 + MORE {
            self.known
                .retain(|known| Arc::strong_count(&known.addresses) > 1);
            self.owned = self.known.len();
        }
        self.known.insert(list.clone());
        list
    }
}

impl fmt::Debug for AddressList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.addresses.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn addresses() -> impl Strategy<Value = Vec<IpAddr>> {
        let address = prop_oneof![
            9 => (0_u32..40).prop_map(|bits| IpAddr::from(Ipv4Addr::from_bits(bits))),
            1 => (0_u128..4).prop_map(|bits| IpAddr::from(std::net::Ipv6Addr::from_bits(bits))),
        ];
        proptest::collection::vec(address, 0..60)
    }

    proptest! {
        #[test]
        fn lists_are_sets(one in addresses(), other in addresses()) {
            let sets = [&one, &other].map(|list| list.iter().copied().collect::<BTreeSet<_>>());
            let lists = [one, other].map(AddressList::from);
            let ([one, other], [mine, theirs]) = (&sets, &lists);
            let list = |set: BTreeSet<IpAddr>| set.into_iter().collect::<AddressList>();
            prop_assert!(mine.iter().eq(one));
            prop_assert_eq!(mine.common(theirs), list(one & other));
            prop_assert_eq!(mine.union(theirs), list(one | other));
            prop_assert_eq!(mine.without(theirs), list(one - other));
            prop_assert_eq!(mine.is_disjoint(theirs), one.is_disjoint(other));
            for address in other {
                prop_assert_eq!(mine.has(*address), one.contains(address));
            }
        }
    }

    #[test]
    fn lists_that_nobody_has_take_no_room() {
        let list = |number: u32| AddressList::from(vec![Ipv4Addr::from_bits(number).into()]);
        let mut lists = Lists::default();
        let kept = lists.keep(list(0));
        for number in 1..10_000 {
            lists.keep(list(number));
        }
        assert!(lists.known.len() <= 2 * MORE);
        assert!(lists.keep(list(0)).is_same(&kept));
    }

    #[test]
    fn a_list_is_disjoint_from_itself_only_when_it_is_empty() {
        let empty = AddressList::default();
        assert!(empty.is_disjoint(&empty.clone()));
        let one: AddressList = [IpAddr::from([10, 0, 0, 1])].into_iter().collect();
        assert!(!one.is_disjoint(&one.clone()));
        assert!(one.without(&one.clone()).is_empty());
    }
}
