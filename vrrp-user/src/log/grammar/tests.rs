//! Every form in every spelling, from `lines.txt`.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::log::template::{fits, is_well_formed};

/// Event, instance (or group, with a `group ` before it), details and line, between bars.
const LINES: &str = include_str!("lines.txt");

fn lines() -> impl Iterator<Item = [&'static str; 4]> {
    LINES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut fields = line.splitn(4, '|');
            [(); 4].map(|()| {
                fields
                    .next()
                    .unwrap_or_else(|| panic!("four fields: {line}"))
            })
        })
        .map(|[event, instance, details, line]| {
            // Blanks at the front of a line are part of it.
            let line = line.strip_prefix(' ').unwrap_or(line);
            [event.trim(), instance.trim(), details.trim(), line]
        })
}

/// `key=value key=value`, in the order of the keys.
fn summary(details: &Details) -> String {
    let Ok(Value::Object(map)) = serde_json::to_value(details) else {
        panic!("details are an object");
    };
    let pairs = map.iter().map(|(key, value)| match value {
        Value::String(text) => format!("{key}={text}"),
        other => format!("{key}={other}"),
    });
    pairs.collect::<Vec<_>>().join(" ")
}

fn rules() -> impl Iterator<Item = &'static str> {
    let tables = OF_AN_INSTANCE.into_iter().chain(BARE).chain([
        state::OF_A_GROUP,
        system::LOSS,
        system::FOREIGN,
        frr::RULES,
    ]);
    let forms = tables.flatten().map(|(_, form)| *form);
    let life = system::LIFE.iter().chain(system::FOREIGN_LIFE);
    forms.chain(life.map(|(_, form)| *form))
}

#[test]
fn every_line_says_what_it_says() {
    let mut wrong = Vec::new();
    for [event, instance, details, line] in lines() {
        let reading = read_foreign(line)
            .filter(|_| {
                [
                    "keepalived.service",
                    "(keepalived)",
                    "IPv6 duplicate address",
                ]
                .iter()
                .any(|foreign| line.contains(foreign))
            })
            .unwrap_or_else(|| read(line));
        let who = match (&reading.group, &reading.instance) {
            (Some(group), Some(instance)) => format!("group {group}, {instance}"),
            (Some(group), None) => format!("group {group}"),
            (None, Some(instance)) => instance.clone(),
            (None, None) => String::new(),
        };
        let read = [reading.event.as_str(), &who, &summary(&reading.details)];
        if read != [event, instance, details] {
            wrong.push(format!("{} | {} | {} | {line}", read[0], read[1], read[2]));
        }
    }
    assert!(wrong.is_empty(), "read otherwise:\n{}", wrong.join("\n"));
}

#[test]
fn every_event_and_every_form_has_a_line() {
    for event in LogEvent::ALL {
        assert!(
            lines().any(|[name, ..]| name == event.as_str()),
            "no line for {event:?}"
        );
    }
    for form in rules() {
        assert!(is_well_formed(form), "{form}");
        let shown = lines().any(|[.., line]| {
            line.char_indices()
                .any(|(at, _)| fits(form, &line[at..], &mut Details::default()))
        });
        assert!(shown, "no line for {form:?}");
    }
}

#[test]
fn a_line_that_was_cut_is_no_other_event() {
    for [event, .., line] in lines() {
        for (at, _) in line.char_indices().skip(1) {
            let cut = read(&line[..at]).event;
            // Some forms are the beginning of others, and free text may end anywhere.
            let may = cut == LogEvent::Other
                || cut.as_str() == event
                || cut.as_str().starts_with("state_")
                || cut == LogEvent::FaultWhy
                || cut == LogEvent::Life;
            assert!(may, "{:?} reads as {cut:?}", &line[..at]);
        }
    }
}

proptest! {
    #[test]
    fn nothing_panics(text in any::<String>()) {
        read(&text);
        read_foreign(&text);
    }

    #[test]
    fn nothing_panics_on_what_looks_right(
        front in prop::sample::select(vec!["(", "VRRP_Instance(", "VRRP_Group(", "[CORE] ", ""]),
        middle in "[()\\[\\]{}: a-zA-Z0-9/.-]{0,40}",
        number in any::<u16>(),
    ) {
        let mut all: Vec<_> = lines().collect();
        let [.., line] = all.swap_remove(usize::from(number) % all.len());
        read(&format!("{front}{middle}{line}"));
        read(&format!("{line}{middle}"));
    }
}
