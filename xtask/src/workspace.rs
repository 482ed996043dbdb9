//! Where things are in the workspace.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The directory of the workspace.
pub(crate) fn root() -> &'static Path {
    // xtask is only ever run by cargo, from the checkout that it was built in.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// What cargo builds goes below here.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// The project's own tools; the programs are in `bin`.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

/// The program as `cargo xtask build` leaves it.
pub(crate) fn vrrpwatch() -> PathBuf {
    target().join("release/vrrpwatch")
}

/// The cargo that runs this, in the root of the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(root())
        // A target directory of the user's own would hide what was built from those who look for it.
        .env("CARGO_TARGET_DIR", target());
    command
}
