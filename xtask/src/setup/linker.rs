//! bpf-linker, which makes a kernel object of what the compiler leaves.
//!
//! It reads the compiler's LLVM bitcode, so its LLVM must be at least as new as the compiler's. It
//! goes into the project's own directory, where it can follow the compiler without disturbing
//! anyone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use super::{apt, toolchain::Toolchain};
use crate::{
    shell::{self, find_program},
    workspace,
};

const NAME: &str = "bpf-linker";
const VERSION: &str = "0.13.0";
/// The versions of LLVM that this version of bpf-linker can be built with.
const LLVM_VERSIONS: [u32; 3] = [21, 22, 23];

/// Whether a linker is there that understands the toolchain.
pub(super) fn fits(toolchain: &Toolchain) -> bool {
    let program = workspace::tools().join("bin").join(NAME);
    // It may be there and not run, when the distribution has moved on to another LLVM.
    let runs = shell::ask(Command::new(program).arg("--version")).is_some();
    // One that we did not build is somebody's considered choice.
    runs && built_for().is_none_or(|llvm| llvm >= toolchain.llvm)
}

/// Finds the linker, or builds it.
pub(super) fn ensure(toolchain: &Toolchain) -> Result<()> {
    if fits(toolchain) {
        return Ok(());
    }
    let (llvm, prefix) = llvm(toolchain.llvm)?;
    shell::run(
        workspace::cargo()
            .args(["install", NAME, "--version", VERSION, "--locked", "--force"])
            .args(["--no-default-features", "--features"])
            .arg(format!("llvm-{llvm}"))
            .arg("--root")
            .arg(workspace::tools())
            .env("LLVM_PREFIX", prefix)
            // The directory is cargo's own choice again: a build below the workspace's would be
            // mixed up with it.
            .env_remove("CARGO_TARGET_DIR"),
    )
}

/// The LLVM that the linker was built with, from cargo's own record of what it installed.
fn built_for() -> Option<u32> {
    let record = fs::read_to_string(workspace::tools().join(".crates2.json")).ok()?;
    let record: serde_json::Value = serde_json::from_str(&record).ok()?;
    let installs = record.get("installs")?.as_object()?;
    let (_, linker) = installs
        .iter()
        .find(|(name, _)| name.starts_with(&format!("{NAME} {VERSION} ")))?;
    linker
        .get("features")?
        .as_array()?
        .iter()
        .find_map(|feature| feature.as_str()?.strip_prefix("llvm-")?.parse().ok())
}

/// The version and directory of an LLVM to build against, the oldest that is new enough.
fn llvm(at_least: u32) -> Result<(u32, PathBuf)> {
    let usable = || LLVM_VERSIONS.into_iter().filter(|&llvm| llvm >= at_least);
    if apt::is_available() {
        for llvm in usable() {
            let packages = [
                format!("llvm-{llvm}-dev"),
                format!("libpolly-{llvm}-dev"),
                "zlib1g-dev".to_owned(),
                "libzstd-dev".to_owned(),
            ];
            if apt::is_installed(&packages[0]) || apt::candidate(&packages[0])?.is_some() {
                apt::install(&packages.each_ref().map(String::as_str))?;
                break;
            }
        }
    }
    for llvm in usable() {
        let named = format!("llvm-config-{llvm}");
        for config in [named.as_str(), "llvm-config"] {
            if let Some(prefix) = prefix_of(config, llvm) {
                return Ok((llvm, prefix));
            }
        }
    }
    bail!(
        "{NAME} {VERSION} needs the development files of LLVM {at_least} or newer (up to {}), and there \
         are none here. Install them so that llvm-config is on the PATH, or \
         put a ready-made {NAME} from https://github.com/aya-rs/bpf-linker/releases into {}",
        LLVM_VERSIONS[LLVM_VERSIONS.len() - 1],
        workspace::tools().join("bin").display()
    )
}

/// Where that `llvm-config` says its LLVM is, if it is of the wanted version.
fn prefix_of(config: &str, wanted: u32) -> Option<PathBuf> {
    let config = find_program(config)?;
    let ask = |what| shell::ask(Command::new(&config).arg(what));
    let version = ask("--version")?;
    let major: u32 = version.split('.').next()?.trim().parse().ok()?;
    (major == wanted).then(|| Some(Path::new(ask("--prefix")?.trim()).to_owned()))?
}
