//! Text of strangers, made fit for a terminal.
//!
//! Names of interfaces and files, lines of logs and words of configurations may hold what a terminal
//! obeys, or what turns the order of letters round: control characters of both sets, DEL, direction
//! marks, separators of lines, letters that cannot be seen. All that the program prints goes through
//! here, whether text or JSON.

use std::{
    fmt::{self, Write as _},
    io,
};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Text in which nothing is left that is not seen as it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escaped<'a>(&'a str);

/// Escapes what cannot be seen as it stands. What is escaped already stays as it is.
pub(crate) const fn escape(text: &str) -> Escaped<'_> {
    Escaped(text)
}

/// Whether a letter is seen as it stands.
fn is_plain(letter: char) -> bool {
    matches!(letter, ' '..='~') || letter.escape_debug().len() == 1
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, letter)) = rest.char_indices().find(|(_, letter)| !is_plain(*letter)) {
            f.write_str(&rest[..at])?;
            write!(f, "{}", letter.escape_debug())?;
            rest = &rest[at + letter.len_utf8()..];
        }
        f.write_str(rest)
    }
}

/// A value in JSON, on one line, and escaped as text is.
///
/// # Errors
/// The value has no form in JSON.
pub(crate) fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::with_capacity(256);
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Plain))?;
    String::from_utf8(bytes).map_err(|error| serde_json::Error::io(io::Error::other(error)))
}

/// The compact form, with escapes for what is no control character to JSON.
struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, letter)) = rest.char_indices().find(|(_, letter)| !is_plain(*letter)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &rest[at + letter.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Appends one text to another, escaped.
pub(crate) fn push(line: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _: fmt::Result = write!(line, "{}", escape(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind: C0, DEL, C1, direction marks, separators, letters that cannot be seen.
    const HOSTILE: &str = "\0\t\n\u{1b}[2J\u{7f}\u{80}\u{9b}\u{9f}\u{200e}\u{200f}\u{202a}\u{202e}\
                           \u{2066}\u{2069}\u{2028}\u{2029}\u{200b}\u{feff}\u{e0001}";

    #[test]
    fn nothing_hostile_is_left() {
        let text = escape(HOSTILE).to_string();
        assert!(
            text.bytes().all(|byte| matches!(byte, b' '..=b'~')),
            "{text}"
        );
        assert!(text.contains("\\u{1b}[2J\\u{7f}\\u{80}"), "{text}");
        let text = json(&HOSTILE).expect("a text");
        assert!(
            text.bytes().all(|byte| matches!(byte, b' '..=b'~')),
            "{text}"
        );
        let back: String = serde_json::from_str(&text).expect("JSON");
        assert_eq!(back, HOSTILE);
    }

    #[test]
    fn what_is_seen_stays_as_it_is() {
        for text in ["eth0", "it's \"so\" \\ C:\\x", "zürich-日本", "\\u{1b}"] {
            assert_eq!(escape(text).to_string(), text);
            assert_eq!(
                json(&text).expect("a text"),
                serde_json::to_string(text).expect("a text")
            );
        }
    }
}
