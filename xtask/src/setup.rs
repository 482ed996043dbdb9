//! `cargo xtask setup`: what is missing, and only that.
//!
//! A machine where all is there is not touched, nor is the network.

mod apt;
mod linker;
mod peers;
mod toolchain;

use std::process::Command;

use anyhow::Result;

use crate::shell;

/// What building vrrpwatch needs: a compiler that can build `core` for the kernel, and the linker
/// that makes a kernel object of it.
pub(crate) fn build() -> Result<()> {
    let toolchain = toolchain::ensure()?;
    linker::ensure(&toolchain)
}

/// What the tests and the demo need besides: other people's daemons, and witnesses.
pub(crate) fn tests() -> Result<()> {
    peers::ensure()
}

/// What the lints need, which rustup's minimal profile lacks.
pub(crate) fn components() -> Result<()> {
    for (component, program) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        if shell::ask(Command::new(program).arg("--version")).is_none() {
            shell::run(Command::new("rustup").args(["component", "add", component]))?;
        }
    }
    Ok(())
}
