//! The names of what a laboratory makes, and what killed ones left behind.
//!
//! A name is `vrrplab-PID-START-N` with an optional `-HOST`; START is when the process started, in
//! the kernel's ticks, because process ids come round again. (Dashes, because FRR takes no dots.)

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context as _, Result};

use super::{frr, namespace};

const PREFIX: &str = "vrrplab";

/// A name that no other laboratory has.
pub(super) fn new_tag() -> Result<String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let pid = std::process::id().to_string();
    let start = start_time(&pid).context("could not read the start time in /proc/self/stat")?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Ok(format!("{PREFIX}-{pid}-{start}-{number}"))
}

/// Removes what belongs to processes that are gone: namespaces (with all that runs in them),
/// directories.
pub(super) fn sweep() {
    for name in orphans(Path::new("/run/netns")) {
        namespace::remove(&name);
    }
    for parent in [&std::env::temp_dir(), Path::new(frr::RUN_DIRECTORY)] {
        for name in orphans(parent) {
            // Another sweep may be at it, too.
            let _ = fs::remove_dir_all(parent.join(name));
        }
    }
}

/// The names in `directory` that are a laboratory's whose process is gone.
fn orphans(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_orphan(name))
        .collect()
}

fn is_orphan(name: &str) -> bool {
    let mut parts = name.split('-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(PREFIX), Some(pid), Some(start)) => start_time(pid).as_deref() != Some(start),
        _ => false,
    }
}

/// When the process started, in the kernel's ticks; `None` when there is no such process.
fn start_time(pid: &str) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may itself hold blanks; the
    // start time is the twenty-second field, the twentieth behind it.
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_living_process_made_is_no_orphan() {
        let tag = new_tag().unwrap();
        assert!(!is_orphan(&tag));
        assert!(!is_orphan(&format!("{tag}-lb0")));
    }

    #[test]
    fn what_an_earlier_process_of_the_same_id_made_is_an_orphan() {
        assert!(is_orphan(&format!(
            "{PREFIX}-{}-1-0-lb0",
            std::process::id()
        )));
    }

    #[test]
    fn names_of_others_are_left_alone() {
        for name in ["vrrplab", "blue", "vrrplabs-1-1-0", ""] {
            assert!(!is_orphan(name), "{name}");
        }
    }
}
