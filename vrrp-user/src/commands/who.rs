//! `vrrpwatch who`: gathers the evidence of who has an address, and prints it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    net::{IpAddr, SocketAddr, SocketAddrV6},
    time::Duration,
};

use futures_util::future::join_all;
use nix::net::if_::if_nametoindex;

use super::{Failure, Outcome, ask_settings, runtime, say};
use crate::{
    chain::Chain,
    cli::WhoArgs,
    escape::json,
    identity::identify,
    link::Selection,
    live::{LiveError, Session},
    model::Timestamp,
    probe::{Inquiry, Obstacle, Reply},
    record::{Body, Role, Volume},
    report::{Format, Style},
    who::{Answered, Seen, Service, Verdict, Who},
};

/// Adverts at the usual interval come within this time, and a backup takes over soon after it.
const WAIT: Duration = Duration::from_millis(3500);
/// How long answers are waited for, advert or not: they take less than that on any LAN.
const ANSWERS: Duration = Duration::from_millis(80);
/// The first questions follow each other so fast: one may be lost.
const INSIST: Duration = Duration::from_millis(25);
const INSISTENT: u32 = 3;
/// And then as arping has it.
const ROUTINE: Duration = Duration::from_secs(1);

pub(super) fn who(args: &WhoArgs) -> Result<Outcome, Failure> {
    let selection = Selection::new(&args.interfaces)?;
    let runtime = runtime()?;
    // Detaching takes its time, which the answer need not wait for.
    let (all, _session) = runtime.block_on(async {
        let (mut all, session) = gather(args, selection).await?;
        for who in &mut all {
            compare_keys(args, who).await;
        }
        Ok::<_, Failure>((all, session))
    })?;
    say(|out| {
        for who in &all {
            match args.format {
                Format::Text => out.write_all(Style::of_stdout().who(who).as_bytes())?,
                Format::Json => writeln!(out, "{}", json(who)?)?,
            }
        }
        Ok(())
    })?;
    let worst = all.iter().map(|who| who.verdict).max();
    Ok(match worst {
        Some(Verdict::Conflict) => Outcome::Findings,
        Some(Verdict::Nobody) => Outcome::Nobody,
        Some(Verdict::Unknown) => Outcome::Unknown,
        Some(Verdict::Agreed) | None => Outcome::Fine,
    })
}

/// Compares what machines show of themselves at the address and at its routers.
async fn compare_keys(args: &WhoArgs, who: &mut Who) {
    for (protocol, port) in args.services() {
        let mut sources: Vec<(IpAddr, Option<String>)> = who
            .advertised
            .iter()
            .map(|router| (router.source, router.interface.clone()))
            .collect();
        sources.sort();
        sources.dedup();
        let interface = sources.first().and_then(|(_, interface)| interface.clone());
        let shown = identify(protocol, socket(who.address, port, interface.as_deref()));
        let routers = sources.iter().map(|(source, interface)| {
            identify(protocol, socket(*source, port, interface.as_deref()))
        });
        let (shown, routers) = tokio::join!(shown, join_all(routers));
        let sources = sources.into_iter().map(|(source, _)| source);
        who.add_service(Service {
            protocol,
            port,
            shown: shown.into(),
            routers: sources.zip(routers.into_iter().map(Into::into)).collect(),
        });
    }
}

/// A link-local address means something only with its interface.
fn socket(address: IpAddr, port: u16, interface: Option<&str>) -> SocketAddr {
    match address {
        IpAddr::V6(address) if address.is_unicast_link_local() => {
            let scope = interface.and_then(|name| if_nametoindex(name).ok());
            SocketAddrV6::new(address, port, 0, scope.unwrap_or_default()).into()
        }
        address => SocketAddr::new(address, port),
    }
}

async fn gather(args: &WhoArgs, selection: Selection) -> Result<(Vec<Who>, Session), Failure> {
    let mut settings = ask_settings(&args.addresses)?;
    settings.traffic = args.traffic;
    let session = Session::open(selection, &args.addresses, settings).await?;
    let since = session.now()?;
    let mut gathering = Gathering {
        inquiry: Inquiry::new(session.host().clone()),
        since,
        end: since + args.wait.unwrap_or(WAIT),
        patient: args.wait.is_some(),
        counted: args.traffic.map(|span| since + span),
        asked: BTreeMap::new(),
        controls: BTreeSet::new(),
        replies: Vec::new(),
        session,
    };
    gathering.asked.extend(args.addresses.iter().map(|address| {
        let asked = Asked {
            times: 0,
            first: None,
            next: since,
            advert: None,
            obstacle: None,
        };
        (*address, asked)
    }));
    let all = gathering.run(&args.addresses).await?;
    Ok((all, gathering.session))
}

struct Gathering {
    session: Session,
    inquiry: Inquiry,
    since: Timestamp,
    end: Timestamp,
    /// To the end, whatever comes.
    patient: bool,
    /// Until when traffic is counted, if it is.
    counted: Option<Timestamp>,
    asked: BTreeMap<IpAddr, Asked>,
    /// Routers that were asked for, to find out who answers for everybody.
    controls: BTreeSet<IpAddr>,
    replies: Vec<Reply>,
}

struct Asked {
    times: u32,
    /// When it was asked for first.
    first: Option<Timestamp>,
    next: Timestamp,
    /// When the address was advertised first.
    advert: Option<Timestamp>,
    obstacle: Option<Obstacle>,
}

