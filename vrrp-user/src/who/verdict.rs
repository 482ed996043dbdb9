//! What the evidence comes to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Advertised, Answered, Held, Rate, Seen, Who, service::Reach};
use crate::{probe::Obstacle, record::Answer};

/// What the evidence comes to.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All of it names one machine.
    Agreed,
    /// Nobody advertises it, and it could not be asked for; or one machine answers that may be a router
    /// whose adverts do not come here; or what is missing may have been lost here.
    Unknown,
    /// Nobody has the address.
    Nobody,
    /// The evidence does not agree, or several machines have the address.
    Conflict,
}

impl Who {
    /// Weighs the evidence.
    pub(super) fn judge(&self) -> (Verdict, String) {
        let (mut verdict, mut message) = self.neighbourhood();
        let lost = self.lost_frames();
        let rests_on_absence =
            self.is_for_want() && (verdict == Verdict::Conflict || self.current().next().is_some());
        if lost > 0 && rests_on_absence {
            verdict = Verdict::Unknown;
            let doubt = format!("; that may be wrong, as {lost} frames were lost here meanwhile");
            message.push_str(&doubt);
        }
        for service in &self.services {
            let token = service.protocol.token();
            let more = match service.reach() {
                Reach::Router(router) if self.advertised.len() > 1 => {
                    format!("; a connection from here reaches {router} ({token})")
                }
                Reach::Router(_) | Reach::Unknown(_) => continue,
                Reach::Stranger => {
                    verdict = Verdict::Conflict;
                    format!("; but the {token} at the address is that of none of its routers")
                }
            };
            message += &more;
        }
        if let Some(traffic) = &self.traffic {
            let (more, agrees) = self.receives(traffic);
            message += &more;
            if !agrees {
                verdict = Verdict::Conflict;
            }
        }
        (verdict, message)
    }

    /// What the traffic of the address says of this host, and whether that agrees with the adverts.
    fn receives(&self, traffic: &Seen) -> (String, bool) {
        let active = self.advertised.iter().any(|router| router.this_host);
        let Rate {
            volume,
            packets_per_second,
            ..
        } = &traffic.arrived;
        match (active, volume.packets) {
            (true, 0) => ("; nothing for it arrives here".to_owned(), true),
            (false, 0) => (String::new(), true),
            (true, _) => (
                format!("; {packets_per_second:.1} packets a second for it arrive here"),
                true,
            ),
            (false, _) => (
                format!(
                    "; but {packets_per_second:.1} packets a second for it arrive at this host, \
                     which is not active"
                ),
                false,
            ),
        }
    }

    /// What agrees about the one router that advertises the address, as in "adverts and ARP".
    fn proofs(&self, neighbours: &str) -> String {
        let services = self
            .services
            .iter()
            .filter(|service| matches!(service.reach(), Reach::Router(_)))
            .map(|service| service.protocol.token());
        let proofs: Vec<&str> = ["adverts", neighbours]
            .into_iter()
            .chain(services)
            .collect();
        match &proofs[..] {
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
            [] => String::new(),
        }
    }

    /// What adverts, answers and this host's own interfaces come to.
    fn neighbourhood(&self) -> (Verdict, String) {
        let address = self.address;
        if let Some(shared) = self.current().find(|answer| answer.is_shared()) {
            return (
                Verdict::Conflict,
                format!(
                    "{address} is answered for twice with the virtual MAC {}: two machines have it",
                    shared.first.mac
                ),
            );
        }
        match &self.advertised[..] {
            [] => self.unadvertised(),
            [one] => self.advertised_by(one),
            several => {
                let names: Vec<String> = several.iter().map(name).collect();
                let sides = match self.current().count() {
                    0 | 1 => String::new(),
                    number => format!(", and {number} MACs answer for it"),
                };
                (
                    Verdict::Conflict,
                    format!(
                        "{address} is advertised by {} at the same time{sides}",
                        names.join(" and by ")
                    ),
                )
            }
        }
    }

    /// Whether the verdict rests on what did not come: adverts of a machine that has the address, or the
    /// answer of one that advertises it.
    fn is_for_want(&self) -> bool {
        let here = usize::from(self.held_here().is_some());
        match (&self.advertised[..], self.current().count() + here) {
            ([], holders) => holders <= 1,
            ([_], holders) => holders == 0,
            _ => false,
        }
    }

    /// Frames that were lost here meanwhile.
    fn lost_frames(&self) -> u64 {
        self.lost.values().sum()
    }

    /// This host has the address, and neighbours get an answer from it.
    fn held_here(&self) -> Option<&Held> {
        self.held.as_ref().filter(|held| held.answers)
    }

    fn unadvertised(&self) -> (Verdict, String) {
        let address = self.address;
        let silence = format!("nobody advertises it in {:.1} s", self.seconds());
        let lost = self.lost_frames();
        let macs: Vec<String> = self
            .current()
            .map(|one| one.first.mac.to_string())
            .collect();
        match (self.held_here(), &macs[..]) {
            (None, []) => match self.not_asked {
                Some(obstacle) => (
                    Verdict::Unknown,
                    format!(
                        "cannot tell who has {address}: {silence}, and it cannot be asked for: {}",
                        obstacle.describe()
                    ),
                ),
                None if lost > 0 => (
                    Verdict::Unknown,
                    format!(
                        "cannot tell who has {address}: {silence}, and nobody answers for it, but \
                         {lost} frames were lost here meanwhile"
                    ),
                ),
                None => (
                    Verdict::Nobody,
                    format!("nobody has {address}: {silence}, and nobody answers for it"),
                ),
            },
            (Some(held), []) => (
                Verdict::Conflict,
                format!(
                    "{address} is on {} of this host, but {silence}",
                    held.interface
                ),
            ),
            (None, [one]) => (
                Verdict::Unknown,
                format!(
                    "{address} is answered for by {one} alone, and {silence}: adverts do not come here \
                     (unicast peers, IGMP snooping), or no VRRP daemon runs for it; which it is cannot \
                     be seen from here"
                ),
            ),
            (held, several) => {
                let here = held.map_or(String::new(), |held| {
                    format!(" is on {} of this host and", held.interface)
                });
                (
                    Verdict::Conflict,
                    format!(
                        "{address}{here} is answered for by {}; {silence}",
                        several.join(" and by ")
                    ),
                )
            }
        }
    }

