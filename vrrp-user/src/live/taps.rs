//! Which interfaces the kernel programs hang on, and whose frames they see.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use vrrp_ebpf::hook;

use super::Clock;
use crate::{
    capture::{AttachError, Attachment, Event, Interface, KernelHalf, Mode},
    chain::Chain,
    escape::escape,
    frame::{Direction, Frame, LinkType, Origin, Tap, VlanTag},
    link::{LinkState, Links, Place, Selection},
    record,
    sight::{Blindness, Seat},
};

/// The attachments, kept in step with the host's interfaces.
pub(super) struct Taps {
    selection: Selection,
    mode: Mode,
    attached: BTreeMap<u32, Attached>,
    /// Interfaces that could not be attached to: they are tried again only when they change.
    refused: BTreeMap<u32, Arc<str>>,
    notes: Vec<String>,
    /// The outline as it was last.
    told: Vec<(record::Attachment, Place)>,
}

struct Attached {
    name: Arc<str>,
    /// The name of its place before it was renamed; told once.
    formerly: Option<Arc<str>>,
    place: Place,
    /// VLAN devices sit on it, and its NIC takes their tags off before XDP sees them.
    hides_tags: bool,
    /// `None` once the run has ended, while its last frames are under way, or if it is lost.
    attachment: Option<Attachment>,
    /// Somebody detached the programs, and they could not be attached again so far.
    lost: bool,
}

/// There is no interface to watch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NothingToWatch {
    /// Nothing matches `-i`.
    #[error("no interface matches -i {}; there are: {}", .patterns.join(" -i "), .there.join(" "))]
    NoMatch {
        /// The patterns.
        patterns: Vec<String>,
        /// The names of the interfaces that there are.
        there: Vec<String>,
    },
    /// Nothing is fit to be watched by default.
    #[error(
        "no interface is up, can broadcast and has a global address; name one with -i, there are: {}",
        .there.join(" ")
    )]
    NoDefault {
        /// The names of the interfaces that there are.
        there: Vec<String>,
    },
}

