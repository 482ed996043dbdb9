//! From files to lines: comments, conditions, definitions and included files.
//!
//! A file may include others and itself, and a definition may use others and itself, so that a page
//! of text can ask for more than any machine has. One [`Budget`] bounds what a reading costs.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::notes::Notes;
use crate::file;

/// A line of the configuration, without comment, with its definitions in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) place: Place,
    /// A comment begins within a word of it.
    pub(super) is_cut: bool,
}

/// Where a line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: Arc<Path>,
    pub(super) number: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.number)
    }
}

/// Files that include each other stop here, and so does a definition that uses itself.
const MAX_DEPTH: usize = 16;
/// Files that are read, large installations have some dozens.
const MAX_FILES: usize = 256;
/// Bytes that are read of all files: a virtual router takes some 500.
const MAX_BYTES: u64 = 16 << 20;
/// Lines, once everything is in place.
const MAX_LINES: usize = 100_000;
/// Bytes of a line, once everything is in place.
const MAX_LINE: usize = 16 << 10;
/// Definitions.
const MAX_DEFINITIONS: usize = 4_096;
/// Bytes that are touched in putting definitions in their places: some 100 ms of work.
const MAX_EXPANSION: usize = 64 << 20;
/// What taking a line of a definition costs beside its bytes.
const LINE_COST: usize = 64;
/// What some editors put in front of UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// Directories of a pattern that may have wildcards: each multiplies what is to be looked through.
const MAX_WILD: usize = 2;

/// `include` and its variants, which differ in what is an error.
const INCLUDES: [&str; 6] = [
    "include", "includer", "includem", "includew", "includeb", "includea",
];

/// Reads a file and what it includes. Returns the lines, and the files that were read or looked for.
pub(super) fn read(
    path: &Path,
    config_id: &str,
    notes: &mut Notes,
) -> io::Result<(Vec<Line>, Vec<PathBuf>)> {
    let mut reader = Reader {
        config_id,
        notes,
        lines: Vec::new(),
        definitions: BTreeMap::new(),
        files: Vec::new(),
        is_cut: false,
        budget: Budget {
            files: MAX_FILES,
            bytes: MAX_BYTES,
            expansion: MAX_EXPANSION,
            is_spent: false,
        },
    };
    reader.file(path, 0)?;
    Ok((reader.lines, reader.files))
}

/// What is left of what a reading may cost. Once something is spent, the reading ends.
struct Budget {
    files: usize,
    bytes: u64,
    expansion: usize,
    is_spent: bool,
}

