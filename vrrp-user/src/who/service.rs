//! Which machine a connection to the address reaches, by the key that it shows.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    chain::Chain,
    identity::{IdentityError, Protocol},
};

/// What a service shows at the address, and at the routers' own addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// What shows it.
    pub protocol: Protocol,
    /// TCP port.
    pub port: u16,
    /// At the address in question.
    pub shown: Shown,
    /// At the own addresses of the routers that advertise it.
    pub routers: Vec<(IpAddr, Shown)>,
}

/// What a machine shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Shown {
    /// The fingerprint of its key or certificate.
    Fingerprint(String),
    /// Nothing, and why.
    Error(String),
}

/// What a service says of the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// A connection reaches this router.
    Router(IpAddr),
    /// It reaches a machine that is none of the routers.
    Stranger,
    /// It cannot be told, for this reason.
    Unknown(String),
}

impl Service {
    /// Whom a connection reaches.
    pub(super) fn reach(&self) -> Reach {
        let Shown::Fingerprint(shown) = &self.shown else {
            return Reach::Unknown("nothing is shown at the address".to_owned());
        };
        let same = |other: &Shown| matches!(other, Shown::Fingerprint(other) if other == shown);
        let mut alike = self.routers.iter().filter(|(_, other)| same(other));
        match (alike.next(), alike.next()) {
            (Some((router, _)), None) => Reach::Router(*router),
            (Some(_), Some(_)) => Reach::Unknown("the routers show the same one".to_owned()),
            (None, _)
                if self
                    .routers
                    .iter()
                    .any(|(_, other)| matches!(other, Shown::Error(_))) =>
            {
                Reach::Unknown("a router shows none at its own address".to_owned())
            }
            (None, _) if self.routers.is_empty() => {
                Reach::Unknown("there is no router to compare with".to_owned())
            }
            (None, _) => Reach::Stranger,
        }
    }
}

impl From<Result<String, IdentityError>> for Shown {
    fn from(result: Result<String, IdentityError>) -> Self {
        match result {
            Ok(fingerprint) => Self::Fingerprint(fingerprint),
            Err(error) => Self::Error(Chain(&error).to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Shown {
        Shown::Fingerprint(name.to_owned())
    }

    fn reach(shown: Shown, routers: &[Shown]) -> Reach {
        let own = |last| IpAddr::from([10, 77, 0, last]);
        Service {
            protocol: Protocol::Ssh,
            port: 22,
            shown,
            routers: (10..).map(own).zip(routers.iter().cloned()).collect(),
        }
        .reach()
    }

    #[test]
    fn a_key_names_the_one_machine_that_shows_it() {
        let refused = Shown::Error("refused".to_owned());
        let lb1 = Reach::Router(IpAddr::from([10, 77, 0, 11]));
        assert_eq!(reach(key("b"), &[key("a"), key("b")]), lb1);
        assert_eq!(reach(key("c"), &[key("a"), key("b")]), Reach::Stranger);
        for (shown, routers) in [
            (refused.clone(), vec![key("a")]),
            (key("a"), vec![key("a"), key("a")]),
            (key("a"), vec![refused]),
            (key("a"), vec![]),
        ] {
            assert!(matches!(reach(shown, &routers), Reach::Unknown(_)));
        }
    }
}
