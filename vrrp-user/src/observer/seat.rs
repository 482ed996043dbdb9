//! What the observer is told of its own host: from where there is to see, what the host holds, whether a
//! daemon runs there, and what keepalived is meant to do.

use super::Observer;
use crate::{
    keepalived_conf::Conf,
    machine::{AddressChange, HostLook},
    model::Timestamp,
    probe::Host,
    sight::Seat,
};

impl Observer {
    pub(super) fn seats(&mut self, time: Timestamp, seats: &[Seat]) {
        self.advance(time);
        for seat in seats {
            if let Some(formerly) = &seat.formerly {
                self.chronicle.rename(formerly, &seat.interface);
                if let Some(prober) = &mut self.prober {
                    prober.rename(formerly, &seat.interface);
                }
            }
        }
        self.analyst.handle_seats(&mut self.world, self.now, seats);
        self.collect();
    }

    pub(super) fn conf_changed(&mut self, time: Timestamp, conf: &Conf) {
        self.advance(time);
        self.analyst
            .handle_conf(&mut self.world, conf.clone(), time);
        self.collect();
    }

    pub(super) fn host(&mut self, time: Timestamp, host: &Host) {
        self.advance(time);
        self.analyst.handle_host(&mut self.world, host, self.now);
        if let Some(prober) = &mut self.prober {
            prober.set_host(host.clone(), self.now);
        }
        self.collect();
    }

    pub(super) fn address(&mut self, time: Timestamp, change: &AddressChange) {
        self.advance(time);
        self.analyst
            .handle_address(&mut self.world, change, self.now);
        self.collect();
    }

    /// A look that was taken at `time`.
    pub(super) fn daemon(&mut self, time: Timestamp, look: &HostLook) {
        self.advance(time);
        self.analyst
            .handle_daemon(&mut self.world, look.clone(), time);
        self.collect();
    }
}
