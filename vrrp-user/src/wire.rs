//! Bytes to packets: [`decode`] describes what a frame says, as far as it can be read.
//!
//! In comes a [`Frame`](crate::frame::Frame), out comes a [`Packet`], or nothing where the frame is none of ours. There
//! is no error: a packet that breaks the protocol is decoded as far as it goes, with a list of
//! [`Defect`]s. The lower layers are parsed by etherparse; VRRP and CARP are ours.

mod advert;
mod arp;
mod carp;
mod checksum;
mod link;
mod nd;
mod packet;
mod password;

#[cfg(test)]
mod tests;

pub use advert::{Advert, Auth, AuthTrailer, Defect, MULTICAST_V4, MULTICAST_V6};
pub use arp::{Arp, ArpKind, ArpOperation};
pub use carp::Carp;
pub use checksum::Checksum;
pub use nd::{Nd, NdKind, NdOperation};
pub use packet::{Body, Packet, VlanStack, decode};
pub use password::withhold;
