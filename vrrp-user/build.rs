//! Builds the kernel programs and leaves the object in `OUT_DIR`.
//!
//! The compiler for them is not the one of the workspace: `core` has to be built from the sources
//! of the very compiler used. The build needs an environment of its own (`PATH`,
//! `RUSTC_BOOTSTRAP`), so the script runs itself a second time with that environment set and does
//! the work there.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context as _, Result, bail};
use aya_build::{Package, Toolchain};

/// Names the toolchain to use; also how the second run knows what the first one chose.
const TOOLCHAIN: &str = "VRRPWATCH_EBPF_TOOLCHAIN";
/// Set in the second run.
const SECOND_RUN: &str = "VRRPWATCH_EBPF_BUILD";
/// The distribution's compiler under the name that `cargo xtask setup` links it by.
const LINKED: &str = "vrrpwatch-ebpf";
const ADVICE: &str = "type `cargo xtask setup` to set up what the kernel programs are built with";

fn main() -> ExitCode {
    let outcome = if env::var_os(SECOND_RUN).is_some() {
        build()
    } else {
        prepare()
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Finds the tools and starts the second run.
fn prepare() -> Result<()> {
    let workspace = workspace()?;
    let tools = workspace.join("target/tools/bin");
    println!("cargo::rerun-if-env-changed={TOOLCHAIN}");
    println!(
        "cargo::rerun-if-changed={}",
        workspace.join("Cargo.lock").display()
    );
    println!("cargo::rerun-if-changed=build.rs");

    let path = search_path(&tools)?;
    let linker = find("bpf-linker", &path).with_context(|| {
        format!(
            "bpf-linker is not on the PATH nor in {}; {ADVICE}",
            tools.display()
        )
    })?;
    println!("cargo::rerun-if-changed={}", linker.display());
    let toolchain = choose_toolchain()?;

    let output = Command::new(env::current_exe()?)
        .env(SECOND_RUN, "1")
        .env(TOOLCHAIN, toolchain)
        .env("PATH", path)
        // Lets a stable compiler build `core`.
        .env("RUSTC_BOOTSTRAP", "1")
        // bpf-linker optimises the program as a whole; the workspace's settings are for the host.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    // What the inner cargo says arrives as warnings. Where all went well that is only its progress,
    // which would bury warnings that mean something.
    let quiet = output.status.success() && !text.contains("cargo:warning=warning");
    for line in text
        .lines()
        .filter(|line| !quiet || !line.starts_with("cargo:warning="))
    {
        println!("{line}");
    }
    if !output.status.success() {
        bail!("the kernel programs could not be built (see above); {ADVICE}");
    }
    Ok(())
}

/// The second run: builds with the environment that the first one prepared.
fn build() -> Result<()> {
    let root = workspace()?.join("vrrp-ebpf");
    let root = root
        .to_str()
        .context("the path of the workspace is not UTF-8")?;
    let toolchain = env::var(TOOLCHAIN)?;
    aya_build::build_ebpf(
        [Package {
            name: "vrrp-ebpf",
            root_dir: root,
            ..Package::default()
        }],
        Toolchain::Custom(&toolchain),
    )
}

fn workspace() -> Result<PathBuf> {
    let package =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").context("cargo runs this script")?);
    let workspace = package
        .parent()
        .context("vrrp-user lies in the workspace")?;
    Ok(workspace.to_path_buf())
}

/// `PATH` with the project's own tools in front.
fn search_path(tools: &Path) -> Result<OsString> {
    let inherited = env::var_os("PATH").unwrap_or_default();
    let directories = std::iter::once(tools.to_path_buf()).chain(env::split_paths(&inherited));
    Ok(env::join_paths(directories)?)
}

fn find(program: &str, path: &OsString) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|directory| directory.join(program))
        .find(|candidate| candidate.is_file())
}

/// What the environment says, else the distribution's compiler if it is linked, else nightly.
fn choose_toolchain() -> Result<String> {
    let Ok(list) = Command::new("rustup").args(["toolchain", "list"]).output() else {
        // Without rustup aya-build takes the compiler on the PATH, whatever this says.
        return Ok("nightly".to_owned());
    };
    let list = String::from_utf8_lossy(&list.stdout);
    let linked = list.lines().any(|line| line.starts_with(LINKED));
    let toolchain = env::var(TOOLCHAIN)
        .unwrap_or_else(|_unset| if linked { LINKED } else { "nightly" }.to_owned());
    check_sources(&toolchain)?;
    Ok(toolchain)
}

/// Makes sure that the toolchain runs and has the sources of `core`.
fn check_sources(toolchain: &str) -> Result<()> {
    let sysroot = Command::new("rustup")
        .args(["run", toolchain, "rustc", "--print", "sysroot"])
        .output()?;
    if !sysroot.status.success() {
        bail!("the toolchain {toolchain} for the kernel programs does not run; {ADVICE}");
    }
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
    if !sysroot.join("lib/rustlib/src/rust/library/core").is_dir() {
        bail!("the toolchain {toolchain} has no library sources to build `core` from; {ADVICE}");
    }
    Ok(())
}
