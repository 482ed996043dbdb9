//! What a line says: keepalived 1.2 to 2.4 in both spellings of an instance, and FRR's vrrpd.
//!
//! The forms are the daemons' own format strings, a table a section, and every one is there in
//! each spelling a release had. [`read`] takes the front off a line (the instance, the group, FRR's
//! brackets) and looks the rest up.

mod addresses;
mod election;
mod frr;
mod rejection;
mod state;
mod system;

use serde::{Deserialize, Serialize};

use super::{
    event::{Details, Life, LogEvent},
    template,
};

/// A form, and what a line of this form says.
pub(super) type Rule = (LogEvent, &'static str);

/// A line that was understood as far as it can be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// What it says.
    pub event: LogEvent,
    /// Instance it is about, by the name in the configuration.
    pub instance: Option<String>,
    /// Synchronised group it is about.
    pub group: Option<String>,
    /// Its values.
    pub details: Details,
}

/// Lines about an instance, without the instance.
const OF_AN_INSTANCE: [&[Rule]; 5] = [
    state::OF_AN_INSTANCE,
    election::OF_AN_INSTANCE,
    rejection::OF_AN_INSTANCE,
    addresses::OF_AN_INSTANCE,
    system::OF_AN_INSTANCE,
];

/// Lines about nobody in particular.
const BARE: [&[Rule]; 4] = [
    election::BARE,
    rejection::BARE,
    addresses::BARE,
    system::BARE,
];

/// Parentheses may be part of a name; so many closing ones are tried as its end.
const NAME_ENDS_TRIED: usize = 4;

/// Reads the text of a line.
pub fn read(text: &str) -> Reading {
    let text = text.trim_end();
    read_group(text)
        .or_else(|| read_instance(text))
        .or_else(|| frr::read(text))
        .or_else(|| read_bare(text))
        .unwrap_or_else(|| Reading {
            event: LogEvent::Other,
            instance: instance_of(text).map(str::to_owned),
            group: None,
            details: Details::default(),
        })
}

/// Reads a line that another program wrote: only what tells of lost lines, of the daemon's end, or of an
/// address that cannot be used.
pub fn read_foreign(text: &str) -> Option<Reading> {
    let text = text.trim_end();
    look_up(&[system::LOSS, system::FOREIGN], text)
        .or_else(|| read_life(system::FOREIGN_LIFE, text))
}

fn read_group(text: &str) -> Option<Reading> {
    let text = text.strip_prefix("VRRP_Group(")?;
    name_ends(text).find_map(|(group, rest)| {
        look_up(&[state::OF_A_GROUP], rest).map(|reading| Reading {
            group: Some(group.to_owned()),
            instance: reading.details.name.clone(),
            ..reading
        })
    })
}

fn read_instance(text: &str) -> Option<Reading> {
    let text = text
        .strip_prefix("VRRP_Instance(")
        .or_else(|| text.strip_prefix('('))?;
    name_ends(text).find_map(|(instance, rest)| {
        look_up(&OF_AN_INSTANCE, rest).map(|mut reading| {
            if reading.event == LogEvent::Mac {
                // This one has the interface where others have the instance.
                reading.details.interface = Some(instance.to_owned());
            } else {
                reading.instance = Some(instance.to_owned());
            }
            reading
        })
    })
}

fn read_bare(text: &str) -> Option<Reading> {
    look_up(&BARE, text)
        .or_else(|| read_life(system::LIFE, text))
        .or_else(|| look_up(&[system::LOSS], text))
        .map(|mut reading| {
            if reading.event == LogEvent::GarpSelf {
                reading.instance = reading.details.name.take();
            }
            reading
        })
}

fn read_life(rules: &[(Life, &str)], text: &str) -> Option<Reading> {
    rules.iter().find_map(|(life, form)| {
        let mut details = Details::default();
        template::fits(form, text, &mut details).then(|| {
            details.life = Some(*life);
            reading(LogEvent::Life, details)
        })
    })
}

fn look_up(tables: &[&[Rule]], text: &str) -> Option<Reading> {
    tables.iter().copied().flatten().find_map(|(event, form)| {
        let mut details = Details::default();
        template::fits(form, text, &mut details).then(|| reading(*event, details))
    })
}

fn reading(event: LogEvent, details: Details) -> Reading {
    Reading {
        event,
        instance: None,
        group: None,
        details,
    }
}

/// The ways to split `NAME) text`, `NAME): text` into name and text.
fn name_ends(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices(')')
        .take(NAME_ENDS_TRIED)
        .filter_map(|(at, _)| {
            let rest = &text[at + 1..];
            let rest = rest.strip_prefix(':').unwrap_or(rest);
            Some((&text[..at], rest.strip_prefix(' ')?))
        })
}

/// The instance of a line that says nothing we know.
fn instance_of(text: &str) -> Option<&str> {
    let text = text
        .strip_prefix("VRRP_Instance(")
        .or_else(|| text.strip_prefix('('))?;
    name_ends(text).next().map(|(name, _)| name)
}

#[cfg(test)]
mod tests;
