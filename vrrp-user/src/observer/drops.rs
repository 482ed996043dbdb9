//! Asking the kernel what it drops, as part of the observer: when there is reason to suspect it, and
//! never for longer than the answer takes.

use super::{Observer, Output, Request};
use crate::{
    dropped::Dropped,
    model::{Span, Timestamp},
    record::{Body, Code, Record, Status},
};

/// Every dropped packet of the machine pays for the counter.
const AT_MOST: Span = Span::from_secs(10);

/// Drops are being counted.
#[derive(Debug)]
pub(super) struct Counting {
    since: Timestamp,
    /// As last told.
    dropped: Vec<Dropped>,
}

impl Observer {
    pub(super) fn drops(&mut self, time: Timestamp, dropped: &[Dropped]) {
        self.advance(time);
        let Some(counting) = &mut self.counting else {
            return;
        };
        counting.dropped = dropped.to_vec();
        let is_explained = self
            .analyst
            .handle_drops(&mut self.world, dropped, self.now);
        self.collect();
        if is_explained {
            self.stop_counting();
        }
    }

    /// Has drops counted when a finding that they would explain is raised. One that is raised
    /// meanwhile shares what is left of the time.
    pub(super) fn suspect(&mut self, record: &Record) {
        let Body::Finding(finding) = &record.body else {
            return;
        };
        if finding.code == Code::LocalDrop && finding.status == Status::Raised {
            self.count_drops();
        }
    }

    /// Has drops counted, if they are not yet.
    pub(super) fn count_drops(&mut self) {
        if self.counting.is_none() {
            self.counting = Some(Counting {
                since: self.now,
                dropped: Vec::new(),
            });
            self.outputs.push_back(Output::Request(Request::CountDrops));
        }
    }

    /// When counting has to end.
    pub(super) fn counting_due(&self) -> Option<Timestamp> {
        self.counting.as_ref().map(|it| it.since + AT_MOST)
    }

    /// Ends counting when its time is up.
    pub(super) fn end_counting(&mut self, now: Timestamp) {
        if self.counting_due().is_some_and(|due| due <= now) {
            self.stop_counting();
        }
    }

    /// Ends counting, if it goes on, and reports what was counted.
    pub(super) fn stop_counting(&mut self) {
        let Some(Counting { since, mut dropped }) = self.counting.take() else {
            return;
        };
        self.outputs
            .push_back(Output::Request(Request::StopCounting));
        let counted = self.now.since(since).min(AT_MOST);
        dropped.sort_by_key(|it| (std::cmp::Reverse(it.count), it.source));
        for it in dropped {
            self.push(Record {
                interface: it.interface.clone(),
                direction: Some(it.direction),
                observer: self.telling.clone(),
                ..Record::new(self.now, Body::Drop(it.record(counted)))
            });
        }
    }
}
