//! Counts the VRRP packets that the kernel drops, with its reason and place.
//!
//! The program hangs on a tracepoint that every dropped packet of the machine passes. On a host
//! under attack all of them would pay for it, so it is there for seconds only, on suspicion.

use std::{
    fs, io,
    net::{IpAddr, Ipv6Addr},
    os::unix::fs::MetadataExt as _,
    sync::Arc,
};

use aya::{
    Ebpf, EbpfError,
    maps::{MapData, MapError, PerCpuArray, PerCpuHashMap},
    programs::ProgramError,
};
use nix::net::if_::if_indextoname;
use thiserror::Error;
use vrrp_ebpf::{DROP_TRACEPOINT, dropped::DropKey, map};

use super::{
    kernel_types::{KernelTypes, TypesError},
    object,
    program::patiently,
    requirements::{self, Capability, OLDEST_FOR_DROPS, Requirement},
    symbols::Symbols,
};
use crate::{chain::Chain, dropped::Dropped, frame::Direction, model::Vrid};

/// Why dropped packets cannot be counted.
#[derive(Debug, Error)]
pub enum DropsError {
    /// The machine lacks something that has a name.
    #[error(transparent)]
    Requirement(#[from] Requirement),
    /// The kernel's types are not known.
    #[error(transparent)]
    Types(#[from] TypesError),
    /// The network namespace is not known.
    #[error("cannot tell the network namespace")]
    Namespace(#[source] io::Error),
    /// The kernel refused the object.
    #[error("the kernel refused the programs of vrrpwatch")]
    Object(#[from] EbpfError),
    /// The kernel refused the program or its attachment.
    #[error("the kernel refused the program that counts drops")]
    Program(#[from] ProgramError),
    /// The counts cannot be read.
    #[error("the counts of dropped packets cannot be read")]
    Map(#[from] MapError),
}

/// Counts as long as it lives.
pub struct DropCounter {
    object: Ebpf,
    types: Arc<KernelTypes>,
    symbols: Symbols,
}

impl DropCounter {
    /// Begins to count what is dropped in the network namespace of the calling thread.
    ///
    /// # Errors
    /// Rights are missing, or the kernel refuses.
    pub fn attach(types: Arc<KernelTypes>) -> Result<Self, DropsError> {
        Self::check()?;
        let netns = if types.has_namespaces {
            own_namespace().map_err(DropsError::Namespace)?
        } else {
            0
        };
        let mut object = object::open_drops(types.layout.to_words(), netns, types.has_reasons())?;
        let program = object::drops(&mut object)?;
        patiently(|| program.load())?;
        program.attach(DROP_TRACEPOINT)?;
        Ok(Self {
            object,
            types,
            symbols: Symbols::default(),
        })
    }

    /// Checks what can be known before the kernel is asked for anything.
    ///
    /// # Errors
    /// Rights are missing, or the kernel is too old.
    pub fn check() -> Result<(), DropsError> {
        Ok(requirements::check(
            OLDEST_FOR_DROPS,
            Capability::TO_COUNT_DROPS,
        )?)
    }

    /// What was dropped so far, each sender, reason and place by itself.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn read(&mut self) -> Result<Vec<Dropped>, DropsError> {
        let counts: PerCpuHashMap<&MapData, [u8; DropKey::SIZE], u64> = self
            .object
            .map(map::DROPS)
            .ok_or_else(|| no_such_map(map::DROPS))?
            .try_into()?;
        let mut rows = Vec::new();
        for row in &counts {
            let (key, counts) = row?;
            let key = DropKey::from_bytes(&key);
            if !self.types.is_no_drop(key.reason) {
                rows.push((key, counts.iter().sum()));
            }
        }
        // Without names there are still the reasons.
        let places = rows.iter().map(|(key, _)| key.location);
        if let Err(error) = self.symbols.learn(places) {
            tracing::debug!(error = %Chain(&error), "the symbols of the kernel cannot be read");
        }
        Ok(rows
            .into_iter()
            .map(|(key, count)| self.dropped(&key, count))
            .collect())
    }

    /// Dropped packets for whose senders, reasons or places there was no room.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn uncounted(&self) -> Result<u64, DropsError> {
        let name = map::DROPS_UNCOUNTED;
        let map = self.object.map(name).ok_or_else(|| no_such_map(name))?;
        let slots: PerCpuArray<&MapData, u64> = map.try_into()?;
        Ok(slots.get(&0, 0)?.iter().sum())
    }

    fn dropped(&self, key: &DropKey, count: u64) -> Dropped {
        Dropped {
            interface: interface(key.ifindex),
            direction: if key.incoming == 1 {
                Direction::In
            } else {
                Direction::Out
            },
            source: source(key),
            vrid: (key.vrid != 0).then(|| Vrid::new(key.vrid)),
            reason: self.types.reason(key.reason),
            place: self.symbols.name(key.location),
            count,
        }
    }
}

/// The name of an interface, if there is one.
fn interface(index: u32) -> Option<Arc<str>> {
    // Of number 0 the library says that its name is empty.
    let name = if_indextoname(index).ok().filter(|_| index != 0)?;
    Some(Arc::from(name.to_string_lossy()))
}

/// The address as it was in the packet.
fn source(key: &DropKey) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(key.source)).to_canonical()
}

/// The inode of the calling thread's network namespace.
fn own_namespace() -> io::Result<u32> {
    let inode = fs::metadata("/proc/thread-self/ns/net")?.ino();
    u32::try_from(inode).map_err(io::Error::other)
}

fn no_such_map(name: &str) -> MapError {
    MapError::InvalidName {
        name: name.to_owned(),
    }
}
