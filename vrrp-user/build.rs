//! Puts the object with the kernel programs where the program embeds it from.
//!
//! The object is shipped ready-made, so that building needs nothing but a stable compiler. A packager
//! who builds it from source (`cargo xtask tap`) names the file in `VRRPWATCH_TAP`.

use std::{
    env, fs,
    io::{Error, Result},
    path::PathBuf,
    process::ExitCode,
};

/// Names another object than the one that is shipped.
const CHOICE: &str = "VRRPWATCH_TAP";

fn main() -> ExitCode {
    match place() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // cargo shows this alone, and not all that the script said.
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn place() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={CHOICE}");
    let chosen = env::var_os(CHOICE);
    let by = if chosen.is_some() {
        ", which VRRPWATCH_TAP names"
    } else {
        ""
    };
    let object = match chosen {
        Some(object) => PathBuf::from(object),
        None => variable("CARGO_MANIFEST_DIR")?.join("../vrrp-ebpf/prebuilt/vrrp-tap.o"),
    };
    println!("cargo::rerun-if-changed={}", object.display());
    let place = variable("OUT_DIR")?.join("vrrp-tap");
    fs::copy(&object, place).map_err(|error| {
        let object = object.display();
        Error::new(
            error.kind(),
            format!("could not take the kernel programs from {object}{by}: {error}"),
        )
    })?;
    Ok(())
}

fn variable(name: &str) -> Result<PathBuf> {
    env::var_os(name)
        .map(PathBuf::from)
        .ok_or_else(|| Error::other(format!("cargo does not set {name}")))
}
