//! What the observer is told of its own seat: from where there is to see, and what keepalived there is
//! meant to do.

use super::Observer;
use crate::{keepalived_conf::Conf, model::Timestamp, sight::Seat};

impl Observer {
    /// Takes in from where there is to see, all of it: an interface that is not named any more is
    /// gone.
    pub fn handle_seats(&mut self, time: Timestamp, seats: &[Seat]) {
        self.advance(time);
        for seat in seats {
            if let Some(formerly) = &seat.formerly {
                self.chronicle.rename(formerly, &seat.interface);
                if let Some(prober) = &mut self.prober {
                    prober.rename(formerly, &seat.interface);
                }
            }
        }
        self.analyst.handle_seats(self.now, seats);
        self.collect();
    }

    /// Takes in the configuration of keepalived on the watched host.
    pub fn set_conf(&mut self, conf: Conf) {
        self.analyst.daemons_mut().set_conf(conf);
    }

    /// Takes in that the configuration was changed.
    pub fn handle_conf(&mut self, time: Timestamp, conf: Conf) {
        self.advance(time);
        self.analyst.handle_conf(conf, time);
        self.collect();
    }
}
