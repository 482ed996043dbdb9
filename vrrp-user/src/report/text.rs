//! Records as text, one line each, as tcpdump prints.
//!
//! Everything that comes from the wire or a file is a number, an address or one of our own words by
//! now, but for names of interfaces and files, which are escaped.

mod asking;
mod drops;
mod incident;
mod lines;
mod probing;
mod traffic;
mod verdict;

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Write as _},
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use anstyle::{AnsiColor, Style as Ansi};

pub(super) use lines::TextLines;

use crate::{
    escape::escape,
    frame::Direction,
    model::Timestamp,
    record::{
        AdvertRecord, ArpRecord, AuthKind, Body, CarpRecord, Loss, LossReason, NdRecord, Record,
        Start, Summary,
    },
    wire::{ArpKind, Checksum, Defect, NdKind},
};

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// With colours.
    pub coloured: bool,
}

const WARNING: Ansi = AnsiColor::Yellow.on_default();
const ALERT: Ansi = AnsiColor::Red.on_default().bold();
const RELIEF: Ansi = AnsiColor::Green.on_default();
const QUIET: Ansi = Ansi::new().dimmed();
const STRONG: Ansi = Ansi::new().bold();
/// Virtual addresses that are written in a line.
const LISTED: usize = 32;

impl Style {
    /// Appends the line of a record, without its end.
    pub fn line(self, record: &Record, line: &mut String) {
        // Writing to a string cannot fail.
        let _: fmt::Result = self.write(record, line);
    }

    fn write(self, record: &Record, line: &mut String) -> fmt::Result {
        write!(line, "{}", self.paint(QUIET, local_time(record.time)))?;
        if let Some(interface) = &record.interface {
            write!(line, " {}", escape(interface))?;
        }
        for (position, id) in record.vlan.iter().enumerate() {
            write!(line, "{}{id}", if position == 0 { " vlan " } else { "." })?;
        }
        match record.direction {
            Some(Direction::In) => line.push_str(" In "),
            Some(Direction::Out) => line.push_str(" Out"),
            None => {}
        }
        line.push(' ');
        match &record.body {
            Body::Start(start) => self.start(start, line),
            Body::Loss(loss) => self.loss(loss, line),
            Body::Summary(summary) => self.summary(summary, line),
            Body::Advert(advert) => self.advert(advert, line),
            Body::Carp(carp) => self.carp(carp, line),
            Body::Arp(arp) => self.arp(arp, line),
            Body::Nd(nd) => self.nd(nd, line),
            Body::State(state) => self.state(state, line),
            Body::Announced(announced) => self.announced(announced, line),
            Body::Probe(probe) => self.probe(probe, line),
            Body::Drop(drop) => self.drop(drop, line),
            Body::Traffic(traffic) => self.traffic(traffic, line),
            Body::Finding(finding) => self.finding(finding, line),
            Body::Log(log) => self.log(log, line),
            Body::Unread(unread) => write!(line, "{} {unread}", self.paint(WARNING, "UNREAD")),
            Body::Incident(incident) => self.incident(incident, line),
        }
    }

    fn start(self, start: &Start, line: &mut String) -> fmt::Result {
        write!(line, "vrrpwatch {}", start.program_version)?;
        if start.files.is_empty() {
            line.push_str(" watching");
            let mut separator = " ";
            for attached in &start.attachments {
                let name = escape(&attached.interface);
                write!(
                    line,
                    "{separator}{} (in: {}",
                    self.paint(STRONG, name),
                    attached.ingress
                )?;
                match &attached.egress {
                    Some(egress) => write!(line, ", out: {egress}")?,
                    None => write!(line, ", out: {}", self.paint(WARNING, "not seen"))?,
                }
                if attached.link != "up" {
                    let state = escape(&attached.link);
                    write!(line, "; link {}", self.paint(WARNING, state))?;
                }
                write!(line, "; {})", escape(&attached.reason))?;
                separator = ", ";
            }
        } else {
            line.push_str(" replaying");
            for file in &start.files {
                write!(line, " {}", escape(file))?;
            }
        }
        for source in &start.sources {
            write!(line, "; {}", escape(source))?;
        }
        for note in &start.notes {
            write!(line, "; {}", escape(note))?;
        }
        Ok(())
    }

    fn loss(self, loss: &Loss, line: &mut String) -> fmt::Result {
        write!(line, "{}", self.paint(WARNING, "lost:"))?;
        counts(&loss.lost, line)
    }