impl Taps {
    pub(super) fn new(selection: Selection, mode: Mode) -> Self {
        Self {
            selection,
            mode,
            attached: BTreeMap::new(),
            refused: BTreeMap::new(),
            notes: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Attaches for the first time: at least one interface has to be there and take the programs.
    pub(super) fn begin(
        &mut self,
        links: &Links,
        kernel: &mut KernelHalf,
    ) -> Result<(), super::LiveError> {
        let chosen = self.selection.choose(links);
        if chosen.is_empty() {
            let there = links.iter().map(|(_, link)| escaped(&link.name)).collect();
            return Err(match &self.selection {
                Selection::Default => NothingToWatch::NoDefault { there },
                Selection::Patterns(_) => {
                    let patterns = self.selection.unmatched(links);
                    NothingToWatch::NoMatch { patterns, there }
                }
            }
            .into());
        }
        let mut first_error = None;
        self.attach_new(links, &chosen, kernel, |error| {
            first_error.get_or_insert(error);
        });
        if self.attached.is_empty()
            && let Some(error) = first_error
        {
            return Err(error.into());
        }
        self.told = self.outline(links);
        for pattern in self.selection.unmatched(links) {
            self.notes
                .push(format!("no interface matches {pattern} yet"));
        }
        Ok(())
    }

    /// Something that a reader of the next `start` record should know.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// There is nothing to watch yet: what comes is watched then.
    pub(super) fn wait(&mut self, why: &NothingToWatch) {
        self.notes.push(format!("waiting for an interface: {why}"));
    }

    /// Follows a change of interfaces. Returns whether that changed anything here.
    pub(super) fn update(&mut self, links: &Links, kernel: &mut KernelHalf) -> bool {
        let mut chosen = self.selection.choose(links);
        // What is watched stays watched while it is there, whatever becomes of its name or address.
        let still_there = self
            .attached
            .keys()
            .filter(|index| links.get(**index).is_some());
        chosen.extend(still_there);
        self.attached.retain(|index, _| chosen.contains(index));
        self.refused.retain(|index, name| {
            links.get(*index).is_some_and(|link| link.name == *name) && chosen.contains(index)
        });
        self.attach_new(links, &chosen, kernel, |_| {});
        let outline = self.outline(links);
        let changed = outline != self.told;
        self.told = outline;
        changed || !self.notes.is_empty()
    }

    /// What [`Taps::describe`] and [`Taps::frame`] go by.
    fn outline(&self, links: &Links) -> Vec<(record::Attachment, Place)> {
        let places = self
            .attached
            .values()
            .filter(|tap| tap.attachment.is_some());
        let places = places.map(|tap| tap.place.clone());
        self.describe(links).into_iter().zip(places).collect()
    }

    fn attach_new(
        &mut self,
        links: &Links,
        chosen: &BTreeSet<u32>,
        kernel: &mut KernelHalf,
        mut on_error: impl FnMut(AttachError),
    ) {
        for index in chosen {
            let (Some(link), Some(place)) = (links.get(*index), links.place(*index, chosen)) else {
                continue;
            };
            let hides_tags = links.hides_tags(*index);
            if let Some(tap) = self.attached.get_mut(index) {
                tap.name = link.name.clone();
                if tap.place.interface != place.interface {
                    self.notes.push(format!(
                        "{} is now called {}",
                        escaped(&tap.place.interface),
                        escaped(&place.interface)
                    ));
                    tap.formerly = Some(tap.place.interface.clone());
                }
                tap.place = place.clone();
                tap.hides_tags = hides_tags;
                continue;
            }
            if self.refused.contains_key(index) {
                continue;
            }
            let interface = Interface {
                index: *index,
                name: link.name.to_string(),
            };
            match kernel.attach(&interface, self.mode) {
                Ok(attachment) => {
                    let tap = Attached {
                        name: link.name.clone(),
                        formerly: None,
                        place,
                        hides_tags,
                        attachment: Some(attachment),
                        lost: false,
                    };
                    self.attached.insert(*index, tap);
                }
                Err(error) => {
                    self.notes.push(format!(
                        "not watching {}: {}",
                        escaped(&link.name),
                        Chain(&error)
                    ));
                    self.refused.insert(*index, link.name.clone());
                    on_error(error);
                }
            }
        }
    }

    /// From where there is to see.
    pub(super) fn seats(&mut self, links: &Links) -> Vec<Seat> {
        let named = matches!(self.selection, Selection::Patterns(_));
        let whole = self.attached.iter_mut().filter(|(_, tap)| {
            // What its upper devices see, it sees as well.
            tap.name == tap.place.interface
        });
        whole
            .map(|(index, tap)| Seat {
                interface: tap.place.interface.clone(),
                formerly: tap.formerly.take(),
                blind: blindness(links, *index).or(tap.lost.then_some(Blindness::Detached)),
                egress: tap.attachment.is_some(),
                named,
            })
            .collect()
    }

    /// Looks whether all programs are still attached, and attaches again what somebody took off.
    /// Returns the places that had gone out of sight, and whether anything has changed.
    pub(super) fn verify(
        &mut self,
        links: &Links,
        kernel: &mut KernelHalf,
    ) -> (Vec<Arc<str>>, bool) {
        let mut detached = Vec::new();
        let mut changed = false;
        for (index, tap) in &mut self.attached {
            let interface = Interface {
                index: *index,
                name: tap.name.to_string(),
            };
            let sound = match &tap.attachment {
                Some(attachment) => kernel.is_attached(&interface, attachment),
                None => !tap.lost,
            };
            if sound || links.get(*index).is_none() {
                continue;
            }
            // What is left of it gives way.
            tap.attachment = None;
            let name = escaped(&tap.name);
            match kernel.attach(&interface, self.mode) {
                Ok(attachment) => {
                    self.notes.push(if tap.lost {
                        format!("attached to {name} again")
                    } else {
                        format!(
                            "another program detached vrrpwatch from {name}; it is attached again"
                        )
                    });
                    tap.attachment = Some(attachment);
                }
                Err(_) if tap.lost => continue,
                Err(error) => self.notes.push(format!(
                    "another program detached vrrpwatch from {name}, and it cannot be attached \
                     again: {error}; this is tried each second"
                )),
            }
            if !tap.lost {
                detached.push(tap.place.interface.clone());
            }
            tap.lost = tap.attachment.is_none();
            changed = true;
        }
        if changed {
            self.told = self.outline(links);
        }
        (detached, changed)
    }

    /// Detaches from everything. Frames that are still under way keep their places.
    pub(super) fn detach(&mut self) {
        for tap in self.attached.values_mut() {
            tap.attachment = None;
            tap.lost = false;
        }
    }

    /// The interfaces that are watched.
    pub(super) fn indices(&self) -> BTreeSet<u32> {
        self.attached.keys().copied().collect()
    }

    /// The name of an interface that sees all frames of its place. What its upper devices see, or
    /// the ports of a bond, it sees as well.
    pub(super) fn whole(&self, index: u32) -> Option<Arc<str>> {
        let tap = self.attached.get(&index)?;
        (tap.name == tap.place.interface).then(|| tap.name.clone())
    }

    /// What is attached, for the record.
    pub(super) fn describe(&self, links: &Links) -> Vec<record::Attachment> {
        self.attached
            .iter()
            .filter_map(|(index, tap)| Some((index, tap, tap.attachment.as_ref()?)))
            .map(|(index, tap, attachment)| record::Attachment {
                interface: tap.name.to_string(),
                index: *index,
                ingress: attachment.ingress.to_string(),
                egress: Some(attachment.egress.to_string()),
                reason: match self.mode {
                    Mode::Auto => "costs the traffic least",
                    Mode::XdpNative if tap.hides_tags => {
                        "as asked; the NIC strips VLAN tags, so frames of all VLANs look untagged"
                    }
                    Mode::XdpNative | Mode::XdpGeneric => "as asked",
                }
                .to_owned(),
                link: match blindness(links, *index) {
                    None => "up",
                    Some(Blindness::NoCarrier) => "no-carrier",
                    Some(_) => "down",
                }
                .to_owned(),
            })
            .collect()
    }

    /// What a reader of the next `start` record should know.
    pub(super) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// The frame in an event.
    pub(super) fn frame(&self, event: Event, clock: &Clock) -> Frame {
        let Event { header, frame } = event;
        let place = self.attached.get(&header.ifindex).map(|tap| &tap.place);
        let own_tag = (header.vlan_protocol != 0).then_some(VlanTag {
            protocol: header.vlan_protocol,
            tci: header.vlan_tci,
        });
        let interface = match place {
            Some(place) => place.interface.clone(),
            // Its last frames arrive after the interface has gone.
            None => Arc::from(format!("if{}", header.ifindex)),
        };
        let direction = match header.hook {
            hook::XDP | hook::TC_INGRESS => Some(Direction::In),
            hook::TC_EGRESS => Some(Direction::Out),
            _ => None,
        };
        Frame {
            time: clock.of_boot_nanos(header.timestamp_ns),
            origin: Origin {
                interface: Some(interface),
                direction,
                tap: Tap(u64::from(header.ifindex) << 8 | u64::from(header.hook)),
            },
            link: LinkType::Ethernet,
            stripped_tag: own_tag.or_else(|| place.and_then(|place| place.tag)),
            length: header.frame_len,
            data: frame,
        }
    }
}

/// Why an interface shows nothing, if it does not.
fn blindness(links: &Links, index: u32) -> Option<Blindness> {
    match links.get(index) {
        None => Some(Blindness::Gone),
        Some(link) => match link.state {
            LinkState::Down => Some(Blindness::Down),
            LinkState::NoCarrier => Some(Blindness::NoCarrier),
            LinkState::Up => None,
        },
    }
}

/// A name as it can be shown.
fn escaped(name: &str) -> String {
    escape(name).to_string()
}
