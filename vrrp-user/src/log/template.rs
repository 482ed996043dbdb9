//! Forms of log lines: the daemons' format strings with typed holes.
//!
//! `Received advert from {source} with lower priority {theirs}` fits a line when the words are the
//! same and every hole holds what its name promises. A line that was cut or that only begins alike
//! does not fit: a wrong event would be worse than none.

use std::net::IpAddr;

use super::event::{Details, LogState};
use crate::model::{Family, Vrid};

/// A hole of free text may end at the first of several places that look like its end.
const ENDS_TRIED: usize = 4;

/// Whether `text` is of this form; then `details` holds what is in its holes.
pub(super) fn fits(form: &str, text: &str, details: &mut Details) -> bool {
    let Some((literal, rest)) = form.split_once('{') else {
        return form == text;
    };
    let Some(text) = text.strip_prefix(literal) else {
        return false;
    };
    let Some((hole, form)) = rest.split_once('}') else {
        return false;
    };
    if form.is_empty() {
        return fill(hole, text, details);
    }
    let end = form.split('{').next().unwrap_or_default();
    text.match_indices(end)
        .take(ENDS_TRIED)
        .any(|(at, _)| fill(hole, &text[..at], details) && fits(form, &text[at..], details))
}

/// Fills a hole, if the text is what the hole is for.
fn fill(hole: &str, text: &str, details: &mut Details) -> bool {
    match hole {
        "address" => set(&mut details.address, address(text)),
        "source" => set(&mut details.source, address(text)),
        "vrid" => set(&mut details.vrid, text.parse().ok().map(Vrid::new)),
        "family" => set(
            &mut details.family,
            match text {
                "IPv4" => Some(Family::Ipv4),
                "IPv6" => Some(Family::Ipv6),
                _ => None,
            },
        ),
        "interface" => set(&mut details.interface, word(text)),
        "ours" => set(&mut details.ours, number(text)),
        "theirs" => set(&mut details.theirs, number(text)),
        "before" => set(&mut details.before, number(text)),
        "after" => set(&mut details.after, number(text)),
        "count" => set(&mut details.count, number(text)),
        "seconds" => set(&mut details.span_ms, milliseconds(text)),
        "state" => set(&mut details.state, LogState::from_name(text)),
        "from" => set(&mut details.from, LogState::from_name(text)),
        "on" => set(&mut details.on, on(text)),
        "name" => set(&mut details.name, some(text)),
        "error" => set(&mut details.error, some(text)),
        // A script that the daemon ran goes by its PID, and its end is none of the daemon's.
        "daemon" => !text.starts_with("pid ") && set(&mut details.name, some(text)),
        // What is checked and not kept.
        "number" => text.parse::<i64>().is_ok(),
        "hex" => u32::from_str_radix(text, 16).is_ok(),
        "word" => word(text).is_some(),
        "length" => matches!(text, "short" | "long"),
        "cast" => matches!(text, "un" | "mult"),
        "announcement" => matches!(
            text,
            "gratuitous ARPs" | "gratuitous ARP" | "Unsolicited Neighbour Adverts"
        ),
        "set" => matches!(text, "VIPs." | "E-VIPs." | "iptable drop rule"),
        "tail" => true,
        _ => false,
    }
}

/// Whether a rule's form has only holes that [`fits`] knows, and none that touch.
#[cfg(test)]
pub(super) fn is_well_formed(form: &str) -> bool {
    const HOLES: [&str; 25] = [
        "address",
        "source",
        "vrid",
        "family",
        "interface",
        "ours",
        "theirs",
        "before",
        "after",
        "count",
        "seconds",
        "daemon",
        "state",
        "from",
        "on",
        "name",
        "error",
        "number",
        "hex",
        "word",
        "length",
        "cast",
        "announcement",
        "set",
        "tail",
    ];
    !form.contains("}{")
        && form.matches('{').count() == form.matches('}').count()
        && form
            .split('{')
            .skip(1)
            .all(|rest| HOLES.contains(&rest.split('}').next().unwrap_or_default()))
}

fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let filled = value.is_some();
    *place = value;
    filled
}

/// An address, with or without the length of its prefix and the name of its zone.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let text = match text.split_once('/') {
        Some((address, length)) => {
            length.parse::<u8>().ok().filter(|length| *length <= 128)?;
            address
        }
        None => text,
    };
    text.split_once('%')
        .map_or(text, |(address, _)| address)
        .parse()
        .ok()
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

fn some(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.to_owned())
}

fn word(text: &str) -> Option<String> {
    (!text.is_empty() && !text.contains(char::is_whitespace)).then(|| text.to_owned())
}

fn milliseconds(text: &str) -> Option<u64> {
    let seconds: f64 = text.parse().ok().filter(|seconds: &f64| *seconds >= 0.0)?;
    let span = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    u64::try_from(span.as_millis()).ok()
}

fn on(text: &str) -> Option<bool> {
    const ON: [&str; 6] = ["added", "assigned", "gained", "setting", "succeeded", "up"];
    const OFF: [&str; 8] = [
        "removed",
        "deassigned",
        "lost",
        "removing",
        "failed",
        "down",
        "timed out",
        "timed_out",
    ];
    let is = |word: &&str| text.eq_ignore_ascii_case(word);
    if ON.iter().any(is) {
        Some(true)
    } else if OFF.iter().any(is) {
        Some(false)
    } else {
        None
    }
}
