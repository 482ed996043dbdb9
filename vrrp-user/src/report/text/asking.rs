//! The lines of `who` and `arping`.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    io::{self, IsTerminal as _},
};

use super::{ALERT, RELIEF, STRONG, Style, probing::Micros};
use crate::{
    escape::escape,
    identity::Protocol,
    record::{LossReason, Role},
    who::{AnswerLine, Rate, Shown, Tally, Verdict, Who},
};

impl Style {
    /// The style for standard output: coloured when a person looks at it and NO_COLOR does not forbid
    /// it.
    pub fn of_stdout() -> Self {
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            coloured: io::stdout().is_terminal() && !forbidden,
        }
    }

    /// The evidence about an address, some lines long.
    pub fn who(self, who: &Who) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _: fmt::Result = self.write_who(who, &mut text);
        text
    }

    fn write_who(self, who: &Who, text: &mut String) -> fmt::Result {
        let colour = match who.verdict {
            Verdict::Agreed => RELIEF,
            Verdict::Unknown | Verdict::Nobody | Verdict::Conflict => ALERT,
        };
        writeln!(text, "{}", self.paint(colour, &who.message))?;
        if who.advertised.is_empty() {
            writeln!(text, "  advertised by  nobody")?;
        }
        for router in &who.advertised {
            write!(text, "  advertised by  {}", router.source)?;
            if let Some(mac) = router.mac {
                write!(text, " ({mac})")?;
            }
            write!(text, ", VRID {}, priority {}", router.vrid, router.priority)?;
            if let Some(interface) = &router.interface {
                write!(text, ", on {}", escape(interface))?;
            }
            for (position, id) in router.vlan.iter().enumerate() {
                write!(text, "{}{id}", if position == 0 { " vlan " } else { "." })?;
            }
            writeln!(
                text,
                "{}",
                if router.this_host { ", this host" } else { "" }
            )?;
        }
        for answered in &who.answered {
            let (answer, surplus) = (&answered.first, answered.surplus);
            write!(text, "  answered by    {}", answer.mac)?;
            let role = Described(answer.role, answer.router);
            write!(text, "{role}, {}", Micros(answer.rtt_us))?;
            if surplus > 0 {
                write!(text, ", {surplus} times more than it was asked")?;
            }
            writeln!(
                text,
                "{}",
                if answered.moved {
                    ", and not since"
                } else {
                    ""
                }
            )?;
        }
        match (who.not_asked, &who.held) {
            (Some(obstacle), _) => {
                writeln!(text, "  answered by    not asked: {}", obstacle.describe())?;
            }
            (None, Some(_)) if who.answered.is_empty() => writeln!(
                text,
                "  answered by    nobody else; a host cannot ask for its own address"
            )?,
            (None, _) if who.answered.is_empty() => writeln!(text, "  answered by    nobody")?,
            (None, _) => {}
        }
        match &who.held {
            Some(held) => {
                writeln!(
                    text,
                    "  held here      on {}{}",
                    escape(&held.interface),
                    if held.answers {
                        ""
                    } else {
                        ", which does not answer for it (as on a real server behind LVS)"
                    }
                )?;
            }
            None => writeln!(text, "  held here      no")?,
        }
        for service in &who.services {
            let label = match service.protocol {
                Protocol::Ssh => "SSH",
                Protocol::Tls => "TLS",
            };
            writeln!(text, "  {label} key        {}", Shows(&service.shown))?;
            for (router, shown) in &service.routers {
                writeln!(text, "    at {router}  {}", Shows(shown))?;
            }
        }
        if let Some(seen) = &who.traffic {
            writeln!(text, "  traffic in     {}", PerSecond(&seen.arrived))?;
            writeln!(text, "  traffic out    {}", PerSecond(&seen.left))?;
        }
        if !who.lost.is_empty() {
            writeln!(text, "  lost here      {}", Lost(&who.lost))?;
        }
        match who.hint() {
            Some(hint) => writeln!(text, "  next           {hint}"),
            None => Ok(()),
        }
    }

    /// An answer in the manner of arping.
    pub fn reply(self, line: &AnswerLine) -> String {
        let duplicate = if line.duplicate { " (DUP!)" } else { "" };
        format!(
            "reply from {} [{}] seq={} time={}{}{}",
            line.address,
            self.paint(STRONG, line.mac),
            line.sequence,
            Micros(line.rtt_us),
            Described(line.role, line.router),
            self.paint(ALERT, duplicate)
        )
    }

    /// The numbers at the end.
    pub fn tally(self, tally: &Tally) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _: fmt::Result = self.write_tally(tally, &mut text);
        text
    }

    fn write_tally(self, tally: &Tally, text: &mut String) -> fmt::Result {
        let Tally {
            address,
            sent,
            received,
            unanswered,
            duplicates,
            ..
        } = tally;
        writeln!(text, "--- {address} ---")?;
        writeln!(
            text,
            "{sent} sent, {received} received, {unanswered} unanswered, {duplicates} duplicates"
        )?;
        for mac in &tally.macs {
            writeln!(
                text,
                "{}{}: {} answers, min/avg/max {}/{}/{}",
                mac.mac,
                Described(mac.role, mac.router),
                mac.answers,
                Micros(mac.min_us),
                Micros(mac.avg_us),
                Micros(mac.max_us)
            )?;
        }
        if !tally.lost.is_empty() {
            writeln!(
                text,
                "{} were lost on this host meanwhile: answers may be among them",
                Lost(&tally.lost)
            )?;
        }
        if let Some(interface) = &tally.held {
            writeln!(
                text,
                "{address} is on {} of this host: a host cannot ask for its own address, so an \
                 answer is another machine's",
                escape(interface)
            )?;
        }
        if let [first, .., last] = &tally.macs[..]
            && !tally.is_conflict()
            && first.router != last.router
        {
            writeln!(text, "{address} moved from {} to {}", first.mac, last.mac)?;
        }
        if tally.is_conflict() {
            let line = match tally.macs.len() {
                1 => format!(
                    "{address} is answered for twice with the virtual MAC: two machines have it"
                ),
                number => {
                    format!("{number} MACs answer for {address}: two machines or more have it")
                }
            };
            writeln!(text, "{}", self.paint(ALERT, line))?;
        }
        Ok(())
    }
}

