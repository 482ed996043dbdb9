//! The nouns of the program: identifiers and quantities with their units.
//!
//! Bytes become these types once, at the edge; nothing behind the decoder handles a bare `u8`
//! priority or a bare integer interval.

mod addresses;
mod agenda;
mod mac;
pub(crate) mod nanos;
mod pace;
pub(crate) mod pairs;
mod quantity;
mod time;

pub use addresses::AddressList;
pub(crate) use addresses::Lists;
pub(crate) use agenda::Agenda;
pub use mac::MacAddr;
pub(crate) use pace::Pace;
pub use quantity::{AdvertInterval, Family, Fingerprint, FingerprintKey, Priority, Version, Vrid};
pub use time::{Span, Timestamp};
