//! Builds the kernel programs.
fn main() {}
