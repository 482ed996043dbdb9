//! State transitions.

use super::Rule;
use crate::log::event::LogEvent::{
    FaultWhy, Group, StateAny, StateBackup, StateBackupInit, StateFault, StateFaultInit,
    StateMaster, StateMasterPre,
};

pub(super) const OF_AN_INSTANCE: &[Rule] = &[
    (StateMasterPre, "Transition to MASTER STATE"),
    (StateMaster, "Entering MASTER STATE"),
    (StateBackup, "Entering BACKUP STATE"),
    (StateBackup, "Now in BACKUP state"),
    (StateBackupInit, "Entering BACKUP STATE (init)"),
    (StateFault, "Entering FAULT STATE"),
    (StateFault, "Now in FAULT state"),
    (StateFaultInit, "Entering FAULT STATE (init)"),
    (StateAny, "Entering {state} STATE"),
    (FaultWhy, "entering FAULT state"),
    (
        FaultWhy,
        "entering FAULT state (interface {interface} down)",
    ),
    (FaultWhy, "entering FAULT state due to script {name}"),
    (
        FaultWhy,
        "entering FAULT state (tracked file {name} has status {number})",
    ),
    (
        FaultWhy,
        "entering FAULT state (tracked process {name} quorum not achieved)",
    ),
    (
        FaultWhy,
        "entering FAULT state (no {family} address for interface)",
    ),
    (
        FaultWhy,
        "entering FAULT state (src address not configured)",
    ),
    (
        FaultWhy,
        "Cannot use unicast without any peers - going to fault state",
    ),
];

/// Of a synchronised group, whose prefix stayed the same in every release.
pub(super) const OF_A_GROUP: &[Rule] = &[
    (Group, "Transition to {state} state"),
    (Group, "Syncing instances to {state} state"),
    (Group, "Syncing {name} to {state} state"),
    (Group, "Leaving {from} state"),
];
