//! `cargo xtask tap`: the kernel programs from source.
//!
//! The object is part of the repository, so that building vrrpwatch needs a stable compiler alone.
//! Beside it stands what it was made of. Lint fails when the sources have changed since, and when the
//! same tools make other bytes of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{setup, shell, workspace};

/// The target of the kernel programs: BPF of a little-endian machine, the same for all of them.
const TARGET: &str = "bpfel-unknown-none";

/// What the object was made of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Origin {
    /// SHA-256 of the sources and the versions of what they use.
    sources: String,
    /// The compiler, as it names itself.
    compiler: String,
    /// The linker, as it names itself.
    linker: String,
    /// SHA-256 of the object.
    object: String,
}

/// Builds the object and puts it where it is shipped from.
pub(crate) fn tap() -> Result<()> {
    let toolchain = setup::tap()?;
    let object = build(&toolchain)?;
    let origin = Origin {
        sources: digest_of_sources()?,
        compiler: compiler(&toolchain)?,
        linker: linker()?,
        object: hex(&object),
    };
    fs::create_dir_all(prebuilt())?;
    fs::write(object_file(), object)?;
    let text = serde_json::to_string_pretty(&origin)?;
    fs::write(origin_file(), format!("{text}\n"))?;
    println!("{} is up to date.", object_file().display());
    Ok(())
}

/// Checks that the object fits its sources. It is built again where the tools are those that it was
/// built with.
pub(crate) fn check() -> Result<()> {
    println!("+ tap");
    let text = fs::read_to_string(origin_file())
        .with_context(|| format!("{} is missing", origin_file().display()))?;
    let origin: Origin = serde_json::from_str(&text)?;
    ensure!(
        origin.sources == digest_of_sources()?,
        "the kernel programs have changed since their object was built; type `cargo xtask tap`"
    );
    ensure!(
        origin.object == hex(&fs::read(object_file())?),
        "{} is not the object that was built; type `cargo xtask tap`",
        object_file().display()
    );
    let Some(toolchain) = setup::tap_if_there() else {
        println!("not built again: `cargo xtask setup --tap` installs what that takes");
        return Ok(());
    };
    let (compiler, linker) = (compiler(&toolchain)?, linker()?);
    if compiler != origin.compiler || linker != origin.linker {
        println!("not built again: {compiler} and {linker} would make other bytes");
        return Ok(());
    }
    ensure!(
        origin.object == hex(&build(&toolchain)?),
        "the same compiler and linker make other bytes of the same sources; type `cargo xtask tap`"
    );
    Ok(())
}

fn prebuilt() -> PathBuf {
    workspace::root().join("vrrp-ebpf/prebuilt")
}

fn object_file() -> PathBuf {
    prebuilt().join("vrrp-tap.o")
}

fn origin_file() -> PathBuf {
    prebuilt().join("vrrp-tap.json")
}

/// Builds the object, without what only a debugger reads.
fn build(toolchain: &str) -> Result<Vec<u8>> {
    let target = workspace::target().join("tap");
    // Paths of this machine would make each machine's object another one.
    let mut flags = vec![
        // Names the machine of the registers that probes see; there are no such programs here.
        "--cfg=bpf_target_arch=\"x86_64\"".to_owned(),
        "-Cdebuginfo=2".to_owned(),
        "-Clink-arg=--btf".to_owned(),
        format!(
            "--remap-path-prefix={}=/vrrpwatch",
            workspace::root().display()
        ),
    ];
    let sysroot =
        shell::ask(Command::new("rustup").args(["run", toolchain, "rustc", "--print", "sysroot"]))
            .context("the compiler does not name its sysroot")?;
    flags.push(format!("--remap-path-prefix={}=/sysroot", sysroot.trim()));
    if let Some(home) = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))
    {
        flags.push(format!("--remap-path-prefix={}=/cargo", home.display()));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let tools = std::iter::once(workspace::tools().join("bin"));
    let path = std::env::join_paths(tools.chain(std::env::split_paths(&path)))?;
    shell::run(
        Command::new("rustup")
            .args(["run", toolchain, "cargo", "build", "--release", "--locked"])
            .args(["--package", "vrrp-ebpf", "--bin", "vrrp-tap"])
            .args(["--target", TARGET, "-Zbuild-std=core"])
            .arg("--target-dir")
            .arg(&target)
            .current_dir(workspace::root())
            .env("PATH", path)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            // Lets a stable compiler build `core`.
            .env("RUSTC_BOOTSTRAP", "1")
            // The linker optimises the program as a whole; the workspace's settings are for the host.
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
            .env_remove("RUSTC")
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .env_remove("CARGO_TARGET_DIR"),
    )?;
    let built = target.join(TARGET).join("release/vrrp-tap");
    let stripped = target.join("vrrp-tap.o");
    shell::run(
        Command::new(strip()?)
            .arg("--strip-debug")
            .arg("-o")
            .args([&stripped, &built]),
    )?;
    fs::read(&stripped).with_context(|| format!("{} cannot be read", stripped.display()))
}

