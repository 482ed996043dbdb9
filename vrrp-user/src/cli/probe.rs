//! The flags of the standing check.

use std::{net::IpAddr, str::FromStr, time::Duration};

use clap::Args;

use crate::probe::ProbeSettings;

/// What of `vrrpwatch run` is about asking for addresses.
#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// Ask who has an address, by ordinary ARP requests and neighbour solicitations in this host's
    /// own name: this address, or `learned`, those that adverts name; may be repeated. Without it
    /// no frame is ever sent.
    #[arg(
        long,
        value_name = "ADDRESS|learned",
        num_args = 0..=1,
        default_missing_value = "learned"
    )]
    pub probe: Vec<Target>,
    /// Time between two questions for an address; it varies by a tenth.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "30s",
        value_parser = super::duration,
        requires = "probe"
    )]
    pub probe_interval: Duration,
    /// Questions a second at most, over all addresses.
    #[arg(long, value_name = "N", default_value_t = 20, requires = "probe")]
    pub probe_rate: u32,
}

/// What to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// What adverts name.
    Learned,
    /// This.
    Address(IpAddr),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "learned" => Ok(Self::Learned),
            text => text
                .parse()
                .map(Self::Address)
                .map_err(|_not_one| "neither an address nor \"learned\"".to_owned()),
        }
    }
}

impl ProbeArgs {
    /// What they mean; `None` where nothing is to be asked for.
    pub fn settings(&self, seed: u64) -> Option<ProbeSettings> {
        let given = self.probe.iter().filter_map(|target| match target {
            Target::Address(address) => Some(*address),
            Target::Learned => None,
        });
        (!self.probe.is_empty()).then(|| ProbeSettings {
            learned: self.probe.contains(&Target::Learned),
            given: given.collect(),
            interval: self.probe_interval,
            rate: self.probe_rate,
            seed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_a_word() {
        assert_eq!("learned".parse(), Ok(Target::Learned));
        let address = IpAddr::from([10, 77, 0, 100]);
        assert_eq!("10.77.0.100".parse(), Ok(Target::Address(address)));
        assert!("10.77.0".parse::<Target>().is_err());
    }
}