    fn summary(self, summary: &Summary, line: &mut String) -> fmt::Result {
        let Summary {
            frames,
            adverts,
            carp,
            arp,
            nd,
            log,
            duplicates,
            ignored,
            lost,
            unwatched,
            open,
        } = summary;
        write!(line, "{adverts} adverts, {arp} ARP, {nd} ND")?;
        if *carp > 0 {
            write!(line, ", {carp} CARP")?;
        }
        if *log > 0 {
            write!(line, ", {log} log lines")?;
        }
        if lost.is_empty() {
            line.push_str("; none lost");
        } else {
            write!(line, "; {}", self.paint(WARNING, "lost:"))?;
            counts(lost, line)?;
        }
        write!(
            line,
            " ({frames} frames; {unwatched} ARP/ND of others, {duplicates} seen twice, {ignored} \
             ignored)"
        )?;
        for (position, finding) in open.iter().enumerate() {
            let separator = if position == 0 { "; in force:" } else { "," };
            let code = self.paint(WARNING, finding.code.as_str());
            write!(line, "{separator} {code}")?;
            if let Some(vrid) = finding.vrid {
                write!(line, " (vrid {vrid})")?;
            }
        }
        Ok(())
    }

    fn advert(self, advert: &AdvertRecord, line: &mut String) -> fmt::Result {
        let AdvertRecord {
            version,
            vrid,
            priority,
            source,
            destination,
            ..
        } = advert;
        line.push_str("VRRP");
        if let Some(version) = version {
            write!(line, "v{version}")?;
        }
        let (source, destination) = (Address(*source), Address(*destination));
        write!(line, " {} > {destination}:", self.paint(STRONG, source))?;
        if let Some(vrid) = vrid {
            write!(line, " vrid {}", self.paint(STRONG, vrid))?;
        }
        match priority {
            Some(priority) if priority.get() == 0 => {
                write!(line, ", prio {}", self.paint(WARNING, "0 (resigns)"))?;
            }
            Some(priority) => write!(line, ", prio {priority}")?,
            None => {}
        }
        if let Some(interval) = advert.interval_ms {
            write!(line, ", intvl {}", Millis(interval))?;
        }
        list(", addrs", &advert.addresses, line)?;
        match (advert.auth, advert.auth_type) {
            (AuthKind::None, _) => {}
            (auth, Some(number)) => write!(line, ", auth {} {number}", auth.as_str())?,
            (auth, None) => write!(line, ", auth {}", auth.as_str())?,
        }
        if let Some(mac) = advert.source_mac {
            write!(line, ", from {mac}")?;
        }
        if advert.ttl != 255 {
            write!(line, ", ttl {}", self.paint(WARNING, advert.ttl))?;
        }
        match advert.checksum {
            Some(Checksum::Ok) => {}
            Some(Checksum::Bad) => write!(line, ", checksum {}", self.paint(ALERT, "bad"))?,
            Some(variant) => write!(line, ", checksum {}", variant.as_str())?,
            // A defect explains why there was nothing to verify.
            None if !advert.defects.is_empty() => {}
            None => line.push_str(", captured in part"),
        }
        self.defects(&advert.defects, line)
    }

    fn defects(self, defects: &[Defect], line: &mut String) -> fmt::Result {
        for (position, defect) in defects.iter().enumerate() {
            let separator = if position == 0 { ", defects" } else { "" };
            write!(line, "{separator} {}", self.paint(WARNING, defect.as_str()))?;
        }
        Ok(())
    }

    fn carp(self, carp: &CarpRecord, line: &mut String) -> fmt::Result {
        let CarpRecord {
            vhid,
            skew,
            source,
            destination,
            ..
        } = carp;
        write!(
            line,
            "CARP {} > {destination}: vhid {vhid}",
            self.paint(STRONG, source)
        )?;
        write!(line, ", skew {skew}, intvl {}", Millis(carp.interval_ms))?;
        if carp.demotion != 0 {
            write!(line, ", demotion {}", carp.demotion)?;
        }
        if carp.checksum == Checksum::Bad {
            write!(line, ", checksum {}", self.paint(ALERT, "bad"))?;
        }
        Ok(())
    }

    fn arp(self, arp: &ArpRecord, line: &mut String) -> fmt::Result {
        let ArpRecord {
            sender_ip,
            sender_mac,
            target_ip,
            ..
        } = arp;
        let sender = self.paint(STRONG, sender_ip);
        match arp.kind {
            ArpKind::Request => {
                write!(
                    line,
                    "ARP request who-has {target_ip} tell {sender} ({sender_mac})"
                )
            }
            ArpKind::Probe => write!(line, "ARP probe who-has {target_ip} from {sender_mac}"),
            ArpKind::Reply => {
                write!(line, "ARP reply {sender} is-at {sender_mac} to {target_ip}")
            }
            ArpKind::Gratuitous | ArpKind::Announcement => {
                write!(
                    line,
                    "ARP {} {sender} is-at {sender_mac}",
                    arp.kind.as_str()
                )
            }
        }
    }

