//! The kernel programs as they are shipped, run by the kernel: `BPF_PROG_TEST_RUN` for what they
//! match, network namespaces for where they are attached.
//!
//! Needs root. Without it every test fails and says so.

mod attaching;
mod delivery;
mod extensions;
mod lab;
mod matching;
mod neighbours;
mod network;
mod truncation;
mod wire;
