//! What the analyst is told of its own seats, and of its clock.

use super::{
    Analyst, displaced::Displaced, flood::Flood, incident::Incidents, ledger::Ledger,
    reflected_advert::Echoes,
};
use crate::{
    model::Timestamp,
    sight::Seat,
    tracker::{Router, RouterId, Tracker},
    world::World,
};

impl Analyst {
    /// Takes in that watching begins.
    pub fn handle_start(&mut self, world: &mut World, time: Timestamp) {
        self.handle_timeout(world, time);
        world.tracker.begin(self.now);
    }

    /// Gives up what is known of the virtual routers, but not what is known of this host.
    pub fn begin_anew(&mut self, world: &mut World, time: Timestamp) {
        let sights = world.tracker.take_sights(time);
        self.now = time;
        world.tracker = Tracker::with_sights(sights);
        self.ledger = Ledger::default();
        self.incidents = Incidents::default();
        self.echoes = Echoes::default();
        self.displaced = Displaced::default();
        self.flood = Flood::default();
    }

    /// Takes in from where there is to see: where nothing is seen, nothing is concluded.
    pub fn handle_seats(&mut self, world: &mut World, time: Timestamp, seats: &[Seat]) {
        self.handle_timeout(world, time);
        for seat in seats {
            if let Some(formerly) = &seat.formerly {
                self.ledger.rename(formerly, &seat.interface);
            }
        }
        let changes = world.tracker.set_seats(seats, self.now);
        self.review_sight(world, &changes);
        self.assess_all(world);
    }

    /// Asks all detectors about all virtual routers.
    pub(super) fn assess_all(&mut self, world: &mut World) {
        let routers: Vec<RouterId> = world.tracker.routers().map(Router::id).collect();
        for id in routers {
            self.assess(world, id);
        }
    }
}
