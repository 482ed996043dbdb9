//! Lines of text: RFC 3164, RFC 5424, RFC 3339 as rsyslog writes it, busybox and OpenWrt's logread,
//! `--log-console`, `-g FILE`, FRR's own file, and lines that are nothing but text.

use jiff::civil::{Date, Time};

use crate::{
    log::{
        Inferred, LogLine, Window, Writer,
        time::{Calendar, clock_time, fraction_of_second, month, window},
    },
    model::Span,
};

/// Reads a line. What is in no known envelope is text of an unknown writer.
pub(super) fn read(calendar: &Calendar, line: &str) -> LogLine {
    let unwrapped = match priority(line) {
        Some(rest) => match rest.strip_prefix("1 ") {
            Some(rest) => rfc5424(rest).or_else(|| rfc3164(calendar, rest)),
            None => rfc3164(calendar, rest).or_else(|| rfc3339(rest)),
        },
        None => rfc3339(line)
            .or_else(|| own_file(calendar, line))
            .or_else(|| logread(calendar, line))
            .or_else(|| rfc3164(calendar, line)),
    };
    unwrapped.unwrap_or_else(|| LogLine::new(Writer::Unknown, None, Inferred::default(), line))
}

/// `<30>`
fn priority(line: &str) -> Option<&str> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    number.parse::<u8>().ok().filter(|number| *number <= 191)?;
    Some(rest)
}

/// `2024-07-10T09:27:24.123456+02:00 node Keepalived_vrrp[3352]: text`
fn rfc3339(line: &str) -> Option<LogLine> {
    let (time, rest) = line.split_once(' ')?;
    let window = instant(time)?;
    Some(tagged(Some(window), Inferred::default(), rest))
}

/// `2024-07-10T09:27:24.123456+02:00 node Keepalived_vrrp 3352 - - text`
fn rfc5424(line: &str) -> Option<LogLine> {
    let mut words = line.splitn(6, ' ');
    let [time, host, ident, pid, _message_id] = [
        words.next()?,
        words.next()?,
        words.next()?,
        words.next()?,
        words.next()?,
    ];
    let text = after_structured_data(words.next()?)?;
    let window = if time == "-" {
        None
    } else {
        Some(instant(time)?)
    };
    let mut unwrapped = LogLine::new(Writer::of(ident), window, Inferred::default(), text);
    unwrapped.host = present(host).map(Into::into);
    unwrapped.ident = present(ident).map(str::to_owned);
    unwrapped.pid = pid.parse().ok();
    Some(unwrapped)
}

/// `Jul 10 09:27:24 node Keepalived_vrrp[3352]: text`, in any language.
fn rfc3164(calendar: &Calendar, line: &str) -> Option<LogLine> {
    let (name, rest) = word(line)?;
    let (day, rest) = word(rest)?;
    let (time, rest) = word(rest)?;
    if !name.starts_with(char::is_alphabetic) {
        return None;
    }
    let day = day.parse().ok().filter(|day| (1..=31).contains(day))?;
    let (time, width) = clock_time(time)?;
    let month = month(name);
    let inferred = Inferred {
        year: true,
        month: month.is_none(),
        zone: true,
    };
    let window = calendar.nearest(month, day, time, width)?;
    Some(tagged(Some(window), inferred, rest))
}

/// A line that a daemon writes by itself, to a file or to its output.
pub(super) fn own_file(calendar: &Calendar, line: &str) -> Option<LogLine> {
    console(calendar, line).or_else(|| frr_file(calendar, line))
}

/// `Wed Feb 21 21:57:11 2024: text`, also with nine digits of a fraction.
fn console(calendar: &Calendar, line: &str) -> Option<LogLine> {
    let (day, time, rest) = ctime(line)?;
    let (year, text) = rest.split_once(':')?;
    let text = text.strip_prefix(' ').unwrap_or(text);
    dated(calendar, day.of(year)?, time, text)
}

/// `Mon Mar 24 12:49:43 2025 daemon.info Keepalived_vrrp[8316]: text`, on OpenWrt; with `-t` there is
/// `[1742820583.123]` before the facility.
fn logread(calendar: &Calendar, line: &str) -> Option<LogLine> {
    let (day, (time, width), rest) = ctime(line)?;
    let (year, rest) = word(rest)?;
    let local = calendar.local(day.of(year)?.to_datetime(time), width)?;
    let (exact, rest) = match epoch(rest) {
        Some((exact, rest)) => (Some(exact), rest),
        None => (None, rest),
    };
    let rest = after_facility(rest)?;
    let inferred = Inferred {
        zone: exact.is_none(),
        ..Inferred::default()
    };
    Some(by_tag(Some(exact.unwrap_or(local)), inferred, rest))
}

/// A month and a day of a year that follows.
struct Day {
    month: i8,
    day: i8,
}

impl Day {
    fn of(&self, year: &str) -> Option<Date> {
        Date::new(year.parse().ok()?, self.month, self.day).ok()
    }
}

