//! The blocks of a capture file, from one section header to the next.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use bytes::Bytes;
use pcap_parser::{
    Block, Linktype, OptionCode, PcapBlockOwned, PcapHeader, PcapNGOption,
    pcapng::{InterfaceDescriptionBlock, InterfaceStatisticsBlock},
};

use super::{cooked::Cooked, reader::Item};
use crate::{
    escape::escape,
    frame::{Direction, Frame, LinkType, Origin, Tap},
    model::Timestamp,
    record::LossReason,
    recording::{self, Part},
    report::TAP,
};

/// What is known of the file while its blocks are read.
#[derive(Default)]
pub(super) struct Section {
    interfaces: Vec<Interface>,
    /// Names that interfaces share.
    names: BTreeSet<Arc<str>>,
    big_endian: bool,
    /// Frames that were not read, by link and interface.
    foreign: BTreeMap<(u16, Option<Arc<str>>), u64>,
    frames: u64,
    untimed: u64,
    /// Whether it is a recording of ours.
    is_recording: bool,
    /// Why a block of a recording could not be read.
    unreadable: Option<String>,
}

/// What the file says of an interface it was recorded on.
struct Interface {
    name: Option<Arc<str>>,
    link: Result<LinkType, u16>,
    /// Bytes of the frame check sequence at the end of each frame.
    fcs: usize,
    /// Units of its timestamps in a second.
    resolution: u64,
    /// Seconds to add to its timestamps.
    offset: i64,
    /// Where a recording says that its frames were seen.
    tap: Option<Tap>,
    /// Packets that it dropped, by the last statistics, which count from the start of the capture.
    dropped: u64,
}

/// Frames of a link that is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Number of the link type.
    pub link: u16,
    /// Name of the interface, where the file tells.
    pub interface: Option<Arc<str>>,
    /// How many.
    pub frames: u64,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} frames", self.frames)?;
        if let Some(interface) = &self.interface {
            write!(f, " of {}", escape(interface))?;
        }
        write!(f, " were not read: their link is of type {}", self.link)?;
        // Names of the tcpdump group, of what is met most often.
        match self.link {
            0 => f.write_str(" (NULL, the loopback of BSD and macOS)"),
            1 => f.write_str(" (Ethernet)"),
            9 => f.write_str(" (PPP)"),
            105 => f.write_str(" (IEEE802_11)"),
            108 => f.write_str(" (LOOP)"),
            127 => f.write_str(" (IEEE802_11_RADIO)"),
            189 | 220 | 249 => f.write_str(" (USB)"),
            _ => Ok(()),
        }
    }
}

const NANOS: u64 = 1_000_000_000;
/// Interfaces of one file that are remembered.
const INTERFACE_LIMIT: usize = 65_536;
/// Characters of an interface's name that are kept: Linux has 15, Windows some 50.
const NAME_LIMIT: usize = 64;
/// Block type of the obsolete Packet Block, which old tools still write.
const PACKET_BLOCK: u32 = 2;

/// Options, by the pcapng specification.
const EPB_FLAGS: OptionCode = OptionCode(2);
const ISB_IFDROP: OptionCode = OptionCode(5);
const ISB_OSDROP: OptionCode = OptionCode(7);
const IF_FCSLEN: OptionCode = OptionCode(13);
const IF_TSOFFSET: OptionCode = OptionCode(14);

/// A packet as a block has it.
struct Packet<'a> {
    interface: usize,
    /// In units of the interface since the epoch; `None` where the block has none.
    time: Option<(u32, u32)>,
    length: u32,
    data: &'a [u8],
    direction: Option<Direction>,
}

impl Section {
    /// Frames that were read.
    pub(super) const fn frames(&self) -> u64 {
        self.frames
    }

    /// Frames without a time.
    pub(super) const fn untimed(&self) -> u64 {
        self.untimed
    }

    /// What was not read.
    pub(super) fn take_foreign(&mut self) -> Vec<Foreign> {
        std::mem::take(&mut self.foreign)
            .into_iter()
            .map(|((link, interface), frames)| Foreign {
                link,
                interface,
                frames,
            })
            .collect()
    }

