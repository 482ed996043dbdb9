//! Addresses and peers that do not come to what is written.

use std::{collections::BTreeSet, net::IpAddr};

use super::{
    super::{block::Block, notes::Notes},
    address, lines,
};
use crate::model::Family;

/// Addresses of IPv4 that an advert names at most: they are counted in one byte.
const ROOM_V4: usize = 255;
/// Addresses of IPv6 that keepalived 2.2.7 names in an advert on a link with an MTU of 1500 bytes.
const ROOM_V6: usize = 89;

/// Notes what an instance does with its addresses and peers that nobody would expect.
pub(super) fn note(block: &Block, notes: &mut Notes) {
    note_peers(block, notes);
    let mut family = None;
    let mut seen = BTreeSet::new();
    for line in lines(block, "virtual_ipaddress") {
        let Some(address) = address(line.keyword()) else {
            continue;
        };
        if *family.get_or_insert(Family::of(address)) != Family::of(address) {
            let what = "virtual_ipaddress: the first address is of another family, and this one is \
                        ignored; it belongs into virtual_ipaddress_excluded";
            notes.add(&line.place, what);
            continue;
        }
        if !seen.insert(address) {
            notes.add(
                &line.place,
                "virtual_ipaddress: this address is there twice",
            );
        }
        if address.is_ipv6() && line.words.iter().any(|word| word == "label") {
            notes.add(
                &line.place,
                "virtual_ipaddress: IPv6 has no labels, and this one is ignored",
            );
        }
        let room = room(address);
        if seen.len() == room + 1 {
            let what = format_args!(
                "virtual_ipaddress: an advert has room for {room} of them, and keepalived treats \
                 the rest as virtual_ipaddress_excluded"
            );
            notes.add(&line.place, what);
        }
    }
}

const fn room(address: IpAddr) -> usize {
    match address {
        IpAddr::V4(_) => ROOM_V4,
        IpAddr::V6(_) => ROOM_V6,
    }
}

fn note_peers(block: &Block, notes: &mut Notes) {
    let source = block.last("unicast_src_ip");
    let peers: Vec<&Block> = lines(block, "unicast_peer").collect();
    if peers.is_empty()
        && let Some(line) = block.last("unicast_peer").or(source)
    {
        let what = "there is no peer in unicast_peer: keepalived sends to the multicast group";
        notes.add(&line.place, what);
    }
    let own = source.and_then(Block::value).and_then(address);
    for peer in &peers {
        if own.is_some() && address(peer.keyword()) == own {
            notes.add(&peer.place, "unicast_peer: this is unicast_src_ip itself");
        }
    }
    if let Some(line) = block.last("use_vmac")
        && !peers.is_empty()
        && block.last("vmac_xmit_base").is_none()
    {
        let what = "use_vmac with unicast_peer: adverts leave with the MAC of the interface, for \
                    keepalived sets vmac_xmit_base";
        notes.add(&line.place, what);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::tests::{SOUND, noted};

    #[test]
    fn what_is_ignored_is_named_with_its_line() {
        for (lines, word) in [
            (
                "virtual_ipaddress {\nfe80::1\n}",
                "11: virtual_ipaddress: the first",
            ),
            (
                "virtual_ipaddress {\n10.0.0.100\n}",
                "11: virtual_ipaddress: this address is there twice",
            ),
            ("unicast_src_ip 10.0.0.1", "10: there is no peer"),
            ("unicast_peer {\n}", "10: there is no peer"),
            (
                "unicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.1\n}",
                "12: unicast_peer: this is unicast_src_ip itself",
            ),
            (
                "use_vmac\nunicast_peer {\n10.0.0.2\n}",
                "10: use_vmac with unicast_peer",
            ),
        ] {
            let notes = noted("", &format!("{SOUND}{lines}"));
            let [note] = &notes[..] else {
                panic!("one note of {lines:?}: {notes:?}");
            };
            assert!(note.starts_with(&format!("conf:{word}")), "{note}");
        }
        let labelled = SOUND.replace("10.0.0.100/24", "fe80::1/64 label eth0:v");
        assert_eq!(
            noted("", &labelled),
            ["conf:8: virtual_ipaddress: IPv6 has no labels, and this one is ignored"]
        );
    }

    #[test]
    fn more_addresses_than_an_advert_has_room_for_are_excluded() {
        for (family, count, line) in [
            ("10.0.", 255, None),
            ("10.0.", 256, Some(263)),
            ("fe80::", 89, None),
            ("fe80::", 120, Some(97)),
        ] {
            let mut list = String::new();
            for number in 0..count {
                let end = if family == "10.0." {
                    format!("{}.{}", number / 200, number % 200)
                } else {
                    number.to_string()
                };
                writeln!(list, "{family}{end}").expect("room in memory");
            }
            let notes = noted("", &SOUND.replace("10.0.0.100/24\n", &list));
            let expected =
                line.map(|line| format!("conf:{line}: virtual_ipaddress: an advert has room"));
            assert_eq!(notes.len(), usize::from(expected.is_some()), "{notes:?}");
            if let Some(expected) = expected {
                assert!(notes[0].starts_with(&expected), "{notes:?}");
            }
        }
    }
}
