//! address-lost: a virtual address was removed from the master.

use std::net::IpAddr;

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{list, log_line, router},
};
use crate::{
    daemon::{Belief, Host},
    record::Code,
};

pub(super) struct AddressLost;

impl Detector for AddressLost {
    fn code(&self) -> Code {
        Code::AddressLost
    }

    fn matter(&self) -> Matter {
        Matter::Daemon
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let Some((_, belief)) = find(view) else {
            return Assessment::Absent;
        };
        Assessment::Present(Sign {
            addresses: belief.removed.keys().copied().collect(),
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let Some((host, belief)) = find(view) else {
            return Description::default();
        };
        let evidence = belief.removed.iter().map(|(address, time)| {
            let what = format!("{address} is removed while ({}) is master", belief.name);
            log_line(time.start, view.router, what)
        });
        Description {
            sources: host
                .own(belief, view.router)
                .map(|own| own.source)
                .into_iter()
                .collect::<Vec<IpAddr>>(),
            message: format!(
                "{} was removed from {}, which is master of {}: nobody serves it.",
                list(&sign.addresses),
                host.called(),
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

fn find<'a>(view: &View<'a>) -> Option<(&'a Host, &'a Belief)> {
    view.beliefs()
        .find(|(_, belief)| !belief.removed.is_empty())
}
