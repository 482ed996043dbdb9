//! Lines of logs on their way to the observer.

use super::{Live, LiveError, SETTLING};
use crate::log::Entry;

impl Live {
    /// Hands lines to the observer, after the frames that they may be about.
    pub(super) fn take_entries(&mut self, entries: &[Entry]) -> Result<(), LiveError> {
        self.drain()?;
        let now = self.clock.now()? - SETTLING;
        for entry in entries {
            if entry.past {
                self.observer.recall_log(entry);
            } else {
                self.observer.handle_log(now, entry);
            }
            self.pass_outputs();
        }
        Ok(())
    }

    /// Tells of logs in which nothing is understood.
    pub(super) fn tell_unread(&mut self) -> Result<(), LiveError> {
        while let Some(unread) = self.logs.try_unread() {
            tracing::warn!("{unread}");
            let now = self.clock.now()? - SETTLING;
            self.observer.handle_unread(now, unread);
            self.pass_outputs();
        }
        Ok(())
    }
}
