//! Lines of keepalived's notification pipes (`vrrp_notify_fifo`, `notify_fifo`).
//!
//! `INSTANCE "VI_1" MASTER 100`: what the daemon believes, without a log in between.

use super::{
    Entry, Inferred, LogLine, Window, Writer,
    event::{Details, LogEvent, LogState},
    grammar::Reading,
};

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An instance.
    Instance,
    /// A synchronised group.
    Group,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new state.
    State(LogState),
    /// A master heard an advert of lower priority.
    MasterRxLowerPriority,
    /// The priority of a master changed.
    MasterPriority,
    /// The priority of a backup changed.
    BackupPriority,
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What it is about.
    pub subject: Subject,
    /// Its name.
    pub name: String,
    /// What happened.
    pub change: Change,
    /// The priority, which old releases leave out.
    pub priority: Option<u8>,
}

/// Reads a line of the pipe.
pub fn read(line: &str) -> Option<Notification> {
    let (subject, rest) = line.trim_end().split_once(" \"")?;
    let subject = match subject {
        "INSTANCE" => Subject::Instance,
        "GROUP" => Subject::Group,
        _ => return None,
    };
    // A name may hold quotes; what follows it may not.
    let (name, rest) = rest.rsplit_once("\" ")?;
    let (change, priority) = match rest.split_once(' ') {
        Some((change, priority)) => (change, Some(priority.parse().ok()?)),
        None => (rest, None),
    };
    let change = match change {
        "MASTER_RX_LOWER_PRI" => Change::MasterRxLowerPriority,
        "MASTER_PRIORITY" => Change::MasterPriority,
        "BACKUP_PRIORITY" => Change::BackupPriority,
        state @ ("MASTER" | "BACKUP" | "FAULT" | "STOP" | "DELETED") => {
            Change::State(LogState::from_name(state)?)
        }
        _ => return None,
    };
    Some(Notification {
        subject,
        name: name.to_owned(),
        change,
        priority,
    })
}

impl Notification {
    /// The notification as if it had been logged.
    pub fn into_entry(self, text: &str, time: Window) -> Entry {
        let (event, state) = match self.change {
            Change::State(state) => (
                match state {
                    LogState::Master => LogEvent::StateMaster,
                    LogState::Backup => LogEvent::StateBackup,
                    LogState::Fault => LogEvent::StateFault,
                    LogState::Init | LogState::Stop | LogState::Deleted => LogEvent::StateAny,
                },
                Some(state),
            ),
            Change::MasterRxLowerPriority => (LogEvent::RxLowerAsMaster, None),
            Change::MasterPriority | Change::BackupPriority => (LogEvent::PrioChange, None),
        };
        let priority = self.priority.map(u64::from);
        let changed = event == LogEvent::PrioChange;
        let details = Details {
            state,
            ours: priority.filter(|_| !changed),
            after: priority.filter(|_| changed),
            ..Details::default()
        };
        let (event, instance, group) = match self.subject {
            Subject::Instance => (event, Some(self.name), None),
            Subject::Group => (LogEvent::Group, None, Some(self.name)),
        };
        let line = LogLine::new(Writer::Daemon, Some(time), Inferred::default(), text);
        Entry {
            line,
            reading: Reading {
                event,
                instance,
                group,
                details,
            },
            past: false,
            here: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_priorities_are_read() {
        assert_eq!(
            read("INSTANCE \"VI_1\" MASTER 100\n"),
            Some(Notification {
                subject: Subject::Instance,
                name: "VI_1".to_owned(),
                change: Change::State(LogState::Master),
                priority: Some(100),
            })
        );
        let changes = [
            (
                "INSTANCE \"VI_1\" BACKUP 50",
                Change::State(LogState::Backup),
            ),
            ("INSTANCE \"VI_1\" FAULT", Change::State(LogState::Fault)),
            ("INSTANCE \"VI_1\" STOP 100", Change::State(LogState::Stop)),
            (
                "INSTANCE \"VI_1\" DELETED 0",
                Change::State(LogState::Deleted),
            ),
            ("GROUP \"V G\" BACKUP 0", Change::State(LogState::Backup)),
            (
                "INSTANCE \"VI_1\" MASTER_RX_LOWER_PRI 100",
                Change::MasterRxLowerPriority,
            ),
            (
                "INSTANCE \"VI_1\" MASTER_PRIORITY 90",
                Change::MasterPriority,
            ),
            (
                "INSTANCE \"VI_1\" BACKUP_PRIORITY 90",
                Change::BackupPriority,
            ),
        ];
        for (line, change) in changes {
            assert_eq!(read(line).map(|read| read.change), Some(change), "{line}");
        }
    }

    #[test]
    fn other_lines_are_not() {
        for line in [
            "",
            "INSTANCE VI_1 MASTER 100",
            "INSTANCE \"VI_1\" MASTER 300",
            "INSTANCE \"VI_1\" INIT 100",
            "INSTANCE \"VI_1\" MASTER 100 now",
            "SCRIPT \"VI_1\" MASTER 100",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
