//! address-lost: a virtual address was removed from the master.
//!
//! The log tells of it, and so does the kernel of the watched host: the address went, and the router
//! on it advertised it once more.

use std::{collections::BTreeMap, net::IpAddr};

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{list, log_line, router},
};
use crate::{
    log::LogEvent,
    model::Timestamp,
    record::{Code, Evidence},
};

pub(super) struct AddressLost;

/// The lines that tell why an address went, if there is a reason.
const REASONS: &[LogEvent] = &[LogEvent::Life, LogEvent::StateBackup, LogEvent::FaultWhy];

/// The addresses that went, and how that is known.
#[derive(Default)]
struct Lost {
    holder: String,
    source: Option<IpAddr>,
    addresses: BTreeMap<IpAddr, (Timestamp, String)>,
}

impl Detector for AddressLost {
    fn code(&self) -> Code {
        Code::AddressLost
    }

    fn matter(&self) -> Matter {
        Matter::Daemon
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let Some(lost) = find(view) else {
            return Assessment::Absent;
        };
        Assessment::Present(Sign {
            addresses: lost.addresses.into_keys().collect(),
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let lost = find(view).unwrap_or_default();
        let evidence = lost.addresses.into_values().map(|(time, what)| Evidence {
            source: lost.source,
            ..log_line(time, view.router, what)
        });
        Description {
            sources: lost.source.into_iter().collect(),
            message: format!(
                "{} was removed from {}, which is master of {}: nobody serves it.",
                list(&sign.addresses),
                lost.holder,
                router(view.router)
            ),
            evidence: evidence.collect(),
            advice: "Find out who removed it: NetworkManager or systemd-networkd (mark the \
                     interface unmanaged, or set KeepConfiguration), a DHCP client, a script, a \
                     colleague. Restart keepalived, or add the address, to have it back."
                .to_owned(),
        }
    }
}

fn find(view: &View<'_>) -> Option<Lost> {
    by_log(view).or_else(|| by_kernel(view))
}

fn by_log(view: &View<'_>) -> Option<Lost> {
    let (host, belief) = view
        .telling(REASONS)
        .find(|(_, belief)| !belief.removed.is_empty())?;
    let line = |(address, time): (&IpAddr, &crate::log::Window)| {
        let what = format!("{address} is removed while ({}) is master", belief.name);
        (*address, (time.start, what))
    };
    Some(Lost {
        holder: host.called().to_owned(),
        source: host.own(belief, view.router).map(|own| own.source),
        addresses: belief.removed.iter().map(line).collect(),
    })
}

fn by_kernel(view: &View<'_>) -> Option<Lost> {
    // Once another router is active, it serves the address.
    let active = view.router.active()?;
    let own = view.own().find(|own| own.id() == active.id())?;
    let addresses: BTreeMap<_, _> = own
        .addresses()
        .filter_map(|address| {
            let time = view.machine.lost(address)?;
            let what = format!("the kernel of this host says that {address} is removed");
            Some((address, (time, what)))
        })
        .collect();
    (!addresses.is_empty()).then(|| Lost {
        holder: "this host".to_owned(),
        source: Some(own.source),
        addresses,
    })
}
