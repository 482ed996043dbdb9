//! What the mismatches have in common: routers of one virtual router whose configurations differ.
//!
//! Routers need not be heard at once. A backup is silent, and shows its configuration when it takes
//! over: it is compared with what the one before advertised last, until that is long ago.

use super::{
    view::{Assessment, Description, Sign, View},
    words::{advert, list, router, who},
};
use crate::{
    model::Timestamp,
    tracker::{Config, Speaker},
};

/// Finds the routers that differ from the active one.
pub(super) fn assess(view: &View<'_>, differs: impl Fn(&Speaker, &Speaker) -> bool) -> Assessment {
    let Some(active) = view.router.active() else {
        return Assessment::Absent;
    };
    let current = |speaker: &Speaker| view.now < speaker.outdated_at();
    let odd: Vec<&Speaker> = view
        .router
        .speakers()
        .filter(|speaker| speaker.source != active.source && current(speaker))
        .filter(|speaker| current(active) && differs(active, speaker))
        .collect();
    if odd.is_empty() {
        return Assessment::Absent;
    }
    let mut speakers: Vec<_> = odd
        .iter()
        .map(|speaker| speaker.id())
        .chain([active.id()])
        .collect();
    speakers.sort_unstable();
    Assessment::Present(Sign {
        addresses: active.list(),
        speakers,
        ..Sign::default()
    })
}

/// When a configuration is too old to compare with.
pub(super) fn deadline(view: &View<'_>) -> Option<Timestamp> {
    view.router
        .speakers()
        .map(Speaker::outdated_at)
        .filter(|time| *time > view.now)
        .min()
}

/// A mismatch in words: "they use: A has this and B has that", and so on.
pub(super) fn describe(
    view: &View<'_>,
    sign: &Sign,
    what: &str,
    value: impl Fn(&Config) -> String,
    advice: &str,
) -> Description {
    let speakers: Vec<&Speaker> = sign
        .speakers
        .iter()
        .filter_map(|id| view.speaker(*id))
        .collect();
    let said: Vec<String> = speakers
        .iter()
        .map(|speaker| format!("{} has {}", who(speaker), value(&speaker.config)))
        .collect();
    Description {
        sources: speakers.iter().map(|speaker| speaker.source).collect(),
        message: format!(
            "The routers of {} disagree on {what}: {}.",
            router(view.router),
            list(&said)
        ),
        evidence: speakers
            .iter()
            .map(|speaker| advert(view.router, speaker, value(&speaker.config)))
            .collect(),
        advice: advice.to_owned(),
    }
}
