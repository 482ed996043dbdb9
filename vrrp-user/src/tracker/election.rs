//! What an advert means for who is active.

use super::{
    admission::Claim,
    router::{LateAdvert, Router, SilentFailover, Tenure},
    speaker::{Contest, SpeakerId},
    takeover::{Interregnum, Takeover},
    timers::{crossing, late_after, master_down},
};
use crate::{
    model::{MacAddr, Priority, Span, Timestamp},
    record::{Cause, ChangeReason},
};

/// What a speaker was before its advert.
struct Before {
    last: Timestamp,
    silent_since: Timestamp,
    resigned: bool,
    priority: Priority,
    interval: Span,
    established: bool,
    alive: bool,
}

/// Changes within this time are counted.
pub(crate) const FLAP_WINDOW: Span = Span::from_mins(1);
const MAX_CHANGES: usize = 64;

impl Router {
    /// Takes an advert in that its receivers take.
    pub(super) fn advert(&mut self, claim: &Claim, mac: Option<MacAddr>, now: Timestamp) {
        self.heard = now;
        let id = self.resolve(claim, now);
        let Some(speaker) = self.speakers.get_mut(&id) else {
            return;
        };
        if claim.priority == Priority::RESIGN
            && let Some(mac) = mac.filter(|mac| speaker.senders.is_strange(*mac))
        {
            // No router resigns from elsewhere than it advertised from.
            speaker.senders.note(mac, now);
            self.contend(now);
            return;
        }
        let before = Before {
            last: speaker.last,
            silent_since: speaker.silent_since(),
            resigned: speaker.resigned.is_some(),
            priority: speaker.priority,
            interval: speaker.interval(),
            established: speaker.is_established(),
            alive: speaker.is_alive(now),
        };
        self.stale_index |=
            claim.config.addresses.is_some() && speaker.config.addresses != claim.config.addresses;
        let gap = speaker.hear(claim.destination, mac, &claim.config, now);
        if gap.is_some_and(|gap| gap <= crossing(before.interval)) {
            self.note_at_once(id, now);
        }
        let Some(speaker) = self.speakers.get_mut(&id) else {
            return;
        };
        if claim.priority == Priority::RESIGN {
            self.resign(id, now);
            return;
        }
        speaker.set_priority(claim.priority);
        speaker.resigned = None;
        speaker.left = false;
        if let Some(mac) = mac {
            self.neighbours.supersede(mac);
        }
        if self
            .silent_failover
            .is_some_and(|failover| failover.from == id)
        {
            self.silent_failover = None;
        }
        match self.tenure {
            None => self.take_over(id, ChangeReason::FirstSeen, Interregnum::default(), now),
            Some(tenure) if tenure.speaker == id => self.carry_on(id, &before, gap, now),
            Some(tenure) => self.challenge(tenure, id, &before, now),
        }
    }

    /// Takes in that a packet came for this virtual router which its receivers drop.
    pub(super) fn disturb(&mut self, now: Timestamp) {
        self.noise = Some(now);
    }

    /// Takes in an advert that is not from the active router.
    fn contend(&mut self, now: Timestamp) {
        self.noise = Some(now);
        self.contended = Some(now);
    }

    /// Takes in that an advert came right after the one before, as those do that were held back.
    fn note_at_once(&mut self, id: SpeakerId, now: Timestamp) {
        if let Some(late) = &mut self.late_advert
            && late.speaker == id
            && now <= late.complete_at()
        {
            late.at_once = late.at_once.saturating_add(1);
        }
        if let Some(takeover) = &mut self.takeover
            && takeover.speaker == id
            && now <= takeover.time + crossing(self.speakers[&id].interval())
        {
            takeover.at_once = takeover.at_once.saturating_add(1);
        }
    }

    fn resign(&mut self, id: SpeakerId, now: Timestamp) {
        let alone = !self
            .speakers
            .values()
            .any(|other| other.id != id && other.is_alive(now));
        let active = self.tenure.is_some_and(|tenure| tenure.speaker == id);
        if let Some(speaker) = self.speakers.get_mut(&id) {
            speaker.resigned = Some(now);
            speaker.contest = None;
            speaker.lost_silently = false;
            speaker.left = !(alone && active);
        }
        if self
            .silent_failover
            .is_some_and(|failover| failover.from == id)
        {
            self.silent_failover = None;
        }
        if !active {
            self.contend(now);
        }
    }

