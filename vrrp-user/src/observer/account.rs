//! The daemons' own account, as part of the observer: lines of logs in, `log` and `incident` records
//! out.

use std::sync::Arc;

use super::Observer;
use crate::{
    chronicle::{account, contest},
    daemon::Concern,
    log::{Entry, Inferred},
    model::Timestamp,
    record::{Body, LogRecord, Record, UnreadRecord},
};

/// Hosts of which it is remembered that something was said.
const MAX_HOSTS: usize = 64;

impl Observer {
    pub(super) fn log(&mut self, now: Timestamp, entry: &Entry) {
        self.advance(now);
        let concern = self.analyst.handle_log(&mut self.world, entry);
        if let (Some(contest), Some(logged)) = (
            contest::contest(&self.world, entry, self.now),
            entry.line.time,
        ) {
            self.chronicle.contest(contest, logged);
        }
        self.report_log(now, entry, concern);
    }

    pub(super) fn afterword(&mut self, entry: &Entry) {
        let concern = self.world.note_log(entry, self.now);
        self.report_log(self.now, entry, concern);
    }

    pub(super) fn unread(&mut self, now: Timestamp, unread: &UnreadRecord) {
        self.advance(now);
        self.report(self.now, Body::Unread(unread.clone()));
    }

    fn report_log(&mut self, now: Timestamp, entry: &Entry, concern: Concern) {
        self.summary.log += 1;
        self.chronicle.note_log(now, entry, &concern.vrids);
        let time = entry.line.time.map_or(now, |window| window.start);
        let vrid = match concern.vrids[..] {
            [only] => Some(only),
            _ => None,
        };
        let reading = entry.reading.clone();
        let mut record = LogRecord::new(&entry.line, reading, vrid, concern.members);
        if !self.is_to_be_said(entry) {
            record.inferred = Inferred::default();
        }
        self.push(Record {
            interface: entry.reading.details.interface.as_deref().map(Arc::from),
            observer: self.telling.clone(),
            ..Record::new(time, Body::Log(Box::new(record)))
        });
        self.collect();
    }

    /// Whether it has not been said yet what is inferred of the times of this host's lines.
    fn is_to_be_said(&mut self, entry: &Entry) -> bool {
        entry.line.inferred.any()
            && self.inferred.len() < MAX_HOSTS
            && self.inferred.insert(entry.line.host.clone())
    }

    /// Pushes an incident, completed by what the daemons have to do with it.
    pub(super) fn push_incident(&mut self, mut incident: Record) {
        account::complete(&mut incident, &self.world, self.now);
        self.write(incident);
    }
}
