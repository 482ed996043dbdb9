//! Whether what was said from a seat is right.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use crate::{
    scenario::{Cell, Expected, Scenario},
    seat::{Account, nanos},
    stage::{Course, PROMPT},
};

/// Advice to take an address from a machine, or to start there what runs there.
const TAKING: [&str; 4] = [
    "take the address away",
    "address del",
    "remove it by hand",
    "start keepalived there",
];

/// What may be said anywhere: it is so in the configurations of the scenarios.
const COMMON: [&str; 1] = ["plaintext-auth"];

/// What came of a cell.
pub(crate) struct Verdict {
    /// What was said, each with the seconds since the trouble or the start, the later of the two.
    pub(crate) came: Vec<(String, f64)>,
    /// Whether it took a question.
    pub(crate) by_asking: bool,
    /// What is not right; empty where all is.
    pub(crate) wrong: Vec<String>,
    /// The records that matter, for whoever looks into it.
    pub(crate) records: Vec<String>,
}

/// A record that says something, and its name as scenarios write it.
struct Saying<'a> {
    record: &'a Value,
    name: String,
    time: i128,
}

/// Judges one cell.
pub(crate) fn judge(
    scenario: &Scenario,
    course: &Course,
    seat: usize,
    start: usize,
) -> Result<Verdict> {
    let cell = &scenario.cells[seat][start];
    let account = &course.accounts[seat][start];
    let (verdict, message) = &course.who[seat];
    let mut wrong = account.complaints.clone();
    let sayings = sayings(account)?;
    let mut came = Vec::new();
    let mut by_asking = false;
    let mut zero = account.start.max(course.trouble);
    let mut known = account.start.max(course.known);
    examine(scenario, cell, account, &sayings, &mut wrong);
    over(scenario, cell, course, &sayings, &mut wrong);
    let expected = match cell.expected {
        Expected::Heard { said, asked } => match both_heard(account, 2)? {
            // It may be watched for too short a time after that.
            Some(time) if time + limit() <= end(account)? => {
                known = known.max(time);
                Expected::Said(said)
            }
            _ => Expected::Asked(asked),
        },
        expected => expected,
    };
    match expected {
        Expected::Heard { .. } => {}
        Expected::Said(answers) => {
            came = expect(answers, &sayings, known, &mut wrong);
        }
        Expected::Nothing(_) => {
            // Nobody advertises to the group: whether anybody does, `who` cannot know either.
            if verdict == "conflict" {
                wrong.push(format!("silent where `who` knows: {message}"));
            }
        }
        Expected::Asked(answers) => {
            if let Some(asked) = &course.asked[seat] {
                by_asking = true;
                let sayings = self::sayings(asked)?;
                wrong.extend(asked.complaints.iter().cloned());
                examine(scenario, cell, asked, &sayings, &mut wrong);
                let known = match cell.expected {
                    Expected::Heard { .. } => both_heard(asked, 1)?.unwrap_or(asked.start),
                    _ => asked.start,
                };
                came = expect(answers, &sayings, known, &mut wrong);
                zero = asked.start;
            }
        }
    }
    let came = came
        .into_iter()
        .map(|(name, time)| (name, seconds_of(time - zero)))
        .collect();
    let mut records: Vec<String> = sayings.iter().map(|it| it.record.to_string()).collect();
    if by_asking && let Some(asked) = &course.asked[seat] {
        records.push("asked:".to_owned());
        records.extend(self::sayings(asked)?.iter().map(|it| it.record.to_string()));
    }
    records.push(format!("who: {verdict}: {message}"));
    Ok(Verdict {
        came,
        by_asking,
        wrong,
        records,
    })
}

/// When the second of the routers has been heard so many times: one packet may be a mistake.
fn both_heard(account: &Account, times: usize) -> Result<Option<i128>> {
    let mut adverts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut heard = 0;
    for record in account.records.iter().filter(|it| it["record"] == "advert") {
        let count = adverts
            .entry(record["source"].as_str().unwrap_or_default())
            .or_default();
        *count += 1;
        heard += usize::from(*count == times);
        if heard == 2 {
            return nanos(record).map(Some);
        }
    }
    Ok(None)
}

/// Everything that somebody could act on.
fn sayings(account: &Account) -> Result<Vec<Saying<'_>>> {
    let mut sayings = Vec::new();
    for record in &account.records {
        let text = |key: &str| record[key].as_str().unwrap_or_default();
        let name = match text("record") {
            "finding" => match text("cause") {
                "" => text("code").to_owned(),
                cause => format!("{}/{cause}", text("code")),
            },
            "state" => format!("state/{}", text("reason")),
            "incident" => "incident".to_owned(),
            _ => continue,
        };
        sayings.push(Saying {
            record,
            name,
            time: nanos(record)?,
        });
    }
    Ok(sayings)
}

