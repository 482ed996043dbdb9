//! What the watched host shows of itself, beside what is seen and what its daemon says.

use std::{cell::OnceCell, net::IpAddr};

use super::{
    Analyst, kept, stale_garp,
    view::{Multicast, View},
};
use crate::{
    dropped::Dropped,
    keepalived_conf::Conf,
    machine::{AddressChange, HostLook, Machine},
    model::{Family, Span, Timestamp},
    probe::Host,
    tracker::{Router, RouterId, Segment, Speaker},
};

impl Analyst {
    pub(crate) const fn machine(&self) -> &Machine {
        &self.machine
    }

    pub(crate) const fn machine_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// Takes in all addresses of the host.
    pub(crate) fn handle_host(&mut self, host: &Host, now: Timestamp) {
        self.machine.survey(host, now);
        self.assess_own();
    }

    /// Takes in that an address of the host came or went.
    pub(crate) fn handle_address(&mut self, change: &AddressChange, now: Timestamp) {
        self.machine.note_change(change, now);
        for speaker in self.tracker.routers().flat_map(Router::speakers) {
            if self.daemons.is_own(speaker.source) {
                self.machine.note_loser(speaker);
            }
        }
        self.assess_own();
    }

    /// Takes in a look at the VRRP daemons of the host that was taken at `time`.
    pub(crate) fn handle_daemon(&mut self, look: HostLook, time: Timestamp) {
        self.machine.note_daemon(look, time);
        self.review_sight(&[]);
        self.assess_all();
        self.seek_orphans();
        self.look_again();
    }

    /// Takes in that the configuration of this host's daemon was changed.
    pub(crate) fn handle_conf(&mut self, conf: Conf, time: Timestamp) {
        self.daemons.change_conf(conf, time);
        self.review_sight(&[]);
        self.assess_all();
    }

    /// Whether adverts to the group may be withheld from this host on a segment, as a switch does that
    /// snoops IGMP or MLD: it is no member, and nothing that others sent to the group has come since.
    pub(super) fn is_deaf(&self, segment: &Segment, family: Family) -> bool {
        let Some(since) = self.machine.unjoined(segment, family) else {
            return false;
        };
        !self.tracker.routers().any(|router| {
            let there = router.segment == *segment && router.family == family;
            there && self.has_heard(router, since)
        })
    }

    /// The same of the group of a virtual router.
    pub(super) fn multicast(&self, router: &Router) -> Multicast {
        if router.group.is_some() && self.is_deaf(&router.segment, router.family) {
            Multicast::MayBeWithheld
        } else {
            Multicast::Arrives
        }
    }

    /// Whether an advert of another machine to the group of a virtual router has come since.
    fn has_heard(&self, router: &Router, since: Timestamp) -> bool {
        let foreign = |speaker: &Speaker| !self.daemons.is_own(speaker.source);
        let mut speakers = router.speakers();
        router.group.is_some() && speakers.any(|it| it.last > since && foreign(it))
    }

    /// Has the host looked at again for as long as its neighbour table seems wrong, and once when the
    /// first adverts are there to compare it with.
    fn look_again(&mut self) {
        const SOON: Span = Span::from_secs(2);
        const ROUTINE: Span = Span::from_secs(5);
        let wrong = |router: &Router| {
            let view = View {
                router,
                rivalry: &OnceCell::new(),
                daemons: &self.daemons,
                machine: &self.machine,
                held: kept::holds_any(&self.machine, router),
                multicast: Multicast::Arrives,
                served_by_kin: false,
                open: false,
                now: self.now,
            };
            stale_garp::wrong(&view)
                .next()
                .map(|_| stale_garp::misled(&view).is_empty())
        };
        let early = self.tracker.sights().everywhere_since();
        let early = early.is_some_and(|since| self.now.since(since) < SOON * 2);
        let soon = self.tracker.routers().filter_map(wrong).max();
        let pause = match soon {
            Some(true) => SOON,
            Some(false) => ROUTINE,
            None if early => SOON,
            None => return,
        };
        self.machine.look_at(self.now + pause);
    }

    /// Takes in what the kernel dropped so far. Returns whether that explains all that drops of this
    /// host are to explain.
    pub(crate) fn handle_drops(&mut self, dropped: &[Dropped], now: Timestamp) -> bool {
        self.handle_timeout(now);
        for id in self.daemons.handle_drops(dropped, &self.tracker) {
            self.assess(id);
        }
        self.explain_puzzles(dropped);
        !self.daemons.is_puzzled() && !self.machine.is_puzzled()
    }

    /// Looks for what puzzles on this host among what the kernel dropped.
    fn explain_puzzles(&mut self, dropped: &[Dropped]) {
        let tracker = &self.tracker;
        let vrid = |id| tracker.router(id).map(|router| router.vrid);
        for id in self.machine.note_drops(dropped, vrid, self.now) {
            self.assess(id);
        }
    }

    /// Takes in that the host has sent an advert from this address.
    pub(super) fn note_own(&mut self, id: RouterId, source: IpAddr) {
        let own = self.tracker.router(id).and_then(|router| {
            router
                .speakers()
                .filter(|speaker| speaker.source == source)
                .max_by_key(|speaker| speaker.last)
        });
        if let Some(own) = own {
            self.machine.note_advert(id, own, self.now);
        }
    }

    /// Assesses the virtual routers that the host takes part in, or has an address of.
    fn assess_own(&mut self) {
        let concerns = |router: &Router| {
            let mut sources = router.speakers().map(|speaker| speaker.source);
            sources.any(|source| self.daemons.is_own(source))
                || kept::holds_any(&self.machine, router)
                || self.machine.puzzle(router.id()).is_some()
        };
        let own: Vec<RouterId> = self
            .tracker
            .routers()
            .filter(|router| concerns(router))
            .map(Router::id)
            .collect();
        for id in own {
            self.assess(id);
        }
    }
}