    fn advertised_by(&self, router: &Advertised) -> (Verdict, String) {
        let address = self.address;
        let active = name(router);
        let wrong: Vec<String> = self
            .current()
            .filter(|answer| !answer.is_rightful())
            .map(describe)
            .collect();
        let right = self.current().count() > wrong.len();
        let neighbours = self.protocol();
        if let Some(held) = self.held_here() {
            return self.advertised_and_held(router, held);
        }
        match (right, wrong.is_empty()) {
            (true, true) => (
                Verdict::Agreed,
                format!(
                    "{address} is held by {active}: {} agree{}",
                    self.proofs(neighbours),
                    self.moves()
                ),
            ),
            (true, false) => (
                Verdict::Conflict,
                format!(
                    "{address} is held by {active}, and answered for by {} as well",
                    wrong.join(" and by ")
                ),
            ),
            (false, false) => (
                Verdict::Conflict,
                format!(
                    "{address} is advertised by {active}, but answered for only by {}",
                    wrong.join(" and by ")
                ),
            ),
            (false, true) if self.not_asked.is_some() => (
                Verdict::Agreed,
                format!(
                    "{address} is advertised by {active}; it cannot be asked for: {}",
                    self.not_asked.map_or("", Obstacle::describe)
                ),
            ),
            (false, true) if router.this_host => (
                Verdict::Conflict,
                format!(
                    "{address} is advertised by this host, {active}, but it is on none of its \
                     interfaces"
                ),
            ),
            (false, true) => (
                Verdict::Conflict,
                format!("{address} is advertised by {active}, but nobody answers for it"),
            ),
        }
    }

    /// That it moved meanwhile, if it did.
    fn moves(&self) -> String {
        let from = self.answered.iter().find(|answer| answer.moved);
        from.map_or_else(String::new, |from| {
            format!("; it moved there from {} meanwhile", from.first.mac)
        })
    }

    fn advertised_and_held(&self, router: &Advertised, held: &Held) -> (Verdict, String) {
        let (address, active) = (self.address, name(router));
        if !router.this_host {
            return (
                Verdict::Conflict,
                format!(
                    "{address} is advertised by {active}, and yet it is on {} of this host, which \
                     answers for it",
                    held.interface
                ),
            );
        }
        if self.current().next().is_none() {
            let neighbours = self.protocol();
            return (
                Verdict::Agreed,
                format!(
                    "{address} is held by this host, {active}: {} agree (a host cannot ask by \
                     {neighbours} for its own address, and nobody else answers)",
                    self.proofs(&held.interface)
                ),
            );
        }
        let others: Vec<String> = self.current().map(describe).collect();
        (
            Verdict::Conflict,
            format!(
                "{address} is held by this host, {active}, and answered for by {} as well",
                others.join(" and by ")
            ),
        )
    }

    /// What to do next, where there is something to be done. Nobody is told to take the address from a
    /// machine: which of several is right this host cannot know.
    pub fn hint(&self) -> Option<&'static str> {
        if self.verdict == Verdict::Unknown {
            return Some(match self.not_asked {
                None if self.lost_frames() == 0 => {
                    "run `vrrpwatch who` for it on the machine that answers"
                }
                None => "ask again, or on another host",
                Some(Obstacle::NoCarrier) => "see the cable, or the port of the switch",
                _ => "ask on a host that has an address in its subnet",
            });
        }
        if self.verdict != Verdict::Conflict {
            return None;
        }
        let shared = self.current().any(Answered::is_shared);
        Some(match &self.advertised[..] {
            [] => "`vrrpwatch explain vip-without-master`",
            [_] if shared => {
                "run `vrrpwatch who` for it on each of its routers: which of them has it without \
                 advertising it?"
            }
            [_] if self.current().next().is_none() && self.held_here().is_none() => {
                "`vrrpwatch explain vip-unanswered`"
            }
            [_] => "`vrrpwatch explain vip-conflict`",
            _ => "`vrrpwatch explain split-brain`",
        })
    }

    /// What addresses are asked for by.
    const fn protocol(&self) -> &'static str {
        if self.address.is_ipv4() {
            "ARP"
        } else {
            "neighbour discovery"
        }
    }

    fn seconds(&self) -> f64 {
        std::time::Duration::from_millis(self.waited_ms).as_secs_f64()
    }
}

fn name(router: &Advertised) -> String {
    match router.mac {
        Some(mac) => format!("{} ({mac})", router.source),
        None => router.source.to_string(),
    }
}

fn describe(answer: &Answered) -> String {
    let Answer {
        mac, role, router, ..
    } = &answer.first;
    match (role, router) {
        (Some(role), Some(router)) => format!("{mac} ({} {router})", role.describe()),
        (Some(role), None) => format!("{mac} ({})", role.describe()),
        (None, _) => mac.to_string(),
    }
}

#[cfg(test)]
mod tests;
