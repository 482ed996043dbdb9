//! `cargo xtask setup`: what is missing, and only that.
//!
//! A machine where all is there is not touched, nor is the network.

mod apt;
pub(crate) mod deny;
mod linker;
mod peers;
mod toolchain;

use std::process::Command;

use anyhow::Result;

use crate::shell;

/// What building the kernel programs needs: a compiler that can build `core` for the kernel, and the
/// linker that makes a kernel object of it. Returns the compiler's name.
pub(crate) fn tap() -> Result<String> {
    let toolchain = toolchain::ensure()?;
    linker::ensure(&toolchain)?;
    Ok(toolchain.name)
}

/// The compiler of the kernel programs, if it and the linker are there.
pub(crate) fn tap_if_there() -> Option<String> {
    let toolchain = toolchain::find()?;
    linker::fits(&toolchain).then_some(toolchain.name)
}

/// What the tests and the demo need besides: other people's daemons, and witnesses.
pub(crate) fn tests() -> Result<()> {
    peers::ensure()
}

/// What the lints need, which rustup's minimal profile lacks.
pub(crate) fn components() -> Result<()> {
    deny::ensure()?;
    for (component, program) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
        if shell::ask(Command::new(program).arg("--version")).is_none() {
            shell::run(Command::new("rustup").args(["component", "add", component]))?;
        }
    }
    Ok(())
}
