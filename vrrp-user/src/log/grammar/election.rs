//! Elections, adverts, and the daemon's own punctuality.

use super::Rule;
use crate::log::event::LogEvent::{
    AdvertTimeout, IntvlAdopt, MasterIs, OwnerConflict, Preempt, PrioChange, RxHigherAsMaster,
    RxLowerAsBackup, RxLowerAsMaster, RxPrio0, SelfAdvert, SendErr, Stall, StartupDelay, TxPrio0,
};

pub(super) const OF_AN_INSTANCE: &[Rule] = &[
    (AdvertTimeout, "Receive advertisement timeout"),
    (
        RxLowerAsMaster,
        "Received lower prio advert, forcing new election",
    ),
    (
        RxLowerAsMaster,
        "Received lower prio advert {theirs}, forcing new election",
    ),
    (
        RxLowerAsMaster,
        "Received advert with lower priority {theirs}, ours {ours}, forcing new election",
    ),
    (
        RxLowerAsMaster,
        "Received advert from {source} with lower priority {theirs}, ours {ours}, forcing new election",
    ),
    (
        RxLowerAsMaster,
        "Received advert from {source} with lower priority {theirs}, ours {ours}",
    ),
    (RxHigherAsMaster, "Received higher prio advert"),
    (RxHigherAsMaster, "Received higher prio advert {theirs}"),
    (
        RxHigherAsMaster,
        "Received advert with higher priority {theirs}, ours {ours}",
    ),
    (
        RxHigherAsMaster,
        "Master received advert with higher priority {theirs}, ours {ours}",
    ),
    (
        RxHigherAsMaster,
        "Master received advert with same priority {theirs} but higher IP address than ours ({source})",
    ),
    (
        RxHigherAsMaster,
        "Master received advert from {source} with higher priority {theirs}, ours {ours}",
    ),
    (
        RxHigherAsMaster,
        "Master received advert from {source} with same priority {theirs} but higher IP address than ours",
    ),
    (RxLowerAsBackup, "forcing a new MASTER election"),
    (RxLowerAsBackup, "prio is higher than received advert"),
    (
        RxLowerAsBackup,
        "Received lower prio advert in nopreempt mode",
    ),
    (
        RxLowerAsBackup,
        "received lower priority ({theirs}) advert from {source} - discarding",
    ),
    (RxPrio0, "Backup received priority 0 advertisement"),
    (RxPrio0, "Master received priority 0 message"),
    (
        RxPrio0,
        "Master received priority 0 or lower priority advert",
    ),
    (TxPrio0, "sending 0 priority"),
    (TxPrio0, "sent 0 priority"),
    (
        SelfAdvert,
        "WARNING - advert received from remote host with our IP address.",
    ),
    (
        SelfAdvert,
        "WARNING - equal priority advert received from remote host with our IP address.",
    ),
    (
        OwnerConflict,
        "CONFIGURATION ERROR: local instance and a remote instance are both configured as address owner, please fix - reducing local priority",
    ),
    (
        OwnerConflict,
        "CONFIGURATION ERROR: local instance and {source} are both configured as address owner, please resolve",
    ),
    (
        OwnerConflict,
        "{source} is still advertising as address owner, please resolve - reducing our priority",
    ),
    (
        OwnerConflict,
        "rogue address owner appears to have stopped advertising",
    ),
    (MasterIs, "master set to {source}"),
    (MasterIs, "master changed from {word} to {source}"),
    (Preempt, "start preempt delay ({seconds})"),
    (Preempt, "stop preempt delay"),
    (Preempt, "start preempt delay({seconds})"),
    (Preempt, "reset preempt delay"),
    (PrioChange, "Effective priority = {after}"),
    (
        PrioChange,
        "Changing effective priority from {before} to {after}",
    ),
    (PrioChange, "Setting effective priority to {after}"),
    (
        IntvlAdopt,
        "advertisement interval updated from {before}ms to {after}ms by master",
    ),
    (
        IntvlAdopt,
        "changing advert interval from {before}ms to locally configured {after}ms",
    ),
    (SendErr, "Cant sent advert to {source} ({error})"),
    (SendErr, "Cant send advert to {source} ({error})"),
    (SendErr, "send advert error {number} ({error})"),
];

pub(super) const BARE: &[Rule] = &[
    (Stall, "A thread timer expired {seconds} seconds ago"),
    (Stall, "VRRP thread timer expired {seconds} seconds ago"),
    (StartupDelay, "Delaying startup for {seconds} seconds"),
    (StartupDelay, "Delayed start completed"),
];
