//! The compiler of the kernel programs.
//!
//! `core` has no ready-made copy for the kernel's target, so the compiler needs the sources of its
//! own library. Debian packages both; elsewhere rustup's nightly has them.

use std::{env, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};

use super::{apt, linker};
use crate::shell;

/// Names another toolchain, for those who know better.
const CHOICE: &str = "VRRPWATCH_EBPF_TOOLCHAIN";

/// The name under which rustup knows the distribution's compiler.
const LINKED: &str = "vrrpwatch-ebpf";

/// The distribution's compiler that is kept current for its web browsers, and its sources.
const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

const NIGHTLY: &str = "nightly";

/// A toolchain that can build the kernel programs.
#[derive(Debug)]
pub(super) struct Toolchain {
    /// The name by which rustup knows it.
    pub(super) name: String,
    /// The major version of the LLVM in it.
    pub(super) llvm: u32,
}

/// Finds a toolchain, or installs one.
pub(super) fn ensure() -> Result<Toolchain> {
    if let Ok(name) = env::var(CHOICE) {
        return probe(&name).with_context(|| format!("{CHOICE} names no usable toolchain"));
    }
    ensure!(
        shell::ask(Command::new("rustup").arg("--version")).is_some(),
        "rustup is missing, which keeps the two compilers apart; get it from https://rustup.rs"
    );
    if let Some(toolchain) = find() {
        return Ok(toolchain);
    }
    if apt::is_available() && distribution_offers_one()? {
        apt::install(&PACKAGES)?;
        shell::run(Command::new("rustup").args(["toolchain", "link", LINKED, "/usr"]))?;
        return probe(LINKED);
    }
    shell::run(Command::new("rustup").args([
        "toolchain",
        "install",
        NIGHTLY,
        "--profile",
        "minimal",
        "--component",
        "rust-src",
    ]))?;
    probe(NIGHTLY)
}

/// A toolchain that is there and has its linker, or that is easy to make one for.
pub(super) fn find() -> Option<Toolchain> {
    probe(LINKED).ok().or_else(|| {
        // Somebody's nightly is welcome if there is a linker for it. Making one is easier for the
        // distribution's compiler, whose LLVM is packaged.
        probe(NIGHTLY).ok().filter(linker::fits)
    })
}

/// Looks whether a toolchain is there, new enough, and has its sources.
fn probe(name: &str) -> Result<Toolchain> {
    let rustc = |args: &[&str]| {
        shell::ask(
            Command::new("rustup")
                .args(["run", name, "rustc"])
                .args(args),
        )
        .with_context(|| format!("there is no toolchain {name}"))
    };
    let version = rustc(&["-vV"])?;
    let field = |key: &str| {
        version
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .with_context(|| format!("`rustc -vV` of {name} does not say its {key:?}"))
    };
    let release = field("release: ")?;
    ensure!(
        is_new_enough(release),
        "toolchain {name} is {release}, but vrrpwatch needs {}",
        env!("CARGO_PKG_RUST_VERSION")
    );
    let sysroot = rustc(&["--print", "sysroot"])?;
    let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/core/src/lib.rs");
    ensure!(
        sources.exists(),
        "toolchain {name} lacks the sources of its library ({})",
        sources.display()
    );
    let llvm = field("LLVM version: ")?;
    let llvm = numbers(llvm).next();
    Ok(Toolchain {
        name: name.to_owned(),
        llvm: llvm.context("`rustc -vV` names no LLVM version")?,
    })
}

/// Whether the distribution has the compiler, in a version that will do.
fn distribution_offers_one() -> Result<bool> {
    Ok(apt::candidate(PACKAGES[0])?.is_some_and(|version| is_new_enough(&version)))
}

fn is_new_enough(version: &str) -> bool {
    let wanted = numbers(env!("CARGO_PKG_RUST_VERSION")).take(2);
    numbers(version).take(2).ge(wanted)
}

/// The numbers of a version such as "1.96.0+dfsg1-1" or "22.1.8".
fn numbers(version: &str) -> impl Iterator<Item = u32> {
    version
        .split(|c: char| !c.is_ascii_digit())
        .map_while(|part| part.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(is_new_enough(env!("CARGO_PKG_RUST_VERSION")));
        assert!(is_new_enough("1.100.0+dfsg1-1~deb12u2"));
        assert!(is_new_enough("2.0.0-nightly"));
        assert!(!is_new_enough("1.85.0+dfsg3-1~deb12u3"));
        assert!(!is_new_enough(""));
    }
}
