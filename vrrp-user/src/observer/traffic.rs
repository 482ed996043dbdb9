//! The traffic of virtual addresses, as part of the observer: which addresses are counted, and what
//! becomes of the numbers.

use std::net::IpAddr;

use super::{Observer, Output, Request};
use crate::{
    model::Timestamp,
    record::{Body, TrafficRecord},
    traffic::Traffic,
};

impl Observer {
    pub(super) fn traffic(&mut self, time: Timestamp, all: &[Traffic]) {
        self.advance(time);
        for traffic in all {
            let record = TrafficRecord {
                address: traffic.address,
                counted_ms: u64::try_from(traffic.span.as_millis()).unwrap_or(u64::MAX),
                arrived: traffic.arrived,
                left: traffic.left,
            };
            self.report_on(&traffic.segment, time, Body::Traffic(record));
            self.analyst
                .handle_traffic(&mut self.world, traffic, self.now);
            self.collect();
        }
    }

    /// Counts for the addresses of an advert, too.
    pub(super) fn learn_counted(&mut self, addresses: &[IpAddr], established: bool) {
        let Some(counted) = &mut self.counted else {
            return;
        };
        for address in addresses {
            let change = counted.learn(*address, established, self.now);
            let requests = change.evicted.map(Request::Discount).into_iter();
            let requests = requests.chain(change.added.then_some(Request::Count(*address)));
            self.outputs.extend(requests.map(Output::Request));
        }
    }
}
