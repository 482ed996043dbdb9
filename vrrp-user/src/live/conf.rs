//! The configuration of keepalived, which is read again when it is changed.

use super::{Live, LiveError, SETTLING};
use crate::{input::News, keepalived_conf::ConfFile};

impl Live {
    /// Reads the configuration again if somebody has changed it.
    pub(super) fn reread_conf(&mut self) -> Result<(), LiveError> {
        match self.ports.conf.as_mut().and_then(ConfFile::reread) {
            Some(Ok(conf)) => {
                let now = self.clock.now()? - SETTLING;
                self.tell(now, News::ConfChanged(conf));
            }
            Some(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the configuration was changed; what was read of it before still counts"
                );
            }
            None => {}
        }
        Ok(())
    }
}
