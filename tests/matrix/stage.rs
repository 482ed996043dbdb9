//! The course of a scenario: a healthy pair, its trouble, and those who watch.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use vrrp_tests::lab::{Lab, now, wait_until};

use crate::{
    scenario::{Cast, Expected, Scenario, Seat},
    seat::{Account, Observer, Who, since_epoch},
};

/// Until a backup takes over, and some seconds for a busy machine.
pub(crate) const ELECTION: Duration = Duration::from_secs(15);

/// keepalived announces its addresses once more five seconds after it became master.
const SETTLED: Duration = Duration::from_millis(6500);

/// For how long those who started before the trouble have watched when it comes, at least.
const EARLIER: Duration = Duration::from_secs(5);

/// How long after the trouble the last ones start.
pub(crate) const LATER: Duration = Duration::from_secs(15);

/// What can be known has to be said within this time.
pub(crate) const PROMPT: Duration = Duration::from_secs(5);

/// For how long it is watched beyond that, for the sake of what is not to be said.
const BEYOND: Duration = Duration::from_secs(2);

/// For how long those watch who ask.
const ASKING: &str = "6s";

/// What came of a scenario.
pub(crate) struct Course {
    /// When the trouble began.
    pub(crate) trouble: i128,
    /// When it could be known.
    pub(crate) known: i128,
    /// When it ended, where it did.
    pub(crate) ended: Option<i128>,
    /// By seat and start.
    pub(crate) accounts: [[Account; 3]; 3],
    /// By seat: what those heard who asked, where that is the question.
    pub(crate) asked: [Option<Account>; 3],
    /// By seat: verdict and sentence of `vrrpwatch who`, at the end.
    pub(crate) who: [(String, String); 3],
}

/// Plays a scenario.
pub(crate) fn play(scenario: &Scenario) -> Result<Course> {
    let lab = Lab::with_hosts(scenario.hosts)?;
    let mut cast = Cast::default();
    let one = lab.host("lb0").keepalived(&scenario.pair[0].to_string())?;
    let other = lab.host("lb1").keepalived(&scenario.pair[1].to_string())?;
    // An owner's first state is MASTER, which its start has waited for.
    if scenario.pair[0].priority != 255 {
        one.expect_state("MASTER", ELECTION)?;
    }
    let master = now();
    cast.one = Some(one);
    cast.other = Some(other);
    let files = files(&lab, &cast)?;
    let start = || watch_from_all(&lab, &files);

    let before = start()?;
    let watching = now();
    pass(master + SETTLED)?;
    pass(watching + EARLIER)?;

    let trouble = now();
    (scenario.begin)(&lab, &mut cast)?;
    let during = start()?;
    (scenario.known)(&lab, &cast)?;
    let known = now();
    let mut ended = None;
    if let Some(end) = scenario.end {
        pass(known + PROMPT)?;
        end(&lab, &cast)?;
        ended = Some(now());
    }
    pass(ended.unwrap_or(trouble) + LATER)?;
    let after = start()?;
    pass(now().max(known) + PROMPT + BEYOND)?;

    let mut accounts = Vec::new();
    for observers in [before, during, after] {
        for observer in &observers {
            observer.interrupt()?;
        }
        accounts.push(
            observers
                .into_iter()
                .map(Observer::finish)
                .collect::<Result<Vec<_>>>()?,
        );
    }
    let accounts = transposed(accounts)?;
    let asked = ask(scenario, &lab, &files)?;
    let who = Seat::ALL.map(|seat| Who::ask(lab.host(seat.host()), scenario.address));
    let who = who.map(|who| who.and_then(Who::answer));
    let [one, other, third] = who;
    Ok(Course {
        trouble: since_epoch(trouble)?,
        known: since_epoch(known)?,
        ended: ended.map(since_epoch).transpose()?,
        accounts,
        asked,
        who: [one?, other?, third?],
    })
}

/// The log and the configuration that a seat has, as arguments.
fn files(lab: &Lab, cast: &Cast) -> Result<[Vec<String>; 3]> {
    let of = |seat: Seat, daemon: &vrrp_tests::lab::Keepalived| {
        let log = lab.host(seat.host()).keepalived_log();
        [
            "--log".to_owned(),
            log.display().to_string(),
            "--keepalived-conf".to_owned(),
            daemon.configuration().display().to_string(),
        ]
    };
    Ok([
        of(Seat::Master, cast.one()?).into(),
        of(Seat::Backup, cast.other()?).into(),
        Vec::new(),
    ])
}

fn watch_from_all(lab: &Lab, files: &[Vec<String>; 3]) -> Result<Vec<Observer>> {
    let observers = Seat::ALL
        .into_iter()
        .zip(files)
        .map(|(seat, files)| Observer::spawn(lab.host(seat.host()), files))
        .collect::<Result<Vec<_>>>()?;
    observers
        .iter()
        .try_for_each(Observer::wait_until_it_watches)?;
    Ok(observers)
}

/// Has those seats ask from which nothing shows otherwise.
fn ask(scenario: &Scenario, lab: &Lab, files: &[Vec<String>; 3]) -> Result<[Option<Account>; 3]> {
    let mut observers = Vec::new();
    for ((seat, cells), files) in Seat::ALL.into_iter().zip(&scenario.cells).zip(files) {
        let is_asked = cells
            .iter()
            .any(|cell| matches!(cell.expected, Expected::Asked(_) | Expected::Heard { .. }));
        let observer = is_asked.then(|| {
            let mut args = files.clone();
            args.extend(["--probe", "--for", ASKING].map(str::to_owned));
            Observer::spawn(lab.host(seat.host()), &args)
        });
        observers.push(observer.transpose()?);
    }
    let mut accounts = [const { None }; 3];
    for (account, observer) in accounts.iter_mut().zip(observers) {
        *account = observer.map(Observer::finish).transpose()?;
    }
    Ok(accounts)
}

/// From by start and seat to by seat and start.
fn transposed(accounts: Vec<Vec<Account>>) -> Result<[[Account; 3]; 3]> {
    let mut by_seat: [[Account; 3]; 3] = Default::default();
    for (index, starts) in accounts.into_iter().enumerate() {
        for (seat, account) in starts.into_iter().enumerate() {
            *by_seat
                .get_mut(seat)
                .and_then(|row| row.get_mut(index))
                .context("three seats, three starts")? = account;
        }
    }
    Ok(by_seat)
}

/// Lets time pass: that trouble is 15 s old is what is tried.
fn pass(until: SystemTime) -> Result<()> {
    let left = until.duration_since(now()).unwrap_or_default();
    wait_until("time to pass", left + Duration::from_secs(1), || {
        now() >= until
    })
}
