//! The words of the command line for values that know of no command line.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::{capture::Mode, observer::ArpMode, record::Kind, report::Format};

/// A type whose values have words.
pub(super) trait Words: Copy + Send + Sync + 'static {
    /// Each value's word, and what it means. A word without a meaning is not listed.
    const WORDS: &'static [(&'static str, Self, &'static str)];
}

/// Reads a word.
pub(super) fn word<T: Words>() -> impl TypedValueParser<Value = T> {
    let listed = T::WORDS.iter().map(|(word, _, meaning)| {
        let listed = PossibleValue::new(*word);
        if meaning.is_empty() {
            listed.hide(true)
        } else {
            listed.help(*meaning)
        }
    });
    PossibleValuesParser::new(listed).try_map(|text| find(&text).ok_or("there is no such word"))
}

/// The value of a word.
pub(super) fn find<T: Words>(text: &str) -> Option<T> {
    let found = T::WORDS.iter().find(|(word, ..)| *word == text);
    found.map(|(_, value, _)| *value)
}

impl Words for Format {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        ("text", Self::Text, "One line per record, as tcpdump prints"),
        ("json", Self::Json, "A JSON object a line"),
    ];
}

impl Words for Mode {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "auto",
            Self::Auto,
            "TC (TCX, or clsact before kernel 6.6): works on every interface, and runs once for each \
             aggregate of frames: a stream loses nothing, a small frame takes 2 to 5 % longer",
        ),
        ("tc", Self::Auto, ""),
        (
            "xdp-native",
            Self::XdpNative,
            "XDP in the driver, or nothing. Costs the traffic: drivers lose aggregation or copy frames \
             (on veth a TCP stream falls to a quarter, and a small frame takes 1.2 to 2.9 times as \
             long), and some reset the link when it is attached",
        ),
        (
            "xdp-generic",
            Self::XdpGeneric,
            "XDP behind the driver, or nothing. On veth a small frame takes 10 to 13 % longer, and a \
             TCP stream falls to 80 %",
        ),
    ];
}

impl Words for ArpMode {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        ("all", Self::All, "All of it"),
        (
            "watched",
            Self::Watched,
            "What concerns a watched address, and whatever is gratuitous or announced",
        ),
        ("off", Self::Off, "None"),
    ];
}

impl Words for Kind {
    const WORDS: &'static [(&'static str, Self, &'static str)] = &[
        (
            "start",
            Self::Start,
            "The program began to watch, or what it watches changed",
        ),
        ("loss", Self::Loss, "Frames were lost"),
        ("summary", Self::Summary, "The program ended"),
        ("advert", Self::Advert, "A VRRP advertisement"),
        ("carp", Self::Carp, "A CARP advertisement"),
        ("arp", Self::Arp, "An ARP packet"),
        ("nd", Self::Nd, "A neighbour solicitation or advertisement"),
        (
            "state",
            Self::State,
            "A virtual router has another active router",
        ),
        (
            "announced",
            Self::Announced,
            "What the new active router announced",
        ),
        (
            "probe",
            Self::Probe,
            "An address was asked for, or could not be",
        ),
        ("drop", Self::Drop, "The kernel dropped VRRP packets"),
        (
            "traffic",
            Self::Traffic,
            "What went to and from an address in a while",
        ),
        (
            "finding",
            Self::Finding,
            "Something is wrong, or no longer is",
        ),
        ("log", Self::Log, "A line of a VRRP daemon's log"),
        (
            "unread",
            Self::Unread,
            "A log that was to be read and told nothing",
        ),
        (
            "incident",
            Self::Incident,
            "A takeover, put together from the wire and the logs",
        ),
    ];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::record::Record;

    #[test]
    fn every_kind_of_record_has_its_word() {
        let schema = schemars::schema_for!(Record);
        let kinds = schema.get("oneOf").and_then(Value::as_array);
        let kinds: BTreeSet<&str> = kinds
            .expect("one of the kinds")
            .iter()
            .filter_map(|kind| kind["properties"]["record"]["const"].as_str())
            .collect();
        let words: BTreeSet<&str> = Kind::WORDS.iter().map(|(word, ..)| *word).collect();
        assert_eq!(words, kinds);
    }

    #[test]
    fn a_word_is_found_listed_or_not() {
        assert_eq!(find("tc"), Some(Mode::Auto));
        assert_eq!(find("xdp-generic"), Some(Mode::XdpGeneric));
        assert_eq!(find::<Mode>("XDP"), None);
    }
}
