//! One capture file, block by block.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use pcap_parser::{
    Block, LegacyPcapReader, Linktype, PcapBlockOwned, PcapError, PcapHeader, PcapNGReader,
    pcapng::{InterfaceDescriptionBlock, InterfaceStatisticsBlock},
    traits::PcapReaderIterator,
};

use super::input::{Format, Input, OpenError};
use crate::{
    frame::{Frame, LinkType, Origin, Tap},
    model::Timestamp,
    record::LossReason,
};

/// What a capture file holds, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

impl Item {
    /// When it happened.
    pub const fn time(&self) -> Timestamp {
        match self {
            Self::Frame(frame) => frame.time,
            Self::Loss { time, .. } => *time,
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
        input: Input,
    },
    /// The file is damaged, or the system or gzip refused to read on.
    #[error(
        "{input} is damaged after {bytes} bytes ({what}); everything before that was read \
         (`tcpdump -r` may tell more)"
    )]
    Damaged {
        /// Which one.
        input: Input,
        /// Where in the uncompressed file.
        bytes: usize,
        /// What the parser or the system says.
        what: String,
    },
    /// The link type of the capture is not one that carries VRRP here.
    #[error(
        "{input} was captured on a link of type {number}, which vrrpwatch cannot read (it reads \
         Ethernet, `tcpdump -i any` and raw IP)"
    )]
    LinkType {
        /// Which one.
        input: Input,
        /// Number of the link type.
        number: i32,
    },
}

/// A capture file that is being read.
pub struct Reader {
    input: Input,
    tap: Tap,
    blocks: Box<dyn PcapReaderIterator + Send>,
    consumed: usize,
    interfaces: Vec<Interface>,
    last_time: Timestamp,
    ended: bool,
}

/// What the file says of an interface it was recorded on.
struct Interface {
    name: Option<Arc<str>>,
    link: Result<LinkType, i32>,
    /// Units of its timestamps in a second.
    resolution: u64,
    /// Seconds to add to its timestamps.
    offset: i64,
}

const NANOS: u64 = 1_000_000_000;
const BUFFER: usize = 64 << 10;
/// No block that matters is larger: packets end at 256 KiB.
const BUFFER_LIMIT: usize = 16 << 20;
/// Interfaces of one file that are remembered.
const INTERFACE_LIMIT: usize = 65_536;

