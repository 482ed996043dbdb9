//! vip-conflict: a virtual address is claimed by a MAC that is not the active router's.
//!
//! Claims are seen in ARP and neighbour discovery. This host need not say a word: it shows what it has.
//! Where it is clear why it has an address, that is a finding of its own.

use std::net::IpAddr;

use super::{
    kept::{self, Kept, Why},
    view::{Assessment, Description, Detector, Sign, View},
    words::{advert, be, list, router, time, who},
};
use crate::{
    model::{MacAddr, Timestamp},
    record::{Cause, Code, Evidence},
    tracker::{
        Speaker, SpeakerId,
        neighbours::{Foreign, VOLLEY},
    },
};

pub(super) struct VipConflict;

/// Claimants that are named; there is no end to those that can be made up.
const NAMED: usize = 4;
/// Claims that are told as evidence.
const PROVEN: usize = 16;

impl Detector for VipConflict {
    fn code(&self) -> Code {
        Code::VipConflict
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let claims = claims(view);
        if claims.is_empty() {
            return if view.router.neighbours().has_lapsed() {
                Assessment::Lapsed
            } else {
                Assessment::Absent
            };
        }
        let Some(active) = view.live() else {
            return Assessment::Undecided;
        };
        // The active router has to be heard after the claim: what claims the address may be about
        // to take over.
        let confirmed: Vec<_> = claims
            .into_iter()
            .filter(|(_, _, claim)| active.last > claim.first)
            .collect();
        let Some((_, mac, claim)) = confirmed.first() else {
            return Assessment::Absent;
        };
        // One announcement may be the first of many.
        if confirmed
            .iter()
            .all(|(.., claim)| is_beginning(view, claim))
        {
            return Assessment::Undecided;
        }
        let cause = if claim.own {
            role_here(view).or_else(|| role(view, *mac, claim.speaker))
        } else if is_unheard(view, claim) {
            Some(Cause::Unheard)
        } else {
            role(view, *mac, claim.speaker)
        };
        let addresses = confirmed.iter().map(|(address, _, _)| *address).collect();
        let mut macs: Vec<MacAddr> = confirmed.iter().map(|(_, mac, _)| *mac).collect();
        macs.sort_unstable();
        macs.dedup();
        Assessment::Present(Sign {
            cause,
            addresses,
            macs,
            ..Sign::default()
        })
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        let beginning = claims(view)
            .into_iter()
            .filter(|(.., claim)| is_beginning(view, claim))
            .map(|(.., claim)| claim.recent.0 + VOLLEY);
        beginning.chain(kept::deadline(view)).min()
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let Some(active) = view.router.active() else {
            return Description::default();
        };
        let mut claims = claims(view);
        claims.sort_by_key(|(.., claim)| (std::cmp::Reverse(claim.count), claim.first));
        let mut named: Vec<String> = Vec::new();
        let mut told: Vec<MacAddr> = Vec::new();
        for (_, mac, claim) in &claims {
            if named.len() < NAMED && sign.macs.contains(mac) && !told.contains(mac) {
                told.push(*mac);
                named.push(if claim.count == 0 {
                    name_here(view, *mac)
                } else if is_unheard(view, claim) {
                    name_unheard(view, *mac, claim)
                } else {
                    name(view, *mac, claim.speaker, claim.own)
                });
            }
        }
        if sign.macs.len() > named.len() {
            named.push(format!("{} others", sign.macs.len() - named.len()));
        }
        let evidence = claims
            .iter()
            .take(PROVEN)
            .map(|(address, mac, claim)| Evidence {
                time: claim.last,
                source: Some(*address),
                mac: Some(*mac),
                vrid: Some(view.router.vrid),
                priority: None,
                what: match claim.count {
                    0 => format!("this host has {address}"),
                    count => format!(
                        "claims {address}{}, {count} times in {}",
                        if claim.announced > 0 {
                            " unasked"
                        } else {
                            " when asked"
                        },
                        time(claim.last.since(claim.first))
                    ),
                },
            })
            .chain([advert(view.router, active, "the active router".to_owned())])
            .collect();
        Description {
            sources: vec![active.source],
            message: format!(
                "{} of {} {} claimed by {} although {} is active.",
                list(&sign.addresses),
                router(view.router),
                be(&sign.addresses),
                named.join(" and by "),
                who(active)
            ),
            evidence,
            advice: match role_here(view) {
                Some(cause) if only_here(view, sign) => advice_here(&cause),
                _ => advice(sign.cause.as_ref()),
            }
            .to_owned(),
        }
    }
}

