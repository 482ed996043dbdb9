//! Keeping the matched frames in a pcapng file for Wireshark.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, IsTerminal as _},
    os::unix::fs::FileExt as _,
    path::Path,
    sync::Arc,
};

use pcap_parser::{
    Linktype, OptionCode, PcapNGOption, ToVec,
    pcapng::{EnhancedPacketBlock, InterfaceDescriptionBlock, SectionHeaderBlock},
};

use super::{
    Place,
    sink::Sink,
    target::{Target, TargetError},
};
use crate::{
    file::write,
    frame::{Direction, Frame, LinkType, Tap, VlanTag},
    model::FingerprintKey,
    wire,
};

/// A pcapng file: an interface for each one that frames were seen on, with its name and times in
/// nanoseconds, and the direction of each frame.
#[derive(Debug)]
pub(super) struct PcapngFile {
    target: Target,
    interfaces: Interfaces,
    /// Under which passwords are fingerprinted; `None` where they are kept.
    key: Option<FingerprintKey>,
}

/// The interfaces that are described in the section.
pub(super) type Interfaces = Vec<(Option<Arc<str>>, LinkType, Option<Tap>)>;

/// `epb_flags` of the pcapng specification: the lower two bits are the direction.
const EPB_FLAGS: OptionCode = OptionCode(2);
/// `if_description`, in which the tap stands.
const IF_DESCRIPTION: OptionCode = OptionCode(3);
/// How it begins.
pub(crate) const TAP: &str = "tap ";
/// `if_tsresol`: 10^-9.
const NANOSECONDS: u8 = 9;
/// How a section begins: its block's type is the same in either byte order.
const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// Bytes of the smallest block: its type, and its length twice.
const SMALLEST: u64 = 12;

impl PcapngFile {
    /// Opens the file and begins a section. To a pcapng file that is there the section is appended,
    /// unless it is to be replaced.
    ///
    /// # Errors
    /// It cannot be opened, or holds something else.
    pub(super) fn open(
        place: &Place,
        replace: bool,
        key: Option<FingerprintKey>,
    ) -> Result<Self, TargetError> {
        let failed = |source| TargetError {
            place: place.clone(),
            source,
        };
        if matches!(place, Place::Stdout) && io::stdout().is_terminal() {
            let what = "it is a terminal; name a file, or pipe the frames to a program";
            return Err(failed(io::Error::other(what)));
        }
        let first = if replace { overwrite } else { append_to };
        let mut new = Self {
            target: Target::open(place, first, append_to)?,
            interfaces: Vec::new(),
            key,
        };
        // A disk that is full now may have room when there is a frame.
        new.target.write(|_, bytes| begin(bytes)).map_err(failed)?;
        new.target.flush().map_err(failed)?;
        Ok(new)
    }
}

impl Sink for PcapngFile {
    fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        let (interfaces, key) = (&mut self.interfaces, self.key.as_ref());
        self.target.write(|anew, bytes| {
            if anew {
                interfaces.clear();
                begin(bytes);
            }
            append(interfaces, frame, None, key, bytes);
        })
    }

    fn target(&mut self) -> &mut Target {
        &mut self.target
    }
}

/// Appends a frame, and before it its interface if that is new.
///
/// `tap`: told only where it matters, as the interface's description. `key`: passwords are fingerprinted
/// under it.
pub(super) fn append(
    interfaces: &mut Interfaces,
    frame: &Frame,
    tap: Option<Tap>,
    key: Option<&FingerprintKey>,
    bytes: &mut Vec<u8>,
) {
    let interface = describe(interfaces, frame, tap, bytes);
    match key.and_then(|key| wire::withhold(frame, key)) {
        Some(data) => {
            let frame = Frame {
                data,
                ..frame.clone()
            };
            append_frame(&frame, interface, bytes);
        }
        None => append_frame(frame, interface, bytes),
    }
}

/// To append to; `Err` where what is there is no pcapng file, or was cut.
fn append_to(path: &Path) -> io::Result<File> {
    let file = write::append_regular(path)?;
    let length = file.metadata()?.len();
    if length == 0 || is_whole(&file, length)? {
        return Ok(file);
    }
    let what = "it holds something else than whole pcapng; name another file, or say --overwrite";
    Err(io::Error::new(io::ErrorKind::AlreadyExists, what))
}

fn overwrite(path: &Path) -> io::Result<File> {
    let file = write::append_regular(path)?;
    file.set_len(0)?;
    Ok(file)
}