    /// The active router is heard again.
    fn carry_on(&mut self, id: SpeakerId, before: &Before, gap: Option<Span>, now: Timestamp) {
        let silence = now.since(before.silent_since);
        let priority = self.speakers[&id].priority;
        let shared_mac = self.speakers[&id]
            .mac
            .is_some_and(|mac| mac.virtual_router().is_some());
        if before.resigned {
            let interregnum = self.interregnum(before.last, true, now);
            self.take_over(id, ChangeReason::Restarted, interregnum, now);
        } else if shared_mac
            && priority != before.priority
            && silence >= before.interval * 3
            && before.established
        {
            // FRR: the other machine, with the same source address.
            self.note_silent_failover(id, id, before.last, now);
            let interregnum = self.interregnum(before.last, false, now);
            self.take_over(id, ChangeReason::Timeout, interregnum, now);
        } else if before.established
            && silence >= before.interval * 5
            && self.saw_everything_since(before.last)
        {
            // It was stalled or cut off, and has no reason to announce anything.
            if let Some(speaker) = self.speakers.get_mut(&id) {
                speaker.lost_silently = true;
            }
            let interregnum = self.interregnum(before.last, false, now);
            self.take_over(id, ChangeReason::Restarted, interregnum, now);
        } else {
            if let Some(tenure) = &mut self.tenure {
                tenure.best = tenure.best.max(priority);
            }
            self.check_pace(id, before, gap, now);
        }
    }

    fn check_pace(&mut self, id: SpeakerId, before: &Before, gap: Option<Span>, now: Timestamp) {
        let Some(gap) = gap else { return };
        let backup = self.best_backup().unwrap_or(Priority::new(100));
        let version = self.speakers[&id].config.version;
        let limit = master_down(version, backup, before.interval);
        // keepalived starts its timer anew with every packet: from there it has to be in time, and a
        // backup does not wait any longer for it. What receivers drop is no excuse: it can be made up,
        // and where it does keep a router from advertising, that matters.
        let disturbed = gap < limit
            && self.contended.is_some_and(|noise| {
                noise >= before.last && now.since(noise) <= late_after(before.interval)
            });
        if gap <= late_after(before.interval)
            || !before.established
            || disturbed
            || !self.saw_everything_since(before.last)
        {
            return;
        }
        self.late_advert = Some(LateAdvert {
            speaker: id,
            previous: now - gap,
            time: now,
            interval: before.interval,
            limit,
            at_once: 1,
        });
    }

    /// Another router than the active one is heard.
    fn challenge(&mut self, tenure: Tenure, id: SpeakerId, before: &Before, now: Timestamp) {
        let (Some(incumbent), Some(challenger)) =
            (self.speakers.get(&tenure.speaker), self.speakers.get(&id))
        else {
            return;
        };
        let silence = now.since(incumbent.silent_since());
        let overdue = incumbent.is_overdue(now);
        let superior = challenger.beats(incumbent);
        // A router that is kept from advertising by packets that it drops is not gone.
        let silenced = challenger
            .contest()
            .is_some_and(|contest| contest.dropped || incumbent.persists_against(challenger))
            && now < incumbent.gone_at();
        let reason = if incumbent.resigned.is_some() {
            ChangeReason::Resigned
        } else if superior && silence > incumbent.interval() * 5 / 2 && !silenced {
            ChangeReason::Timeout
        } else if superior
            && challenger.adverts == 1
            && (self.may_be_old(challenger.interval(), now) || self.may_have_been_silenced(id))
        {
            // Both were there already, and which is heard first is chance.
            ChangeReason::FirstSeen
        } else if superior && challenger.priority == incumbent.priority {
            ChangeReason::TieBreak
        } else if superior && tenure.best > challenger.priority {
            ChangeReason::PriorityLowered
        } else if superior {
            ChangeReason::Preempted
        } else if overdue && !silenced {
            ChangeReason::Timeout
        } else {
            self.contend(now);
            self.defy(tenure.speaker, id, before, now);
            return;
        };
        let last = incumbent.last;
        // What happened to it while nothing was seen, nobody can tell.
        let reason = match reason {
            ChangeReason::Timeout if incumbent.was_out_of_sight() || self.lost_since(last) => {
                ChangeReason::Unobserved
            }
            reason => reason,
        };
        match reason {
            ChangeReason::Timeout => {
                let established = incumbent.is_established();
                let explained = incumbent.rejects(challenger).is_some();
                if established && !explained && self.saw_everything_since(last) {
                    self.note_silent_failover(tenure.speaker, id, last, now);
                }
                if let Some(incumbent) = self.speakers.get_mut(&tenure.speaker) {
                    incumbent.lost_silently = true;
                }
            }
            ChangeReason::Resigned | ChangeReason::Unobserved => {}
            // It may not have heard, or not listen: then it stays active as well.
            _ if !overdue => {
                if let Some(incumbent) = self.speakers.get_mut(&tenure.speaker) {
                    incumbent.contest = Some(Contest {
                        since: now,
                        last: None,
                        dropped: false,
                        defiances: 0,
                    });
                }
            }
            _ => {}
        }
        // The first to be heard at a cold start yields to the better one: that is no flap.
        let settling = now.since(tenure.since) < self.speakers[&tenure.speaker].master_down()
            && self
                .takeover
                .as_ref()
                .is_some_and(|takeover| takeover.reason == ChangeReason::FirstSeen);
        if !settling && reason != ChangeReason::Unobserved {
            self.note_change(tenure.speaker, id, before.priority, reason, now);
        }
        // One that yields to a better router holds the addresses until it hears that.
        let interregnum = match reason {
            ChangeReason::Resigned | ChangeReason::Timeout => {
                self.interregnum(last, reason == ChangeReason::Resigned, now)
            }
            _ => Interregnum::default(),
        };
        self.take_over(id, reason, interregnum, now);
    }

