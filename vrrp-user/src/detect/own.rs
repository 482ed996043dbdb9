//! What the watched host shows of itself, beside what is seen and what its daemon says.

use std::cell::OnceCell;

use super::{
    Analyst, kept, stale_garp,
    view::{Multicast, View},
};
use crate::{
    dropped::Dropped,
    keepalived_conf::Conf,
    machine::{AddressChange, HostLook},
    model::{Span, Timestamp},
    probe::Host,
    tracker::{Router, RouterId},
    world::World,
};

impl Analyst {
    /// Takes in all addresses of the host.
    pub(crate) fn handle_host(&mut self, world: &mut World, host: &Host, now: Timestamp) {
        world.machine.survey(host, now);
        self.assess_own(world);
    }

    /// Takes in that an address of the host came or went.
    pub(crate) fn handle_address(
        &mut self,
        world: &mut World,
        change: &AddressChange,
        now: Timestamp,
    ) {
        world.machine.note_change(change, now);
        for speaker in world.tracker.routers().flat_map(Router::speakers) {
            if world.daemons.is_own(speaker.source) {
                world.machine.note_loser(speaker);
            }
        }
        self.assess_own(world);
    }

    /// Takes in a look at the VRRP daemons of the host that was taken at `time`.
    pub(crate) fn handle_daemon(&mut self, world: &mut World, look: HostLook, time: Timestamp) {
        world.machine.note_daemon(look, time);
        self.review_sight(world, &[]);
        self.assess_all(world);
        self.seek_orphans(world);
        self.look_again(world);
    }

    /// Takes in that the configuration of this host's daemon was changed.
    pub(crate) fn handle_conf(&mut self, world: &mut World, conf: Conf, time: Timestamp) {
        world.daemons.change_conf(conf, time);
        self.review_sight(world, &[]);
        self.assess_all(world);
    }

    /// Has the host looked at again for as long as its neighbour table seems wrong, and once when the
    /// first adverts are there to compare it with.
    fn look_again(&mut self, world: &mut World) {
        const SOON: Span = Span::from_secs(2);
        const ROUTINE: Span = Span::from_secs(5);
        let wrong = |router: &Router| {
            let view = View {
                router,
                rivalry: &OnceCell::new(),
                daemons: &world.daemons,
                machine: &world.machine,
                held: kept::holds_any(&world.machine, router),
                multicast: Multicast::Arrives,
                served_by_kin: false,
                open: false,
                now: self.now,
            };
            stale_garp::wrong(&view)
                .next()
                .map(|_| stale_garp::misled(&view).is_empty())
        };
        let early = world.tracker.sights().everywhere_since();
        let early = early.is_some_and(|since| self.now.since(since) < SOON * 2);
        let soon = world.tracker.routers().filter_map(wrong).max();
        let pause = match soon {
            Some(true) => SOON,
            Some(false) => ROUTINE,
            None if early => SOON,
            None => return,
        };
        world.machine.look_at(self.now + pause);
    }

    /// Takes in what the kernel dropped so far. Returns whether that explains all that drops of this
    /// host are to explain.
    pub(crate) fn handle_drops(
        &mut self,
        world: &mut World,
        dropped: &[Dropped],
        now: Timestamp,
    ) -> bool {
        self.handle_timeout(world, now);
        for id in world.daemons.handle_drops(dropped, &world.tracker) {
            self.assess(world, id);
        }
        self.explain_puzzles(world, dropped);
        !world.daemons.is_puzzled() && !world.machine.is_puzzled()
    }

    /// Looks for what puzzles on this host among what the kernel dropped.
    fn explain_puzzles(&mut self, world: &mut World, dropped: &[Dropped]) {
        let tracker = &world.tracker;
        let vrid = |id| tracker.router(id).map(|router| router.vrid);
        for id in world.machine.note_drops(dropped, vrid, self.now) {
            self.assess(world, id);
        }
    }

    /// Assesses the virtual routers that the host takes part in, or has an address of.
    fn assess_own(&mut self, world: &mut World) {
        let concerns = |router: &Router| {
            let mut sources = router.speakers().map(|speaker| speaker.source);
            sources.any(|source| world.daemons.is_own(source))
                || kept::holds_any(&world.machine, router)
                || world.machine.puzzle(router.id()).is_some()
        };
        let own: Vec<RouterId> = world
            .tracker
            .routers()
            .filter(|router| concerns(router))
            .map(Router::id)
            .collect();
        for id in own {
            self.assess(world, id);
        }
    }
}

/// Whether what others send to the group of a virtual router arrives.
pub(super) fn multicast(world: &World, router: &Router) -> Multicast {
    if router.group.is_some() && world.is_deaf(&router.segment, router.family) {
        Multicast::MayBeWithheld
    } else {
        Multicast::Arrives
    }
}