/// Claims of those that are not entitled to any, and of rivals that answer as well.
fn claims(view: &View<'_>) -> Vec<(IpAddr, MacAddr, Foreign)> {
    let entitled = |mac: MacAddr| {
        view.router
            .owner(mac)
            .and_then(|owner| view.speaker(owner))
            .is_some_and(|speaker| view.router.may_be_active(speaker, view.now))
    };
    // While the active router may still answer, or does not at all, it is no conflict.
    let open = |address: IpAddr, claim: &Foreign| {
        view.router
            .neighbours()
            .probed()
            .filter(|(probed, _)| *probed == address)
            .any(|(_, probed)| {
                let under_way = probed.asking.is_some_and(|asking| asking <= claim.first);
                (under_way || probed.wrong > 0) && claim.announced == 0
            })
    };
    let kept = kept::find(view);
    // It is another finding, or not known yet, why this host has its addresses.
    let told = kept
        .as_ref()
        .is_some_and(|kept| role_of(&kept.why).is_none());
    let mut claims: Vec<_> = view
        .router
        .neighbours()
        .foreign()
        .filter(|(address, mac, claim)| !entitled(*mac) && !open(*address, claim))
        .filter(|(.., claim)| !(claim.own && told))
        .chain(answering_rivals(view))
        .chain(sharing(view))
        .collect();
    for (address, since, holding) in kept.iter().filter(|_| !told).flat_map(|kept| &kept.held) {
        let mac = holding.mac.unwrap_or(MacAddr::new([0; 6]));
        let is_claimed =
            |(one, other, _): &(IpAddr, MacAddr, Foreign)| (one, other) == (address, &mac);
        if !claims.iter().any(is_claimed) {
            let claim = Foreign {
                first: *since,
                last: view.now,
                count: 0,
                announced: 0,
                volley: 0,
                recent: (*since, 0),
                speaker: None,
                own: true,
            };
            claims.push((*address, mac, claim));
        }
    }
    claims
}

/// What this host is where it has an address that it should not have.
fn role_here(view: &View<'_>) -> Option<Cause> {
    role_of(&kept::find(view)?.why)
}

const fn role_of(why: &Why<'_>) -> Option<Cause> {
    match why {
        Why::Strange => Some(Cause::Outsider),
        Why::Standby => Some(Cause::Standby),
        Why::Open
        | Why::Dead(..)
        | Why::Stalled(_)
        | Why::Blocked
        | Why::Deaf
        | Why::Rejects(_) => None,
    }
}

/// Whether all that claim the addresses are this host.
fn only_here(view: &View<'_>, sign: &Sign) -> bool {
    let claims = claims(view);
    let mut named = claims.iter().filter(|(_, mac, _)| sign.macs.contains(mac));
    named.all(|(.., claim)| claim.own)
}

/// This host in words.
fn name_here(view: &View<'_>, mac: MacAddr) -> String {
    let kept = kept::find(view);
    let on = kept.as_ref().map_or_else(String::new, Kept::interfaces);
    let daemon = match kept.map(|kept| kept.why) {
        Some(Why::Strange) if view.machine.has_no_daemon() => "where no VRRP daemon runs",
        Some(Why::Strange) => "whose VRRP daemon has nothing to do with it",
        _ => match kept::says_master(view) {
            Some(_) => "whose daemon is master by its log and sends nothing",
            None => "whose daemon sends no adverts",
        },
    };
    format!("{mac} ({on} of this host, {daemon})")
}

