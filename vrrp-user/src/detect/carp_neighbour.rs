//! carp-neighbour: CARP shares protocol number and group with VRRP.

use super::{incident::Report, view::Description};
use crate::{
    model::{MacAddr, Span, Timestamp, Vrid},
    record::{Code, Evidence},
    wire::Carp,
};

/// The finding in words.
pub(super) fn report(carp: &Carp, mac: Option<MacAddr>) -> Report {
    let interval = Span::from_secs(u64::from(carp.base_seconds)) + Span::from_secs(1);
    Report {
        code: Code::CarpNeighbour,
        source: carp.source,
        vrid: Some(Vrid::new(carp.vhid)),
        addresses: Vec::new(),
        quiet: interval * 4,
        description: Description {
            sources: vec![carp.source],
            message: format!(
                "{} speaks CARP with VHID {} to the group of VRRP: it is no VRRP router, though \
                 other tools take it for one that resigns every second.",
                carp.source, carp.vhid
            ),
            evidence: vec![Evidence {
                time: Timestamp::default(),
                source: Some(carp.source),
                mac,
                vrid: None,
                priority: None,
                what: format!("CARP, VHID {}, skew {}", carp.vhid, carp.skew),
            }],
            advice: format!(
                "They can live side by side; do not use VRID {} for VRRP here. keepalived logs each \
                 of these as too short, which can be ignored.",
                carp.vhid
            ),
        },
    }
}
