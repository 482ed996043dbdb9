//! What is due at a time of its own, and is met then: however often the clock is read, the records are
//! the same.

use super::Observer;
use crate::model::Timestamp;

impl Observer {
    /// When [`News::Time`](crate::input::News::Time) has to be told at the latest.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let waiting = [self.probe_due(), self.world.machine.next_due()];
        self.next_due()
            .into_iter()
            .chain(waiting.into_iter().flatten())
            .min()
    }

    /// Lets time pass: what is due is met before what happens at `time`, each at its own time.
    pub(super) fn advance(&mut self, time: Timestamp) {
        while let Some(due) = self.next_due().filter(|due| *due <= time) {
            self.meet(due);
        }
        self.now = self.now.max(time);
        self.analyst.handle_timeout(&mut self.world, self.now);
        self.collect();
    }

    /// The next deadline, but for what waits for a clock: questions, and looks at the daemons.
    fn next_due(&self) -> Option<Timestamp> {
        [
            self.analyst.poll_timeout(&self.world),
            self.chronicle.next_due(),
            self.round_due(),
            self.counting_due(),
            self.untold.due(),
            self.acquaintances.due(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn meet(&mut self, due: Timestamp) {
        self.now = self.now.max(due);
        self.close_rounds(self.now);
        self.end_counting(self.now);
        self.analyst.handle_timeout(&mut self.world, self.now);
        for mut incident in self.chronicle.expire(self.now) {
            incident.observer.clone_from(&self.settings.observer);
            self.push_incident(incident);
        }
        self.collect();
        self.acquaint();
        self.tell_losses(self.now);
    }
}
