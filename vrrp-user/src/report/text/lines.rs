//! Records as lines of text, for people.

use std::io;

use super::Style;
use crate::{
    file::write::append,
    record::Record,
    report::{
        Place,
        sink::Sink,
        target::{Target, TargetError},
    },
};

/// A line a record, in colours where the output is a terminal.
#[derive(Debug)]
pub(in crate::report) struct TextLines {
    target: Target,
    style: Style,
    line: String,
}

impl TextLines {
    /// # Errors
    /// The file cannot be opened or created.
    pub(in crate::report) fn open(place: &Place) -> Result<Self, TargetError> {
        Ok(Self {
            target: Target::open(place, append, append)?,
            style: match place {
                Place::Stdout => Style::of_stdout(),
                Place::File(_) => Style::default(),
            },
            line: String::new(),
        })
    }
}

impl Sink for TextLines {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        self.line.clear();
        self.style.line(record, &mut self.line);
        self.line.push('\n');
        let line = self.line.as_bytes();
        self.target.write(|_, bytes| bytes.extend_from_slice(line))
    }

    fn target(&mut self) -> &mut Target {
        &mut self.target
    }
}
