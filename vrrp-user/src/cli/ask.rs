//! The flags of `who` and `arping`.

use std::{net::IpAddr, time::Duration};

use clap::Args;

use super::words::word;
use crate::{identity::Protocol, report::Format};

/// Arguments of `vrrpwatch who`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 all evidence names one machine, 1 it does not or several \
                        have the address, 4 nobody has it, 5 it cannot be told: it could not be asked \
                        for, frames were lost here that may have told, or one machine answers and nobody \
                        is heard to advertise it."
)]
pub struct WhoArgs {
    /// The addresses.
    #[arg(required = true, value_name = "ADDRESS")]
    pub addresses: Vec<IpAddr>,
    /// Interface to ask on, by name or pattern; may be repeated [default: those in whose subnet an
    /// address is].
    #[arg(short, long = "interface", value_name = "NAME")]
    pub interfaces: Vec<String>,
    /// How long to listen and ask [default: until an advert explains the answers, 3.5s at most].
    #[arg(long, value_name = "DURATION", value_parser = super::duration)]
    pub wait: Option<Duration>,
    /// Compare the SSH host key at the address with those at its routers: tells whom a login would
    /// reach. Only the key exchange is done.
    #[cfg(feature = "ssh-identity")]
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "22")]
    pub ssh: Option<u16>,
    /// Compare the TLS certificate at the address with those at its routers.
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "443")]
    pub tls: Option<u16>,
    /// Also count this host's traffic to and from the addresses, for this many seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        default_missing_value = "5",
        value_parser = super::seconds
    )]
    pub traffic: Option<Duration>,
    /// Form of the output.
    #[arg(long, value_parser = word::<Format>(), default_value = "text")]
    pub format: Format,
}

impl WhoArgs {
    /// The services whose keys are compared, each with its port.
    pub fn services(&self) -> impl Iterator<Item = (Protocol, u16)> {
        #[cfg(feature = "ssh-identity")]
        let ssh = self.ssh;
        #[cfg(not(feature = "ssh-identity"))]
        let ssh = None;
        [(Protocol::Ssh, ssh), (Protocol::Tls, self.tls)]
            .into_iter()
            .filter_map(|(protocol, port)| Some((protocol, port?)))
    }
}

/// Arguments of `vrrpwatch arping`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 one machine answers, 1 several do, 4 none does, 5 it could not be asked for, or frames were lost here that may have told."
)]
pub struct ArpingArgs {
    /// The address, IPv4 or IPv6.
    pub address: IpAddr,
    /// Interface to ask on, by name or pattern; may be repeated [default: those in whose subnet the
    /// address is].
    #[arg(short, long = "interface", value_name = "NAME")]
    pub interfaces: Vec<String>,
    /// End after this many questions.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// End after this many seconds.
    #[arg(short = 'w', long, value_name = "SECONDS", value_parser = super::seconds)]
    pub deadline: Option<Duration>,
    /// Form of the output.
    #[arg(long, value_parser = word::<Format>(), default_value = "text")]
    pub format: Format,
}
