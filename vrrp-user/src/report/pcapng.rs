//! Keeping the matched frames in a pcapng file for Wireshark.

use std::{
    borrow::Cow,
    fmt,
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    sync::Arc,
};

use pcap_parser::{
    Linktype, OptionCode, PcapNGOption, ToVec,
    pcapng::{EnhancedPacketBlock, InterfaceDescriptionBlock, SectionHeaderBlock},
};

use super::TargetError;
use crate::frame::{Direction, Frame, LinkType, VlanTag};

/// A pcapng file: an interface for each one that frames were seen on, with its name and times in
/// nanoseconds, and the direction of each frame.
pub struct PcapngFile {
    writer: BufWriter<File>,
    interfaces: Vec<(Option<Arc<str>>, LinkType)>,
}

/// `epb_flags` of the pcapng specification: the lower two bits are the direction.
const EPB_FLAGS: OptionCode = OptionCode(2);
/// `if_tsresol`: 10^-9.
const NANOSECONDS: u8 = 9;

impl PcapngFile {
    /// Creates the file; one that is there is replaced, as by tcpdump.
    ///
    /// # Errors
    /// It cannot be created or written.
    pub fn create(path: &Path) -> Result<Self, TargetError> {
        let failed = |source| TargetError {
            path: path.to_owned(),
            source,
        };
        let file = File::create(path).map_err(failed)?;
        let mut new = Self {
            writer: BufWriter::new(file),
            interfaces: Vec::new(),
        };
        let application = concat!("vrrpwatch ", env!("CARGO_PKG_VERSION"));
        let section = SectionHeaderBlock {
            block_type: 0,
            block_len1: 0,
            bom: 0,
            major_version: 0,
            minor_version: 0,
            section_len: -1,
            options: vec![option(OptionCode::ShbUserAppl, application.as_bytes())],
            block_len2: 0,
        };
        new.block(section).map_err(failed)?;
        Ok(new)
    }

    /// Appends a frame.
    ///
    /// # Errors
    /// The file refuses.
    pub fn write(&mut self, frame: &Frame) -> io::Result<()> {
        let interface = self.interface(frame)?;
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
        self.block(EnhancedPacketBlock {
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
        })
    }

    /// Hands what is buffered to the system.
    ///
    /// # Errors
    /// The file refuses.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// The number of the frame's interface, described in the file when it is new.
    fn interface(&mut self, frame: &Frame) -> io::Result<u32> {
        let key = (frame.origin.interface.clone(), frame.link);
        let number = match self.interfaces.iter().position(|known| *known == key) {
            Some(number) => number,
            None => {
                let name = key
                    .0
                    .as_deref()
                    .map(|name| option(OptionCode::IfName, name.as_bytes()));
                self.block(InterfaceDescriptionBlock {
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
                    options: name.into_iter().collect(),
                    block_len2: 0,
                    if_tsresol: NANOSECONDS,
                    if_tsoffset: 0,
                })?;
                self.interfaces.push(key);
                self.interfaces.len() - 1
            }
        };
        Ok(length(number))
    }

    fn block(&mut self, mut block: impl ToVec) -> io::Result<()> {
        let bytes = block
            .to_vec()
            .map_err(|error| io::Error::other(error.to_string()))?;
        self.writer.write_all(&bytes)
    }
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

impl fmt::Debug for PcapngFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcapngFile")
            .field("interfaces", &self.interfaces)
            .finish_non_exhaustive()
    }
}
