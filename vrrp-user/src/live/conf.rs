//! The configuration of keepalived, which is read again when it is changed.

use super::{Live, LiveError, SETTLING};

impl Live {
    /// Reads the configuration again if somebody has changed it.
    pub(super) fn reread_conf(&mut self) -> Result<(), LiveError> {
        match self
            .conf
            .as_mut()
            .and_then(crate::keepalived_conf::ConfFile::reread)
        {
            Some(Ok(conf)) => {
                let now = self.clock.now()? - SETTLING;
                self.observer.handle_conf(now, conf);
                self.pass_outputs();
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