/// llvm-strip of any version: it only leaves sections out.
fn strip() -> Result<PathBuf> {
    (20..40)
        .rev()
        .map(|version| format!("llvm-strip-{version}"))
        .chain(["llvm-strip".to_owned()])
        .find_map(|name| shell::find_program(&name))
        .context("llvm-strip is missing; it is in the distribution's package llvm")
}

fn compiler(toolchain: &str) -> Result<String> {
    shell::ask(Command::new("rustup").args(["run", toolchain, "rustc", "--version"]))
        .map(|version| version.trim().to_owned())
        .context("the compiler does not name its version")
}

fn linker() -> Result<String> {
    shell::ask(Command::new(workspace::tools().join("bin/bpf-linker")).arg("--version"))
        .map(|version| version.trim().to_owned())
        .context("the linker does not name its version")
}

/// One digest of the sources and of the versions of the crates that they use.
fn digest_of_sources() -> Result<String> {
    let root = workspace::root();
    let mut files = vec![root.join("vrrp-ebpf/Cargo.toml")];
    collect(&root.join("vrrp-ebpf/src"), &mut files)?;
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        let name = file.strip_prefix(root)?.to_string_lossy().into_owned();
        let text = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        digest.update(format!("{name} {}\n", text.len()));
        digest.update(text);
    }
    let lock = fs::read_to_string(root.join("Cargo.lock"))?;
    for used in used_by("vrrp-ebpf", &lock)? {
        digest.update(format!("{used}\n"));
    }
    Ok(base16(&digest.finalize()))
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// What a package depends on by a lock file, directly or not, each with its version.
fn used_by(package: &str, lock: &str) -> Result<BTreeSet<String>> {
    let mut packages: BTreeMap<&str, Vec<(String, Vec<&str>)>> = BTreeMap::new();
    for block in lock.split("[[package]]").skip(1) {
        let field = |key: &str| {
            let mut lines = block.lines();
            lines.find_map(|line| {
                line.strip_prefix(key)?
                    .strip_prefix(" = ")?
                    .split('"')
                    .nth(1)
            })
        };
        let (Some(name), Some(version)) = (field("name"), field("version")) else {
            bail!("Cargo.lock has a package without a name or a version");
        };
        let uses = block
            .split_once("dependencies = [")
            .map_or("", |(_, list)| list);
        let uses = uses.split(']').next().unwrap_or_default();
        // "name", or "name version" where there are several.
        let uses = uses
            .split('"')
            .skip(1)
            .step_by(2)
            .filter_map(|entry| entry.split(' ').next())
            .collect();
        packages
            .entry(name)
            .or_default()
            .push((format!("{name} {version}"), uses));
    }
    let mut used = BTreeSet::new();
    let mut waiting = vec![package];
    while let Some(name) = waiting.pop() {
        for (entry, uses) in packages.get(name).into_iter().flatten() {
            if used.insert(entry.clone()) {
                waiting.extend(uses);
            }
        }
    }
    Ok(used)
}

fn hex(bytes: &[u8]) -> String {
    base16(&Sha256::digest(bytes))
}

fn base16(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_package_uses_is_found_at_any_depth() {
        let lock = r#"
version = 4

[[package]]
name = "a"
version = "1.0.0"
dependencies = [
 "b",
 "c 2.0.0",
]

[[package]]
name = "b"
version = "0.1.0"
dependencies = [
 "a",
]

[[package]]
name = "c"
version = "2.0.0"

[[package]]
name = "d"
version = "3.0.0"
"#;
        let used = used_by("a", lock).expect("a lock file");
        assert_eq!(
            used.into_iter().collect::<Vec<_>>(),
            ["a 1.0.0", "b 0.1.0", "c 2.0.0"]
        );
    }

    #[test]
    fn the_object_is_the_one_that_is_described() {
        let text = fs::read_to_string(origin_file()).expect("vrrp-tap.json");
        let origin: Origin = serde_json::from_str(&text).expect("its form");
        let object = fs::read(object_file()).expect("vrrp-tap.o");
        assert_eq!(origin.object, hex(&object));
    }
}
