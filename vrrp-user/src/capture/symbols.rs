//! Names for places in the running kernel's code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufRead, BufReader},
    sync::Arc,
};

/// Where the kernel lists its symbols.
const SYMBOLS: &str = "/proc/kallsyms";

/// The names of places, looked up once each.
#[derive(Debug, Default)]
pub(super) struct Symbols(BTreeMap<u64, Option<Arc<str>>>);

impl Symbols {
    /// Looks up those places that are new. Reads the whole list if there is one, which takes a few
    /// hundredths of a second.
    pub(super) fn learn(&mut self, places: impl Iterator<Item = u64>) -> io::Result<()> {
        let unknown: BTreeSet<u64> = places.filter(|it| !self.0.contains_key(it)).collect();
        if !unknown.is_empty() {
            let names = find(BufReader::new(File::open(SYMBOLS)?), &unknown)?;
            self.0.extend(
                unknown
                    .iter()
                    .map(|place| (*place, names.get(place).cloned())),
            );
        }
        Ok(())
    }

    /// The place as function and offset, such as `nf_hook_slow+0xa6`; `None` where the kernel hides
    /// it (sysctl kernel.kptr_restrict).
    pub(super) fn name(&self, place: u64) -> Option<Arc<str>> {
        self.0.get(&place).cloned().flatten()
    }
}

/// Finds the symbol in front of each place, in a list of lines such as
/// `ffffffff81a2b3c0 T nf_hook_slow`, which is not sorted.
fn find(mut list: impl BufRead, places: &BTreeSet<u64>) -> io::Result<BTreeMap<u64, Arc<str>>> {
    let mut nearest: BTreeMap<u64, (u64, String)> = BTreeMap::new();
    let mut line = String::new();
    while list.read_line(&mut line)? > 0 {
        let mut words = line.split_ascii_whitespace();
        let address = words
            .next()
            .and_then(|word| u64::from_str_radix(word, 16).ok());
        if let (Some(address), Some(name)) = (address.filter(|it| *it > 0), words.nth(1)) {
            // A place is where a call returns to: it may lie just behind the end of its function.
            for place in places.range(address.saturating_add(1)..) {
                let best = nearest.get(place);
                if best.is_none_or(|(found, _)| *found < address) {
                    nearest.insert(*place, (address, name.to_owned()));
                }
            }
        }
        line.clear();
    }
    let named = nearest.into_iter().map(|(place, (address, name))| {
        let offset = place - address;
        (place, Arc::from(format!("{name}+{offset:#x}")))
    });
    Ok(named.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(list: &str, place: u64) -> Option<String> {
        let names = find(list.as_bytes(), &BTreeSet::from([place])).expect("it can be read");
        names.get(&place).map(ToString::to_string)
    }

    const LIST: &str = "0000000000001000 T first\n\
                        0000000000003000 t third\n\
                        0000000000002000 t second\t[module]\n";

    #[test]
    fn a_place_belongs_to_the_symbol_in_front_of_it() {
        assert_eq!(named(LIST, 0x1010).as_deref(), Some("first+0x10"));
        assert_eq!(named(LIST, 0x2fff).as_deref(), Some("second+0xfff"));
        assert_eq!(named(LIST, 0xffff).as_deref(), Some("third+0xcfff"));
        assert_eq!(named(LIST, 0x500), None);
    }

    #[test]
    fn a_return_behind_the_end_of_a_function_is_of_that_function() {
        assert_eq!(named(LIST, 0x2000).as_deref(), Some("first+0x1000"));
    }

    #[test]
    fn hidden_addresses_name_nothing() {
        let hidden = "0000000000000000 T first\n0000000000000000 T second\n";
        assert_eq!(named(hidden, 0x1010), None);
        assert_eq!(named("nonsense\n\n", 0x1010), None);
    }
}
