//! The words that detectors share.

use std::{fmt::Display, net::IpAddr};

use crate::{
    model::{AddressList, MacAddr, Span, Timestamp},
    record::{Cause, Evidence},
    tracker::{Config, Router, Speaker},
    wire::{Checksum, MULTICAST_V4, MULTICAST_V6},
};

/// A router, as an operator knows it: address, MAC and priority.
pub(super) fn who(speaker: &Speaker) -> String {
    let Speaker {
        source, priority, ..
    } = speaker;
    match mac(speaker) {
        Some(mac) => format!("{source} ({mac}, priority {priority})"),
        None => format!("{source} (priority {priority})"),
    }
}

/// The MAC that tells a router from others: its own, where that is known.
fn mac(speaker: &Speaker) -> Option<MacAddr> {
    let real = speaker.mac.filter(|mac| mac.virtual_router().is_none());
    real.or(speaker.own_mac).or(speaker.mac)
}

/// The first few of a list.
pub(super) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 4;
    let items: Vec<T> = items.into_iter().collect();
    let mut shown: Vec<String> = items.iter().take(SHOWN).map(T::to_string).collect();
    let last = if items.len() > SHOWN {
        Some(format!("{} more", items.len() - SHOWN))
    } else {
        shown.pop()
    };
    match (shown.is_empty(), last) {
        (false, Some(last)) => format!("{} and {last}", shown.join(", ")),
        (true, Some(only)) => only,
        (_, None) => "no address".to_owned(),
    }
}

/// "is" of one thing, and "are" of several.
pub(super) const fn be<T>(items: &[T]) -> &'static str {
    if items.len() == 1 { "is" } else { "are" }
}

/// The addresses of a router.
pub(super) fn addresses(speaker: &Speaker) -> String {
    list(speaker.addresses())
}

/// The addresses that both serve, or those of the first where none are known to be.
pub(super) fn common(one: &Speaker, other: &Speaker) -> AddressList {
    let common = match (&one.config.addresses, &other.config.addresses) {
        (Some(mine), Some(theirs)) => mine.common(theirs),
        _ => AddressList::default(),
    };
    if common.is_empty() {
        one.list()
    } else {
        common
    }
}

/// Advice as a sentence.
pub(super) fn sentence(advice: &str) -> String {
    let (first, rest) = advice.split_at(1);
    format!("{}{rest}.", first.to_uppercase())
}

/// A duration with as many digits as matter.
pub(super) fn time(span: Span) -> String {
    if span < Span::from_secs(1) {
        format!("{} ms", span.as_millis())
    } else {
        format!("{:.1} s", span.as_secs_f64())
    }
}

/// "VRID 51", and by what means if that is unusual.
pub(super) fn router(router: &Router) -> String {
    let family = match router.family {
        crate::model::Family::Ipv4 => "",
        crate::model::Family::Ipv6 => " (IPv6)",
    };
    format!("VRID {}{family}", router.vrid)
}

/// The last advert of a router as evidence.
pub(super) fn advert(router: &Router, speaker: &Speaker, what: String) -> Evidence {
    Evidence {
        time: speaker.last,
        source: Some(speaker.source),
        mac: speaker.mac,
        vrid: Some(router.vrid),
        priority: Some(speaker.priority),
        what,
    }
}

/// A frame of a router as evidence.
pub(super) fn seen(router: &Router, speaker: &Speaker, time: Timestamp, what: String) -> Evidence {
    Evidence {
        time,
        ..advert(router, speaker, what)
    }
}

/// A line of a log as evidence.
pub(super) const fn log_line(time: Timestamp, router: &Router, what: String) -> Evidence {
    Evidence {
        time,
        source: None,
        mac: None,
        vrid: Some(router.vrid),
        priority: None,
        what,
    }
}

/// How the checksums of two routers differ, and what to do about it.
pub(super) fn checksum_variant(one: &Config, other: &Config) -> (String, &'static str) {
    let has = |checksum| one.checksum == Some(checksum) || other.checksum == Some(checksum);
    if has(Checksum::OkMulticastPseudoHeader) {
        (
            "one computes the VRRPv3 checksum with the multicast group although it sends to a \
             unicast peer, and the other does not"
                .to_owned(),
            "Remove old_unicast_checksum on all routers, or set it on all of them; keepalived up \
             to 1.3.6 knows no other way and has to be upgraded.",
        )
    } else {
        (
            "one leaves the pseudo header out of the VRRPv3 checksum and the other does not"
                .to_owned(),
            "Set v3_checksum_as_v2 (keepalived from 2.3.3 on) on all routers or on none; RFC 9568 wants it set, keepalived \
             and FRR leave it unset by default. keepalived that has it set takes either; one that \
             has not drops the other.",
        )
    }
}