/// `Wed Feb 21 21:57:11 `, and what follows.
fn ctime(line: &str) -> Option<(Day, (Time, Span), &str)> {
    let (weekday, rest) = word(line)?;
    let (name, rest) = word(rest)?;
    let (day, rest) = word(rest)?;
    let (time, rest) = word(rest)?;
    if !weekday.starts_with(char::is_alphabetic) {
        return None;
    }
    let day = Day {
        month: month(name)?,
        day: day.parse().ok()?,
    };
    Some((day, clock_time(time)?, rest))
}

/// `[1742820583.123] `, seconds since 1970, and what follows.
fn epoch(text: &str) -> Option<(Window, &str)> {
    let (seconds, rest) = text.strip_prefix('[')?.split_once("] ")?;
    let (seconds, fraction) = seconds.split_once('.')?;
    let (nanos, width) = fraction_of_second(fraction)?;
    let start = jiff::Timestamp::new(seconds.parse().ok()?, nanos).ok()?;
    Some((window(start, width)?, rest))
}

/// The text behind `daemon.info `.
fn after_facility(text: &str) -> Option<&str> {
    const SEVERITIES: [&str; 11] = [
        "emerg", "panic", "alert", "crit", "err", "error", "warn", "warning", "notice", "info",
        "debug",
    ];
    let (priority, rest) = word(text)?;
    let (facility, severity) = priority.split_once('.')?;
    let named = facility.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (!facility.is_empty() && named && SEVERITIES.contains(&severity)).then_some(rest)
}

/// `2026/08/21 11:22:20 VRRP: text`
fn frr_file(calendar: &Calendar, line: &str) -> Option<LogLine> {
    let (date, rest) = line.split_once(' ')?;
    let (time, rest) = rest.split_once(' ')?;
    let (ident, text) = rest.split_once(": ")?;
    let mut parts = date.split('/');
    let [year, month, day] = [parts.next()?, parts.next()?, parts.next()?];
    let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    let mut unwrapped = dated(calendar, date, clock_time(time)?, text)?;
    unwrapped.writer = Writer::of(ident);
    unwrapped.ident = Some(ident.to_owned());
    Some(unwrapped)
}

/// A line of a file that a daemon keeps for itself.
fn dated(
    calendar: &Calendar,
    date: Date,
    (time, width): (Time, Span),
    text: &str,
) -> Option<LogLine> {
    let inferred = Inferred {
        zone: true,
        ..Inferred::default()
    };
    let window = calendar.local(date.to_datetime(time), width)?;
    Some(LogLine::new(Writer::Daemon, Some(window), inferred, text))
}

/// `node Keepalived_vrrp[3352]: text`; busybox has `daemon.info` before the tag.
fn tagged(window: Option<Window>, inferred: Inferred, rest: &str) -> LogLine {
    let (host, rest) = word(rest).unwrap_or(("", rest));
    let rest = after_facility(rest).unwrap_or(rest);
    let mut unwrapped = by_tag(window, inferred, rest);
    unwrapped.host = present(host).map(Into::into);
    unwrapped
}

/// `Keepalived_vrrp[3352]: text`
fn by_tag(window: Option<Window>, inferred: Inferred, rest: &str) -> LogLine {
    match tag(rest) {
        Some((ident, pid, text)) => {
            let mut unwrapped = LogLine::new(Writer::of(ident), window, inferred, text);
            unwrapped.ident = Some(ident.to_owned());
            unwrapped.pid = pid;
            unwrapped
        }
        // What a logger says in its own name, such as that a line was repeated.
        None => LogLine::new(Writer::Unknown, window, inferred, rest),
    }
}

fn tag(rest: &str) -> Option<(&str, Option<u32>, &str)> {
    let (tag, text) = rest.split_once(':')?;
    let (ident, pid) = match tag.strip_suffix(']').and_then(|tag| tag.split_once('[')) {
        Some((ident, pid)) => (ident, Some(pid.parse().ok()?)),
        None => (tag, None),
    };
    let text = text.strip_prefix(' ').unwrap_or(text);
    (!ident.is_empty() && !ident.contains(char::is_whitespace)).then_some((ident, pid, text))
}

/// The instant a text in RFC 3339 names, as exactly as it names it.
pub(super) fn instant(text: &str) -> Option<Window> {
    // The parser knows more forms than this one.
    if text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    let digits = text.split_once('.').map_or(0, |(_, rest)| {
        rest.bytes().take_while(u8::is_ascii_digit).count()
    });
    let unit = 10_u64.pow(9_u32.saturating_sub(u32::try_from(digits).ok()?));
    window(time, Span::from_nanos(unit))
}

/// The text behind `-` or `[id name="value"]...`.
fn after_structured_data(text: &str) -> Option<&str> {
    let rest = if let Some(rest) = text.strip_prefix('-') {
        rest
    } else {
        let mut rest = text;
        while rest.starts_with('[') {
            rest = &rest[end_of_element(rest)?..];
        }
        rest
    };
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    // Some senders mark their text as UTF-8.
    Some(rest.strip_prefix('\u{feff}').unwrap_or(rest))
}

/// Where an element ends: at its bracket, but for those in quotes.
fn end_of_element(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The first word, and what comes after the blanks behind it.
fn word(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.split_once(' ')?;
    (!word.is_empty()).then(|| (word, rest.trim_start_matches(' ')))
}

fn present(text: &str) -> Option<&str> {
    (!text.is_empty() && text != "-").then_some(text)
}
