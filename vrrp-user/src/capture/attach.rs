//! Hangs the programs on an interface and says which hook it got and why.

use std::{fmt, io};

use aya::{
    Ebpf,
    programs::{
        LinkOrder, ProgramError, SchedClassifier, TcAttachType, XdpMode,
        links::FdLink,
        loaded_programs,
        tc::{NlOptions, SchedClassifierLink, TcAttachOptions},
    },
};
use nix::errno::Errno;
use thiserror::Error;
use vrrp_ebpf::program;

use super::{clsact::Clsact, netlink, object};

/// A network interface as the kernel knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Interface {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: String,
}

/// The ingress hook that the user asked for. Egress is always TC, the only hook there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// TC (TCX, or clsact before kernel 6.6), which works on every interface.
    #[default]
    Auto,
    /// XDP in the driver, or nothing.
    XdpNative,
    /// XDP behind the driver, or nothing.
    XdpGeneric,
}

/// How TC programs are attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcFlavour {
    /// By a link that goes with the process; since kernel 6.6.
    Tcx,
    /// As a filter of the clsact discipline, by netlink.
    Clsact,
}

impl fmt::Display for TcFlavour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        })
    }
}

/// The ingress hook in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingress {
    /// XDP in the driver.
    XdpNative,
    /// XDP behind the driver.
    XdpGeneric,
    /// TC.
    Tc(TcFlavour),
}

impl fmt::Display for Ingress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::XdpNative => formatter.write_str("xdp-native"),
            Self::XdpGeneric => formatter.write_str("xdp-generic"),
            Self::Tc(flavour) => flavour.fmt(formatter),
        }
    }
}

/// Why an interface has no XDP program of ours.
#[derive(Debug, Error)]
pub enum NoXdp {
    /// There is one already, of somebody else.
    #[error("an XDP program (id {id}, name {}) is already attached and is left alone", name.as_deref().unwrap_or("unknown"))]
    Occupied {
        /// Identifier of that program.
        id: u32,
        /// Its name, where the kernel tells.
        name: Option<String>,
    },
    /// The kernel did not take the program.
    #[error("the kernel does not load the XDP program: {0}")]
    NotLoaded(String),
    /// The driver or the kernel refused to attach it.
    #[error("{mode} XDP refused by the driver")]
    Refused {
        /// `native` or `generic`.
        mode: &'static str,
        /// What the kernel said.
        source: ProgramError,
    },
    /// It was attached in a way that would outlive the process, and was taken off again.
    #[error("the kernel attaches {mode} XDP without a link, which would outlive the process")]
    NoLink {
        /// `native` or `generic`.
        mode: &'static str,
    },
}

/// Why an interface could not be attached to.
#[derive(Debug, Error)]
pub enum AttachError {
    /// It is gone, or has another name by now.
    #[error("interface {name} (index {index}) is gone or was renamed")]
    Gone {
        /// Its name.
        name: String,
        /// Its index.
        index: u32,
    },
    /// It cannot be told whether it is there.
    #[error("cannot look for interface {name}")]
    Unseen {
        /// Its name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// XDP was asked for and cannot be had.
    #[error("cannot attach to {interface}")]
    Xdp {
        /// Name of the interface.
        interface: String,
        /// Why.
        source: NoXdp,
    },
    /// A TC program could not be attached.
    #[error("{interface}: TC {direction} ({flavour}) refused")]
    Tc {
        /// Name of the interface.
        interface: String,
        /// `ingress` or `egress`.
        direction: &'static str,
        /// How it was tried.
        flavour: TcFlavour,
        /// What the kernel said.
        source: ProgramError,
    },
}

/// Our programs on one interface; dropping it takes them off.
#[derive(Debug)]
pub struct Attachment {
    /// The ingress hook in force.
    pub ingress: Ingress,
    /// The egress hook in force.
    pub egress: TcFlavour,
    // The order is the order of dropping: filters before the discipline they hang on.
    _xdp: Option<FdLink>,
    _tc: Vec<SchedClassifierLink>,
    _clsact: Option<Clsact>,
}

/// The loaded programs, borrowed for attaching.
pub(super) struct Programs<'a> {
    pub(super) object: &'a mut Ebpf,
    /// Why the XDP program is not loaded, if it is not.
    pub(super) xdp_refused: Option<&'a str>,
    pub(super) flavour: TcFlavour,
}