    /// Takes a block in. `last_time` is that of the item before.
    pub(super) fn item(
        &mut self,
        block: PcapBlockOwned<'_>,
        tap: Tap,
        last_time: Timestamp,
    ) -> Option<Item> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                self.interfaces.push(Interface::of_pcap(&header));
                None
            }
            PcapBlockOwned::Legacy(packet) => {
                let interface = self.interfaces.first()?;
                let fraction = u64::from(packet.ts_usec) * (NANOS / interface.resolution);
                let time = Timestamp::from_parts(u64::from(packet.ts_sec), fraction);
                let packet = Packet {
                    interface: 0,
                    time: None,
                    length: packet.origlen,
                    data: packet.data,
                    direction: None,
                };
                self.frame(&packet, time, tap)
            }
            PcapBlockOwned::NG(Block::SectionHeader(header)) => {
                self.interfaces.clear();
                self.names.clear();
                self.big_endian = header.big_endian();
                None
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(description)) => {
                if self.interfaces.len() < INTERFACE_LIMIT {
                    let interface = self.describe(&description);
                    self.interfaces.push(interface);
                }
                None
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => self.packet(
                &Packet {
                    interface: packet.if_id as usize,
                    time: Some((packet.ts_high, packet.ts_low)),
                    length: packet.origlen,
                    data: packet
                        .data
                        .get(..packet.caplen as usize)
                        .unwrap_or(packet.data),
                    direction: self.direction(&packet.options),
                },
                tap,
                last_time,
            ),
            PcapBlockOwned::NG(Block::SimplePacket(packet)) => self.packet(
                &Packet {
                    interface: 0,
                    time: None,
                    length: packet.origlen,
                    data: packet
                        .data
                        .get(..packet.origlen as usize)
                        .unwrap_or(packet.data),
                    direction: None,
                },
                tap,
                last_time,
            ),
            PcapBlockOwned::NG(Block::Unknown(block))
                if [PACKET_BLOCK, PACKET_BLOCK.swap_bytes()].contains(&block.block_type) =>
            {
                let packet = self.obsolete(block.data)?;
                self.packet(&packet, tap, last_time)
            }
            PcapBlockOwned::NG(Block::InterfaceStatistics(statistics)) => {
                let lost = self.dropped(&statistics)?;
                Some(Item::Loss {
                    time: last_time,
                    lost: BTreeMap::from([(LossReason::CaptureDropped, lost)]),
                })
            }
            PcapBlockOwned::NG(Block::Custom(block)) => {
                let enterprise = self.u32(block.pen.to_le_bytes());
                self.part(recording::read_custom(enterprise, block.data)?)
            }
            PcapBlockOwned::NG(Block::SystemdJournalExport(block)) => {
                self.part(recording::read_journal(block.data)?)
            }
            // Names, secrets, comments: nothing of ours.
            PcapBlockOwned::NG(_) => None,
        }
    }

    /// A block of a recording.
    fn part(&mut self, part: Result<Part, String>) -> Option<Item> {
        match part {
            Ok(Part::Settings(settings)) => {
                self.is_recording = true;
                Some(Item::Settings(settings))
            }
            Ok(Part::Told(at, input)) => Some(Item::Told(at, input)),
            Err(what) => {
                self.unreadable = Some(what);
                None
            }
        }
    }

    /// Why a block of a recording could not be read, if one could not.
    pub(super) const fn take_unreadable(&mut self) -> Option<String> {
        self.unreadable.take()
    }

    /// Whether it is a recording of ours, whose items are in the order in which they were told.
    pub(super) const fn is_recording(&self) -> bool {
        self.is_recording
    }

    /// The obsolete Packet Block: interface (2), drops (2), time (8), captured (4), length (4), data.
    fn obsolete<'a>(&self, block: &'a [u8]) -> Option<Packet<'a>> {
        let (head, data) = block.split_first_chunk::<20>()?;
        let number = |at: usize| {
            let bytes = [head[at], head[at + 1], head[at + 2], head[at + 3]];
            self.u32(bytes)
        };
        let interface = [head[0], head[1]];
        Some(Packet {
            interface: usize::from(if self.big_endian {
                u16::from_be_bytes(interface)
            } else {
                u16::from_le_bytes(interface)
            }),
            time: Some((number(4), number(8))),
            length: number(16),
            data: data.get(..number(12) as usize)?,
            direction: None,
        })
    }

    fn packet(&mut self, packet: &Packet<'_>, tap: Tap, last_time: Timestamp) -> Option<Item> {
        let interface = self.interfaces.get(packet.interface)?;
        let time = match packet.time {
            Some((high, low)) => interface.time(high, low),
            None => {
                // The last one known is the best there is.
                self.untimed += 1;
                last_time
            }
        };
        self.frame(packet, time, tap)
    }

    fn frame(&mut self, packet: &Packet<'_>, time: Timestamp, tap: Tap) -> Option<Item> {
        let interface = self.interfaces.get(packet.interface)?;
        let link = match interface.link {
            Ok(link) => link,
            Err(number) => {
                let key = (number, interface.name.clone());
                *self.foreign.entry(key).or_default() += 1;
                return None;
            }
        };
        self.frames += 1;
        let Packet { data, length, .. } = *packet;
        let length = length.max(u32::try_from(data.len()).unwrap_or(u32::MAX));
        // Only what of the check sequence was captured is taken off.
        let whole = (length as usize).saturating_sub(interface.fcs);
        let data = &data[..data.len().min(whole)];
        let cooked = Cooked::read(link, data);
        Some(Item::Frame(Frame {
            time,
            origin: Origin {
                interface: interface.name.clone(),
                direction: packet.direction.or(cooked.direction),
                tap: interface.tap.unwrap_or_else(|| cooked.tap(tap)),
            },
            link,
            stripped_tag: None,
            length: u32::try_from(whole).unwrap_or(u32::MAX),
            data: Bytes::copy_from_slice(data),
        }))
    }

    fn describe(&mut self, description: &InterfaceDescriptionBlock<'_>) -> Interface {
        let name = description.if_name().and_then(Result::ok);
        let fcs = option(&description.options, IF_FCSLEN).and_then(|value| value.first().copied());
        let offset = option(&description.options, IF_TSOFFSET).and_then(|value| self.u64(value));
        let link = description.linktype.0;
        Interface {
            name: name.map(|name| self.name(name)),
            link: link_type(link),
            // The option counts bits.
            fcs: usize::from(fcs.unwrap_or(0) / 8),
            resolution: description
                .ts_resolution()
                .filter(|units| *units > 0)
                .unwrap_or(1_000_000),
            offset: offset.map_or(0, u64::cast_signed),
            tap: description
                .if_description()
                .and_then(Result::ok)
                .and_then(|text| text.strip_prefix(TAP)?.parse().ok())
                .filter(|_| self.is_recording)
                .map(Tap),
            dropped: 0,
        }
    }

    /// A name that is as long as one can be, once in memory however many interfaces have it.
    fn name(&mut self, name: &str) -> Arc<str> {
        let end = name
            .char_indices()
            .nth(NAME_LIMIT)
            .map_or(name.len(), |(end, _)| end);
        let name = &name[..end];
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let new = Arc::<str>::from(name);
        self.names.insert(new.clone());
        new
    }

    fn direction(&self, options: &[PcapNGOption<'_>]) -> Option<Direction> {
        let value = option(options, EPB_FLAGS)?.first_chunk::<4>()?;
        match self.u32(*value) & 3 {
            1 => Some(Direction::In),
            2 => Some(Direction::Out),
            _ => None,
        }
    }

    /// What the recorder dropped since the last statistics, by the interface and by the system.
    fn dropped(&mut self, statistics: &InterfaceStatisticsBlock<'_>) -> Option<u64> {
        let count = [ISB_IFDROP, ISB_OSDROP]
            .into_iter()
            .filter_map(|code| self.u64(option(&statistics.options, code)?))
            .fold(0_u64, u64::saturating_add);
        let before = match self.interfaces.get_mut(statistics.if_id as usize) {
            Some(interface) => std::mem::replace(&mut interface.dropped, count),
            None => 0,
        };
        Some(count.saturating_sub(before)).filter(|count| *count > 0)
    }

    const fn u32(&self, bytes: [u8; 4]) -> u32 {
        if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }

    /// A number in an option, which is in the byte order of its section.
    fn u64(&self, value: &[u8]) -> Option<u64> {
        let bytes = *value.first_chunk::<8>()?;
        Some(if self.big_endian {
            u64::from_be_bytes(bytes)
        } else {
            u64::from_le_bytes(bytes)
        })
    }
}

