//! Waiting for a condition until a deadline: the one place of the laboratory that reads a clock.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Result, bail};

/// How long a condition that nothing announces stays unasked.
const ROUND: Duration = Duration::from_millis(20);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Makes every wait of this process fail from now on, so that whoever waits gives up and cleans
/// up. For a Ctrl-C handler.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// Whether [`interrupt`] was called.
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// The wall clock, which what vrrpwatch says can be compared with.
#[expect(
    clippy::disallowed_methods,
    reason = "real daemons are judged by a real clock"
)]
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// A point in time until which something must have happened.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Instant,
    limit: Duration,
    heeds_interrupt: bool,
}

impl Deadline {
    /// The point in time `limit` from now.
    #[expect(
        clippy::disallowed_methods,
        reason = "real daemons are waited for on a real clock"
    )]
    pub fn after(limit: Duration) -> Self {
        Self {
            at: Instant::now() + limit,
            limit,
            heeds_interrupt: true,
        }
    }

    /// The same for cleaning up, which an interrupted process does, too.
    pub fn for_cleanup(limit: Duration) -> Self {
        Self {
            heeds_interrupt: false,
            ..Self::after(limit)
        }
    }

    /// The time left, never zero, for the next round of waiting for `what`.
    ///
    /// Rounds are short, so that [`interrupt`] is heard. Fails when the time is up or the process
    /// was interrupted.
    #[expect(
        clippy::disallowed_methods,
        reason = "real daemons are waited for on a real clock"
    )]
    pub fn next_round(&self, what: &str) -> Result<Duration> {
        if self.heeds_interrupt && is_interrupted() {
            bail!("interrupted while waiting for {what}");
        }
        let left = self.at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            bail!("waited {:?} in vain for {what}", self.limit);
        }
        Ok(left.min(5 * ROUND))
    }
}

/// Waits until `probe` yields something, at most `limit`.
pub fn wait_for<T>(what: &str, limit: Duration, probe: impl FnMut() -> Option<T>) -> Result<T> {
    poll(what, Deadline::after(limit), probe)
}

/// Waits until `probe` yields something, asking it again and again.
pub(super) fn poll<T>(
    what: &str,
    deadline: Deadline,
    mut probe: impl FnMut() -> Option<T>,
) -> Result<T> {
    loop {
        if let Some(found) = probe() {
            return Ok(found);
        }
        thread::park_timeout(deadline.next_round(what)?.min(ROUND));
    }
}

/// Waits until `condition` holds, at most `limit`.
pub fn wait_until(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) -> Result<()> {
    wait_for(what, limit, || condition().then_some(()))
}
