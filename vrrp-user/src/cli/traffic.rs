//! The flags of counting traffic.

use std::time::Duration;

use clap::Args;

/// What of `vrrpwatch run` is about the traffic of virtual addresses.
#[derive(Debug, Args)]
pub struct TrafficArgs {
    /// Count packets, bytes and new TCP connections to and from virtual addresses in the kernel:
    /// those in adverts and those given by --watch.
    #[arg(long)]
    pub vip_traffic: bool,
    /// How often to report them.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "10s",
        value_parser = super::duration,
        requires = "vip_traffic"
    )]
    pub vip_traffic_interval: Duration,
}

impl TrafficArgs {
    /// How often to report; `None` where nothing is to be counted.
    pub fn interval(&self) -> Option<Duration> {
        self.vip_traffic.then_some(self.vip_traffic_interval)
    }
}
