//! What the evidence comes to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Advertised, Answered, Who};
use crate::record::Role;

/// What the evidence comes to.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All of it names one machine.
    Agreed,
    /// Nobody has the address.
    Nobody,
    /// The evidence does not agree, or several machines have the address.
    Conflict,
}

impl Who {
    /// Weighs the evidence.
    pub(super) fn judge(&self) -> (Verdict, String) {
        let address = self.address;
        match (&self.advertised[..], &self.held) {
            ([], _) => self.unadvertised(),
            ([one], _) => self.advertised_by(one),
            (several, _) => {
                let names: Vec<String> = several.iter().map(name).collect();
                let sides = match self.answered.len() {
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

    fn unadvertised(&self) -> (Verdict, String) {
        let address = self.address;
        let silence = format!("nobody advertises it in {:.1} s", self.seconds());
        let macs: Vec<String> = self
            .answered
            .iter()
            .map(|one| one.mac.to_string())
            .collect();
        match (&self.held, &macs[..]) {
            (None, []) if self.not_asked.is_some() => (
                Verdict::Nobody,
                format!(
                    "nobody is known to have {address}: {silence}, and this host cannot ask for it \
                     ({})",
                    self.not_asked.map_or("", |reason| reason.as_str())
                ),
            ),
            (None, []) => (
                Verdict::Nobody,
                format!("nobody has {address}: {silence}, and nobody answers for it"),
            ),
            (Some(held), []) => (
                Verdict::Conflict,
                format!(
                    "{address} is on {} of this host, but {silence}",
                    held.interface
                ),
            ),
            (None, [one]) => (
                Verdict::Conflict,
                format!("{address} is answered for by {one}, but {silence}"),
            ),
            (held, several) => {
                let here = held.as_ref().map_or(String::new(), |held| {
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
            .answered
            .iter()
            .filter(|answer| !answer.role.is_some_and(Role::is_rightful))
            .map(describe)
            .collect();
        let right = self.answered.len() > wrong.len();
        let neighbours = self.protocol();
        if let Some(held) = &self.held {
            return if !router.this_host {
                let verdict = format!(
                    "{address} is advertised by {active}, and yet it is on {} of this host",
                    held.interface
                );
                (Verdict::Conflict, verdict)
            } else if self.answered.is_empty() {
                let verdict = format!(
                    "{address} is held by this host, {active}: adverts and {} agree (a host cannot \
                     ask {neighbours} for its own address, and nobody else answers)",
                    held.interface
                );
                (Verdict::Agreed, verdict)
            } else {
                let others: Vec<String> = self.answered.iter().map(describe).collect();
                let verdict = format!(
                    "{address} is held by this host, {active}, and answered for by {} as well",
                    others.join(" and by ")
                );
                (Verdict::Conflict, verdict)
            };
        }
        match (right, wrong.is_empty()) {
            (true, true) => (
                Verdict::Agreed,
                format!("{address} is held by {active}: adverts and {neighbours} agree"),
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
                    "{address} is advertised by {active}; this host cannot ask for it ({})",
                    self.not_asked.map_or("", |reason| reason.as_str())
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
    match (answer.role, answer.router) {
        (Some(role), Some(router)) => format!("{} ({} {router})", answer.mac, role.describe()),
        (Some(role), None) => format!("{} ({})", answer.mac, role.describe()),
        (None, _) => answer.mac.to_string(),
    }
}
