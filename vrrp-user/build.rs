//! Puts the object with the kernel programs where the program embeds it from.
//!
//! The object is shipped ready-made, so that building needs nothing but a stable compiler. A packager
//! who builds it from source (`cargo xtask tap`) names the file in `VRRPWATCH_TAP`.

use std::{
    env, fs,
    io::{Error, Result},
    path::PathBuf,
};

/// Names another object than the one that is shipped.
const CHOICE: &str = "VRRPWATCH_TAP";

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={CHOICE}");
    let object = match env::var_os(CHOICE) {
        Some(object) => PathBuf::from(object),
        None => variable("CARGO_MANIFEST_DIR")?.join("../vrrp-ebpf/prebuilt/vrrp-tap.o"),
    };
    println!("cargo::rerun-if-changed={}", object.display());
    let place = variable("OUT_DIR")?.join("vrrp-tap");
    fs::copy(&object, place).map_err(|error| {
        Error::new(
            error.kind(),
            format!("the kernel programs ({}): {error}", object.display()),
        )
    })?;
    Ok(())
}

fn variable(name: &str) -> Result<PathBuf> {
    env::var_os(name)
        .map(PathBuf::from)
        .ok_or_else(|| Error::other(format!("cargo does not set {name}")))
}
