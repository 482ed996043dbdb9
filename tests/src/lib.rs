//! What the tests of vrrpwatch share: the laboratory, where real daemons speak VRRP on real
//! (virtual) wires.
//!
//! The demo of `cargo xtask demo` runs in the same laboratory.

pub mod lab;
