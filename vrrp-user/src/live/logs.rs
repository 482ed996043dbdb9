//! Lines of logs on their way to the observer.

use super::{Live, LiveError, SETTLING};
use crate::{input::News, log::Entry};

impl Live {
    /// Hands lines to the observer, after the frames that they may be about.
    pub(super) fn take_entries(&mut self, entries: &[Entry]) -> Result<(), LiveError> {
        self.drain()?;
        let now = self.clock.now()? - SETTLING;
        for entry in entries {
            let news = if entry.past { News::Recall } else { News::Log };
            self.tell(now, news(entry.clone()));
        }
        Ok(())
    }

    /// Tells of logs in which nothing is understood.
    pub(super) fn tell_unread(&mut self) -> Result<(), LiveError> {
        while let Some(unread) = self.ports.logs.try_unread() {
            tracing::warn!("{unread}");
            let now = self.clock.now()? - SETTLING;
            self.tell(now, News::Unread(unread));
        }
        Ok(())
    }
}
