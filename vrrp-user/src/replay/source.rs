//! Opening a capture file, whatever it is wrapped in.

use std::{
    fmt,
    fs::File,
    io::{self, BufReader, Cursor, Read},
    path::PathBuf,
};

use flate2::read::MultiGzDecoder;
use nix::sys::stat::{SFlag, fstat};

/// Where a capture comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaptureSource {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl fmt::Display for CaptureSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("standard input"),
            // A path is a stranger's text: its debug form escapes what a terminal would obey.
            Self::File(path) => write!(f, "{path:?}"),
        }
    }
}

/// Why an input cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refused it.
    #[error("cannot read {input}")]
    Io {
        /// Which one.
        input: CaptureSource,
        /// Why.
        source: io::Error,
    },
    /// It holds no bytes.
    #[error("{input} is empty; a capture file starts with a header (record one with `tcpdump -w`)")]
    Empty {
        /// Which one.
        input: CaptureSource,
    },
    /// It holds something else.
    #[error("{input} is neither pcap nor pcapng (record one with `tcpdump -w FILE`)")]
    NotACapture {
        /// Which one.
        input: CaptureSource,
    },
    /// It holds something that another program can make a capture file of.
    #[error("{input} is {format}; convert it first: `{remedy}`")]
    Convertible {
        /// Which one.
        input: CaptureSource,
        /// What it is.
        format: &'static str,
        /// The command.
        remedy: &'static str,
    },
}

/// Other formats and compressions: how they begin, what they are called, what converts them.
const CONVERTIBLE: [(&[u8], &str, &str); 8] = [
    (b"snoop\0\0\0", "a snoop capture", "editcap -F pcap IN OUT"),
    (b"GMBU", "a NetMon capture", "editcap -F pcap IN OUT"),
    (b"RTSS", "a NetMon capture", "editcap -F pcap IN OUT"),
    (
        b"\x54\x52\x00\x64",
        "a nettl capture",
        "editcap -F pcap IN OUT",
    ),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "zstd -d FILE"),
    (b"\x04\x22\x4d\x18", "compressed by lz4", "lz4 -d FILE"),
    (b"\xfd7zXZ\0", "compressed by xz", "xz -dk FILE"),
    (b"BZh", "compressed by bzip2", "bzip2 -dk FILE"),
];

/// The two formats of capture files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Pcap,
    Pcapng,
}

/// An opened input: its format, and its bytes from the first on.
pub(super) struct Stream {
    pub(super) format: Format,
    pub(super) bytes: Box<dyn Read + Send>,
}

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const PCAPNG_MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// Microseconds, nanoseconds and the "modified" format of old Linux kernels, as little-endian.
const PCAP_MAGICS: [u32; 3] = [0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34];
/// Bytes of a pcap header.
const PCAP_HEADER: usize = 24;
/// The most that a section header may announce; they are some hundred bytes long.
const SECTION_HEADER_LIMIT: u32 = 16 << 10;

impl CaptureSource {
    /// Whether more may come at any time, so that what was read should not wait for company: a pipe,
    /// not a file.
    pub fn is_live(&self) -> bool {
        match self {
            Self::Stdin => !fstat(io::stdin()).is_ok_and(|status| {
                SFlag::from_bits_truncate(status.st_mode).contains(SFlag::S_IFREG)
            }),
            Self::File(path) => !path.is_file(),
        }
    }

    pub(super) fn open(&self) -> Result<Stream, OpenError> {
        let io_error = |source| OpenError::Io {
            input: self.clone(),
            source,
        };
        let raw: Box<dyn Read + Send> = match self {
            Self::Stdin => Box::new(io::stdin()),
            Self::File(path) => Box::new(File::open(path).map_err(io_error)?),
        };
        let (magic, raw) = peek(raw, GZIP_MAGIC.len()).map_err(io_error)?;
        let plain: Box<dyn Read + Send> = if magic == GZIP_MAGIC {
            Box::new(MultiGzDecoder::new(BufReader::new(raw)))
        } else {
            raw
        };
        let (head, bytes) = peek(plain, 8).map_err(io_error)?;
        let Some((magic, rest)) = head.split_first_chunk::<4>() else {
            let input = self.clone();
            return Err(if head.is_empty() {
                OpenError::Empty { input }
            } else {
                OpenError::NotACapture { input }
            });
        };
        let (format, header) = if *magic == PCAPNG_MAGIC {
            // The length may be in either byte order; the one that makes sense is right.
            let length = rest.first_chunk::<4>().map_or(0, |length| {
                u32::from_le_bytes(*length).min(u32::from_be_bytes(*length))
            });
            (Format::Pcapng, length.min(SECTION_HEADER_LIMIT) as usize)
        } else if PCAP_MAGICS.contains(&u32::from_le_bytes(*magic))
            || PCAP_MAGICS.contains(&u32::from_be_bytes(*magic))
        {
            (Format::Pcap, PCAP_HEADER)
        } else {
            let input = self.clone();
            let known = CONVERTIBLE
                .iter()
                .find(|(magic, ..)| head.starts_with(magic));
            return Err(match *known.unwrap_or(&(b"", "", "")) {
                ([], ..) => OpenError::NotACapture { input },
                (_, format, remedy) => OpenError::Convertible {
                    input,
                    format,
                    remedy,
                },
            });
        };
        // The parser wants the header whole in its first read, which a pipe does not promise.
        let (_, bytes) = peek(bytes, header).map_err(io_error)?;
        Ok(Stream { format, bytes })
    }
}

/// The first `count` bytes, or all where there are fewer, and a reader that starts with them.
fn peek(
    mut reader: Box<dyn Read + Send>,
    count: usize,
) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::with_capacity(count);
    reader.by_ref().take(count as u64).read_to_end(&mut head)?;
    let whole = Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(whole)))
}