    fn nd(self, nd: &NdRecord, line: &mut String) -> fmt::Result {
        let target = self.paint(STRONG, nd.address);
        match nd.kind {
            NdKind::Request => write!(line, "ND solicitation who-has {target} tell {}", nd.source)?,
            NdKind::Probe => write!(line, "ND probe who-has {target}")?,
            NdKind::Reply => write!(line, "ND advertisement {target} to {}", nd.destination)?,
            NdKind::Announcement => write!(line, "ND announcement {target}")?,
        }
        if let Some(mac) = nd.link_address {
            write!(line, " is-at {mac}")?;
        }
        if nd.override_flag {
            line.push_str(", override");
        }
        Ok(())
    }

    fn paint<T: Display>(self, style: Ansi, value: T) -> Painted<T> {
        Painted {
            style: if self.coloured { style } else { Ansi::new() },
            value,
        }
    }
}

/// A value between the escape sequences of its style.
struct Painted<T> {
    style: Ansi,
    value: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{:#}", self.style, self.value, self.style)
    }
}

/// Milliseconds as people write them: "1s", "200ms", "1.5s".
struct Millis(u64);

impl Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0s"),
            // A duration has a debug form only, and that one is just what is wanted.
            millis => write!(f, "{:?}", Duration::from_millis(millis)),
        }
    }
}

fn counts(lost: &BTreeMap<LossReason, u64>, line: &mut String) -> fmt::Result {
    for (position, (reason, count)) in lost.iter().enumerate() {
        write!(
            line,
            "{} {count} {}",
            if position == 0 { "" } else { "," },
            reason.as_str()
        )?;
    }
    Ok(())
}

/// The time of day where the operator is, since that is what stands in the logs beside this.
fn local_time(time: Timestamp) -> Digits {
    let time = jiff::Timestamp::from_nanosecond(i128::from(time.as_nanos())).unwrap_or_default();
    let time = time.to_zoned(jiff::tz::TimeZone::system()).time();
    let mut digits = Digits::default();
    for (field, separator) in [
        (time.hour(), b':'),
        (time.minute(), b':'),
        (time.second(), b'.'),
    ] {
        digits.number(field.unsigned_abs().into(), 2);
        digits.push(separator);
    }
    digits.number(time.subsec_nanosecond().unsigned_abs() / 1000, 6);
    digits
}

/// A short text of digits, put together by hand: the standard formatting of times and addresses
/// took a quarter of the time of a replay.
#[derive(Clone, Copy, Default)]
struct Digits {
    text: [u8; 16],
    length: usize,
}

impl Digits {
    fn of(address: Ipv4Addr) -> Self {
        let mut digits = Self::default();
        for (position, octet) in address.octets().into_iter().enumerate() {
            if position > 0 {
                digits.push(b'.');
            }
            digits.number(octet.into(), 1);
        }
        digits
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.text.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }

    /// Appends a number of at least `width` digits, as far as there is room.
    fn number(&mut self, number: u32, width: u32) {
        if width > 1 || number > 9 {
            self.number(number / 10, width.saturating_sub(1));
        }
        self.push(b"0123456789"[(number % 10) as usize]);
    }
}

impl Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Virtual addresses behind a word. JSON has all of them, however many there are.
fn list(word: &str, addresses: &[IpAddr], line: &mut String) -> fmt::Result {
    if !addresses.is_empty() {
        line.push_str(word);
    }
    for address in addresses.iter().take(LISTED) {
        line.push(' ');
        match address {
            IpAddr::V4(address) => line.push_str(Digits::of(*address).as_str()),
            IpAddr::V6(address) => write!(line, "{address}")?,
        }
    }
    match addresses.len().checked_sub(LISTED) {
        None | Some(0) => Ok(()),
        Some(more) => write!(line, " and {more} more"),
    }
}

/// An address, as it is written everywhere.
struct Address(IpAddr);

impl Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => Digits::of(address).fmt(f),
            IpAddr::V6(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_the_standard_library_writes_them() {
        for address in [
            "0.0.0.0",
            "255.255.255.255",
            "10.0.100.9",
            "192.0.2.100",
            "fe80::1",
        ] {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(Address(address).to_string(), address.to_string());
        }
    }

    #[test]
    fn times_have_all_their_digits() {
        let time = local_time(Timestamp::from_nanos(1_800_000_000_000_042_999)).to_string();
        assert!(time.ends_with(":00.000042"), "{time}");
        assert_eq!(time.len(), "00:00:00.000042".len());
    }
}
