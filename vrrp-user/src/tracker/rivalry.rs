//! Routers that stay active beside the active one.
//!
//! Two adverts that cross are no proof: in a preemption the old router may send one more before it
//! hears the new one. Proof is
//!
//! - a router that advertises twice although it should have heard the active one, which goes on
//!   advertising as well; or
//! - a router that was active together with the active one, must drop its adverts by what both
//!   advertise, and has not resigned since. keepalived starts its advertisement timer anew with
//!   every packet that it reads, a dropped one too: such routers keep each other silent, and hold
//!   the addresses all the same.

use super::{
    router::Router,
    speaker::{Contest, Speaker, SpeakerId},
};
use crate::{
    model::{Span, Timestamp},
    record::Cause,
};

/// By this much a machine that is busy may send later than its interval says, however short that is:
/// beside a flood on its CPUs keepalived sent its adverts up to 0.25 s late.
const LATE: Span = Span::from_secs(1);

/// A router that is active as well.
#[derive(Clone, Debug)]
pub(crate) struct Rival {
    pub(crate) id: SpeakerId,
    pub(crate) since: Timestamp,
    pub(crate) cause: Cause,
    /// It keeps advertising; otherwise it is kept from it.
    pub(crate) loud: bool,
}

impl Router {
    /// The routers that are active beside the active one.
    pub(crate) fn rivals(&self, now: Timestamp) -> impl Iterator<Item = Rival> {
        self.active()
            .filter(|active| active.resigned.is_none())
            .into_iter()
            .flat_map(move |active| {
                self.speakers
                    .values()
                    .filter(move |speaker| speaker.id != active.id)
                    .filter_map(move |speaker| self.rival(active, speaker, now))
            })
    }

    /// Whether a router may be active: it is alive, or kept silent by a rival.
    pub(crate) fn may_be_active(&self, speaker: &Speaker, now: Timestamp) -> bool {
        if speaker.is_alive(now) {
            return true;
        }
        let Some(active) = self.active() else {
            return false;
        };
        let held_down = if speaker.id == active.id {
            self.speakers
                .values()
                .any(|other| other.contest().is_some() && speaker.persists_against(other))
        } else {
            speaker.contest().is_some() && speaker.persists_against(active)
        };
        held_down && speaker.resigned.is_none() && now < speaker.gone_at()
    }

    /// Whether a router goes on advertising: only one that is active does. One that has yielded misses
    /// its turn.
    pub(crate) fn is_advertising(&self, speaker: &Speaker, now: Timestamp) -> bool {
        speaker.is_alive(now) && now < self.quiet_at(speaker)
    }

    fn rival(&self, active: &Speaker, speaker: &Speaker, now: Timestamp) -> Option<Rival> {
        let contest = speaker.contest()?;
        let loud = contest.defiances >= 2
            && active.last > contest.since
            && now < self.quiet_at(speaker)
            && active.is_alive(now);
        let quiet = || {
            speaker.persists_against(active)
                && is_quiet(contest, active, speaker)
                && now >= contest.since + active.master_down()
                && now < speaker.gone_at()
                && now < active.gone_at()
        };
        (loud || quiet()).then(|| Rival {
            id: speaker.id,
            since: contest.since,
            cause: speaker
                .rejects(active)
                .or_else(|| active.rejects(speaker))
                .unwrap_or(Cause::NotReceived),
            loud: speaker.is_alive(now),
        })
    }

    /// When a router that kept advertising has missed its turn, and so has yielded. Where it cannot
    /// be told what was missed, or late is as late as that, it is given as long as a backup would give
    /// it.
    fn quiet_at(&self, speaker: &Speaker) -> Timestamp {
        let dead = speaker.dead_at();
        if self.saw_everything_since(speaker.last) {
            let interval = speaker.interval();
            let turn = (interval * 2).max(interval + LATE);
            dead.min(speaker.last + turn)
        } else {
            dead
        }
    }

    /// When the answers of this module may change.
    pub(crate) fn rivalry_deadlines(&self) -> impl Iterator<Item = Timestamp> {
        let round = self.active().map_or(Span::ZERO, Speaker::master_down);
        self.speakers.values().flat_map(move |speaker| {
            let contest = speaker
                .contest()
                .map(|contest| [contest.since + round, self.quiet_at(speaker)]);
            [speaker.dead_at(), speaker.gone_at()]
                .into_iter()
                .chain(contest.into_iter().flatten())
        })
    }
}

/// Whether a router that advertised beside the active one must be active still, though silent.
///
/// A single packet may be made up: the router has to have claimed an address as well, or to have
/// been heard before.
fn is_quiet(contest: Contest, active: &Speaker, speaker: &Speaker) -> bool {
    let claimed_after = |time| speaker.last_claim.is_some_and(|claim| claim >= time);
    let real = speaker.is_established() || claimed_after(contest.since);
    let dropped = speaker.rejects_for_sure(active)
        || contest.defiances > 0
        || claimed_after(contest.since + active.interval() / 10);
    real && dropped
}
