//! What the kernel dropped: VRRP packets, by sender, reason and place.

mod advice;

use std::{net::IpAddr, sync::Arc};

pub use advice::advice;
use serde::{Deserialize, Serialize};

use crate::{
    frame::Direction,
    model::{Span, Vrid},
    record::DropRecord,
};

/// VRRP packets of one sender that were dropped for one reason at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Interface that they came in by, or were to leave by.
    pub interface: Option<Arc<str>>,
    /// Whether they came in, or this host sent them.
    pub direction: Direction,
    /// Their sender.
    pub source: IpAddr,
    /// Their virtual router, where the packet was whole enough to tell.
    pub vrid: Option<Vrid>,
    /// The kernel's reason, such as `NETFILTER_DROP`; kernels before 5.17 give none.
    pub reason: Option<Arc<str>>,
    /// Function and offset in the kernel, such as `nf_hook_slow+0xa6`, unless the kernel hides it.
    pub place: Option<Arc<str>>,
    /// How many.
    pub count: u64,
}

impl Dropped {
    /// The function in the kernel that dropped them.
    pub fn function(&self) -> Option<&str> {
        let place = self.place.as_deref()?;
        Some(
            place
                .split_once('+')
                .map_or(place, |(function, _)| function),
        )
    }

    /// The reason, or the function where the kernel gives no reasons.
    pub fn why(&self) -> Option<&str> {
        self.reason.as_deref().or_else(|| self.function())
    }

    /// Reason and function in words, as `NETFILTER_DROP in nf_hook_slow`.
    pub fn describe(&self) -> String {
        match (self.reason.as_deref(), self.function()) {
            (Some(reason), Some(function)) => format!("{reason} in {function}"),
            (Some(reason), None) => format!("{reason}, at a place that the kernel hides,"),
            (None, Some(function)) => format!("the kernel in {function}"),
            (None, None) => "the kernel, at a place that it hides,".to_owned(),
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        advice(self.reason.as_deref(), self.function())
    }

    /// Whether it was only the copy for a capture, such as tcpdump's, that found no room.
    pub fn is_capture_copy(&self) -> bool {
        self.reason.as_deref() == Some("PACKET_SOCK_ERROR")
            || matches!(
                self.function(),
                Some("tpacket_rcv" | "packet_rcv" | "packet_rcv_spkt" | "packet_rcv_fanout")
            )
    }

    /// The record of it, after drops were counted for this time.
    pub fn record(&self, counted: Span) -> DropRecord {
        DropRecord {
            source: self.source,
            vrid: self.vrid,
            reason: self.reason.clone(),
            place: self.place.clone(),
            count: self.count,
            counted_ms: u64::try_from(counted.as_millis()).unwrap_or(u64::MAX),
            advice: self.advice().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(reason: Option<&str>, place: Option<&str>) -> Dropped {
        Dropped {
            interface: Some("eth0".into()),
            direction: Direction::In,
            source: [10, 77, 0, 10].into(),
            vrid: Some(Vrid::new(51)),
            reason: reason.map(Arc::from),
            place: place.map(Arc::from),
            count: 7,
        }
    }

    #[test]
    fn why_is_the_reason_or_else_the_function() {
        let both = dropped(Some("NETFILTER_DROP"), Some("nf_hook_slow+0xa6"));
        assert_eq!(both.why(), Some("NETFILTER_DROP"));
        assert_eq!(both.describe(), "NETFILTER_DROP in nf_hook_slow");
        let old = dropped(None, Some("nf_hook_slow+0xa6"));
        assert_eq!(old.why(), Some("nf_hook_slow"));
        assert_eq!(old.advice(), both.advice());
        assert_eq!(dropped(None, None).why(), None);
    }

    #[test]
    fn the_copy_for_a_capture_is_known() {
        assert!(dropped(Some("PACKET_SOCK_ERROR"), None).is_capture_copy());
        assert!(dropped(None, Some("tpacket_rcv+0x1")).is_capture_copy());
        assert!(!dropped(Some("SOCKET_RCVBUFF"), Some("raw_rcv+0x1")).is_capture_copy());
    }
}
