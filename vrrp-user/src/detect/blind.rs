//! blind: this host does not see a segment on which it has seen virtual routers.

use std::collections::BTreeSet;

use super::{
    ledger::{Key, Ledger, Subject},
    view::Description,
    words::list,
};
use crate::{
    model::Timestamp,
    record::{Code, Evidence, Record},
    sight::{Blindness, Change},
    tracker::{Router, Segment, Tracker},
};

/// Raises the finding where virtual routers went out of sight, and clears it where they are seen
/// again.
pub(super) fn settle(
    change: &Change,
    tracker: &Tracker,
    ledger: &mut Ledger,
    now: Timestamp,
) -> Option<Record> {
    let key = Key {
        subject: Subject::Interface(change.interface.clone()),
        code: Code::Blind,
    };
    let Some(why) = change.blind else {
        return ledger.end(&key, now);
    };
    let routers: Vec<&Router> = tracker.on(&change.interface).collect();
    if routers.is_empty() {
        return None;
    }
    let segment = Segment {
        interface: Some(change.interface.clone()),
        vlan: routers[0].segment.vlan.clone(),
    };
    let addresses = routers
        .iter()
        .flat_map(|router| router.speakers())
        .flat_map(crate::tracker::Speaker::addresses)
        .collect::<BTreeSet<_>>();
    let description = describe(change, why, &routers, now);
    Some(ledger.declare(
        key,
        &segment,
        addresses.into_iter().collect(),
        description,
        now,
    ))
}

fn describe(change: &Change, why: Blindness, routers: &[&Router], now: Timestamp) -> Description {
    let interface = &change.interface;
    let vrids: BTreeSet<u8> = routers.iter().map(|router| router.vrid.get()).collect();
    let vrids = list(vrids.iter().map(|vrid| format!("VRID {vrid}")));
    let advice = match why {
        Blindness::Gone => format!(
            "Nothing is known of {vrids} until {interface} is back; it is watched again then."
        ),
        Blindness::Down => format!("Bring it up: `ip link set {interface} up`."),
        Blindness::NoCarrier => {
            "Check the cable and the port of the switch, or the host below if this is a virtual \
             machine."
                .to_owned()
        }
        Blindness::Detached => {
            "It is attached again. `bpftool net list` shows what is attached now; \
                                see which other program manages TC or XDP on this interface."
                .to_owned()
        }
    };
    Description {
        sources: Vec::new(),
        message: format!(
            "This host cannot see {vrids}: {interface} {}. Nothing is concluded there until it is \
             seen again.",
            why.describe()
        ),
        evidence: vec![Evidence {
            time: now,
            source: None,
            mac: None,
            vrid: None,
            priority: None,
            what: format!("{interface} {}", why.describe()),
        }],
        advice,
    }
}