impl Saying<'_> {
    fn is_finding(&self) -> bool {
        self.record["record"] == "finding"
    }

    /// Whether it begins or goes on.
    fn holds(&self) -> bool {
        self.record["status"] != "cleared"
    }

    fn is(&self, answer: &str) -> bool {
        answer.split('|').any(|answer| {
            let cut = self
                .name
                .split_once('/')
                .map_or(&*self.name, |(code, _)| code);
            answer == self.name || answer == cut
        })
    }
}

/// What is not true, and what would harm.
fn examine(
    scenario: &Scenario,
    cell: &Cell,
    account: &Account,
    sayings: &[Saying<'_>],
    wrong: &mut Vec<String>,
) {
    let (expected, else_expected): (&[&str], &[&str]) = match cell.expected {
        Expected::Said(answers) | Expected::Asked(answers) => (answers, &[]),
        Expected::Heard { said, asked } => (said, asked),
        Expected::Nothing(_) => (&[], &[]),
    };
    for saying in sayings {
        if saying.record["record"] == "incident" && saying.time < account.start {
            wrong.push("an incident from before the start".to_owned());
        }
        if !saying.is_finding() || !saying.holds() {
            continue;
        }
        let mut allowed = expected
            .iter()
            .chain(else_expected)
            .chain(cell.possible)
            .chain(&COMMON);
        if !allowed.any(|answer| saying.is(answer)) {
            wrong.push(format!("not true: {}", saying.name));
        }
        let text = |key: &str| saying.record[key].as_str().unwrap_or_default();
        let (message, advice) = (text("message"), text("advice"));
        for host in scenario.rightful {
            let claimant = format!("claimed by {}", mac_of(host));
            let takes = TAKING.iter().any(|taking| advice.contains(taking));
            if takes && message.contains(&claimant) {
                wrong.push(format!("would harm {host}: {advice}"));
            }
        }
    }
}

/// What is called over and is not, or is over and not called so.
fn over(
    scenario: &Scenario,
    cell: &Cell,
    course: &Course,
    sayings: &[Saying<'_>],
    wrong: &mut Vec<String>,
) {
    // The last word on each.
    let last = |saying: &Saying<'_>| {
        let same = |other: &&Saying<'_>| {
            other.is_finding()
                && other.record["code"] == saying.record["code"]
                && other.record["vrid"] == saying.record["vrid"]
        };
        sayings.iter().rev().find(same).is_some_and(Saying::holds)
    };
    for saying in sayings.iter().filter(|saying| saying.is_finding()) {
        let is_critical = saying.record["severity"] == "critical";
        if scenario.lasts && is_critical && !saying.holds() && !last(saying) {
            wrong.push(format!("called over, and is not: {}", saying.name));
        }
        if course.ended.is_some() && !cell.endless && is_critical && saying.holds() && last(saying)
        {
            wrong.push(format!("over, and not called so: {}", saying.name));
        }
    }
}

/// Whether all answers came, the first of them in time. Gives back when each came, in
/// nanoseconds since the epoch.
fn expect(
    answers: &[&str],
    sayings: &[Saying<'_>],
    known: i128,
    wrong: &mut Vec<String>,
) -> Vec<(String, i128)> {
    let mut came = Vec::new();
    for answer in answers {
        let found = sayings
            .iter()
            .find(|saying| saying.holds() && saying.is(answer));
        match found {
            Some(saying) => came.push((saying.name.clone(), saying.time)),
            None => wrong.push(format!("not said: {answer}")),
        }
    }
    let first = came.iter().map(|(_, time)| *time).min();
    if let Some(first) = first.filter(|first| first - known > limit()) {
        let late = seconds_of(first - known);
        wrong.push(format!("late: {late:.1} s after it could be known"));
    }
    came
}

/// Within this time of the moment at which it can be known it is to be said, in nanoseconds.
fn limit() -> i128 {
    i128::try_from(PROMPT.as_nanos()).unwrap_or(i128::MAX)
}

/// When it was watched last.
fn end(account: &Account) -> Result<i128> {
    account.records.last().map_or(Ok(account.start), nanos)
}

fn mac_of(host: &str) -> String {
    let last = host
        .strip_prefix("lb")
        .map_or("c3".to_owned(), |number| format!("a{number}"));
    format!("02:00:00:00:00:{last}")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "tenths of seconds are what is shown"
)]
fn seconds_of(nanos: i128) -> f64 {
    nanos as f64 / 1e9
}