/// Whether a file begins and ends as pcapng does: the last number of a block is its length, which
/// stands behind its type as well.
fn is_whole(file: &File, length: u64) -> io::Result<bool> {
    if length < SMALLEST {
        return Ok(false);
    }
    let word = |at: u64| {
        let mut bytes = [0; 4];
        file.read_exact_at(&mut bytes, at).map(|()| bytes)
    };
    let last = word(length - 4)?;
    let ends = |size: u32| -> io::Result<bool> {
        let size = u64::from(size);
        let fits = (SMALLEST..=length).contains(&size) && size.is_multiple_of(4);
        Ok(fits && word(length - size + 4)? == last)
    };
    Ok(word(0)? == SECTION && (ends(u32::from_le_bytes(last))? || ends(u32::from_be_bytes(last))?))
}

/// Begins a section.
pub(super) fn begin(bytes: &mut Vec<u8>) {
    let application = concat!("vrrpwatch ", env!("CARGO_PKG_VERSION"));
    push(
        bytes,
        SectionHeaderBlock {
            block_type: 0,
            block_len1: 0,
            bom: 0,
            major_version: 0,
            minor_version: 0,
            section_len: -1,
            options: vec![option(OptionCode::ShbUserAppl, application.as_bytes())],
            block_len2: 0,
        },
    );
}

/// The number of the frame's interface, which is described when it is new.
fn describe(
    interfaces: &mut Interfaces,
    frame: &Frame,
    tap: Option<Tap>,
    bytes: &mut Vec<u8>,
) -> u32 {
    let key = (frame.origin.interface.clone(), frame.link, tap);
    let known = interfaces.iter().position(|known| *known == key);
    let number = known.unwrap_or_else(|| {
        let name = key.0.as_deref();
        let name = name.map(|name| option(OptionCode::IfName, name.as_bytes()));
        let tap = tap.map(|Tap(number)| format!("{TAP}{number}"));
        let tap = tap.map(|tap| option(IF_DESCRIPTION, tap.as_bytes()));
        push(
            bytes,
            InterfaceDescriptionBlock {
                block_type: 0,
                block_len1: 0,
                linktype: match frame.link {
                    LinkType::Ethernet => Linktype::ETHERNET,
                    LinkType::LinuxSll => Linktype::LINUX_SLL,
                    LinkType::LinuxSll2 => Linktype::LINUX_SLL2,
                    LinkType::RawIp => Linktype::RAW,
                },
                reserved: 0,
                snaplen: 0,
                options: name.into_iter().chain(tap).collect(),
                block_len2: 0,
                if_tsresol: NANOSECONDS,
                if_tsoffset: 0,
            },
        );
        interfaces.push(key);
        interfaces.len() - 1
    });
    length(number)
}

fn append_frame(frame: &Frame, interface: u32, bytes: &mut Vec<u8>) {
    let data = whole(frame);
    // The tag that is back in the frame was not counted in its length.
    let added = data.len() - frame.data.len();
    let flags: u32 = match frame.origin.direction {
        None => 0,
        Some(Direction::In) => 1,
        Some(Direction::Out) => 2,
    };
    let nanos = frame.time.as_nanos().to_be_bytes();
    let [h0, h1, h2, h3, l0, l1, l2, l3] = nanos;
    push(
        bytes,
        EnhancedPacketBlock {
            block_type: 0,
            block_len1: 0,
            if_id: interface,
            ts_high: u32::from_be_bytes([h0, h1, h2, h3]),
            ts_low: u32::from_be_bytes([l0, l1, l2, l3]),
            caplen: length(data.len()),
            origlen: frame.length.saturating_add(length(added)),
            data: &data,
            options: vec![option(EPB_FLAGS, &flags.to_le_bytes())],
            block_len2: 0,
        },
    );
}

fn push(bytes: &mut Vec<u8>, mut block: impl ToVec) {
    // Writing to memory does not fail.
    bytes.extend(block.to_vec().unwrap_or_default());
}

/// An option of a block, padded as the format wants it.
fn option(code: OptionCode, value: &[u8]) -> PcapNGOption<'static> {
    let mut padded = value.to_vec();
    padded.resize(value.len().next_multiple_of(4), 0);
    let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
    PcapNGOption {
        code,
        len,
        value: Cow::Owned(padded),
    }
}

/// The frame with the tag that the NIC stripped back in its place.
fn whole(frame: &Frame) -> Cow<'_, [u8]> {
    match (
        frame.stripped_tag,
        frame.link,
        frame.data.split_at_checked(12),
    ) {
        (Some(VlanTag { protocol, tci }), LinkType::Ethernet, Some((addresses, rest))) => {
            let tag = [protocol.to_be_bytes(), tci.to_be_bytes()].concat();
            Cow::Owned([addresses, &tag, rest].concat())
        }
        _ => Cow::Borrowed(&frame.data),
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
