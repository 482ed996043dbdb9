//! The kernel programs as they are shipped, run by the kernel: `BPF_PROG_TEST_RUN` for what they
//! match, network namespaces for where they are attached.
//!
//! Needs root. Without it every test fails and says so.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of it is test, helpers included: it fails where it stands"
)]

mod attaching;
mod budgets;
mod delivery;
mod drops;
mod extensions;
mod lab;
mod matching;
mod neighbours;
mod network;
mod traffic;
mod truncation;
mod wire;
