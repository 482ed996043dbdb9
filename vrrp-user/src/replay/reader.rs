//! One capture file, block by block.

use std::collections::BTreeMap;

use pcap_parser::{LegacyPcapReader, PcapError, PcapNGReader, traits::PcapReaderIterator};

use super::{
    section::{Foreign, Section},
    source::{CaptureSource, Format, OpenError},
    strays::Strays,
};
use crate::{
    frame::{Frame, Tap},
    input::Input,
    model::Timestamp,
    observer::Settings,
    record::LossReason,
};

/// What a capture file holds, as far as it matters here.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A frame.
    Frame(Frame),
    /// What the recorder itself says it dropped.
    Loss {
        /// When it said so: the time of the last frame before.
        time: Timestamp,
        /// How many, by reason.
        lost: BTreeMap<LossReason, u64>,
    },
    /// How the observer of a recording was set up. What follows is in the order in which it was told.
    Settings(Box<Settings>),
    /// What the observer of a recording was told, and when.
    Told(Timestamp, Box<Input>),
}

impl Item {
    /// When it happened.
    pub const fn time(&self) -> Timestamp {
        match self {
            Self::Frame(frame) => frame.time,
            Self::Loss { time, .. } | Self::Told(time, _) => *time,
            Self::Settings(_) => Timestamp::from_nanos(0),
        }
    }
}

/// Why the rest of a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file ends within a packet: its recorder was killed or is still writing.
    #[error("{input} ends in the middle of a packet; everything before that was read")]
    Truncated {
        /// Which one.
        input: CaptureSource,
    },
    /// The file is damaged, or the system or gzip refused to read on.
    #[error(
        "{input} is damaged after {bytes} bytes ({what}); everything before that was read \
         (`tcpdump -r` may tell more)"
    )]
    Damaged {
        /// Which one.
        input: CaptureSource,
        /// Where in the uncompressed file.
        bytes: usize,
        /// What the parser or the system says.
        what: String,
    },
    /// Frames of a link that does not carry VRRP here, or that is not read.
    #[error("{input}: {foreign} (vrrpwatch reads Ethernet, `tcpdump -i any` and raw IP)")]
    LinkType {
        /// Which one.
        input: CaptureSource,
        /// None but such frames are in the file.
        all: bool,
        /// Whose.
        foreign: Foreign,
    },
    /// A recording that was made by another version, or is damaged.
    #[error("{input}: a block of the recording cannot be read ({what})")]
    Recording {
        /// Which one.
        input: CaptureSource,
        /// What is wrong with it.
        what: String,
    },
    /// Frames without a time.
    #[error(
        "{input}: {frames} frames have no time (Simple Packet Blocks), so nothing that needs time is \
         found in them"
    )]
    Untimed {
        /// Which one.
        input: CaptureSource,
        /// How many.
        frames: u64,
    },
}

impl ReadError {
    /// Whether the rest of what the file holds was read.
    pub const fn is_partial(&self) -> bool {
        // A cut file is what a killed recorder leaves behind.
        matches!(
            self,
            Self::Truncated { .. } | Self::LinkType { all: false, .. }
        )
    }
}

/// A capture file that is being read.
pub struct Reader {
    input: CaptureSource,
    tap: Tap,
    blocks: Box<dyn PcapReaderIterator + Send>,
    consumed: usize,
    section: Section,
    strays: Strays,
    last_time: Timestamp,
    /// What is told once all is read.
    epilogue: Epilogue,
    ended: bool,
    /// Why, where it was not the end of the file.
    failed: Option<ReadError>,
}

/// What is told of a file once all of it is read, one after the other.
enum Epilogue {
    Losses,
    Links(std::vec::IntoIter<Foreign>),
    Untimed,
    Over,
}

const BUFFER: usize = 64 << 10;
/// No block that matters is larger: packets end at 256 KiB.
const BUFFER_LIMIT: usize = 16 << 20;

impl Reader {
    /// Opens an input; its frames will carry `tap`.
    ///
    /// # Errors
    /// It cannot be read, or is not a capture file.
    pub fn open(input: CaptureSource, tap: Tap) -> Result<Self, OpenError> {
        let strays = Strays::new(input.is_live());
        let stream = input.open()?;
        let blocks: Result<Box<dyn PcapReaderIterator + Send>, _> = match stream.format {
            Format::Pcap => {
                LegacyPcapReader::new(BUFFER, stream.bytes).map(|reader| Box::new(reader) as _)
            }
            Format::Pcapng => {
                PcapNGReader::new(BUFFER, stream.bytes).map(|reader| Box::new(reader) as _)
            }
        };
        match blocks {
            Ok(blocks) => Ok(Self {
                input,
                tap,
                blocks,
                consumed: 0,
                section: Section::default(),
                strays,
                last_time: Timestamp::from_nanos(0),
                epilogue: Epilogue::Losses,
                ended: false,
                failed: None,
            }),
            Err(_) => Err(OpenError::NotACapture { input }),
        }
    }

