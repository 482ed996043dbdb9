//! Where lines go: standard output, or a file that may be rotated.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, BufWriter, IsTerminal as _, Write},
    path::{Path, PathBuf},
};

/// A file that cannot be opened for writing.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to {path:?}")]
pub struct TargetError {
    /// Which one.
    pub path: PathBuf,
    /// The system's word.
    #[source]
    pub source: io::Error,
}

/// A buffered output.
pub struct Target {
    path: Option<PathBuf>,
    writer: BufWriter<Box<dyn Write + Send>>,
    wants_colour: bool,
}

impl Target {
    /// Standard output, coloured when a person looks at it and NO_COLOR does not forbid it.
    pub fn stdout() -> Self {
        let stdout = io::stdout();
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            path: None,
            wants_colour: stdout.is_terminal() && !forbidden,
            writer: BufWriter::new(Box::new(stdout)),
        }
    }

    /// A file, created where there is none and appended to where there is one.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn append(path: &Path) -> Result<Self, TargetError> {
        let file = open(path)?;
        Ok(Self {
            path: Some(path.to_owned()),
            writer: BufWriter::new(Box::new(file)),
            wants_colour: false,
        })
    }

    pub(super) const fn wants_colour(&self) -> bool {
        self.wants_colour
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    pub(super) fn reopen(&mut self) -> Result<(), TargetError> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let file = open(path)?;
        // What is buffered belongs into the file that was rotated away.
        let flushed = self.writer.flush();
        self.writer = BufWriter::new(Box::new(file));
        flushed.map_err(|source| TargetError {
            path: path.clone(),
            source,
        })
    }
}

fn open(path: &Path) -> Result<File, TargetError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|source| TargetError {
            path: path.to_owned(),
            source,
        })
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