impl Reader {
    /// Opens an input; its frames will carry `tap`.
    ///
    /// # Errors
    /// It cannot be read, or is not a capture file.
    pub fn open(input: Input, tap: Tap) -> Result<Self, OpenError> {
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
                interfaces: Vec::new(),
                last_time: Timestamp::from_nanos(0),
                ended: false,
            }),
            Err(_) => Err(OpenError::NotACapture { input }),
        }
    }

    /// The next frame or loss; `None` at the end, and after an error.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub fn next_item(&mut self) -> Option<Result<Item, ReadError>> {
        while !self.ended {
            match self.step() {
                Ok(Some(item)) => return Some(Ok(item)),
                Ok(None) => {}
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    /// Takes one block in, or more bytes.
    fn step(&mut self) -> Result<Option<Item>, ReadError> {
        let (size, item) = match self.blocks.next() {
            Ok((size, block)) => {
                let context = Context {
                    input: &self.input,
                    tap: self.tap,
                    last_time: self.last_time,
                };
                (size, context.item(block, &mut self.interfaces)?)
            }
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

/// What [`Reader`] knows while it holds a block of its own buffer.
struct Context<'a> {
    input: &'a Input,
    tap: Tap,
    last_time: Timestamp,
}

impl Context<'_> {
    fn item(
        &self,
        block: PcapBlockOwned<'_>,
        interfaces: &mut Vec<Interface>,
    ) -> Result<Option<Item>, ReadError> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                interfaces.push(Interface::of_pcap(&header));
                Ok(None)
            }
            PcapBlockOwned::Legacy(packet) => {
                let Some(interface) = interfaces.first() else {
                    return Ok(None);
                };
                let fraction = u64::from(packet.ts_usec) * (NANOS / interface.resolution);
                let time = Timestamp::from_parts(u64::from(packet.ts_sec), fraction);
                self.frame(interface, time, packet.origlen, packet.data)
                    .map(Some)
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                interfaces.clear();
                Ok(None)
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(description)) => {
                if interfaces.len() < INTERFACE_LIMIT {
                    interfaces.push(Interface::of_pcapng(&description));
                }
                Ok(None)
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let Some(interface) = interfaces.get(packet.if_id as usize) else {
                    return Ok(None);
                };
                let time = interface.time(packet.ts_high, packet.ts_low);
                let data = packet
                    .data
                    .get(..packet.caplen as usize)
                    .unwrap_or(packet.data);
                self.frame(interface, time, packet.origlen, data).map(Some)
            }
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                // It carries no time; the last one known is the best there is.
                let Some(interface) = interfaces.first() else {
                    return Ok(None);
                };
                let data = packet
                    .data
                    .get(..packet.origlen as usize)
                    .unwrap_or(packet.data);
                self.frame(interface, self.last_time, packet.origlen, data)
                    .map(Some)
            }
            PcapBlockOwned::NG(Block::InterfaceStatistics(statistics)) => Ok(dropped(&statistics)
                .map(|count| Item::Loss {
                    time: self.last_time,
                    lost: BTreeMap::from([(LossReason::CaptureDropped, count)]),
                })),
            // Names, secrets, comments, journals: nothing of ours.
            PcapBlockOwned::NG(_) => Ok(None),
        }
    }

    fn frame(
        &self,
        interface: &Interface,
        time: Timestamp,
        length: u32,
        data: &[u8],
    ) -> Result<Item, ReadError> {
        let link = interface.link.map_err(|number| ReadError::LinkType {
            input: self.input.clone(),
            number,
        })?;
        Ok(Item::Frame(Frame {
            time,
            origin: Origin {
                interface: interface.name.clone(),
                direction: None,
                tap: self.tap,
            },
            link,
            stripped_tag: None,
            length: length.max(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            data: Bytes::copy_from_slice(data),
        }))
    }
}

impl Interface {
    fn of_pcap(header: &PcapHeader) -> Self {
        Self {
            name: None,
            link: link_type(header.network),
            resolution: if header.is_nanosecond_precision() {
                NANOS
            } else {
                1_000_000
            },
            offset: 0,
        }
    }

    fn of_pcapng(description: &InterfaceDescriptionBlock<'_>) -> Self {
        Self {
            name: description.if_name().and_then(Result::ok).map(Arc::from),
            link: link_type(description.linktype),
            resolution: description
                .ts_resolution()
                .filter(|units| *units > 0)
                .unwrap_or(1_000_000),
            offset: description.ts_offset(),
        }
    }

    fn time(&self, high: u32, low: u32) -> Timestamp {
        let units = (u64::from(high) << 32) | u64::from(low);
        let seconds = (units / self.resolution).saturating_add_signed(self.offset);
        let fraction =
            u128::from(units % self.resolution) * u128::from(NANOS) / u128::from(self.resolution);
        Timestamp::from_parts(seconds, u64::try_from(fraction).unwrap_or(0))
    }
}

/// What the recorder dropped, by the interface and by the system.
fn dropped(statistics: &InterfaceStatisticsBlock<'_>) -> Option<u64> {
    let count = [statistics.isb_ifdrop(), statistics.isb_osdrop()]
        .into_iter()
        .filter_map(|value| value?.ok())
        .fold(0_u64, u64::saturating_add);
    (count > 0).then_some(count)
}

fn link_type(number: Linktype) -> Result<LinkType, i32> {
    match number {
        Linktype::ETHERNET => Ok(LinkType::Ethernet),
        Linktype::LINUX_SLL => Ok(LinkType::LinuxSll),
        Linktype::LINUX_SLL2 => Ok(LinkType::LinuxSll2),
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 | Linktype(12) => Ok(LinkType::RawIp),
        Linktype(number) => Err(number),
    }
}
