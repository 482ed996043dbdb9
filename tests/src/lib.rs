//! What the tests of vrrpwatch share: frames of every kind, and the laboratory, where real daemons
//! speak VRRP on (virtual) wires.
//!
//! The demo of `cargo xtask demo` runs in the same laboratory.

pub mod frames;
pub mod lab;
pub mod vrrp;
