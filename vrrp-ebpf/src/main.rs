//! The kernel programs. Built for `bpfel-unknown-none` by vrrp-user's build script.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]

#[cfg(not(target_arch = "bpf"))]
fn main() {}