/// Why two routers drop each other's adverts, and what to do about it.
pub(super) fn cause(cause: &Cause, one: &Speaker, other: &Speaker) -> (String, &'static str) {
    let (mine, theirs) = (&one.config, &other.config);
    match cause {
        Cause::VersionMismatch => (
            format!(
                "one speaks VRRPv{} and the other VRRPv{}",
                mine.version.number(),
                theirs.version.number()
            ),
            "Set the same vrrp_version on all routers.",
        ),
        Cause::AuthMismatch if mine.auth.describe() == theirs.auth.describe() => (
            format!("their {} differ", plural(mine.auth.describe())),
            "Set the same auth_pass on all routers; only its first eight characters count.",
        ),
        Cause::AuthMismatch => (
            format!(
                "one uses {} and the other {}",
                mine.auth.describe(),
                theirs.auth.describe()
            ),
            "Use the same authentication block (auth_type and auth_pass) on all routers, or none.",
        ),
        Cause::IntervalMismatch => (
            format!(
                "one advertises every {} and the other every {}, which VRRPv2 does not tolerate",
                mine.interval, theirs.interval
            ),
            "Set the same advert_int on all routers.",
        ),
        Cause::OwnerConflict => (
            "both claim to own the addresses with priority 255".to_owned(),
            "Give priority 255 to the one machine whose own address this is, or to none.",
        ),
        Cause::ChecksumVariant => checksum_variant(&one.config, &other.config),
        Cause::AddressListMismatch => (
            format!(
                "one has {} and the other {}, and keepalived up to 2.3.2 drops an advert with \
                 other addresses than its own",
                addresses(one),
                addresses(other)
            ),
            "Make the virtual_ipaddress blocks equal; move addresses that only one should have to \
             virtual_ipaddress_excluded.",
        ),
        Cause::WrongDestinationMac => {
            let (sender, to) = match (mine.misdirected, theirs.misdirected) {
                (Some(to), _) => (one, to),
                (None, to) => (other, to.unwrap_or_default()),
            };
            let group = MacAddr::of_group(match sender.source {
                IpAddr::V4(_) => MULTICAST_V4.into(),
                IpAddr::V6(_) => MULTICAST_V6.into(),
            });
            (
                format!(
                    "the frames of {} go to {to} instead of {}, the MAC of the group, so the others do \
                     not get them",
                    sender.source,
                    group.unwrap_or_default()
                ),
                "See what rewrites the frames of that router on their way out: a firewall that routes them \
                 (pf with a gateway on the rule), a tunnel, or a virtual switch.",
            )
        }
        Cause::UnicastMulticastMix => (
            "one advertises by unicast and the other by multicast".to_owned(),
            "Configure unicast_peer on all routers or on none.",
        ),
        Cause::LocalDrop => (
            "the adverts of the better one arrive at this host, which is the other, and are \
             dropped before its daemon gets them"
                .to_owned(),
            "See local-drop for what drops them on this host; `vrrpwatch why-dropped` asks the \
             kernel.",
        ),
        _ => (
            "their settings match, so their adverts do not reach each other".to_owned(),
            "Look for what drops VRRP between them: a firewall (allow IP protocol 112), IGMP \
             snooping for 224.0.0.18, rp_filter, or a broken link. unicast_peer, on all routers, avoids multicast \
             altogether.",
        ),
    }
}

fn plural(method: &str) -> &str {
    match method {
        "a PASS password" => "passwords",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_stay_short() {
        assert_eq!(list::<u8>([]), "no address");
        assert_eq!(list([1]), "1");
        assert_eq!(list([1, 2]), "1 and 2");
        assert_eq!(list([1, 2, 3, 4]), "1, 2, 3 and 4");
        assert_eq!(list([1, 2, 3, 4, 5, 6]), "1, 2, 3, 4 and 2 more");
    }
}
