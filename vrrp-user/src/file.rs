//! Files that somebody names: what is opened, and what is not.

pub(crate) mod write;

use std::{
    fs::{File, FileType, Metadata, OpenOptions},
    io,
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    path::Path,
};

use nix::fcntl::OFlag;

/// Opens a regular file for reading. Opening a FIFO waits for its writer, opening a device may do
/// anything, and reading some of either never ends.
///
/// # Errors
/// It is something else, or the system refuses it.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    expect_regular(&std::fs::metadata(path)?)?;
    // Should it have been replaced since.
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits())
        .open(path)?;
    expect_regular(&file.metadata()?)?;
    Ok(file)
}

fn expect_regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(not_regular(metadata.file_type()))
}

/// Says what something is that should be a regular file.
fn not_regular(kind: FileType) -> io::Error {
    let what = format!("it is {}, not a regular file", kind_of(kind));
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

fn kind_of(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a FIFO or a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}
