//! Debug lines of the kernel programs.

use std::io;

use aya::Ebpf;
use aya_log::EbpfLogger;
use tokio::io::unix::AsyncFd;

use super::readable;

/// Forwards the debug lines of the kernel programs to the `log` crate.
pub struct DebugLog(AsyncFd<EbpfLogger<&'static dyn log::Log>>);

impl DebugLog {
    /// Takes the log of an object; needs a tokio runtime.
    pub(super) fn new(object: &mut Ebpf) -> io::Result<Self> {
        let logger = EbpfLogger::init(object).map_err(io::Error::other)?;
        Ok(Self(readable::watch(logger)?))
    }

    /// Forwards lines for ever; meant for a task of its own.
    ///
    /// # Errors
    ///
    /// Where the runtime is shutting down.
    pub async fn run(mut self) -> io::Result<()> {
        loop {
            let mut ready = self.0.readable_mut().await?;
            ready.get_inner_mut().flush();
            ready.clear_ready();
        }
    }
}