const fn advice_here(cause: &Cause) -> &'static str {
    match cause {
        Cause::Standby => {
            "See which state the daemon has (its log). As a standby it does not have the address: then \
             somebody added it, a script, networkd or NetworkManager, or a colleague. As master it \
             should send adverts: see whether it drops those of the active router (authentication, \
             interval, version) and what `vrrpwatch why-dropped` says."
        }
        _ => {
            "If keepalived is meant to run here, start it: it removes the address, or takes it \
             properly. If not, find out who configured the address here (networkd, NetworkManager, \
             netplan, a script) and why, and whether the active router is the right one; a real \
             server behind LVS has it on lo, with arp_ignore=1 and arp_announce=2."
        }
    }
}

/// Rivals that answered the last question beside the active router: it matters to neighbours that
/// both do.
fn answering_rivals(view: &View<'_>) -> Vec<(IpAddr, MacAddr, Foreign)> {
    let active = view.router.active().map(Speaker::id);
    let mut claims = Vec::new();
    for (address, probed) in view.router.neighbours().probed() {
        let by_active = |mac: &MacAddr| {
            *mac == view.router.virtual_mac()
                || (active.is_some() && view.router.owner(*mac) == active)
        };
        if !probed.judged || !probed.macs.iter().any(by_active) {
            continue;
        }
        for mac in probed.macs.iter().filter(|mac| !by_active(mac)) {
            let speaker = view.router.owner(*mac);
            if speaker.is_some_and(|id| is_rival(view, id)) {
                let claim = Foreign {
                    first: probed.asked,
                    last: probed.asked,
                    count: 1,
                    announced: 0,
                    volley: 0,
                    recent: (probed.asked, 0),
                    speaker,
                    own: false,
                };
                claims.push((address, *mac, claim));
            }
        }
    }
    claims
}

/// A network repeats a frame now and then. One that is answered twice, and the next question as well, is
/// answered by two.
const SHARED: u32 = 2;

/// The virtual MAC, where two machines answer with it.
fn sharing(view: &View<'_>) -> Vec<(IpAddr, MacAddr, Foreign)> {
    let probed = view.router.neighbours().probed();
    let doubled = probed.filter(|(_, probed)| probed.doubled >= SHARED);
    doubled
        .map(|(address, probed)| {
            let claim = Foreign {
                first: probed.since,
                last: probed.asked,
                count: u64::from(probed.doubled),
                announced: 0,
                volley: 0,
                recent: (probed.since, 0),
                speaker: None,
                own: false,
            };
            (address, view.router.virtual_mac(), claim)
        })
        .collect()
}

/// Announcements at once that only an active router makes: keepalived announces its addresses five
/// times (`vrrp_garp_master_repeat`) when it becomes active, again 5 s later, and with every advert of a
/// lower priority that it hears. A plain host announces an address once or twice when it gets it, a
/// dead daemon not at all.
const ENOUGH: u64 = 3;

/// Whether the claimant announces the address as an active router does, whose adverts then do not
/// arrive here.
fn is_unheard(view: &View<'_>, claim: &Foreign) -> bool {
    let rival = claim.speaker.is_some_and(|id| is_rival(view, id));
    !claim.own && !rival && claim.volley >= ENOUGH
}

/// Whether more announcements may follow at once, which would tell what the claimant is.
fn is_beginning(view: &View<'_>, claim: &Foreign) -> bool {
    let (since, count) = claim.recent;
    !claim.own && count > 0 && claim.volley < ENOUGH && view.now < since + VOLLEY
}

/// A router that announces and is not heard, in words.
fn name_unheard(view: &View<'_>, mac: MacAddr, claim: &Foreign) -> String {
    match claim.speaker.and_then(|id| view.speaker(id)) {
        Some(speaker) => format!(
            "{mac} ({}, which announces it as an active router does)",
            speaker.source
        ),
        None => format!("{mac} (which announces it as an active router does)"),
    }
}

