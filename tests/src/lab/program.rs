//! Where programs are: the distribution's, and ours.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

/// Directories that hold daemons and tools of the administrator, and are often not on the PATH.
const SYSTEM: [&str; 6] = [
    "/usr/sbin",
    "/sbin",
    "/usr/local/sbin",
    "/usr/lib/frr",
    "/usr/libexec/frr",
    "/usr/lib/systemd",
];

/// Finds a program on the PATH or where the distribution keeps its daemons.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SYSTEM.iter().map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}

/// Like [`find_program`], but missing is an error that says what to do.
pub(super) fn require_program(name: &str) -> Result<PathBuf> {
    find_program(name).with_context(|| {
        format!("{name} is not installed; `cargo xtask setup --tests` installs what the tests need")
    })
}

/// The `vrrpwatch` of the build that the running test belongs to.
pub fn vrrpwatch() -> Result<PathBuf> {
    built("vrrpwatch")
}

/// A program of ours, of the same build.
pub fn built(name: &str) -> Result<PathBuf> {
    let test = env::current_exe().context("where am I?")?;
    // A test is target/PROFILE/deps/NAME-HASH, the program target/PROFILE/NAME.
    let program = test.ancestors().nth(2).unwrap_or(Path::new("/")).join(name);
    ensure!(
        program.is_file(),
        "{} is not built; `cargo xtask test` builds it first, `cargo build --bins --workspace` does so by \
         hand",
        program.display()
    );
    Ok(program)
}
