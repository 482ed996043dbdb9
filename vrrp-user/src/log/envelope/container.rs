//! What the keepers of containers put before a line: docker compose and kubectl the name of the
//! container, the CRI and `--timestamps` an exact time.

use super::syslog;
use crate::log::{Window, time::Calendar};

/// A line as a container wrote it, and what was put before it.
pub(super) struct Wrapped<'a> {
    /// The container or pod.
    pub(super) name: Option<&'a str>,
    pub(super) time: Option<Window>,
    pub(super) text: &'a str,
}

/// Bytes of a name: DNS names are not longer.
const MAX_NAME: usize = 253;
/// Escape sequences for colour that may stand in a row.
const MAX_COLOURS: usize = 4;

/// Takes off what was put before a line, if anything was.
pub(super) fn unwrap<'a>(calendar: &Calendar, line: &'a str) -> Option<Wrapped<'a>> {
    let (name, rest) = match compose(line).or_else(|| pod(line)) {
        Some((name, rest)) => (Some(name), rest),
        None => (None, line),
    };
    let (time, text) = match cri(rest).or_else(|| timestamps(calendar, rest)) {
        Some((time, text)) => (Some(time), text),
        None => (None, rest),
    };
    (name.is_some() || time.is_some()).then_some(Wrapped { name, time, text })
}

/// `keepalived_1  | text`, in colour on a terminal.
fn compose(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = uncoloured(line).split_once('|')?;
    let name = name.trim_end_matches(' ');
    let rest = uncoloured(rest);
    is_name(name).then(|| (name, rest.strip_prefix(' ').unwrap_or(rest)))
}

/// `[pod/keepalived-x7k2p/keepalived] text`, as `kubectl logs --prefix` prints it.
fn pod(line: &str) -> Option<(&str, &str)> {
    let (place, rest) = line.strip_prefix("[pod/")?.split_once("] ")?;
    let (pod, container) = place.split_once('/')?;
    (is_name(pod) && is_name(container)).then_some((pod, rest))
}

/// `2022-11-25T03:56:55.306531381+00:00 stderr F text`; P is a part of a long line.
fn cri(line: &str) -> Option<(Window, &str)> {
    let (time, rest) = line.split_once(' ')?;
    let time = syslog::instant(time)?;
    let (stream, rest) = rest.split_once(' ')?;
    let (tags, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let tag = tags.split(':').next()?;
    (matches!(stream, "stdout" | "stderr") && matches!(tag, "F" | "P")).then_some((time, text))
}

/// `2022-11-25T03:56:55.306531381Z text`, where the text has a time of its own: syslog has a host
/// there.
fn timestamps<'a>(calendar: &Calendar, line: &'a str) -> Option<(Window, &'a str)> {
    let (time, text) = line.split_once(' ')?;
    let time = syslog::instant(time)?;
    syslog::own_file(calendar, text)?;
    Some((time, text))
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty() && text.len() <= MAX_NAME && text.bytes().all(fits)
}

/// The text behind escape sequences that set a colour.
fn uncoloured(mut text: &str) -> &str {
    for _ in 0..MAX_COLOURS {
        let Some(rest) = text.strip_prefix("\x1b[") else {
            break;
        };
        let parameters =
            rest.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ';');
        let Some(rest) = parameters.strip_prefix('m') else {
            break;
        };
        text = rest;
    }
    text
}