fn is_rival(view: &View<'_>, id: SpeakerId) -> bool {
    view.router.rivals(view.now).any(|rival| rival.id == id)
}

/// What a claimant is; a rival is the business of split-brain.
pub(super) fn role(view: &View<'_>, mac: MacAddr, speaker: Option<SpeakerId>) -> Option<Cause> {
    if mac == view.router.virtual_mac() {
        return Some(Cause::SharedMac);
    }
    match speaker.and_then(|id| view.speaker(id)) {
        Some(speaker) if is_rival(view, speaker.id()) => None,
        Some(speaker) if speaker.has_been_active => Some(Cause::Leftover),
        Some(_) => Some(Cause::Standby),
        None if view.router.neighbours().is_proxy(mac) => Some(Cause::ProxyArp),
        None => Some(Cause::Outsider),
    }
}

/// A claimant in words. `own`: it is this host.
pub(super) fn name(view: &View<'_>, mac: MacAddr, speaker: Option<SpeakerId>, own: bool) -> String {
    let source = speaker
        .and_then(|id| view.speaker(id))
        .map(|speaker| speaker.source);
    let this = if own { ", which is this host" } else { "" };
    match (role(view, mac, speaker), source) {
        (Some(Cause::SharedMac), _) => {
            format!("a second machine with the virtual MAC {mac}")
        }
        (None, Some(source)) => format!("{mac} (router {source}{this}, active as well)"),
        (Some(Cause::Leftover), Some(source)) => {
            format!("{mac} (formerly active router {source}{this})")
        }
        (_, Some(source)) => format!("{mac} (backup router {source}{this})"),
        (Some(Cause::ProxyArp), None) => {
            format!("{mac} (not one of its routers; it answers for other addresses too{this})")
        }
        (_, None) => format!("{mac} (not one of its routers{this})"),
    }
}

pub(super) const fn advice(cause: Option<&Cause>) -> &'static str {
    match cause {
        Some(Cause::Leftover) => {
            "That machine is not heard any more and still has the address. See whether its daemon runs. \
             If not, start it: it takes the address properly, or removes it. If it does, its adverts do \
             not arrive here: look for what drops IP protocol 112 between the two."
        }
        None => {
            "Two routers are active at the same time (`vrrpwatch explain split-brain`): \
             neighbours reach now one and now the other. Let VRRP through between the two."
        }
        Some(Cause::Standby) => {
            "That machine is one of the routers and is not heard as active. See its own state \
             there (`vrrpwatch who`, its log) before you change anything: it may be active, and \
             its adverts not arrive here. A real server behind LVS in direct routing needs \
             arp_ignore=1 and arp_announce=2."
        }
        Some(Cause::Unheard) => {
            "Both are probably active, and the adverts of that machine do not arrive here: look for what \
             drops IP protocol 112 on its way (a firewall, a switch, IGMP snooping for 224.0.0.18). \
             `vrrpwatch who` on that machine tells what it sends. Leave the address where it is until you \
             know which of the two is to have it."
        }
        Some(Cause::SharedMac) => {
            "Each question is answered twice with the virtual MAC: two machines have it, and the switch \
             leads now to one and now to the other. Run `vrrpwatch who` for the address on each router: \
             the one that has it and sends no adverts may have lost its daemon (use_vmac leaves the \
             macvlan behind when keepalived is killed). Start keepalived there: it takes the address \
             properly, or removes it."
        }
        Some(Cause::ProxyArp) => {
            "A machine answers ARP for addresses of others: switch proxy_arp off there \
             (net.ipv4.conf.*.proxy_arp=0)."
        }
        _ => {
            "Find the machine by its MAC in the switch, and find out why it has the address: set by hand or \
             by a script, a router whose adverts do not arrive here, or a real server behind LVS in direct \
             routing, which needs arp_ignore=1 and arp_announce=2. Decide which of the two is right before \
             you take the address from either."
        }
    }
}
