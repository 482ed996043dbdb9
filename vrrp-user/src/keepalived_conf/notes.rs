//! What a reader of a configuration should know of it.
//!
//! A note names the place and the option, and never a word of the file: a quote or a brace that is
//! missing makes a word of any kind of a password.

use std::fmt::Display;

use super::source::Place;

/// Notes that are kept: nobody reads more.
const LIMIT: usize = 100;

/// Notes, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Notes {
    kept: Vec<String>,
    more: usize,
}

impl Notes {
    /// Adds what is to be said of a place, unless that was just said.
    pub(super) fn add(&mut self, place: &Place, what: impl Display) {
        if self.kept.len() == LIMIT {
            self.more += 1;
            return;
        }
        let note = format!("{place}: {what}");
        if self.kept.last() != Some(&note) {
            self.kept.push(note);
        }
    }

    /// All of them, with the number of those that were not kept.
    pub(super) fn into_words(mut self) -> Vec<String> {
        if self.more > 0 {
            self.kept
                .push(format!("and {} more of the kind", self.more));
        }
        self.kept
    }
}
