//! blind: this host does not see a segment on which there are virtual routers, or which it was asked
//! to watch.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Analyst,
    ledger::{Key, Subject},
    view::Description,
    words::list,
};
use crate::{
    model::Timestamp,
    record::{Code, Evidence, Record},
    sight::{Blindness, Change},
    tracker::{Router, Segment, Speaker},
    world::World,
};

impl Analyst {
    /// Raises the finding where nothing is seen of an interface that matters, and clears it where it
    /// is seen again. `changes`: what began or ended to be seen just now.
    pub(super) fn review_sight(&mut self, world: &mut World, changes: &[Change]) {
        for change in changes {
            let key = key(&change.interface);
            let over = change.blind.is_none();
            if over {
                let record = self.ledger.end(&key, self.now);
                self.raise(record);
            }
        }
        let blind: Vec<_> = world
            .tracker
            .sights()
            .blind()
            .filter(|(interface, _, named)| *named || concerns_routers(world, interface))
            .map(|(interface, why, _)| (interface.clone(), why))
            .collect();
        for (interface, why) in blind {
            let key = key(&interface);
            let is_new = changes.iter().any(|change| change.interface == interface);
            if is_new || !self.ledger.has(&key) {
                let record = self.tell_blind(world, key, &interface, why);
                self.raise(Some(record));
            }
        }
    }

    fn tell_blind(
        &mut self,
        world: &mut World,
        key: Key,
        interface: &Arc<str>,
        why: Blindness,
    ) -> Record {
        let routers: Vec<&Router> = world.tracker.on(interface).collect();
        let segment = Segment {
            interface: Some(interface.clone()),
            vlan: routers
                .first()
                .map(|router| router.segment.vlan.clone())
                .unwrap_or_default(),
        };
        let addresses = routers
            .iter()
            .flat_map(|router| router.speakers())
            .flat_map(Speaker::addresses)
            .collect::<BTreeSet<_>>();
        let description = describe(interface, why, &routers, self.now);
        let addresses = addresses.into_iter().collect();
        self.ledger
            .declare(key, &segment, addresses, description, self.now)
    }
}

/// Whether virtual routers were seen on an interface, or are to be expected there.
fn concerns_routers(world: &World, interface: &str) -> bool {
    let configured = || {
        world.daemons.conf().is_some_and(|conf| {
            let mut instances = conf.instances.iter();
            instances.any(|instance| instance.interface.as_deref() == Some(interface))
        })
    };
    world.tracker.on(interface).next().is_some()
        || configured()
        || world.machine.listens_on(interface)
}

fn key(interface: &Arc<str>) -> Key {
    Key {
        subject: Subject::Interface(interface.clone()),
        code: Code::Blind,
    }
}

fn describe(interface: &str, why: Blindness, routers: &[&Router], now: Timestamp) -> Description {
    let vrids: BTreeSet<u8> = routers.iter().map(|router| router.vrid.get()).collect();
    let vrids = if vrids.is_empty() {
        "any virtual router there".to_owned()
    } else {
        list(vrids.iter().map(|vrid| format!("VRID {vrid}")))
    };
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
