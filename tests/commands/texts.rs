//! Where commands are printed: findings and their advice, help, messages, documentation.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
use vrrp_user::{cli::Cli, explain::explain, record::Code};

/// Something that may be a command.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) place: String,
    pub(crate) text: String,
    /// A line to be run, and not a word in running text.
    pub(crate) is_line: bool,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Everything.
pub(crate) fn all() -> Result<Vec<Printed>> {
    let mut all = Vec::new();
    for code in Code::ALL {
        let place = format!("vrrpwatch explain {code}");
        let lines = explain(*code).next.iter().map(|line| Printed {
            place: place.clone(),
            text: (*line).to_owned(),
            is_line: true,
        });
        all.extend(lines);
    }
    help(&mut Cli::command(), "vrrpwatch", &mut all);
    for file in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ] {
        page(&root().join(file), &mut all)?;
    }
    for file in files(&root().join("docs"), "md")? {
        page(&file, &mut all)?;
    }
    for folder in ["vrrp-user/src", "xtask/src", "tests/src"] {
        for file in files(&root().join(folder), "rs")? {
            source(&file, &mut all)?;
        }
    }
    Ok(all)
}

fn help(command: &mut Command, name: &str, all: &mut Vec<Printed>) {
    let text = command.render_long_help().to_string();
    spans(&unfolded(&text), &format!("{name} --help"), all);
    for inner in command.get_subcommands_mut() {
        let name = format!("{name} {}", inner.get_name());
        help(inner, &name, all);
    }
}

/// A page of the documentation: its blocks for the shell, the prompts of its examples, and what it
/// sets as code.
fn page(path: &Path, all: &mut Vec<Printed>) -> Result<()> {
    let place = place(path);
    let text = read(path)?;
    let mut prose = String::new();
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(kind) };
            continue;
        }
        let command = match fence {
            Some("sh") => Some(line),
            Some(_) => line.strip_prefix("$ "),
            None if line.starts_with("    ") => Some(line.trim_start())
                .filter(|line| line.starts_with("cargo ") || line.starts_with("vrrpwatch ")),
            None => {
                prose.push_str(line);
                prose.push('\n');
                None
            }
        };
        all.extend(command.map(|line| Printed {
            place: place.clone(),
            text: line.to_owned(),
            is_line: true,
        }));
    }
    spans(&unfolded(&prose).replace("\\|", "|"), &place, all);
    Ok(())
}

/// The text literals of a source file. What is said in comments nobody sees.
fn source(path: &Path, all: &mut Vec<Printed>) -> Result<()> {
    let text = read(path)?;
    spans(&joined(&text), &place(path), all);
    Ok(())
}

/// The text literals of the findings and of the advice about drops, without what is filled in.
pub(crate) fn advice() -> Result<Vec<String>> {
    let mut literals = Vec::new();
    for folder in ["detect", "dropped", "explain"] {
        for file in files(&root().join("vrrp-user/src").join(folder), "rs")? {
            let joined = joined(&read(&file)?);
            // Quotes are escaped within one, and no code here has a quote for a character.
            let parts = joined.replace("\\\"", "'");
            let inside = parts.split('"').skip(1).step_by(2);
            literals.extend(inside.filter(|it| it.contains(' ')).map(str::to_owned));
        }
    }
    Ok(literals)
}

/// The code of a source file, each literal on one line.
fn joined(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let mut joined = String::new();
    for line in lines {
        match line.strip_suffix('\\') {
            Some(line) => joined.push_str(line.trim_start()),
            None => {
                joined.push_str(line.trim_start());
                joined.push('\n');
            }
        }
    }
    joined
}

/// What stands between backticks, within a line.
fn spans(text: &str, place: &str, all: &mut Vec<Printed>) {
    for line in text.lines() {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once('`') {
            let Some((span, beyond)) = after.split_once('`') else {
                break;
            };
            // An opening one belongs to the same literal as its closing one.
            if span.contains('"') {
                rest = after;
                continue;
            }
            all.push(Printed {
                place: place.to_owned(),
                text: span.to_owned(),
                is_line: false,
            });
            rest = beyond;
        }
    }
}

/// Paragraphs without their line breaks.
fn unfolded(text: &str) -> String {
    let paragraphs = text.split("\n\n");
    let paragraphs = paragraphs.map(|it| {
        let words: Vec<&str> = it.split_whitespace().collect();
        words.join(" ")
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|it| it == extension) && !path.ends_with("tests.rs")
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn place(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.display().to_string()
}
