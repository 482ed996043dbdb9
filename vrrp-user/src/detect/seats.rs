//! What the analyst is told of its own seats, and of its clock.

use super::{
    Analyst, displaced::Displaced, flood::Flood, incident::Incidents, ledger::Ledger,
    reflected_advert::Echoes,
};
use crate::{
    model::Timestamp,
    sight::Seat,
    tracker::{Router, RouterId, Tracker},
};

impl Analyst {
    /// Takes in that watching begins.
    pub fn handle_start(&mut self, time: Timestamp) {
        self.handle_timeout(time);
        self.tracker.begin(self.now);
    }

    /// Gives up what is known of the virtual routers, but not what is known of this host.
    pub fn begin_anew(&mut self, time: Timestamp) {
        let sights = self.tracker.take_sights(time);
        self.now = time;
        self.tracker = Tracker::with_sights(sights);
        self.ledger = Ledger::default();
        self.incidents = Incidents::default();
        self.echoes = Echoes::default();
        self.displaced = Displaced::default();
        self.flood = Flood::default();
    }

    /// Takes in from where there is to see: where nothing is seen, nothing is concluded.
    pub fn handle_seats(&mut self, time: Timestamp, seats: &[Seat]) {
        self.handle_timeout(time);
        for seat in seats {
            if let Some(formerly) = &seat.formerly {
                self.ledger.rename(formerly, &seat.interface);
            }
        }
        let changes = self.tracker.set_seats(seats, self.now);
        self.review_sight(&changes);
        self.assess_all();
    }

    /// Asks all detectors about all virtual routers.
    pub(super) fn assess_all(&mut self) {
        let routers: Vec<RouterId> = self.tracker.routers().map(Router::id).collect();
        for id in routers {
            self.assess(id);
        }
    }
}
