//! Keeping everything that the observer is told in a file: see [`recording`](crate::recording).

use std::{fs::File, io, path::Path};

use super::{
    Place,
    pcapng::{self, Interfaces},
    sink::Sink,
    target::{Target, TargetError},
};
use crate::{
    file::write,
    frame::Frame,
    input::{Input, News},
    model::{FingerprintKey, Timestamp},
    observer::Settings,
    recording,
};

/// A recording. It is a whole from the start of the run on, so that it is neither appended to nor
/// rotated.
#[derive(Debug)]
pub(super) struct RecordingFile {
    target: Target,
    interfaces: Interfaces,
    settings: Settings,
}

impl RecordingFile {
    /// Opens the file, which must not have anything in it yet, and begins the recording of an observer
    /// that was set up so.
    ///
    /// # Errors
    /// It cannot be opened, or holds something.
    pub(super) fn open(place: &Place, settings: &Settings) -> Result<Self, TargetError> {
        let failed = |source| TargetError {
            place: place.clone(),
            source,
        };
        let mut new = Self {
            target: Target::open(place, create, write::append_regular)?,
            interfaces: Vec::new(),
            settings: settings.clone(),
        };
        new.write(|_, _, _| {}).map_err(failed)?;
        new.target.flush().map_err(failed)?;
        Ok(new)
    }

    /// Appends blocks, behind those that begin a section where there is none.
    fn write(
        &mut self,
        blocks: impl FnOnce(&mut Interfaces, &FingerprintKey, &mut Vec<u8>),
    ) -> io::Result<()> {
        let Self {
            target,
            interfaces,
            settings,
        } = self;
        target.write(|anew, bytes| {
            if anew {
                interfaces.clear();
                pcapng::begin(bytes);
                recording::begin(settings, bytes);
            }
            blocks(interfaces, &settings.key, bytes);
        })
    }
}

impl Sink for RecordingFile {
    fn input(&mut self, at: Timestamp, input: &Input) -> io::Result<()> {
        self.write(|interfaces, key, bytes| match &input.news {
            News::Frame(frame) => {
                let Frame { origin, .. } = frame;
                pcapng::append(interfaces, frame, Some(origin.tap), Some(key), bytes);
            }
            _ => recording::append(at, input.clone(), bytes),
        })
    }

    fn target(&mut self) -> &mut Target {
        &mut self.target
    }

    fn reopen(&mut self) -> Result<(), TargetError> {
        Ok(())
    }
}

fn create(path: &Path) -> io::Result<File> {
    let file = write::append_regular(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(file);
    }
    let what = "it holds something already; name another file to record to";
    Err(io::Error::new(io::ErrorKind::AlreadyExists, what))
}
