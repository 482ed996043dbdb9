//! The line of what the kernel dropped.

use std::{
    cmp::Reverse,
    fmt::{self, Write as _},
};

use super::{ALERT, QUIET, STRONG, Style};
use crate::escape::escape;
use crate::{dropped::Dropped, frame::Direction, model::Span, record::DropRecord};

impl Style {
    /// What `why-dropped` has to say after it has counted: for each reason, function and
    /// interface a line that says what drops and what to do, and below it whose packets. Without a
    /// `daemon` nobody waits for what arrives.
    pub fn drops(self, dropped: &[Dropped], uncounted: u64, counted: Span, daemon: bool) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _: fmt::Result = self.write_drops(dropped, uncounted, counted, daemon, &mut text);
        text
    }

    fn write_drops(
        self,
        dropped: &[Dropped],
        uncounted: u64,
        counted: Span,
        daemon: bool,
        text: &mut String,
    ) -> fmt::Result {
        let seconds = counted.as_secs_f64();
        if dropped.is_empty() && uncounted == 0 {
            return writeln!(text, "No VRRP packet was dropped in {seconds:.1} s.");
        }
        for group in groups(dropped) {
            let total: u64 = group.iter().map(|it| it.count).sum();
            let Some(first) = group.first() else { continue };
            let interface = first.interface.as_deref().unwrap_or("an unknown interface");
            let unwanted = !daemon && group.iter().all(|it| it.direction == Direction::In);
            let (colour, advice) = if unwanted {
                (QUIET, "no VRRP daemon runs here that waits for them")
            } else {
                (ALERT, first.advice())
            };
            writeln!(
                text,
                "{} on {}: {} in {seconds:.1} s; {advice}",
                self.paint(colour, first.describe()),
                self.paint(STRONG, escape(interface)),
                packets(total),
            )?;
            for it in group {
                let way = match it.direction {
                    Direction::In => "in",
                    Direction::Out => "out",
                };
                write!(text, "  {way:3} {}", it.source)?;
                if let Some(vrid) = it.vrid {
                    write!(text, ", vrid {vrid}")?;
                }
                write!(text, ": {}", it.count)?;
                match &it.place {
                    Some(place) => writeln!(text, ", at {}", escape(place))?,
                    None => writeln!(text)?,
                }
            }
        }
        if dropped.iter().any(|it| it.place.is_none()) {
            writeln!(
                text,
                "The kernel hides its places: seeing them takes CAP_SYSLOG, and a kernel.kptr_restrict \
                 below 2."
            )?;
        }
        if uncounted > 0 {
            writeln!(
                text,
                "And {} more, for which there was no room.",
                packets(uncounted)
            )?;
        }
        Ok(())
    }

    pub(super) fn drop(self, drop: &DropRecord, line: &mut String) -> fmt::Result {
        write!(line, "{} ", self.paint(ALERT, "DROP"))?;
        self.dropped(drop, line)?;
        write!(line, " -> {}", drop.advice)
    }

    /// "12 VRRP packets of 10.77.0.10, vrid 51: NETFILTER_DROP at nf_hook_slow+0xa6"
    pub(crate) fn dropped(self, drop: &DropRecord, line: &mut String) -> fmt::Result {
        write!(
            line,
            "{} of {}",
            packets(drop.count),
            self.paint(STRONG, drop.source)
        )?;
        if let Some(vrid) = drop.vrid {
            write!(line, ", vrid {vrid}")?;
        }
        line.push(':');
        if let Some(reason) = &drop.reason {
            write!(line, " {}", self.paint(STRONG, escape(reason)))?;
        }
        match &drop.place {
            Some(place) => write!(line, " at {}", escape(place)),
            None => write!(line, " at a place that the kernel hides"),
        }
    }
}

/// What was dropped for one reason in one function on one interface, the most first.
fn groups(dropped: &[Dropped]) -> Vec<Vec<&Dropped>> {
    let mut groups: Vec<Vec<&Dropped>> = Vec::new();
    for it in dropped {
        let kind = |it: &Dropped| (it.describe(), it.interface.clone());
        match groups.iter_mut().find(|group| kind(group[0]) == kind(it)) {
            Some(group) => group.push(it),
            None => groups.push(vec![it]),
        }
    }
    groups.sort_by_key(|group| Reverse(group.iter().map(|it| it.count).sum::<u64>()));
    groups
}

fn packets(count: u64) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} VRRP packet{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Vrid;

    fn dropped(source: u8, place: Option<&str>, count: u64) -> Dropped {
        Dropped {
            interface: Some("eth0".into()),
            direction: Direction::In,
            source: [10, 77, 0, source].into(),
            vrid: Some(Vrid::new(51)),
            reason: Some("IP_RPFILTER".into()),
            place: place.map(Into::into),
            count,
        }
    }

    fn said(dropped: &[Dropped], uncounted: u64) -> Vec<String> {
        let text = Style::default().drops(dropped, uncounted, Span::from_millis(2040), true);
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_first_line_says_what_drops_most_and_what_to_do() {
        let other = Dropped {
            reason: Some("OTHERHOST".into()),
            ..dropped(12, Some("ip_rcv_core+0x2"), 9)
        };
        let place = Some("ip_rcv_finish_core+0x1");
        let lines = said(&[other, dropped(10, place, 7), dropped(11, place, 5)], 0);
        let headline =
            "IP_RPFILTER in ip_rcv_finish_core on eth0: 12 VRRP packets in 2.0 s; look at ";
        assert!(lines[0].starts_with(headline), "{lines:#?}");
        assert_eq!(
            lines[1],
            "  in  10.77.0.10, vrid 51: 7, at ip_rcv_finish_core+0x1"
        );
        assert_eq!(lines.len(), 5, "{lines:#?}");
    }

    #[test]
    fn what_is_hidden_or_left_out_is_said() {
        let lines = said(&[dropped(10, None, 1)], 3);
        assert!(
            lines[0].starts_with(
                "IP_RPFILTER, at a place that the kernel hides, on eth0: 1 VRRP packet in"
            ),
            "{lines:#?}"
        );
        assert!(lines[2].contains("CAP_SYSLOG"), "{lines:#?}");
        assert_eq!(
            lines[3],
            "And 3 VRRP packets more, for which there was no room."
        );
    }

    #[test]
    fn what_nobody_waits_for_raises_no_alarm() {
        let text = Style::default().drops(&[dropped(10, None, 1)], 0, Span::from_secs(2), false);
        assert!(text.contains("no VRRP daemon runs here"), "{text}");
        assert!(!text.contains("rp_filter"), "{text}");
    }

    #[test]
    fn nothing_is_said_in_words() {
        assert_eq!(said(&[], 0), ["No VRRP packet was dropped in 2.0 s."]);
    }
}
