//! Asking for addresses, as part of the observer: what the prober learns from packets and records,
//! and what becomes of its rounds.

use std::net::IpAddr;

use super::{Observer, Output, Request};
use crate::{
    frame::Direction,
    model::Timestamp,
    probe::{Next, Obstacle, Prober, Round, Step},
    record::{Answer, Body, Code, Outcome, ProbeRecord, Record, Role, Status},
    tracker::Segment,
    wire::{self, ArpKind, NdKind, Packet},
};

impl Observer {
    /// Tells the prober of a packet that was seen at `time`.
    pub(super) fn inform_prober(
        &mut self,
        segment: &Segment,
        direction: Option<Direction>,
        packet: &Packet,
        time: Timestamp,
    ) {
        let Some(prober) = &mut self.prober else {
            return;
        };
        match (&packet.body, direction) {
            (wire::Body::Arp(arp), Some(Direction::Out)) if arp.kind == ArpKind::Request => {
                let parties = (arp.target_ip.into(), arp.sender_ip.into());
                prober.handle_question(segment, parties, time);
            }
            (wire::Body::Arp(arp), Some(Direction::In)) if arp.kind == ArpKind::Reply => {
                let parties = (arp.sender_ip.into(), arp.target_ip.into());
                prober.handle_answer(segment, parties, arp.sender_mac, time);
            }
            (wire::Body::Nd(nd), Some(Direction::Out)) if nd.kind == NdKind::Request => {
                let parties = (nd.target.into(), nd.source.into());
                prober.handle_question(segment, parties, time);
            }
            (wire::Body::Nd(nd), Some(Direction::In)) if nd.kind == NdKind::Reply => {
                let parties = (nd.target.into(), nd.destination.into());
                if let Some(mac) = nd.link_address.or(packet.source_mac) {
                    prober.handle_answer(segment, parties, mac, time);
                }
            }
            _ => {}
        }
    }

    /// Tells the prober of a record that is about to be reported.
    pub(super) fn guide_prober(&mut self, record: &Record) {
        let Some(prober) = &mut self.prober else {
            return;
        };
        let segment = || Segment {
            interface: record.interface.clone(),
            vlan: wire::VlanStack::new(record.vlan.iter().copied()),
        };
        match &record.body {
            Body::State(state) => {
                if state.reason.is_unseen() {
                    prober.recheck(&segment(), &state.addresses, self.now);
                } else {
                    prober.hurry(&segment(), &state.addresses, self.now);
                }
            }
            Body::Finding(finding)
                if finding.code == Code::NoMaster && finding.status == Status::Raised =>
            {
                prober.recheck(&segment(), &finding.addresses, self.now);
            }
            _ => {}
        }
    }

    /// When the prober has something to do.
    pub(super) fn probe_due(&self) -> Option<Timestamp> {
        self.prober.as_ref().and_then(Prober::poll_timeout)
    }

    /// When the next round is over.
    pub(super) fn round_due(&self) -> Option<Timestamp> {
        self.prober.as_ref().and_then(Prober::closing_due)
    }

    /// Judges the rounds that are over by `now`, each at its own time.
    pub(super) fn close_rounds(&mut self, now: Timestamp) {
        while let Some(due) = self.round_due().filter(|due| *due <= now) {
            self.analyst.handle_timeout(&mut self.world, due);
            self.collect();
            if let Some(round) = self.prober.as_mut().and_then(|it| it.take_closed(due)) {
                self.conclude(&round, due);
            }
        }
    }

    /// Asks for what is due.
    pub(super) fn probe(&mut self, now: Timestamp) {
        loop {
            let tracker = &self.world.tracker;
            let is_virtual =
                |segment: &Segment, own: IpAddr| tracker.routers_of(segment, own).next().is_some();
            let Some(prober) = &mut self.prober else {
                return;
            };
            match prober.step(now, is_virtual) {
                None => return,
                Some(Step::Ask(segment, question)) => {
                    self.analyst.handle_timeout(&mut self.world, now);
                    let wanted = question.wanted();
                    self.world.tracker.note_question(&segment, wanted, now);
                    self.outputs
                        .push_back(Output::Request(Request::Ask(question)));
                }
                Some(Step::Prevented(segment, address, obstacle)) => {
                    let record = ProbeRecord {
                        address,
                        outcome: Outcome::NotAsked,
                        source: None,
                        asked: None,
                        answers: Vec::new(),
                        repeated: Vec::new(),
                        reason: Some(obstacle),
                    };
                    self.report_on(&segment, now, Body::Probe(record));
                }
            }
        }
    }

    /// Reports a round, has it judged, and decides when to ask again.
    fn conclude(&mut self, round: &Round, now: Timestamp) {
        let answers: Vec<Answer> = self.answers(round, now);
        let outcome = match (round.sent, round.held, answers.is_empty()) {
            (false, ..) => Outcome::NotAsked,
            (true, true, true) => Outcome::HeldHere,
            (true, false, true) => Outcome::Unanswered,
            (true, _, false) => Outcome::Answered,
        };
        let as_expected = match outcome {
            Outcome::HeldHere => true,
            Outcome::Unanswered | Outcome::NotAsked => false,
            Outcome::Answered => {
                !round.held
                    && round.repeated.is_empty()
                    && answers
                        .iter()
                        .all(|answer| answer.role.is_some_and(Role::is_rightful))
                    && answers
                        .iter()
                        .all(|answer| answer.router == answers[0].router)
            }
        };
        self.report_on(
            &round.segment,
            now,
            Body::Probe(ProbeRecord {
                address: round.address,
                outcome,
                source: Some(round.source),
                asked: Some(round.asked),
                answers,
                repeated: round.repeated.clone(),
                reason: (!round.sent).then_some(Obstacle::NotSent),
            }),
        );
        self.analyst.handle_round(&mut self.world, round, now);
        self.collect();
        if let Some(prober) = &mut self.prober {
            let next = if as_expected {
                Next::Routine
            } else {
                Next::Recheck
            };
            prober.settle(round, next, now);
        }
    }

    fn answers(&self, round: &Round, now: Timestamp) -> Vec<Answer> {
        let Some(prober) = &self.prober else {
            return Vec::new();
        };
        let tracker = &self.world.tracker;
        round
            .answers
            .iter()
            .map(|(mac, span)| {
                let owner = (*mac, prober.host().owns(*mac));
                let whose = tracker.whose(&round.segment, round.address, owner, now);
                Answer {
                    mac: *mac,
                    role: whose.map(|whose| whose.role),
                    router: whose.and_then(|whose| whose.router),
                    rtt_us: u64::try_from(span.as_micros()).unwrap_or(u64::MAX),
                }
            })
            .collect()
    }

    pub(super) fn report_on(&mut self, segment: &Segment, time: Timestamp, body: Body) {
        self.push(Record {
            interface: segment.interface.clone(),
            vlan: segment.vlan.ids().to_vec(),
            observer: self.telling.clone(),
            ..Record::new(time, body)
        });
    }
}
