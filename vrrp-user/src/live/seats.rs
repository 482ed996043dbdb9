//! The interfaces of this host as the observer's seats: what is told when they change.

use std::time::Duration;

use super::{
    LiveError, SETTLING,
    driver::{Driver, Ports},
};
use crate::{input::News, model::Timestamp, probe::Host, sight::Blindness};

/// What was attached so recently need not be looked at again. Shorter than the shortest time after
/// which a master is missed: three intervals of 10 ms, and the time that frames are waited for.
const FRESH: Duration = Duration::from_millis(20);

impl<P: Ports> Driver<P> {
    /// Looks what became of the interfaces, and follows them.
    pub(super) async fn relink(&mut self) -> Result<(), LiveError> {
        self.relink_at = None;
        let links = self.link_watch.snapshot().await?;
        // What was seen so far belongs to the interfaces as they were.
        self.catch_up()?;
        self.links = links;
        self.identify()?;
        if self.taps.update(&self.links, &mut self.kernel) {
            self.announce();
        }
        self.survey()
    }

    /// What this host holds, and from where it may ask.
    pub(super) fn host(&self) -> Host {
        Host::new(&self.links, &self.taps.indices())
    }

    /// Tells the kernel where frames for this host are sent to.
    pub(super) fn identify(&mut self) -> Result<(), LiveError> {
        if self.observer.settings().traffic.is_some() {
            self.kernel.set_own_macs(&self.links.own_macs())?;
        }
        Ok(())
    }

    /// Tells the observer what this host holds and from where it may ask.
    pub(super) fn survey(&mut self) -> Result<(), LiveError> {
        let now = self.clock.now()? - SETTLING;
        let seats = self.taps.seats(&self.links);
        self.tell(now, News::Seats(seats));
        self.tell(now, News::Host(self.host()));
        Ok(())
    }

    /// The same as [`Driver::verify`], unless that was done just now.
    pub(super) fn verify_if_stale(&mut self, now: Timestamp) -> Result<(), LiveError> {
        match self.verified {
            Some(verified) if now.since(verified) < FRESH => Ok(()),
            _ => self.verify(),
        }
    }

    /// Sees to it that what was attached still is.
    pub(super) fn verify(&mut self) -> Result<(), LiveError> {
        self.verified = Some(self.clock.now()?);
        let (detached, changed) = self.taps.verify(&self.links, &mut self.kernel);
        if !changed {
            return Ok(());
        }
        let now = self.clock.now()? - SETTLING;
        let mut seats = self.taps.seats(&self.links);
        let back = seats.clone();
        for seat in &mut seats {
            if detached.contains(&seat.interface) {
                seat.blind = Some(Blindness::Detached);
            }
        }
        self.tell(now, News::Seats(seats));
        self.announce();
        self.tell(now, News::Seats(back));
        Ok(())
    }
}
