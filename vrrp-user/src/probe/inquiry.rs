//! Asking on demand: a few addresses, and every answer as it comes.

use std::{collections::BTreeMap, net::IpAddr};

use super::{Host, Obstacle, Question};
use crate::{
    frame::Direction,
    model::{MacAddr, Span, Timestamp},
    record::{Body, Record},
    tracker::{Segment, Tracker},
    wire::{ArpKind, NdKind, VlanStack},
};

/// Questions asked on demand, and their answers. Pure: it is told what was asked, and of every
/// record that the observer makes.
#[derive(Debug)]
pub struct Inquiry {
    host: Host,
    sent: Vec<Sent>,
    /// How often each MAC answered a question.
    answers: BTreeMap<(Segment, IpAddr, MacAddr), u64>,
}

#[derive(Debug)]
struct Sent {
    segment: Segment,
    question: Question,
    /// When it was seen leaving; until then when it was asked.
    time: Timestamp,
    left: bool,
    /// How often it was asked, and how often it was seen leaving: the kernel of this host asks, too.
    asked: u64,
    seen: u64,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The address that was asked for.
    pub address: IpAddr,
    /// Where the answer came.
    pub segment: Segment,
    /// The MAC that it names.
    pub mac: MacAddr,
    /// Time since the last question.
    pub span: Span,
    /// It is one more than there were questions.
    pub surplus: bool,
    /// Number of the question on this segment, from 1.
    pub question: u64,
    /// When that was asked.
    pub asked: Timestamp,
}

impl Inquiry {
    /// Asks in the name of this host.
    pub const fn new(host: Host) -> Self {
        Self {
            host,
            sent: Vec::new(),
            answers: BTreeMap::new(),
        }
    }

    /// The host.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// Takes in what this host is now.
    pub fn update(&mut self, host: &Host) {
        if self.host != *host {
            self.host = host.clone();
        }
    }

    /// The questions for an address, one on each segment where there can be one. The routers that
    /// `tracker` knows tell which addresses of this host are virtual ones.
    ///
    /// # Errors
    /// It can be asked for nowhere.
    pub fn questions(
        &self,
        address: IpAddr,
        tracker: &Tracker,
    ) -> Result<Vec<(Segment, Question)>, Obstacle> {
        let mut questions = Vec::new();
        let mut obstacle = Obstacle::NoAddress;
        for segment in self.host.segments() {
            let is_virtual = |own| tracker.routers_of(segment, own).next().is_some();
            match self.host.question(segment, address, is_virtual) {
                Ok(question) => questions.push((segment.clone(), question)),
                Err(why) => obstacle = obstacle.max(why),
            }
        }
        if questions.is_empty() {
            Err(obstacle)
        } else {
            Ok(questions)
        }
    }

    /// Takes in that a question is asked.
    pub fn note_asked(&mut self, segment: Segment, question: Question, now: Timestamp) {
        let is_it =
            |sent: &Sent| sent.question.wanted() == question.wanted() && sent.segment == segment;
        let before = self.sent.iter().find(|sent| is_it(sent));
        let (asked, seen) = before.map_or((0, 0), |sent| (sent.asked, sent.seen));
        self.sent.retain(|sent| !is_it(sent));
        self.sent.push(Sent {
            segment,
            question,
            time: now,
            left: false,
            asked: asked + 1,
            seen,
        });
    }

    /// Takes a record in. Returns the answer that it is.
    pub fn handle(&mut self, record: &Record) -> Option<Reply> {
        match (&record.body, record.direction?) {
            (Body::Arp(arp), Direction::Out) if arp.kind == ArpKind::Request => {
                self.leave(record, arp.target_ip.into(), arp.sender_ip.into());
                None
            }
            (Body::Nd(nd), Direction::Out) if nd.kind == NdKind::Request => {
                self.leave(record, nd.address.into(), nd.source.into());
                None
            }
            (Body::Arp(arp), Direction::In) if arp.kind == ArpKind::Reply => {
                let (address, to) = (arp.sender_ip.into(), arp.target_ip.into());
                self.reply(record, address, to, arp.sender_mac)
            }
            (Body::Nd(nd), Direction::In) if nd.kind == NdKind::Reply => {
                let mac = nd.link_address.or(nd.source_mac)?;
                self.reply(record, nd.address.into(), nd.destination.into(), mac)
            }
            _ => None,
        }
    }

    fn leave(&mut self, record: &Record, wanted: IpAddr, source: IpAddr) {
        if let Some(sent) = self.find(record, wanted, source) {
            sent.seen += 1;
            if !sent.left {
                sent.left = true;
                sent.time = record.time;
            }
        }
    }

    fn reply(
        &mut self,
        record: &Record,
        address: IpAddr,
        to: IpAddr,
        mac: MacAddr,
    ) -> Option<Reply> {
        let sent = self.find(record, address, to)?;
        let questions = sent.asked.max(sent.seen);
        let (question, asked) = (sent.asked, sent.time);
        let (segment, span) = (sent.segment.clone(), record.time.since(asked));
        let answers = self
            .answers
            .entry((segment.clone(), address, mac))
            .or_default();
        *answers += 1;
        Some(Reply {
            address,
            segment,
            mac,
            span,
            surplus: *answers > questions,
            question,
            asked,
        })
    }

    fn find(&mut self, record: &Record, wanted: IpAddr, source: IpAddr) -> Option<&mut Sent> {
        let segment = Segment {
            interface: record.interface.clone(),
            vlan: VlanStack::new(record.vlan.iter().copied()),
        };
        self.sent.iter_mut().find(|sent| {
            let question = &sent.question;
            sent.segment == segment && question.wanted() == wanted && question.source() == source
        })
    }
}
