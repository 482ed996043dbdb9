//! The kernel, what is tracked, the daemon's life, and lines that are missing.

use super::Rule;
use crate::log::event::{
    Life,
    LogEvent::{
        Bfd, CommandLine, Config, DuplicateAddress, File, IpAssign, IpChange, Link, LogGap, Mac,
        Proc, Script,
    },
};

pub(super) const OF_AN_INSTANCE: &[Rule] = &[
    (Mac, "MAC {word} changed from {word} to {word}"),
    (File, "tracked file {name} now FAULT state"),
    (File, "tracked file {name} leaving FAULT state"),
    (Bfd, "Tracked BFD instance {name} is {on}"),
    (Config, "the first IPv6 VIP address should be link local"),
];

pub(super) const BARE: &[Rule] = &[
    (
        IpChange,
        "Netlink reflector reports IP {address} {on} to {interface}",
    ),
    (
        IpChange,
        "Netlink reflector reports IP {address} {on} from {interface}",
    ),
    // 1.x names no interface.
    (IpChange, "Netlink reflector reports IP {address} {on}"),
    (IpAssign, "{on} address {address} for interface {interface}"),
    (
        IpAssign,
        "{on} address {address} from interface {interface}",
    ),
    (Link, "Kernel is reporting: interface {interface} {on}"),
    (Link, "Netlink reports {interface} {on}"),
    (Link, "Linkbeat reports {interface} {on}"),
    (Script, "VRRP_Script({name}) {on}"),
    (Script, "VRRP_Script({name}) {on} ({error})"),
    (Proc, "Quorum {on} for tracked process {name}"),
    (Config, "VRID {vrid} is duplicated on interface {interface}"),
    (CommandLine, "Command line: '{tail}"),
    // It goes on over several lines.
    (CommandLine, "              '{tail}"),
];

pub(super) const LIFE: &[(Life, &str)] = &[
    (Life::Starting, "Starting Keepalived {name}"),
    (Life::Starting, "Starting VRRP child process, pid={number}"),
    (
        Life::Died,
        "{daemon} child process({number}) died: Respawning",
    ),
    (Life::Died, "{daemon} child process({number}) died: Exiting"),
    (
        Life::Died,
        "{daemon} exited due to segmentation fault (SIGSEGV).",
    ),
    (Life::Died, "{daemon} exited due to signal {number}"),
    (
        Life::Died,
        "{daemon} exited due to signal {number} ({error}){tail}",
    ),
    (Life::Reloading, "Reloading"),
    (Life::Stopping, "Stopping"),
    (Life::Stopped, "Stopped"),
    (Life::Stopped, "Stopped Keepalived {tail}"),
    (Life::Stopped, "Stopped - used {tail}"),
];

/// What the service manager and the kernel say of the daemon when it no longer can.
pub(super) const FOREIGN_LIFE: &[(Life, &str)] = &[
    (
        Life::Died,
        "keepalived.service: Main process exited, code=killed, status={error}",
    ),
    (
        Life::Died,
        "keepalived.service: Main process exited, code=dumped, status={error}",
    ),
    (
        Life::Died,
        "Out of memory: Killed process {number} (keepalived){tail}",
    ),
    (Life::Died, "Killed process {number} (keepalived){tail}"),
];

/// What the kernel says of duplicate address detection that failed (`addrconf_dad_failure`); the time
/// since boot stands before it where a logger keeps it. Before Linux 4.20 it names no holder.
pub(super) const FOREIGN: &[Rule] = &[
    (
        DuplicateAddress,
        "IPv6: {interface}: IPv6 duplicate address {address} used by {word} detected!",
    ),
    (
        DuplicateAddress,
        "IPv6: {interface}: IPv6 duplicate address {address} detected!",
    ),
    (
        DuplicateAddress,
        "[{tail}] IPv6: {interface}: IPv6 duplicate address {address} used by {word} detected!",
    ),
    (
        DuplicateAddress,
        "[{tail}] IPv6: {interface}: IPv6 duplicate address {address} detected!",
    ),
];

/// What loggers write in the place of lines they did not keep.
pub(super) const LOSS: &[Rule] = &[
    (LogGap, "Suppressed {count} messages from {name}"),
    (LogGap, "message repeated {count} times: [{tail}"),
    (LogGap, "last message repeated {count} times"),
    (LogGap, "Forwarding to syslog missed {count} messages."),
    (LogGap, "imuxsock begins to drop messages from pid {tail}"),
    (LogGap, "imuxsock lost {count} messages from pid {tail}"),
];
