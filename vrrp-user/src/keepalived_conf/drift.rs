//! What a router advertises, compared with what its configuration says.

use super::{AuthType, Instance};
use crate::{
    model::{AddressList, Family, Priority, Version, Vrid},
    record::Cause,
    tracker::{AuthTag, Speaker},
};

/// In what they differ, in words; empty where they agree.
pub(crate) fn differences(instance: &Instance, vrid: Vrid, speaker: &Speaker) -> Vec<String> {
    let config = &speaker.config;
    let mut found = Vec::new();
    let mut differ = |what: &str, written: String, sent: String| {
        if written != sent {
            found.push(format!(
                "{what} is {written} in the file and {sent} on the wire"
            ));
        }
    };
    if let Some(written) = instance.vrid {
        differ("the VRID", written.to_string(), vrid.to_string());
    }
    differ(
        "the version",
        format!("VRRPv{}", instance.version.number()),
        format!("VRRPv{}", config.version.number()),
    );
    differ(
        "the interval",
        format!("{:?}", instance.interval),
        format!("{:?}", config.interval.span()),
    );
    // What is tracked may change it at any time, and it is 0 in the last advert.
    if !instance.tracks && speaker.priority != Priority::RESIGN {
        differ(
            "the priority",
            instance.priority.to_string(),
            speaker.priority.to_string(),
        );
    }
    if let Some(auth) = authentication(instance, config.auth) {
        differ("the authentication", auth.0.to_owned(), auth.1.to_owned());
    }
    if let Some(sent) = &config.addresses {
        let written = addresses(instance, speaker);
        differ("the address list", words(&written), words(sent));
    }
    found
}

/// Whether a router advertises other addresses than a configuration has.
pub(crate) fn lists_differ(instance: &Instance, speaker: &Speaker) -> bool {
    let sent = speaker.config.addresses.as_ref();
    sent.is_some_and(|sent| *sent != addresses(instance, speaker))
}

/// The addresses of a configuration that belong into adverts like those of a router.
fn addresses(instance: &Instance, speaker: &Speaker) -> AddressList {
    let family = Family::of(speaker.source);
    let written = instance.addresses.iter().copied();
    written
        .filter(|address| Family::of(*address) == family)
        .collect()
}

/// Why a router with this configuration drops the adverts of another, as far as both tell.
pub(crate) fn rejects(instance: &Instance, other: &Speaker) -> Option<Cause> {
    let theirs = &other.config;
    if instance.version != theirs.version {
        Some(Cause::VersionMismatch)
    } else if authentication(instance, theirs.auth).is_some_and(|(written, sent)| written != sent) {
        Some(Cause::AuthMismatch)
    } else if instance.version == Version::V2 && instance.interval != theirs.interval.span() {
        Some(Cause::IntervalMismatch)
    } else {
        None
    }
}

/// Both in words, where they can be compared.
fn authentication(instance: &Instance, sent: AuthTag) -> Option<(&'static str, &'static str)> {
    let written = match instance.auth {
        AuthType::None => "none",
        AuthType::Pass => "PASS",
        AuthType::Ah => "AH",
    };
    let sent = match sent {
        AuthTag::Unseen | AuthTag::Hmac => return None,
        AuthTag::None => "none",
        AuthTag::Pass(password) if instance.password.is_some_and(|own| own != password) => {
            "PASS with another password"
        }
        AuthTag::Pass(_) => "PASS",
        AuthTag::Ah => "AH",
        AuthTag::Other(_) => "of another kind",
    };
    Some((written, sent))
}

fn words(addresses: &AddressList) -> String {
    if addresses.is_empty() {
        return "empty".to_owned();
    }
    let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    words.join(", ")
}
