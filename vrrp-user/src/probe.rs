//! Asking who holds an address: ordinary ARP requests and neighbour solicitations, from an address
//! of this host's own, within the interface's own subnet, and never faster than allowed.
//!
//! Pure but for [`Asker`], which puts a finished frame on an interface. What comes back goes the way
//! of every other frame: through the kernel filter to the observer.
//!
//! ```text
//! Host, adverts, time ─> Prober ─> Question ─> Asker ─> wire
//!                          ^                             │
//!                          └── observer <── ring <───────┘
//! ```

mod host;
mod inquiry;
mod jitter;
mod prober;
mod question;
mod socket;

use std::net::IpAddr;

pub use host::{Host, Obstacle};
pub use inquiry::{Inquiry, Reply};
pub use question::Question;
pub use socket::{Asker, AskerError};

pub(crate) use prober::{Next, Prober, Round, Step};

use serde::{Deserialize, Serialize};

use crate::model::Span;

/// What to ask for, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeSettings {
    /// Ask for the addresses that adverts name.
    pub learned: bool,
    /// Ask for these as well.
    pub given: Vec<IpAddr>,
    /// Time between two questions for an address; it varies by a tenth.
    pub interval: Span,
    /// Questions a second at most, over all addresses.
    pub rate: u32,
    /// Where the variation comes from: the same seed gives the same times.
    pub seed: u64,
}
