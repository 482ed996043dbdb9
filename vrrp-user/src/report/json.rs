//! Records as JSON Lines, for programs.

use std::io;

use super::{
    Place,
    sink::Sink,
    target::{Target, TargetError},
};
use crate::{escape, file::write::append, record::Record};

/// A JSON object a record, each on a line.
#[derive(Debug)]
pub(super) struct JsonLines {
    target: Target,
}

impl JsonLines {
    /// # Errors
    /// The file cannot be opened or created.
    pub(super) fn open(place: &Place) -> Result<Self, TargetError> {
        let target = Target::open(place, append, append)?;
        Ok(Self { target })
    }
}

impl Sink for JsonLines {
    fn record(&mut self, record: &Record) -> io::Result<()> {
        let line = escape::json(record)?;
        self.target.write(|_, bytes| {
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        })
    }

    fn target(&mut self) -> &mut Target {
        &mut self.target
    }
}