/// "12 frames (ring-full 12)"
struct Lost<'a>(&'a BTreeMap<LossReason, u64>);

impl fmt::Display for Lost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} frames", self.0.values().sum::<u64>())?;
        for (position, (reason, count)) in self.0.iter().enumerate() {
            let separator = if position == 0 { " (" } else { ", " };
            write!(f, "{separator}{} {count}", reason.as_str())?;
        }
        f.write_str(")")
    }
}

/// "2.4 packets/s, 182.0 bytes/s, 0.2 new connections/s"
struct PerSecond<'a>(&'a Rate);

impl fmt::Display for PerSecond<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rate {
            packets_per_second,
            bytes_per_second,
            syns_per_second,
            ..
        } = self.0;
        write!(
            f,
            "{packets_per_second:.1} packets/s, {bytes_per_second:.1} bytes/s, \
             {syns_per_second:.1} new connections/s"
        )
    }
}

/// What a machine shows, as text that is safe to print.
struct Shows<'a>(&'a Shown);

impl fmt::Display for Shows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Shown::Fingerprint(fingerprint) => f.write_str(fingerprint),
            Shown::Error(error) => write!(f, "none: {}", escape(error)),
        }
    }
}

/// ", active router 10.77.0.10", as far as it is known.
struct Described(Option<Role>, Option<std::net::IpAddr>);

impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(role) = self.0 else { return Ok(()) };
        write!(f, ", {}", role.describe())?;
        match self.1 {
            Some(router) => write!(f, " {router}"),
            None => Ok(()),
        }
    }
}
