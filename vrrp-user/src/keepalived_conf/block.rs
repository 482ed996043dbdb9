//! From lines to a tree: words, and what stands in braces behind them.

use super::{
    notes::Notes,
    source::{Line, Place},
};

/// A line, and the lines in its braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) words: Vec<String>,
    pub(super) children: Vec<Self>,
    pub(super) place: Place,
    /// A comment begins within a word of the line.
    pub(super) is_cut: bool,
}

/// Braces in braces.
const MAX_DEPTH: usize = 16;

impl Block {
    /// The first word.
    pub(super) fn keyword(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The second word.
    pub(super) fn value(&self) -> Option<&str> {
        self.words.get(1).map(String::as_str)
    }

    /// The lines in the braces that begin with this word.
    pub(super) fn all(&self, keyword: &str) -> impl DoubleEndedIterator<Item = &Self> {
        self.children
            .iter()
            .filter(move |child| child.keyword() == keyword)
    }

    /// The last of them, which is the one that counts.
    pub(super) fn last(&self, keyword: &str) -> Option<&Self> {
        self.all(keyword).next_back()
    }
}

/// Makes a tree of lines.
pub(super) fn parse(lines: &[Line], notes: &mut Notes) -> Vec<Block> {
    let mut open: Vec<Block> = Vec::new();
    let mut roots = Vec::new();
    // A brace may stand on the line after its words.
    let mut last: Option<Block> = None;
    let close = |block: Block, open: &mut Vec<Block>, roots: &mut Vec<Block>| {
        open.last_mut()
            .map_or(roots, |parent| &mut parent.children)
            .push(block);
    };
    for line in lines {
        let mut words = Vec::new();
        for word in split(&line.text) {
            match word.as_str() {
                "{" => {
                    let block = if words.is_empty() {
                        last.take().unwrap_or_else(|| block(Vec::new(), line))
                    } else {
                        if let Some(block) = last.take() {
                            close(block, &mut open, &mut roots);
                        }
                        block(std::mem::take(&mut words), line)
                    };
                    if open.len() >= MAX_DEPTH {
                        notes.add(&line.place, "too many braces");
                        return roots;
                    }
                    open.push(block);
                }
                "}" => {
                    if let Some(block) = last.take() {
                        close(block, &mut open, &mut roots);
                    }
                    if !words.is_empty() {
                        close(
                            block(std::mem::take(&mut words), line),
                            &mut open,
                            &mut roots,
                        );
                    }
                    match open.pop() {
                        Some(block) => close(block, &mut open, &mut roots),
                        None => notes.add(&line.place, "a brace too many"),
                    }
                }
                _ => words.push(word),
            }
        }
        if !words.is_empty() {
            if let Some(block) = last.take() {
                close(block, &mut open, &mut roots);
            }
            last = Some(block(words, line));
        }
    }
    if let Some(block) = last.take() {
        close(block, &mut open, &mut roots);
    }
    while let Some(block) = open.pop() {
        notes.add(&block.place, "the brace is never closed");
        close(block, &mut open, &mut roots);
    }
    roots
}

fn block(words: Vec<String>, line: &Line) -> Block {
    Block {
        words,
        children: Vec::new(),
        place: line.place.clone(),
        is_cut: line.is_cut,
    }
}

/// The words of a line; quotes keep blanks together, and a brace at either end of a word is one of
/// its own.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut was_quoted = false;
    for letter in text.chars().chain([' ']) {
        match letter {
            '"' => {
                quoted = !quoted;
                was_quoted = true;
            }
            letter if letter.is_whitespace() && !quoted => {
                push(&mut words, std::mem::take(&mut word), was_quoted);
                was_quoted = false;
            }
            letter => word.push(letter),
        }
    }
    push(&mut words, word, was_quoted);
    words
}

fn push(words: &mut Vec<String>, word: String, quoted: bool) {
    if quoted || word == "{" || word == "}" {
        words.push(word);
        return;
    }
    if word.is_empty() {
        return;
    }
    let (inner, closes) = match word.strip_suffix('{') {
        Some(inner) => (inner, true),
        None => (word.as_str(), false),
    };
    if !inner.is_empty() {
        words.push(inner.to_owned());
    }
    if closes {
        words.push("{".to_owned());
    }
}