    /// A router advertises although a better one is active. Once may be bad luck; it is counted
    /// if the better one's advert was there in time: later, its own timer may have run out.
    fn defy(&mut self, active: SpeakerId, id: SpeakerId, before: &Before, now: Timestamp) {
        let (Some(incumbent), Some(speaker)) = (self.speakers.get(&active), self.speakers.get(&id))
        else {
            return;
        };
        let in_time = incumbent
            .heeded(now)
            .is_some_and(|heard| now.since(heard) < speaker.master_down() * 9 / 10);
        let fresh = !before.alive && speaker.rejects(incumbent).is_none();
        let contest = speaker.contest().filter(|_| !fresh).unwrap_or(Contest {
            since: now,
            last: None,
            dropped: false,
            defiances: 0,
        });
        let dropped = incumbent.persists_against(speaker);
        // Packets in quick succession are no second thought.
        let pace = speaker.interval() * 3 / 4;
        let counts = in_time && contest.last.is_none_or(|last| now.since(last) >= pace);
        if let Some(speaker) = self.speakers.get_mut(&id) {
            speaker.contest = Some(Contest {
                defiances: contest.defiances.saturating_add(u32::from(counts)),
                last: if counts { Some(now) } else { contest.last },
                dropped,
                ..contest
            });
        }
    }

    fn note_silent_failover(
        &mut self,
        from: SpeakerId,
        to: SpeakerId,
        last: Timestamp,
        now: Timestamp,
    ) {
        let until = now + self.speakers[&to].master_down() * 10;
        self.silent_failover = Some(SilentFailover {
            from,
            to,
            last,
            taken: now,
            until,
        });
    }

    /// Remembers a change between two routers for the count of flaps.
    fn note_change(
        &mut self,
        from: SpeakerId,
        to: SpeakerId,
        priority_before: Priority,
        reason: ChangeReason,
        now: Timestamp,
    ) {
        debug_assert_ne!(from, to, "a change is between two routers");
        let raised =
            self.speakers[&to].has_been_active && self.speakers[&to].priority != priority_before;
        let cause = match reason {
            ChangeReason::PriorityLowered => Some(Cause::PriorityChange),
            ChangeReason::Preempted | ChangeReason::TieBreak if raised => {
                Some(Cause::PriorityChange)
            }
            ChangeReason::Resigned | ChangeReason::Restarted => Some(Cause::Restart),
            ChangeReason::Timeout => Some(Cause::Loss),
            ChangeReason::Preempted | ChangeReason::TieBreak => Some(Cause::Preemption),
            ChangeReason::FirstSeen | ChangeReason::Unobserved => None,
        };
        self.changes.push_back((now, cause));
        while self.changes.len() > MAX_CHANGES
            || self
                .changes
                .front()
                .is_some_and(|(time, _)| now.since(*time) >= FLAP_WINDOW)
        {
            self.changes.pop_front();
        }
    }

    /// Whether a router that is heard for the first time may have been active all the time: one that
    /// drops the adverts of another is kept from advertising by each of them.
    fn may_have_been_silenced(&self, id: SpeakerId) -> bool {
        let incumbent = self.tenure.and_then(|it| self.speakers.get(&it.speaker));
        let (Some(incumbent), Some(speaker)) = (incumbent, self.speakers.get(&id)) else {
            return false;
        };
        incumbent.id != id && speaker.adverts == 1 && speaker.persists_against(incumbent)
    }

    /// Makes a router the active one.
    fn take_over(
        &mut self,
        id: SpeakerId,
        reason: ChangeReason,
        interregnum: Interregnum,
        now: Timestamp,
    ) {
        let from = self
            .tenure
            .filter(|_| reason != ChangeReason::FirstSeen)
            .and_then(|tenure| self.speakers.get(&tenure.speaker))
            .map(|speaker| speaker.source);
        let interval = self
            .speakers
            .get(&id)
            .map(super::speaker::Speaker::interval);
        self.close_takeover(now);
        let hidden = self.may_have_been_silenced(id);
        let is_old = interval.is_some_and(|interval| self.may_be_old(interval, now));
        let standing = reason.is_unseen() && (is_old || hidden);
        let Some(speaker) = self.speakers.get_mut(&id) else {
            return;
        };
        let returning = std::mem::take(&mut speaker.lost_silently) || hidden;
        speaker.has_been_active = true;
        let claiming_since = speaker.contest.take().map(|contest| contest.since);
        self.tenure = Some(Tenure {
            speaker: id,
            since: now,
            best: speaker.priority,
        });
        self.late_advert = None;
        self.open_takeover(Takeover {
            speaker: id,
            reason,
            from,
            interregnum,
            returning,
            at_once: 1,
            time: now,
            claiming_since,
            announced: std::collections::BTreeMap::new(),
            converged: None,
            standing,
            completed: false,
        });
    }
}