struct Reader<'a> {
    config_id: &'a str,
    notes: &'a mut Notes,
    lines: Vec<Line>,
    /// Values by name; of several lines where they were defined so.
    definitions: BTreeMap<String, Arc<[String]>>,
    /// Those that were read or looked for.
    files: Vec<PathBuf>,
    /// A comment begins within a word of the line that is read.
    is_cut: bool,
    budget: Budget,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, depth: usize) -> io::Result<()> {
        self.budget.files -= 1;
        self.files.push(path.to_owned());
        let file = file::open_regular(path)?;
        let mut text = Vec::new();
        let read = file.take(self.budget.bytes + 1).read_to_end(&mut text)?;
        let is_whole = read as u64 <= self.budget.bytes;
        self.budget.bytes = self.budget.bytes.saturating_sub(read as u64);
        let text = String::from_utf8_lossy(&text);
        if text.starts_with(BYTE_ORDER_MARK) {
            let place = Place {
                file: path.into(),
                number: 1,
            };
            let what = "the file begins with a byte order mark, which keepalived takes for a part of \
                        the first word: save it without";
            self.notes.add(&place, what);
        }
        let directory = path.parent().unwrap_or(Path::new(""));
        self.define("_PWD", [directory.display().to_string()].into());
        let mut place = Place {
            file: path.into(),
            number: 0,
        };
        let mut open: Option<(String, Vec<String>)> = None;
        for raw in text.lines() {
            if self.budget.is_spent {
                return Ok(());
            }
            place.number += 1;
            let line = without_comment(raw);
            self.is_cut =
                line.len() < raw.len() && line.ends_with(|end: char| !end.is_whitespace());
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            if line.len() > MAX_LINE {
                self.notes.add(&place, "the line is too long and left out");
                continue;
            }
            if let Some((_, value)) = &mut open {
                let (part, goes_on) = continued(line);
                value.push(part.to_owned());
                if !goes_on && let Some((name, value)) = open.take() {
                    self.define_here(&name, value.into(), &place);
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
        if !is_whole {
            self.end(&place, "the configuration is larger than 16 MiB");
        }
        Ok(())
    }

    /// A line, out of a file or out of a definition.
    fn line(&mut self, line: &str, place: &Place, directory: &Path, depth: usize) {
        if self.budget.is_spent {
            return;
        }
        if depth > MAX_DEPTH {
            self.notes
                .add(place, "too much is nested here; the rest is left out");
            return;
        }
        let Some(line) = self.condition(line) else {
            return;
        };
        if let Some((name, value)) = definition(line) {
            self.define_here(name, [value.to_owned()].into(), place);
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
            for line in value.iter() {
                if !self.expand(line.len() + LINE_COST, place) {
                    return;
                }
                self.line(line, place, directory, depth + 1);
            }
            return;
        }
        let replaced = self.replace(line, place);
        if replaced != line && replaced.starts_with('@') {
            self.line(&replaced, place, directory, depth + 1);
            return;
        }
        if line.contains("~SEQ(") || line.contains("~LST(") {
            self.notes.add(place, "~SEQ and ~LST are not followed");
        }
        if self.lines.len() >= MAX_LINES {
            self.end(place, "the configuration has more than 100,000 lines");
            return;
        }
        self.lines.push(Line {
            text: replaced,
            place: place.clone(),
            is_cut: self.is_cut,
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
        // Two stars are one to keepalived, and every directory below to the library.
        let mut pattern = pattern.trim_matches('"').to_owned();
        while pattern.contains("**") {
            pattern = pattern.replace("**", "*");
        }
        let pattern = directory.join(pattern);
        let wild = pattern.parent().into_iter().flat_map(Path::components);
        let wild = wild.filter(|part| part.as_os_str().to_string_lossy().contains(['*', '?', '[']));
        if wild.count() > MAX_WILD {
            self.notes
                .add(place, "include: too many wildcards; it is left out");
            return;
        }
        let paths = pattern
            .to_str()
            .and_then(|pattern| glob::glob(pattern).ok());
        let mut any = false;
        for path in paths.into_iter().flatten().flatten() {
            any = true;
            if self.budget.is_spent {
                return;
            }
            if path.is_dir() {
                continue;
            }
            if depth >= MAX_DEPTH {
                self.notes.add(
                    place,
                    "too many files include each other; the rest is left out",
                );
                return;
            }
            if self.budget.files == 0 {
                self.end(place, "more than 256 files are included");
                return;
            }
            if let Err(error) = self.file(&path, depth + 1) {
                let what = format!("include: cannot read {}: {error}", path.display());
                self.notes.add(place, what);
            }
        }
        if !any {
            self.notes.add(place, "include: there is no such file");
        }
        self.define("_PWD", [directory.display().to_string()].into());
    }

    fn define_here(&mut self, name: &str, value: Arc<[String]>, place: &Place) {
        if self.definitions.len() >= MAX_DEFINITIONS && !self.definitions.contains_key(name) {
            self.end(place, "there are more than 4,096 definitions");
            return;
        }
        self.define(name, value);
    }

    fn define(&mut self, name: &str, value: Arc<[String]>) {
        self.definitions.insert(name.to_owned(), value);
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
            let value: Arc<[String]> = match name {
                "_INSTANCE" => [self.config_id.to_owned()].into(),
                "_HASH" => ["#".to_owned()].into(),
                "_BANG" => ["!".to_owned()].into(),
                name => match self.definitions.get(name) {
                    Some(value) => value.clone(),
                    None => {
                        from = start + 1;
                        continue;
                    }
                },
            };
            replacements += 1;
            let length: usize = value.iter().map(|part| part.len() + 1).sum();
            if replacements > MAX_DEPTH * MAX_DEPTH || text.len() + length > MAX_LINE {
                self.notes.add(place, "a definition uses itself");
                break;
            }
            if !self.expand(text.len() + length, place) {
                break;
            }
            text.replace_range(start..end, &value.join(" "));
            from = start;
        }
        text
    }

    /// Takes the cost of putting definitions in place. Returns whether there is enough left.
    fn expand(&mut self, cost: usize, place: &Place) -> bool {
        match self.budget.expansion.checked_sub(cost) {
            Some(left) => self.budget.expansion = left,
            None => self.end(place, "definitions use each other too often"),
        }
        !self.budget.is_spent
    }

    /// Ends the reading.
    fn end(&mut self, place: &Place, why: &str) {
        if !self.budget.is_spent {
            self.budget.is_spent = true;
            self.notes
                .add(place, format_args!("{why}; the rest is left out"));
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
    let (rest, is_braced) = match rest.strip_prefix('{') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let length = rest
        .find(|letter: char| !is_of_name(letter))
        .unwrap_or(rest.len());
    let (name, after) = rest.split_at(length);
    let ends = match after.chars().next() {
        Some('}') => is_braced,
        next => !is_braced && next.is_none_or(char::is_whitespace),
    };
    let end = start + 1 + length + 2 * usize::from(is_braced);
    (ends && is_name(name)).then_some((name, end))
}

fn is_name(name: &str) -> bool {
    !name.starts_with(|letter: char| letter.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(is_of_name)
}

const fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}