impl Gathering {
    async fn run(&mut self, addresses: &[IpAddr]) -> Result<Vec<Who>, LiveError> {
        loop {
            let now = self.session.now()?;
            for address in addresses {
                self.ask_if_due(*address, now);
            }
            let mut all: Vec<Who> = addresses
                .iter()
                .map(|address| self.evidence(*address, now))
                .collect();
            let done = self.done_at(&all).unwrap_or(self.end).min(self.end);
            let done = self.counted.map_or(done, |counted| done.max(counted));
            if now >= done || self.session.is_interrupted() {
                self.add_traffic(&mut all)?;
                let lost = self.session.lost()?;
                for who in &mut all {
                    who.add_losses(lost);
                }
                return Ok(all);
            }
            self.ask_for_controls(&all, now);
            let due = self.asked.values().map(|asked| asked.next).min();
            let until = due.map_or(done, |due| due.min(done));
            let records = self.session.records(until).await?;
            self.inquiry.update(self.session.host());
            for record in records {
                if let Some(reply) = self.inquiry.handle(&record) {
                    // Whether two machines have one MAC shows in the next answers.
                    if reply.surplus
                        && let Some(asked) = self.asked.get_mut(&reply.address)
                    {
                        asked.next = asked.next.min(record.time + INSIST);
                    }
                    self.replies.push(reply);
                }
                let Body::Advert(advert) = &record.body else {
                    continue;
                };
                for address in &advert.addresses {
                    if let Some(asked) = self.asked.get_mut(address)
                        && asked.advert.is_none()
                    {
                        asked.advert = Some(record.time);
                        // If nobody has answered by now, ask again while there is time.
                        if !self.replies.iter().any(|reply| reply.address == *address) {
                            asked.next = record.time;
                        }
                    }
                }
            }
        }
    }

    /// Adds what was counted on this host meanwhile.
    fn add_traffic(&mut self, all: &mut [Who]) -> Result<(), LiveError> {
        if self.counted.is_none() {
            return Ok(());
        }
        let (span, traffic) = self.session.traffic()?;
        for who in all {
            let own = traffic.iter().filter(|one| one.address == who.address);
            let (mut arrived, mut left) = (Volume::default(), Volume::default());
            for one in own {
                arrived = arrived.plus(one.arrived);
                left = left.plus(one.left);
            }
            who.add_traffic(Seen::new(arrived, left, span));
        }
        Ok(())
    }

    fn evidence(&self, address: IpAddr, now: Timestamp) -> Who {
        Who::new(
            address,
            self.session.observer().world().tracker(),
            self.inquiry.host(),
            &self.replies,
            self.asked.get(&address).and_then(|asked| asked.obstacle),
            (self.since, now),
        )
    }

    /// When there is nothing more to wait for: every address was advertised, and the adverts
    /// explain the answers.
    fn done_at(&self, all: &[Who]) -> Option<Timestamp> {
        if self.patient || !all.iter().all(Who::is_explained) {
            return None;
        }
        let over = |(address, asked): (&IpAddr, &Asked)| {
            let advert = asked.advert?.max(self.since);
            let answered = self.replies.iter().any(|reply| reply.address == *address);
            // Whoever has not answered by the time of the advert is asked again.
            let question = asked.first.filter(|_| answered).unwrap_or(advert);
            Some(advert.max(question + ANSWERS))
        };
        let all: Option<Vec<Timestamp>> = self.asked.iter().map(over).collect();
        all?.into_iter().max()
    }

    fn ask_if_due(&mut self, address: IpAddr, now: Timestamp) {
        let Some(asked) = self
            .asked
            .get_mut(&address)
            .filter(|asked| asked.next <= now)
        else {
            return;
        };
        asked.times += 1;
        asked.first.get_or_insert(now);
        let answered = self.replies.iter().any(|reply| reply.address == address);
        let pause = if answered || asked.times >= INSISTENT {
            ROUTINE
        } else {
            INSIST
        };
        asked.next = now + pause;
        let obstacle = self.ask(address, now).err();
        if let Some(asked) = self.asked.get_mut(&address) {
            asked.obstacle = obstacle;
        }
    }

    fn ask(&mut self, address: IpAddr, now: Timestamp) -> Result<(), Obstacle> {
        let tracker = self.session.observer().world().tracker();
        let mut outcome = Err(Obstacle::NotSent);
        for (segment, question) in self.inquiry.questions(address, tracker)? {
            self.inquiry.note_asked(segment, question, now);
            match self.session.ask(&question) {
                Ok(()) => outcome = Ok(()),
                Err(error) => {
                    tracing::warn!(%address, error = %Chain(&error), "a question did not leave");
                }
            }
        }
        outcome
    }

    /// Where an outsider answers, asks for the router itself: an outsider that answers for that one
    /// as well is a proxy.
    fn ask_for_controls(&mut self, all: &[Who], now: Timestamp) {
        let suspicious = all.iter().filter(|who| {
            // Or may be one: it was not listened for long enough to tell.
            let outsider =
                |answer: &Answered| matches!(answer.first.role, None | Some(Role::Outsider));
            who.answered.iter().any(outsider)
        });
        let sources: Vec<IpAddr> = suspicious
            .flat_map(|who| who.advertised.iter().map(|router| router.source))
            .collect();
        for source in sources {
            if self.controls.insert(source) && self.ask(source, now).is_err() {
                tracing::debug!(%source, "the router itself cannot be asked for");
            }
        }
    }
}
