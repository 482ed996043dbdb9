//! What a scenario is: a pair, its trouble, and what is right to say of it from every seat.

use anyhow::{Context as _, Result};
use vrrp_tests::lab::{Instance, Keepalived, Lab};

/// Where one watches from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    /// The host of the master, `lb0`.
    Master,
    /// The host of the backup, `lb1`.
    Backup,
    /// A host that takes no part.
    Third,
}

impl Seat {
    /// All, in the order of a scenario's rows.
    pub(crate) const ALL: [Self; 3] = [Self::Master, Self::Backup, Self::Third];

    /// The name of the host in the laboratory.
    pub(crate) const fn host(self) -> &'static str {
        match self {
            Self::Master => "lb0",
            Self::Backup => "lb1",
            Self::Third => "third",
        }
    }
}

/// When one begins to watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Some seconds before the trouble.
    Before,
    /// When it begins.
    During,
    /// 15 s later.
    After,
}

impl Start {
    /// All, in the order of a row's cells.
    pub(crate) const ALL: [Self; 3] = [Self::Before, Self::During, Self::After];

    /// The word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::During => "during",
            Self::After => "after",
        }
    }
}

/// The daemons of a scenario.
#[derive(Default)]
pub(crate) struct Cast {
    /// Of `lb0`, until it is killed.
    pub(crate) one: Option<Keepalived>,
    /// Of `lb1`.
    pub(crate) other: Option<Keepalived>,
    /// Of others.
    pub(crate) further: Vec<Keepalived>,
}

impl Cast {
    /// The daemon of `lb0`.
    pub(crate) fn one(&self) -> Result<&Keepalived> {
        self.one.as_ref().context("lb0 has no daemon any more")
    }

    /// The same, to be ended.
    pub(crate) fn take_one(&mut self) -> Result<Keepalived> {
        self.one.take().context("lb0 has no daemon any more")
    }

    /// The daemon of `lb1`.
    pub(crate) fn other(&self) -> Result<&Keepalived> {
        self.other.as_ref().context("lb1 has no daemon")
    }
}

/// What happens, and what is right to say of it.
pub(crate) struct Scenario {
    /// Its number in the table; variants share one.
    pub(crate) number: u8,
    /// Its name.
    pub(crate) name: &'static str,
    /// The trouble in one sentence.
    pub(crate) trouble: &'static str,
    /// The hosts of its laboratory.
    pub(crate) hosts: &'static [&'static str],
    /// The virtual address that is asked for.
    pub(crate) address: &'static str,
    /// What `lb0` and `lb1` have been configured to.
    pub(crate) pair: [Instance<'static>; 2],
    /// Brings the trouble about.
    pub(crate) begin: fn(&Lab, &mut Cast) -> Result<()>,
    /// Waits until it can be known that there is trouble.
    pub(crate) known: fn(&Lab, &Cast) -> Result<()>,
    /// Ends the trouble, once it was known for some seconds, where it ends.
    pub(crate) end: Option<fn(&Lab, &Cast) -> Result<()>>,
    /// Whether the trouble lasts, so that nothing critical that is right may be called over.
    pub(crate) lasts: bool,
    /// Hosts that may rightly have the address: nobody may be told to take it away from them.
    pub(crate) rightful: &'static [&'static str],
    /// By seat and start.
    pub(crate) cells: [[Cell; 3]; 3],
}

/// What is right to say from one seat to one who starts at one time.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) expected: Expected,
    /// What may be said besides, because it is true.
    pub(crate) possible: &'static [&'static str],
    /// The end of the trouble does not show from this seat.
    pub(crate) endless: bool,
}

/// What has to be said.
///
/// An answer is the code of a finding, with `/` and a cause where the cause matters; `state/` and a
/// reason for a change of the active router; or `incident`. `|` stands between answers of which one
/// is enough.
#[derive(Clone, Copy)]
pub(crate) enum Expected {
    /// All of these, the first of them in time.
    Said(&'static [&'static str]),
    /// Nothing, for this reason.
    Nothing(&'static str),
    /// All of these where both routers are heard twice, the first of them in time after that. Where one
    /// keeps the other silent for as long as is watched, `asked` shows to those who ask.
    Heard {
        said: &'static [&'static str],
        asked: &'static [&'static str],
    },
    /// Nothing, because nothing passes this seat until somebody asks for the address; whoever asks
    /// (`run --probe`) learns all of these.
    Asked(&'static [&'static str]),
}

/// All of these have to be said.
pub(crate) const fn said(answers: &'static [&'static str]) -> Cell {
    Cell {
        expected: Expected::Said(answers),
        possible: &[],
        endless: false,
    }
}

/// Nothing is to be said, for this reason.
pub(crate) const fn nothing(reason: &'static str) -> Cell {
    Cell {
        expected: Expected::Nothing(reason),
        possible: &[],
        endless: false,
    }
}

/// All of these have to be said where both are heard; the others show to those who ask.
pub(crate) const fn heard(said: &'static [&'static str], asked: &'static [&'static str]) -> Cell {
    Cell {
        expected: Expected::Heard { said, asked },
        possible: &[],
        endless: false,
    }
}

/// All of these show to those who ask.
pub(crate) const fn asked(answers: &'static [&'static str]) -> Cell {
    Cell {
        expected: Expected::Asked(answers),
        possible: &[],
        endless: false,
    }
}

impl Cell {
    /// These may be said besides.
    pub(crate) const fn or(mut self, possible: &'static [&'static str]) -> Self {
        self.possible = possible;
        self
    }

    /// The end of the trouble does not show from this seat.
    pub(crate) const fn endless(mut self) -> Self {
        self.endless = true;
        self
    }
}