    /// The next frame or loss; `None` at the end, and after an error.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub fn next_item(&mut self) -> Option<Result<Item, ReadError>> {
        loop {
            if let Some(item) = self.strays.next() {
                return Some(Ok(item));
            }
            if let Some(error) = self.failed.take() {
                return Some(Err(error));
            }
            if self.ended {
                return self.conclude();
            }
            match self.step() {
                Ok(Some(item)) if self.section.is_recording() => return Some(Ok(item)),
                Ok(Some(item)) => self.strays.admit(item),
                Ok(None) => {}
                Err(error) => {
                    self.ended = true;
                    self.failed = Some(error);
                }
            }
            if self.ended {
                self.strays.end();
            }
        }
    }

    /// What was not read, or has no time.
    fn conclude(&mut self) -> Option<Result<Item, ReadError>> {
        loop {
            match &mut self.epilogue {
                Epilogue::Losses => {
                    let foreign = self.section.take_foreign();
                    let count = foreign.iter().map(|foreign| foreign.frames).sum::<u64>();
                    self.epilogue = Epilogue::Links(foreign.into_iter());
                    let mut lost = BTreeMap::from([
                        (LossReason::ForeignLink, count),
                        (LossReason::Untimed, self.section.untimed()),
                    ]);
                    lost.retain(|_, count| *count > 0);
                    if !lost.is_empty() {
                        let time = self.strays.settled().unwrap_or(self.last_time);
                        return Some(Ok(Item::Loss { time, lost }));
                    }
                }
                Epilogue::Links(links) => match links.next() {
                    Some(foreign) => {
                        return Some(Err(ReadError::LinkType {
                            input: self.input.clone(),
                            all: self.section.frames() == 0,
                            foreign,
                        }));
                    }
                    None => self.epilogue = Epilogue::Untimed,
                },
                Epilogue::Untimed => {
                    self.epilogue = Epilogue::Over;
                    if self.section.untimed() > 0 {
                        return Some(Err(ReadError::Untimed {
                            input: self.input.clone(),
                            frames: self.section.untimed(),
                        }));
                    }
                }
                Epilogue::Over => return None,
            }
        }
    }

    /// Takes one block in, or more bytes.
    fn step(&mut self) -> Result<Option<Item>, ReadError> {
        let (size, item) = match self.blocks.next() {
            Ok((size, block)) => (size, self.section.item(block, self.tap, self.last_time)),
            Err(PcapError::Eof) => {
                self.ended = true;
                return Ok(None);
            }
            Err(PcapError::UnexpectedEof) => {
                return Err(ReadError::Truncated {
                    input: self.input.clone(),
                });
            }
            Err(PcapError::Incomplete(_)) => return self.refill(),
            Err(PcapError::BufferTooSmall) => return self.grow(),
            Err(error) => {
                let what = describe(&error);
                return Err(self.damaged(what));
            }
        };
        self.blocks.consume(size);
        self.consumed += size;
        if let Some(what) = self.section.take_unreadable() {
            let input = self.input.clone();
            return Err(ReadError::Recording { input, what });
        }
        if let Some(item) = &item {
            self.last_time = item.time();
        }
        Ok(item)
    }

    fn refill(&mut self) -> Result<Option<Item>, ReadError> {
        match self.blocks.refill().map_err(|error| describe(&error)) {
            Ok(()) => Ok(None),
            Err(what) => Err(self.damaged(what)),
        }
    }

    fn grow(&mut self) -> Result<Option<Item>, ReadError> {
        let larger = (self.blocks.data().len() + BUFFER) * 2;
        if larger > BUFFER_LIMIT || !self.blocks.grow(larger) {
            return Err(self.damaged("a block is larger than 8 MiB".to_owned()));
        }
        self.refill()
    }

    fn damaged(&self, what: String) -> ReadError {
        ReadError::Damaged {
            input: self.input.clone(),
            bytes: self.consumed,
            what,
        }
    }
}

fn describe(error: &PcapError<&[u8]>) -> String {
    match error {
        PcapError::NomError(_, kind) | PcapError::OwnedNomError(_, kind) => {
            format!("no valid block: {}", kind.description())
        }
        PcapError::ReadError => "cannot be read or decompressed on".to_owned(),
        PcapError::Eof
        | PcapError::BufferTooSmall
        | PcapError::UnexpectedEof
        | PcapError::Incomplete(_)
        | PcapError::HeaderNotRecognized => "no valid block".to_owned(),
    }
}
