//! `vrrpwatch arping`: asks who has an address, again and again.

use std::{io::Write as _, time::Duration};

use super::{Failure, Outcome, ask_settings, complain, runtime, say};
use crate::{
    chain::Chain,
    cli::ArpingArgs,
    escape::json,
    link::Selection,
    live::{LiveError, Session},
    model::{MacAddr, Timestamp},
    probe::{Inquiry, Reply},
    record::{Body, Record},
    report::{Format, Style},
    tracker::whose::Whose,
    who::{AnswerLine, Tally},
};

/// Time between two questions.
const INTERVAL: Duration = Duration::from_secs(1);
/// Adverts at the usual interval come within this time: then every line can tell whose MAC it is.
const LISTEN: Duration = Duration::from_millis(1200);
/// After the answer to the last question others may follow.
const DUPLICATES: Duration = Duration::from_millis(200);

pub(super) fn arping(args: &ArpingArgs) -> Result<Outcome, Failure> {
    let selection = Selection::new(&args.interfaces)?;
    let runtime = runtime()?;
    let tally = runtime.block_on(ask(args, selection))?;
    say(|out| match args.format {
        Format::Text => out.write_all(Style::of_stdout().tally(&tally).as_bytes()),
        Format::Json => writeln!(out, "{}", json(&tally)?),
    })?;
    Ok(if tally.is_conflict() {
        Outcome::Findings
    } else if tally.macs.is_empty() && tally.held.is_none() && !tally.lost.is_empty() {
        Outcome::Unknown
    } else if tally.macs.is_empty() && tally.held.is_none() {
        Outcome::Nobody
    } else {
        Outcome::Fine
    })
}

async fn ask(args: &ArpingArgs, selection: Selection) -> Result<Tally, Failure> {
    let address = args.address;
    let settings = ask_settings(&[address])?;
    let session = Session::open(selection, &[address], settings).await?;
    let inquiry = Inquiry::new(session.host().clone());
    let held = inquiry.host().holder(address).map(ToString::to_string);
    let mut asking = Asking {
        args,
        session,
        inquiry,
        tally: Tally::new(address, held),
        answered: Vec::new(),
        hindered: false,
    };
    asking.listen().await?;
    asking.run().await?;
    let Asking {
        mut session,
        inquiry,
        mut tally,
        ..
    } = asking;
    tally.lost.clone_from(session.lost()?);
    let now = session.now()?;
    tally.identify(|mac| identify(&session, &inquiry, args, mac, now));
    Ok(tally)
}

struct Asking<'a> {
    args: &'a ArpingArgs,
    session: Session,
    inquiry: Inquiry,
    tally: Tally,
    /// The MACs that answered the last question.
    answered: Vec<MacAddr>,
    /// It was told that the address cannot be asked for.
    hindered: bool,
}

impl Asking<'_> {
    /// Waits for an advert of the address.
    async fn listen(&mut self) -> Result<(), LiveError> {
        let end = self.session.now()? + LISTEN;
        while self.session.now()? < end && !self.session.is_interrupted() {
            let records = self.session.records(end).await?;
            let is_advert = |record: &Record| match &record.body {
                Body::Advert(advert) => advert.addresses.contains(&self.args.address),
                _ => false,
            };
            if records.iter().any(is_advert) {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn run(&mut self) -> Result<(), Failure> {
        let start = self.session.now()?;
        let deadline = self.args.deadline.map(|deadline| start + deadline);
        let mut next = start;
        loop {
            let now = self.session.now()?;
            let over = deadline.is_some_and(|deadline| deadline <= now);
            if over || self.session.is_interrupted() {
                break;
            }
            let last = self
                .args
                .count
                .is_some_and(|count| self.tally.sent >= count);
            if now >= next {
                if last {
                    break;
                }
                match self.question(now) {
                    Ok(()) => self.hindered = false,
                    // It could be asked for before, and may be again.
                    Err(failure) if self.tally.sent > 0 => {
                        if !std::mem::replace(&mut self.hindered, true) {
                            complain(&Chain(&failure));
                        }
                    }
                    Err(failure) => return Err(failure),
                }
                next = now + INTERVAL;
            }
            let until = deadline.map_or(next, |deadline| deadline.min(next));
            let records = self.session.records(until).await?;
            self.inquiry.update(self.session.host());
            for record in records {
                if let Some(reply) = self.inquiry.handle(&record)
                    && reply.address == self.args.address
                {
                    self.answer(&reply, record.time)?;
                    let count = self.args.count;
                    if count.is_some_and(|count| self.tally.sent >= count) {
                        next = next.min(record.time + DUPLICATES);
                    }
                }
            }
        }
        self.tally.unanswered += u64::from(self.tally.sent > 0 && self.answered.is_empty());
        Ok(())
    }

    fn question(&mut self, now: Timestamp) -> Result<(), Failure> {
        let tracker = self.session.observer().world().tracker();
        let questions = self
            .inquiry
            .questions(self.args.address, tracker)
            .map_err(|obstacle| Failure::CannotAsk {
                address: self.args.address,
                obstacle,
            })?;
        for (segment, question) in questions {
            self.inquiry.note_asked(segment, question, now);
            self.session
                .ask(&question)
                .map_err(|error| Failure::Live(error.into()))?;
        }
        self.tally.unanswered += u64::from(self.tally.sent > 0 && self.answered.is_empty());
        self.tally.sent += 1;
        self.answered.clear();
        Ok(())
    }

    fn answer(&mut self, reply: &Reply, time: Timestamp) -> Result<(), Failure> {
        let whose = identify(&self.session, &self.inquiry, self.args, reply.mac, time);
        let first = self.answered.is_empty();
        self.answered.push(reply.mac);
        let line: AnswerLine = self.tally.count(reply, whose, first, time);
        say(|out| match self.args.format {
            Format::Text => writeln!(out, "{}", Style::of_stdout().reply(&line)),
            Format::Json => writeln!(out, "{}", json(&line)?),
        })
    }
}

fn identify(
    session: &Session,
    inquiry: &Inquiry,
    args: &ArpingArgs,
    mac: MacAddr,
    now: Timestamp,
) -> Option<Whose> {
    let owner = (mac, inquiry.host().owns(mac));
    let tracker = session.observer().world().tracker();
    inquiry
        .host()
        .segments()
        .filter_map(|segment| tracker.whose(segment, args.address, owner, now))
        .min()
}
