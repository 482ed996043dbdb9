//! What the evidence comes to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Advertised, Answered, Rate, Seen, Who, service::Reach};
use crate::record::Answer;

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
        let (mut verdict, mut message) = self.neighbourhood();
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
            .map(|one| one.first.mac.to_string())
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
            .filter(|answer| !answer.is_rightful())
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
                    "{address} is held by this host, {active}: {} agree (a host cannot ask by \
                     {neighbours} for its own address, and nobody else answers)",
                    self.proofs(&held.interface)
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
                format!(
                    "{address} is held by {active}: {} agree",
                    self.proofs(neighbours)
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
mod tests {
    use super::*;
    use crate::{
        model::{MacAddr, Priority, Span, Timestamp, Vrid},
        record::{Role, Volume},
        who::Held,
    };

    const LB0: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 0xa0]);
    const LB1: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 0xa1]);

    fn router(last: u8, mac: MacAddr) -> Advertised {
        Advertised {
            source: [10, 77, 0, last].into(),
            mac: Some(mac),
            vrid: Vrid::new(51),
            priority: Priority::new(100),
            interface: Some("eth0".to_owned()),
            vlan: Vec::new(),
            this_host: false,
        }
    }

    fn answer(mac: MacAddr, role: Option<Role>) -> Answered {
        Answered {
            first: Answer {
                mac,
                role,
                router: None,
                rtt_us: 60,
            },
            answers: 1,
        }
    }

    fn judge(
        advertised: Vec<Advertised>,
        answered: Vec<Answered>,
        held: bool,
    ) -> (Verdict, String) {
        evidence(advertised, answered, held).judge()
    }

    fn evidence(advertised: Vec<Advertised>, answered: Vec<Answered>, held: bool) -> Who {
        Who {
            time: Timestamp::default(),
            address: [10, 77, 0, 100].into(),
            verdict: Verdict::Nobody,
            message: String::new(),
            advertised,
            answered,
            held: held.then(|| Held {
                interface: "eth0".to_owned(),
            }),
            not_asked: None,
            services: Vec::new(),
            traffic: None,
            waited_ms: 3500,
        }
    }

    #[test]
    fn traffic_belongs_to_the_active_router() {
        let active = || answer(LB0, Some(Role::ActiveRouter));
        let here = || Advertised {
            this_host: true,
            ..router(10, LB0)
        };
        let traffic = |packets| {
            let arrived = Volume {
                packets,
                bytes: 60 * packets,
                syns: packets,
            };
            Seen::new(arrived, Volume::default(), Span::from_secs(5))
        };
        let mut at_standby = evidence(vec![router(10, LB0)], vec![active()], false);
        at_standby.add_traffic(traffic(0));
        assert_eq!(at_standby.verdict, Verdict::Agreed);
        at_standby.add_traffic(traffic(12));
        assert_eq!(at_standby.verdict, Verdict::Conflict);
        let told = "2.4 packets a second for it arrive at this host, which is not active";
        assert!(at_standby.message.ends_with(told), "{}", at_standby.message);
        for packets in [0, 12] {
            let mut at_active = evidence(vec![here()], vec![], true);
            at_active.add_traffic(traffic(packets));
            assert_eq!(at_active.verdict, Verdict::Agreed, "{}", at_active.message);
        }
    }

    #[test]
    fn one_machine_and_all_evidence_names_it() {
        let active = answer(LB0, Some(Role::ActiveRouter));
        let (verdict, message) = judge(vec![router(10, LB0)], vec![active], false);
        assert_eq!(verdict, Verdict::Agreed);
        assert_eq!(
            message,
            "10.77.0.100 is held by 10.77.0.10 (02:00:00:00:00:a0): adverts and ARP agree"
        );
        let here = Advertised {
            this_host: true,
            ..router(10, LB0)
        };
        assert_eq!(judge(vec![here], vec![], true).0, Verdict::Agreed);
    }

    #[test]
    fn whatever_does_not_fit_is_a_conflict() {
        let active = || answer(LB0, Some(Role::ActiveRouter));
        let outsider = || answer(LB1, Some(Role::Outsider));
        let here = || Advertised {
            this_host: true,
            ..router(10, LB0)
        };
        for (advertised, answered, held) in [
            (
                vec![router(10, LB0), router(11, LB1)],
                vec![active()],
                false,
            ),
            (vec![router(10, LB0)], vec![active(), outsider()], false),
            (vec![router(10, LB0)], vec![outsider()], false),
            (vec![router(10, LB0)], vec![], false),
            (vec![router(10, LB0)], vec![active()], true),
            (vec![here()], vec![outsider()], true),
            (vec![here()], vec![], false),
            (vec![], vec![answer(LB0, None)], false),
            (vec![], vec![], true),
        ] {
            let (verdict, message) = judge(advertised, answered, held);
            assert_eq!(verdict, Verdict::Conflict, "{message}");
        }
    }

    #[test]
    fn nobody_is_nobody() {
        let (verdict, message) = judge(vec![], vec![], false);
        assert_eq!(verdict, Verdict::Nobody);
        assert_eq!(
            message,
            "nobody has 10.77.0.100: nobody advertises it in 3.5 s, and nobody answers for it"
        );
    }
}
