//! The table of what shows from where: docs/seats.md.

use std::fmt::{self, Write as _};

use crate::{
    scenario::{Expected, Scenario, Seat},
    verdict::Verdict,
};

/// What stands above the table.
const HEAD: &str = "\
# What shows from where

Made by `cargo xtask test --matrix`, which brings each trouble about in a network of its own: keepalived
2.2.7 on `lb0` (the master, priority 150) and `lb1` (the backup, 100), an advert a second, and a third
host. Nine `vrrpwatch run` watch: on each of the three hosts one that started some seconds before the
trouble, one that started when it began, and one that started 15 s after it began (after it ended, where
it ends). Those on `lb0` and `lb1` have the log and the configuration of their keepalived.

A cell names what has to be said, with its cause and the seconds it took since the trouble or the start,
whichever came later. *Asked* means that nothing passes this host until somebody asks for the address:
that is what `run --probe` says, in so many seconds after its start. Where nothing is to be said, the note
tells why. A cell with **not right** in it is a fault of vrrpwatch.
";

/// The whole page.
pub(crate) fn page(scenarios: &[&Scenario], verdicts: &[[[Verdict; 3]; 3]]) -> String {
    let mut page = HEAD.to_owned();
    let mut notes: Vec<&'static str> = Vec::new();
    // Writing to a string does not fail.
    let _ = write_troubles(&mut page, scenarios);
    for (index, seat) in Seat::ALL.into_iter().enumerate() {
        let _ = write_seat(&mut page, (index, seat), scenarios, verdicts, &mut notes);
    }
    page.push_str("\n## Why nothing shows\n\n");
    for (number, note) in (1..).zip(&notes) {
        let _ = writeln!(page, "{number}. {note}");
    }
    page
}

fn write_troubles(page: &mut String, scenarios: &[&Scenario]) -> fmt::Result {
    page.push_str("\n## The troubles\n\n");
    for scenario in scenarios {
        writeln!(page, "- {}: {}", scenario.name, scenario.trouble)?;
    }
    Ok(())
}

fn write_seat(
    page: &mut String,
    (index, seat): (usize, Seat),
    scenarios: &[&Scenario],
    verdicts: &[[[Verdict; 3]; 3]],
    notes: &mut Vec<&'static str>,
) -> fmt::Result {
    let title = match seat {
        Seat::Master => "the master's host, `lb0`",
        Seat::Backup => "the backup's host, `lb1`",
        Seat::Third => "a third host",
    };
    writeln!(page, "\n## From {title}\n")?;
    writeln!(page, "| | started before | when it began | 15 s after |")?;
    writeln!(page, "|---|---|---|---|")?;
    for (scenario, verdicts) in scenarios.iter().zip(verdicts) {
        write!(page, "| {} {}", scenario.number, scenario.name)?;
        for (cell, verdict) in scenario.cells[index].iter().zip(&verdicts[index]) {
            write!(page, " | {}", text(cell.expected, verdict, notes))?;
        }
        writeln!(page, " |")?;
    }
    Ok(())
}

/// A cell in words.
fn text(expected: Expected, verdict: &Verdict, notes: &mut Vec<&'static str>) -> String {
    let mut parts: Vec<String> = verdict
        .came
        .iter()
        .map(|(name, seconds)| format!("{} {seconds:.1} s", shown(name)))
        .collect();
    if verdict.by_asking {
        parts.insert(0, "*asked*".to_owned());
    }
    if let Expected::Nothing(reason) = expected {
        let known = notes.iter().position(|note| *note == reason);
        let number = known.unwrap_or_else(|| {
            notes.push(reason);
            notes.len() - 1
        });
        parts.push(format!("nothing ({})", number + 1));
    }
    if !verdict.wrong.is_empty() {
        let wrong = verdict
            .wrong
            .first()
            .map(String::as_str)
            .unwrap_or_default();
        parts.push(format!("**not right**: {}", wrong.replace('|', " or ")));
    }
    parts.join("; ")
}

/// The name of an answer as one reads it.
fn shown(name: &str) -> String {
    match name.split_once('/') {
        Some(("state", reason)) => format!("state ({reason})"),
        Some((code, cause)) => format!("{code} ({cause})"),
        None => name.to_owned(),
    }
}
