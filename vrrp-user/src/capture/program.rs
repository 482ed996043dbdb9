//! The kernel half as user space holds it: programs, maps and what they offer.

use std::{io, net::IpAddr};

use aya::{
    Ebpf, EbpfError, Pod,
    maps::{HashMap, MapData, MapError, RingBuf},
    programs::ProgramError,
};
use thiserror::Error;
use vrrp_ebpf::{WatchKey, map, program, watch_key_v4};

use super::{
    attach::{AttachError, Attachment, Interface, Mode, Programs, TcFlavour},
    counters::Counts,
    debug_log::DebugLog,
    object::{LOG_MAP, LoadSettings, classifier, open, xdp},
    requirements::{self, Capability, OLDEST_KERNEL, Requirement},
    ring::Ring,
};
use crate::chain::Chain;

/// Why the kernel half is not to be had, or stopped working.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// The machine lacks something that has a name.
    #[error(transparent)]
    Requirement(#[from] Requirement),
    /// The kernel refused the object or one of its maps.
    #[error("the kernel refused the programs of vrrpwatch")]
    Object(#[from] EbpfError),
    /// The kernel refused a program.
    #[error("the kernel refused the program {name}")]
    Program {
        /// Name of the program.
        name: &'static str,
        /// What the kernel said.
        source: ProgramError,
    },
    /// A map could not be used.
    #[error("the map {name} cannot be used")]
    Map {
        /// Name of the map.
        name: &'static str,
        /// What the kernel said.
        source: MapError,
    },
    /// The runtime cannot wait for a ring buffer.
    #[error("cannot wait for the ring buffer {name}")]
    Wait {
        /// Name of the map.
        name: &'static str,
        /// What went wrong.
        source: io::Error,
    },
}

/// The loaded programs and their maps.
///
/// Attachments live on their own: dropping this does not detach them, and they may be dropped after
/// it.
pub struct KernelHalf {
    pub(super) object: Ebpf,
    flavour: TcFlavour,
    /// Why the XDP program is not loaded, if it is not.
    xdp_refused: Option<String>,
}

impl KernelHalf {
    /// Loads the programs; attaches nothing yet.
    ///
    /// # Errors
    ///
    /// Where rights are missing, the kernel is too old or refuses a TC program. An XDP program that
    /// is refused is no error here: interfaces can do without.
    pub fn load(settings: &LoadSettings) -> Result<Self, CaptureError> {
        requirements::check(OLDEST_KERNEL, Capability::TO_WATCH)?;
        let mut object = open(settings)?;
        for name in [program::TC_INGRESS, program::TC_EGRESS] {
            classifier(&mut object, name)
                .and_then(|program| patiently(|| program.load()))
                .map_err(|source| CaptureError::Program { name, source })?;
        }
        let xdp_refused = if settings.xdp {
            xdp(&mut object)
                .and_then(|program| patiently(|| program.load()))
                .err()
                .map(|error| Chain(&error).to_string())
        } else {
            Some("nobody asked for it".to_owned())
        };
        let flavour = settings.tc.unwrap_or_else(|| {
            if requirements::has_tcx() {
                TcFlavour::Tcx
            } else {
                TcFlavour::Clsact
            }
        });
        Ok(Self {
            object,
            flavour,
            xdp_refused,
        })
    }

    /// The ring buffer. Can be taken once; needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// Where it was taken before, or cannot be mapped or waited for.
    pub fn take_ring(&mut self) -> Result<Ring, CaptureError> {
        let name = map::EVENTS;
        let data = self
            .object
            .take_map(name)
            .ok_or_else(|| no_such_map(name))?;
        let buffer =
            RingBuf::try_from(data).map_err(|source| CaptureError::Map { name, source })?;
        Ring::new(buffer).map_err(|source| CaptureError::Wait { name, source })
    }

    /// The debug lines of the programs, of which there are none unless [`LoadSettings::debug`] was
    /// set. Can be taken once; needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// Where it was taken before, or cannot be mapped or waited for.
    pub fn take_debug_log(&mut self) -> Result<DebugLog, CaptureError> {
        DebugLog::new(&mut self.object).map_err(|source| CaptureError::Wait {
            name: LOG_MAP,
            source,
        })
    }

    /// Hangs the programs on an interface of this network namespace.
    ///
    /// # Errors
    ///
    /// Where the interface is gone, or a program that the mode asks for cannot be attached. Nothing
    /// stays attached then.
    pub fn attach(&mut self, interface: &Interface, mode: Mode) -> Result<Attachment, AttachError> {
        self.programs().attach(interface, mode)
    }

    /// Whether the programs still hang on an interface that they were attached to.
    pub fn is_attached(&mut self, interface: &Interface, attachment: &Attachment) -> bool {
        self.programs().are_attached(interface, attachment)
    }

    fn programs(&mut self) -> Programs<'_> {
        Programs {
            object: &mut self.object,
            xdp_refused: self.xdp_refused.as_deref(),
            flavour: self.flavour,
        }
    }

    /// Adds an address to the kernel's filter for ARP and neighbour discovery.
    ///
    /// # Errors
    ///
    /// Where [`vrrp_ebpf::MAX_WATCHED`] addresses are there already.
    pub fn watch(&mut self, address: IpAddr) -> Result<(), CaptureError> {
        self.include(map::WATCHED, watch_key(address))
    }

    /// Takes an address out of the filter; one that is not in it is fine.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub fn unwatch(&mut self, address: IpAddr) -> Result<(), CaptureError> {
        self.exclude(map::WATCHED, &watch_key(address))
    }

    /// What the programs counted so far.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses.
    pub fn counts(&self) -> Result<Counts, CaptureError> {
        Counts::read(&self.object).map_err(|source| CaptureError::Map {
            name: map::COUNTERS,
            source,
        })
    }

    /// Puts a key into a map that is a set.
    pub(super) fn include<K: Pod>(
        &mut self,
        name: &'static str,
        key: K,
    ) -> Result<(), CaptureError> {
        self.set(name)?
            .insert(key, 1, 0)
            .map_err(|source| CaptureError::Map { name, source })
    }

    /// Takes a key out of a map that is a set; one that is not in it is fine.
    pub(super) fn exclude<K: Pod>(
        &mut self,
        name: &'static str,
        key: &K,
    ) -> Result<(), CaptureError> {
        match self.set(name)?.remove(key) {
            Ok(()) => Ok(()),
            Err(MapError::SyscallError(error))
                if error.io_error.kind() == io::ErrorKind::NotFound =>
            {
                Ok(())
            }
            Err(source) => Err(CaptureError::Map { name, source }),
        }
    }

    pub(super) fn set<K: Pod>(
        &mut self,
        name: &'static str,
    ) -> Result<HashMap<&mut MapData, K, u8>, CaptureError> {
        self.object
            .map_mut(name)
            .ok_or_else(|| no_such_map(name))?
            .try_into()
            .map_err(|source| CaptureError::Map { name, source })
    }
}

/// Loads a program. The verifier gives up with EAGAIN when anything is pending for the process,
/// such as a signal, and wants to be asked again, as libbpf does.
pub(super) fn patiently(
    mut load: impl FnMut() -> Result<(), ProgramError>,
) -> Result<(), ProgramError> {
    const ATTEMPTS: usize = 5;
    for _ in 1..ATTEMPTS {
        match load() {
            Err(ProgramError::LoadError { io_error, .. })
                if io_error.kind() == io::ErrorKind::WouldBlock => {}
            outcome => return outcome,
        }
    }
    load()
}

/// The key of an address in the watch map.
pub(super) fn watch_key(address: IpAddr) -> WatchKey {
    match address {
        IpAddr::V4(address) => watch_key_v4(address.octets()),
        IpAddr::V6(address) => address.octets(),
    }
}

pub(super) fn no_such_map(name: &'static str) -> CaptureError {
    CaptureError::Map {
        name,
        source: MapError::InvalidName {
            name: name.to_owned(),
        },
    }
}
