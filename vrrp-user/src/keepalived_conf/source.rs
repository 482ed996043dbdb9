//! From files to lines: comments, conditions, definitions and included files.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// A line of the configuration, without comment, with its definitions in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) place: Place,
}

/// Where a line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    pub(super) number: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.number)
    }
}

/// Files that include each other stop here, and so does a definition that uses itself.
const MAX_DEPTH: usize = 16;
/// Files that are read.
const MAX_FILES: usize = 256;
/// Bytes of a file that are read.
const MAX_FILE: u64 = 4 << 20;
/// Lines, once everything is in place.
const MAX_LINES: usize = 100_000;
/// Bytes of a line, once everything is in place.
const MAX_LINE: usize = 16 << 10;

/// `include` and its variants, which differ in what is an error.
const INCLUDES: [&str; 6] = [
    "include", "includer", "includem", "includew", "includeb", "includea",
];

/// Reads a file and what it includes.
pub(super) fn read(path: &Path, config_id: &str, notes: &mut Vec<String>) -> io::Result<Vec<Line>> {
    let mut reader = Reader {
        config_id,
        notes,
        lines: Vec::new(),
        definitions: BTreeMap::new(),
        files: 0,
    };
    reader.file(path, 0)?;
    Ok(reader.lines)
}

struct Reader<'a> {
    config_id: &'a str,
    notes: &'a mut Vec<String>,
    lines: Vec<Line>,
    /// Values by name; of several lines where they were defined so.
    definitions: BTreeMap<String, Vec<String>>,
    files: usize,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, depth: usize) -> io::Result<()> {
        self.files += 1;
        let mut text = Vec::new();
        File::open(path)?.take(MAX_FILE).read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let directory = path.parent().unwrap_or(Path::new(""));
        self.definitions
            .insert("_PWD".to_owned(), vec![directory.display().to_string()]);
        let mut open: Option<(String, Vec<String>)> = None;
        for (index, raw) in text.lines().enumerate() {
            let place = Place {
                file: path.to_owned(),
                number: index + 1,
            };
            let line = without_comment(raw).trim();
            if line.is_empty() {
                continue;
            }
            if let Some((_, value)) = &mut open {
                let (part, goes_on) = continued(line);
                value.push(part.to_owned());
                if !goes_on && let Some((name, value)) = open.take() {
                    self.definitions.insert(name, value);
                }
                continue;
            }
            let Some(line) = self.condition(line) else {
                continue;
            };
            if let Some((name, value)) = definition(line)
                && continued(value) == ("", true)
            {
                open = Some((name.to_owned(), Vec::new()));
                continue;
            }
            self.line(line, &place, directory, depth);
        }
        Ok(())
    }

    /// A line, out of a file or out of a definition.
    fn line(&mut self, line: &str, place: &Place, directory: &Path, depth: usize) {
        if depth > MAX_DEPTH || self.lines.len() >= MAX_LINES {
            self.note(format!(
                "{place}: too much is nested here; the rest is left out"
            ));
            return;
        }
        let Some(line) = self.condition(line) else {
            return;
        };
        if let Some((name, value)) = definition(line) {
            self.definitions
                .insert(name.to_owned(), vec![value.to_owned()]);
            return;
        }
        if let Some((keyword, pattern)) = line.split_once(char::is_whitespace)
            && INCLUDES.contains(&keyword)
        {
            self.include(pattern.trim(), place, directory, depth);
            return;
        }
        if let Some(value) = line.strip_prefix('$').and_then(|name| {
            let name = name
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
                .unwrap_or(name);
            self.definitions.get(name).cloned()
        }) {
            for line in value {
                self.line(&line, place, directory, depth + 1);
            }
            return;
        }
        let replaced = self.replace(line, place);
        if replaced != line && replaced.starts_with('@') {
            self.line(&replaced, place, directory, depth + 1);
            return;
        }
        if line.contains("~SEQ(") || line.contains("~LST(") {
            self.note(format!("{place}: ~SEQ and ~LST are not followed"));
        }
        self.lines.push(Line {
            text: replaced,
            place: place.clone(),
        });
    }

    /// What is left of a line that applies here.
    fn condition<'l>(&self, line: &'l str) -> Option<&'l str> {
        let Some(rest) = line.strip_prefix('@') else {
            return Some(line);
        };
        let (name, rest) = rest.split_once(char::is_whitespace)?;
        let applies = match name.strip_prefix('^') {
            Some(name) => name != self.config_id,
            None => name == self.config_id,
        };
        applies.then(|| rest.trim_start())
    }

    fn include(&mut self, pattern: &str, place: &Place, directory: &Path, depth: usize) {
        let pattern = directory.join(pattern.trim_matches('"'));
        let paths = pattern
            .to_str()
            .and_then(|pattern| glob::glob(pattern).ok());
        let mut any = false;
        for path in paths.into_iter().flatten().flatten() {
            any = true;
            if depth >= MAX_DEPTH || self.files >= MAX_FILES {
                self.note(format!(
                    "{place}: too many files include each other; {} is left out",
                    path.display()
                ));
                return;
            }
            if path.is_dir() {
                continue;
            }
            if let Err(error) = self.file(&path, depth + 1) {
                self.note(format!("{place}: cannot read {}: {error}", path.display()));
            }
        }
        if !any {
            self.note(format!("{place}: there is no {}", pattern.display()));
        }
        let directory = directory.display().to_string();
        self.definitions.insert("_PWD".to_owned(), vec![directory]);
    }

    /// Puts definitions in the place of their names, also in what was put there.
    fn replace(&mut self, line: &str, place: &Place) -> String {
        let mut text = line.to_owned();
        let mut from = 0;
        let mut replacements = 0;
        while let Some(start) = text[from..].find('$').map(|at| at + from) {
            let Some((name, end)) = reference(&text, start) else {
                from = start + 1;
                continue;
            };
            let value = match name {
                "_INSTANCE" => Some(self.config_id.to_owned()),
                "_HASH" => Some("#".to_owned()),
                "_BANG" => Some("!".to_owned()),
                name => self.definitions.get(name).map(|value| value.join(" ")),
            };
            let Some(value) = value else {
                from = start + 1;
                continue;
            };
            replacements += 1;
            if replacements > MAX_DEPTH * MAX_DEPTH || text.len() + value.len() > MAX_LINE {
                self.note(format!("{place}: a definition uses itself"));
                break;
            }
            text.replace_range(start..end, &value);
            from = start;
        }
        text
    }

    fn note(&mut self, note: String) {
        if self.notes.last() != Some(&note) {
            self.notes.push(note);
        }
    }
}

/// A line up to its comment, which does not begin within quotes.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (at, letter) in line.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '#' | '!' if !quoted => return &line[..at],
            _ => {}
        }
    }
    line
}

/// The part before a backslash at the end, and whether there is one.
fn continued(line: &str) -> (&str, bool) {
    match line.trim_end().strip_suffix('\\') {
        Some(part) => (part.trim(), true),
        None => (line.trim(), false),
    }
}

/// `$NAME=VALUE`
fn definition(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix('$')?.split_once('=')?;
    is_name(name).then(|| (name, value.trim()))
}

/// The name in `$NAME` or `${NAME}` that starts here, and where the reference ends.
fn reference(text: &str, start: usize) -> Option<(&str, usize)> {
    let rest = &text[start + 1..];
    if let Some(rest) = rest.strip_prefix('{') {
        let length = rest.find('}')?;
        return is_name(&rest[..length]).then(|| (&rest[..length], start + length + 3));
    }
    let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
    is_name(&rest[..length]).then(|| (&rest[..length], start + 1 + length))
}

fn is_name(name: &str) -> bool {
    !name.starts_with(|letter: char| letter.is_ascii_digit())
        && !name.is_empty()
        && name
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
}
