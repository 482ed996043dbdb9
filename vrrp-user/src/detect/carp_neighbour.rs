//! carp-neighbour: CARP shares protocol number and group with VRRP, and where the numbers are alike
//! the virtual MAC as well.

use super::{incident::Report, view::Description, words::who};
use crate::{
    model::{MacAddr, Span, Timestamp, Vrid},
    record::{Code, Evidence, Severity},
    tracker::{Router, Segment, Tracker},
    wire::Carp,
};

/// The finding in words; a warning where a virtual router of the segment has the same number.
pub(super) fn report(
    carp: &Carp,
    mac: Option<MacAddr>,
    (tracker, segment): (&Tracker, &Segment),
    now: Timestamp,
) -> Report {
    let interval = Span::from_secs(u64::from(carp.base_seconds)) + Span::from_secs(1);
    let alike = tracker.routers().find(|router| {
        router.segment == *segment
            && router.vrid == Vrid::new(carp.vhid)
            && router.live(now).is_some()
    });
    let (message, advice) = match alike {
        Some(router) => clash(carp, mac, router),
        None => (
            format!(
                "{} speaks CARP with VHID {} to the group of VRRP: it is no VRRP router, though \
                 other tools take it for one that resigns every second.",
                carp.source, carp.vhid
            ),
            format!("Do not use VRID {} for VRRP on this segment.", carp.vhid),
        ),
    };
    Report {
        code: Code::CarpNeighbour,
        severity: match alike {
            Some(_) => Severity::Warning,
            None => Code::CarpNeighbour.severity(),
        },
        source: carp.source,
        // A finding of its own: that the numbers are alike may come later than CARP itself.
        vrid: alike.map(|router| router.vrid),
        addresses: Vec::new(),
        quiet: interval * 4,
        description: Description {
            sources: vec![carp.source],
            message,
            evidence: vec![Evidence {
                time: Timestamp::default(),
                source: Some(carp.source),
                mac,
                vrid: None,
                priority: None,
                what: format!("CARP, VHID {}, skew {}", carp.vhid, carp.skew),
            }],
            advice,
        },
    }
}

/// CARP and a virtual router of the same number.
fn clash(carp: &Carp, mac: Option<MacAddr>, router: &Router) -> (String, String) {
    let shared = router.virtual_mac();
    let active = router.active();
    let both = mac == Some(shared) && active.is_some_and(|active| active.mac == Some(shared));
    let harm = if both {
        format!(
            "both send from the virtual MAC {shared}, and the switch sees it move between their \
             ports, so that frames for either go astray"
        )
    } else {
        format!(
            "both derive a virtual MAC from that number ({shared} for VRRP), and keepalived takes \
             each packet of CARP for one of its own that is too short"
        )
    };
    (
        format!(
            "{} speaks CARP with VHID {} while {} speaks VRRP with VRID {} on the same segment: \
             {harm}.",
            carp.source,
            carp.vhid,
            active.map(who).unwrap_or_default(),
            router.vrid
        ),
        "Give one of them another number, on all of its machines: virtual_router_id in \
         keepalived.conf, or the VHID of CARP."
            .to_owned(),
    )
}
