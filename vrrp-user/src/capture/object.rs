//! The object with the kernel programs, as it is shipped inside this binary.

use aya::{
    Ebpf, EbpfError, EbpfLoader, include_bytes_aligned,
    programs::{Program, ProgramError, RawTracePoint, SchedClassifier, Xdp},
};
use vrrp_ebpf::{RING_BYTES, arp_mode, dropped::Layout, global, map, program};

use super::attach::TcFlavour;
use crate::observer::ArpMode;

static OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/vrrp-tap"));

/// aya-log's ring buffer, declared by its macros.
pub(super) const LOG_MAP: &str = "AYA_LOGS";

/// How the programs are to be loaded.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each switches a part of the programs on, whatever the others are"
)]
#[derive(Clone, Debug)]
pub struct LoadSettings {
    /// What of ARP and neighbour discovery is wanted.
    pub arp: ArpMode,
    /// Whether the traffic of virtual addresses is counted; if not, the verifier removes what does.
    pub traffic: bool,
    /// Whether each sender has its budget; tests send the same frame many times.
    pub budgets: bool,
    /// Whether the programs send debug lines; if not, the verifier removes them.
    pub debug: bool,
    /// Size of the ring buffer in bytes; rounded up to a power of two of at least a page.
    pub ring_bytes: u32,
    /// Whether the XDP program is loaded; without it, interfaces are attached to by
    /// [`super::Mode::Auto`] alone. The verifier takes its time over every program.
    pub xdp: bool,
    /// How TC programs are attached; `None` chooses by the kernel's version.
    pub tc: Option<TcFlavour>,
}

impl Default for LoadSettings {
    fn default() -> Self {
        Self {
            arp: ArpMode::default(),
            traffic: false,
            budgets: true,
            debug: false,
            ring_bytes: RING_BYTES,
            xdp: true,
            tc: None,
        }
    }
}

/// Opens the object and creates its maps; loads no program yet.
///
/// For [`super::KernelHalf`], and for tests and benchmarks that run the shipped programs without an
/// interface.
///
/// # Errors
///
/// Where the kernel refuses a map, for want of rights or because it is too old.
pub fn open(settings: &LoadSettings) -> Result<Ebpf, EbpfError> {
    let arp = match settings.arp {
        ArpMode::Off => arp_mode::OFF,
        ArpMode::Watched => arp_mode::WATCHED,
        ArpMode::All => arp_mode::ALL,
    };
    let level = if settings.debug {
        aya_log::Level::Debug as u8
    } else {
        0
    };
    let traffic = u8::from(settings.traffic);
    let budgets = u8::from(settings.budgets);
    let mut loader = EbpfLoader::new();
    loader
        .override_global(global::ARP_MODE, &arp, true)
        .override_global(global::COUNT_TRAFFIC, &traffic, true)
        .override_global(global::BUDGETS, &budgets, true)
        .override_global(aya_log::LEVEL, &level, true)
        .map_max_entries(map::EVENTS, settings.ring_bytes)
        // For the program that is not loaded here.
        .map_max_entries(map::DROPS, 1);
    if !settings.debug {
        // Nothing will ever be written to it; aya rounds up to a page.
        loader.map_max_entries(LOG_MAP, 1);
    }
    if !settings.traffic {
        for unused in [map::COUNTED, map::OWN_MACS, map::FLOWS] {
            loader.map_max_entries(unused, 1);
        }
    }
    loader.load(OBJECT)
}

/// Opens the object for the program that counts dropped packets, and makes its other maps as small
/// as can be.
pub(super) fn open_drops(
    layout: [u32; Layout::WORDS],
    netns: u32,
    reasons: bool,
) -> Result<Ebpf, EbpfError> {
    let reasons = u8::from(reasons);
    let mut loader = EbpfLoader::new();
    loader
        .override_global(global::DROP_LAYOUT, &layout, true)
        .override_global(global::DROP_NETNS, &netns, true)
        .override_global(global::DROP_REASONS, &reasons, true)
        .override_global(aya_log::LEVEL, &0_u8, true);
    for unused in [
        map::EVENTS,
        map::WATCHED,
        map::KNOWN,
        map::ALIKE,
        map::SENDERS,
        LOG_MAP,
    ] {
        loader.map_max_entries(unused, 1);
    }
    loader.load(OBJECT)
}

/// The program of an object that counts dropped packets.
pub(super) fn drops(object: &mut Ebpf) -> Result<&mut RawTracePoint, ProgramError> {
    find(object, program::DROPS)?.try_into()
}

/// The XDP program of an object.
pub(super) fn xdp(object: &mut Ebpf) -> Result<&mut Xdp, ProgramError> {
    find(object, program::XDP)?.try_into()
}

/// The TC program of an object that has this name.
pub(super) fn classifier<'a>(
    object: &'a mut Ebpf,
    name: &str,
) -> Result<&'a mut SchedClassifier, ProgramError> {
    find(object, name)?.try_into()
}

fn find<'a>(object: &'a mut Ebpf, name: &str) -> Result<&'a mut Program, ProgramError> {
    object
        .program_mut(name)
        .ok_or_else(|| ProgramError::InvalidName {
            name: name.to_owned(),
        })
}
