//! The rules of the house that no lint knows.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};

use crate::{shell, workspace};

/// A file that grows longer holds two concepts.
const MAX_LINES: usize = 500;

/// The modules of vrrp-user that only compute: data in, data out. What they need of the world is
/// an argument.
const PURE: [&str; 18] = [
    "chronicle",
    "daemon",
    "detect",
    "dropped",
    "frame",
    "input",
    "log",
    "machine",
    "merge",
    "model",
    "observer",
    "record",
    "recording",
    "sight",
    "tracker",
    "traffic",
    "wire",
    "world",
];

/// What a pure module does not name.
const WORLDLY: [&str; 14] = [
    "tokio",
    "aya",
    "clap",
    "nix",
    "rtnetlink",
    "fs",
    "thread",
    "SystemTime",
    "Instant",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
];

/// Reminders belong in the issue tracker, where they are seen.
const REMINDERS: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// Directories that exist on one machine only. (Put together here, or this file would break its
/// own rule.)
const PRIVATE_PATHS: [&str; 4] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("../sha", "red"),
];

/// What may lie in the root: a stray file there is the first thing that a newcomer reads.
const ROOT: [&str; 18] = [
    ".cargo",
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-GPL-2.0",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "deny.toml",
    "docs",
    "rustfmt.toml",
    "tests",
    "xtask",
];

/// Checks every file that git knows or would add.
pub(crate) fn tidy() -> Result<()> {
    println!("+ tidy");
    let mut broken = Vec::new();
    let mut pure_seen = [false; PURE.len()];
    for path in files()? {
        let Ok(text) = fs::read_to_string(workspace::root().join(&path)) else {
            // Deleted but not committed so, or not a text.
            continue;
        };
        check(&path, &text, &mut broken);
        if let Some(index) = pure_module(&path) {
            pure_seen[index] = true;
        }
    }
    for (name, seen) in PURE.iter().zip(pure_seen) {
        if !seen {
            broken.push(format!("xtask/src/tidy.rs: there is no pure module {name}"));
        }
    }
    ensure!(
        broken.is_empty(),
        "{} rules are broken:\n{}",
        broken.len(),
        broken.join("\n")
    );
    Ok(())
}

fn files() -> Result<Vec<String>> {
    let list = shell::ask(Command::new("git").current_dir(workspace::root()).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "--deduplicate",
    ]))
    .context("git could not list the files of the workspace")?;
    Ok(list.lines().map(str::to_owned).collect())
}

fn check(path: &str, text: &str, broken: &mut Vec<String>) {
    let mut complain =
        |line: usize, message: String| broken.push(format!("{path}:{line}: {message}"));
    let top = path.split('/').next().unwrap_or(path);
    if !ROOT.contains(&top) && !top.starts_with("vrrp-") {
        complain(1, format!("{top} does not belong in the root"));
    }
    let is_rust = Path::new(path).extension().is_some_and(|it| it == "rs");
    if is_rust {
        if !text.starts_with("//!") {
            complain(1, "does not open with what it is about (`//!`)".to_owned());
        }
        let lines = text.lines().count();
        if lines > MAX_LINES {
            complain(lines, format!("is longer than {MAX_LINES} lines"));
        }
        if path.ends_with("/mod.rs") {
            complain(1, "is a mod.rs; name it after what it is".to_owned());
        }
    }
    let mut in_tests = path.ends_with("/tests.rs");
    for (line, number) in text.lines().zip(1..) {
        for private in PRIVATE_PATHS {
            if line.contains(private) {
                complain(number, format!("names a path of one machine ({private})"));
            }
        }
        if !is_rust {
            continue;
        }
        in_tests |= line.starts_with("#[cfg(test)]");
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        if code.trim_start().starts_with("#[allow") || code.trim_start().starts_with("#![allow") {
            complain(
                number,
                "allows a lint; `expect` it, with a reason".to_owned(),
            );
        }
        for reminder in REMINDERS {
            if words(comment).any(|word| word == reminder) {
                complain(number, format!("{reminder} belongs in the issue tracker"));
            }
        }
        if !in_tests && pure_module(path).is_some() {
            for word in words(&outside_strings(code)).filter(|word| WORLDLY.contains(word)) {
                complain(number, format!("a pure module names {word}"));
            }
        }
    }
}

/// The pure module that a file belongs to, as an index into [`PURE`].
fn pure_module(path: &str) -> Option<usize> {
    let inner = path.strip_prefix("vrrp-user/src/")?;
    let module = inner.split(['/', '.']).next()?;
    PURE.iter().position(|&pure| pure == module)
}

/// A line of code without what stands between its quotation marks.
fn outside_strings(code: &str) -> String {
    code.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, text: &str) -> Vec<String> {
        let mut broken = Vec::new();
        check(path, text, &mut broken);
        broken
    }

    #[test]
    fn good_files_pass() {
        let text = "//! A frame.\n// why: https://example.org/TODOs\nuse std::net::IpAddr;\n";
        assert_eq!(complaints("vrrp-user/src/wire/arp.rs", text), [""; 0]);
        assert_eq!(complaints("README.md", "fs, tokio and TODO"), [""; 0]);
    }

    #[test]
    fn each_rule_is_found_broken() {
        let long = format!("//! Long.\n{}", "\n".repeat(MAX_LINES));
        let private = format!("see {}me/notes", PRIVATE_PATHS[0]);
        for (path, text, complaint) in [
            ("xtask/a.rs", "use x;", "does not open"),
            ("xtask/a.rs", long.as_str(), "is longer"),
            ("xtask/a/mod.rs", "//! A.", "is a mod.rs"),
            (
                "xtask/a.rs",
                "//! A.\n    #[allow(dead_code)]",
                "allows a lint",
            ),
            (
                "xtask/a.rs",
                concat!("//! A.\nlet x = 1; // FIX", "ME: two"),
                "FIXME",
            ),
            ("docs/a.md", private.as_str(), "path of one machine"),
            ("raw.py", "import socket", "does not belong in the root"),
            (
                "vrrp-user/src/wire.rs",
                "//! A.\nuse std::{fs, io};",
                "names fs",
            ),
            (
                "vrrp-user/src/observer/watch.rs",
                "//! A.\nlet now = SystemTime::now();",
                "names SystemTime",
            ),
        ] {
            let found = complaints(path, text);
            assert_eq!(found.len(), 1, "{path}: {found:?}");
            assert!(found[0].contains(complaint), "{found:?}");
        }
    }

    #[test]
    fn tests_of_pure_modules_may_read_files() {
        let text = "//! A.\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert_eq!(complaints("vrrp-user/src/wire.rs", text), [""; 0]);
        assert_eq!(
            complaints("vrrp-user/src/wire/tests.rs", "//! A.\nuse std::fs;"),
            [""; 0]
        );
    }

    #[test]
    fn words_of_a_message_are_not_code() {
        let text = "//! A.\nconst STALL: &str = \"A thread timer expired\";\n";
        assert_eq!(complaints("vrrp-user/src/log/grammar.rs", text), [""; 0]);
    }
}
