//! The daemons' own account, beside what is seen.

use super::Analyst;
use crate::{daemon::Concern, log::Entry, world::World};

impl Analyst {
    /// Takes a line of a log in. Returns what it is about.
    pub(crate) fn handle_log(&mut self, world: &mut World, entry: &Entry) -> Concern {
        let concern = world.note_log(entry, self.now);
        for id in &concern.routers {
            self.assess(world, *id);
        }
        concern
    }
}