/// The value of an option, without its padding.
fn option<'a>(options: &'a [PcapNGOption<'_>], code: OptionCode) -> Option<&'a [u8]> {
    let option = options.iter().find(|option| option.code == code)?;
    option.value.get(..usize::from(option.len))
}

impl Interface {
    /// The link type is the lower half of its field; above it stands how long the check sequence is,
    /// in words of two bytes, if a bit says that it is known (pcap-savefile(5)).
    fn of_pcap(header: &PcapHeader) -> Self {
        const FCS_KNOWN: u32 = 1 << 26;
        let field = header.network.0.cast_unsigned();
        let fcs = if field & FCS_KNOWN == 0 {
            0
        } else {
            (field >> 28) as usize * 2
        };
        Self {
            name: None,
            link: link_type((field & 0xffff).cast_signed()),
            fcs,
            resolution: if header.is_nanosecond_precision() {
                NANOS
            } else {
                1_000_000
            },
            offset: 0,
            tap: None,
            dropped: 0,
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

fn link_type(number: i32) -> Result<LinkType, u16> {
    match Linktype(number) {
        Linktype::ETHERNET => Ok(LinkType::Ethernet),
        Linktype::LINUX_SLL => Ok(LinkType::LinuxSll),
        Linktype::LINUX_SLL2 => Ok(LinkType::LinuxSll2),
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 | Linktype(12) => Ok(LinkType::RawIp),
        Linktype(number) => Err(u16::try_from(number).unwrap_or(u16::MAX)),
    }
}