impl Programs<'_> {
    /// Hangs one program on ingress and one on egress.
    pub(super) fn attach(
        mut self,
        interface: &Interface,
        mode: Mode,
    ) -> Result<Attachment, AttachError> {
        // aya attaches TC programs by name only, and a name can move to another interface.
        look_for(interface)?;
        let xdp = self.attach_xdp_as_asked(interface, mode)?;
        let flavour = self.flavour;
        let clsact = match flavour {
            TcFlavour::Tcx => None,
            TcFlavour::Clsact => {
                Some(
                    Clsact::prepare(interface).map_err(|source| AttachError::Tc {
                        interface: interface.name.clone(),
                        direction: "ingress",
                        flavour,
                        source: source.into(),
                    })?,
                )
            }
        };
        let mut tc = Vec::new();
        let (ingress, xdp) = match xdp {
            Some((link, ingress)) => (ingress, Some(link)),
            None => {
                tc.push(self.attach_tc(interface, TcAttachType::Ingress)?);
                (Ingress::Tc(flavour), None)
            }
        };
        tc.push(self.attach_tc(interface, TcAttachType::Egress)?);
        Ok(Attachment {
            ingress,
            egress: flavour,
            _xdp: xdp,
            _tc: tc,
            _clsact: clsact,
        })
    }

    /// Whether what was attached still is: anyone with the rights can take it off.
    pub(super) fn are_attached(&mut self, interface: &Interface, attachment: &Attachment) -> bool {
        let xdp = match attachment.ingress {
            Ingress::Tc(_) => true,
            Ingress::XdpNative | Ingress::XdpGeneric => {
                let own = object::xdp(self.object).and_then(|program| program.info());
                let there = netlink::xdp_program(interface.index).ok().flatten();
                own.is_ok_and(|own| there == Some(own.id()))
            }
        };
        xdp && match (attachment.egress, attachment.ingress) {
            (TcFlavour::Tcx, ingress) => {
                (!matches!(ingress, Ingress::Tc(_))
                    || self.is_on_tcx(interface, TcAttachType::Ingress, program::TC_INGRESS))
                    && self.is_on_tcx(interface, TcAttachType::Egress, program::TC_EGRESS)
            }
            (TcFlavour::Clsact, ingress) => {
                let index = i32::try_from(interface.index).unwrap_or(i32::MAX);
                let ingress = matches!(ingress, Ingress::Tc(_)).then_some(program::TC_INGRESS);
                // What cannot be asked is taken for attached: attaching again would not help.
                netlink::has_named_filters(index, ingress, program::TC_EGRESS).unwrap_or(true)
            }
        }
    }

    fn is_on_tcx(&mut self, interface: &Interface, hook: TcAttachType, name: &str) -> bool {
        let own = object::classifier(self.object, name).and_then(|program| program.info());
        let there = SchedClassifier::query_tcx(&interface.name, hook);
        match (own, there) {
            (Ok(own), Ok((_, there))) => there.iter().any(|program| program.id() == own.id()),
            // What cannot be asked is taken for attached: attaching again would not help.
            _ => true,
        }
    }

    fn attach_xdp_as_asked(
        &mut self,
        interface: &Interface,
        mode: Mode,
    ) -> Result<Option<(FdLink, Ingress)>, AttachError> {
        let (xdp_mode, ingress) = match mode {
            Mode::Auto => return Ok(None),
            Mode::XdpNative => (XdpMode::Driver, Ingress::XdpNative),
            Mode::XdpGeneric => (XdpMode::Skb, Ingress::XdpGeneric),
        };
        match self.attach_xdp(interface, xdp_mode) {
            Ok(link) => Ok(Some((link, ingress))),
            Err(source) => Err(AttachError::Xdp {
                interface: interface.name.clone(),
                source,
            }),
        }
    }

    fn attach_xdp(&mut self, interface: &Interface, mode: XdpMode) -> Result<FdLink, NoXdp> {
        if let Some(reason) = self.xdp_refused {
            return Err(NoXdp::NotLoaded(reason.to_owned()));
        }
        // The kernel never lets a link take another program's place; asking first is for the sake
        // of the message.
        if let Some(occupied) = occupant(interface.index) {
            return Err(occupied);
        }
        let mode_name = if mode == XdpMode::Skb {
            "generic"
        } else {
            "native"
        };
        let link = object::xdp(self.object)
            .and_then(|program| {
                let id = program.attach_to_if_index(interface.index, mode)?;
                program.take_link(id)
            })
            .map_err(|source| {
                occupant(interface.index).unwrap_or(NoXdp::Refused {
                    mode: mode_name,
                    source,
                })
            })?;
        // aya falls back to netlink where the kernel says EINVAL to a link.
        FdLink::try_from(link).map_err(|_not_a_link| NoXdp::NoLink { mode: mode_name })
    }

    fn attach_tc(
        &mut self,
        interface: &Interface,
        attach_type: TcAttachType,
    ) -> Result<SchedClassifierLink, AttachError> {
        let flavour = self.flavour;
        // In front of the others: a filter that ends the chain must not hide frames from us.
        let options = match flavour {
            TcFlavour::Tcx => TcAttachOptions::TcxOrder(LinkOrder::first()),
            TcFlavour::Clsact => TcAttachOptions::Netlink(NlOptions::default()),
        };
        let (direction, name) = match attach_type {
            TcAttachType::Ingress => ("ingress", program::TC_INGRESS),
            TcAttachType::Egress | TcAttachType::Custom(_) => ("egress", program::TC_EGRESS),
        };
        object::classifier(self.object, name)
            .and_then(|program| {
                let id = program.attach_with_options(&interface.name, attach_type, options)?;
                program.take_link(id)
            })
            .map_err(|source| {
                // By name means by libc's if_nametoindex, which says ENOENT where it may open no more
                // files.
                look_for(interface).err().unwrap_or(AttachError::Tc {
                    interface: interface.name.clone(),
                    direction,
                    flavour,
                    source,
                })
            })
    }
}

/// Whether the interface is there and has its name still.
fn look_for(interface: &Interface) -> Result<(), AttachError> {
    match netlink::name(interface.index) {
        Ok(name) if name == interface.name => Ok(()),
        Err(error) if error.raw_os_error() != Some(Errno::ENODEV as i32) => {
            Err(AttachError::Unseen {
                name: interface.name.clone(),
                source: error,
            })
        }
        Ok(_) | Err(_) => Err(AttachError::Gone {
            name: interface.name.clone(),
            index: interface.index,
        }),
    }
}

/// The XDP program on this interface, if there is one.
fn occupant(ifindex: u32) -> Option<NoXdp> {
    let id = netlink::xdp_program(ifindex).ok().flatten()?;
    let name = loaded_programs()
        .filter_map(Result::ok)
        .find(|program| program.id() == id)
        .and_then(|program| program.name_as_str().map(str::to_owned));
    Some(NoXdp::Occupied { id, name })
}
