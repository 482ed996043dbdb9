//! Every command that the program or its documentation prints can be run as it stands: it exists, and
//! so do its options.

#![cfg(test)]

mod line;
mod programs;
mod texts;

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use clap::{
    CommandFactory as _, Parser as _,
    error::{ContextKind, ContextValue, ErrorKind},
};
use vrrp_tests::lab::{Lab, find_program};
use vrrp_user::cli::Cli;

use crate::{line::Simple, programs::Programs, texts::Printed};

/// Why a command of vrrpwatch would be refused.
fn refused(arguments: &[String]) -> Option<String> {
    let all = std::iter::once("vrrpwatch").chain(arguments.iter().map(String::as_str));
    let error = Cli::try_parse_from(all).err()?;
    match error.kind() {
        // In running text a command is named without what it is for.
        ErrorKind::MissingRequiredArgument
        | ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => None,
        // And an option without its value.
        ErrorKind::InvalidValue if is_left_out(&error) => None,
        _ => Some(error.to_string()),
    }
}

/// Whether the value that is wrong is none.
fn is_left_out(error: &clap::Error) -> bool {
    match error.get(ContextKind::InvalidValue) {
        None | Some(ContextValue::None) => true,
        Some(ContextValue::String(value)) => value.is_empty(),
        Some(_) => false,
    }
}

/// Whether this is the name of a subcommand, and not of a folder.
fn is_subcommand(word: &str) -> bool {
    Cli::command().find_subcommand(word).is_some()
}

/// Whether any subcommand has this option.
fn is_own_option(word: &str) -> bool {
    let name = word.trim_start_matches('-').split('=').next();
    Cli::command().get_subcommands().any(|command| {
        let mut arguments = command.get_arguments();
        arguments.any(|argument| argument.get_long() == name)
    })
}

/// What is wrong with a command, if anything is. What is no command is not judged.
fn fault(programs: &Programs, printed: &Printed, command: &Simple) -> Result<Option<String>> {
    let Some((first, arguments)) = command.words.split_first() else {
        return Ok(None);
    };
    let name = first.strip_prefix("target/release/").unwrap_or(first);
    if name == "vrrpwatch" {
        return Ok(refused(arguments));
    }
    if name == "cargo" {
        return programs::cargo(arguments);
    }
    if !printed.is_line && is_subcommand(name) {
        // There is another arping.
        let is_other = Programs::knows(name) && programs.fault(name, arguments)?.is_none();
        return Ok(refused(&command.words).filter(|_| !is_other));
    }
    if !printed.is_line && first.len() > 2 && first.starts_with("--") {
        let of_cargo = || programs::cargo(&["build".to_owned(), first.clone()]);
        let known = is_own_option(first) || programs.any_has(first)? || of_cargo()?.is_none();
        return Ok((!known).then(|| "no program here has that option".to_owned()));
    }
    if printed.is_line || Programs::knows(name) {
        programs.fault(name, arguments)
    } else {
        Ok(None)
    }
}

#[test]
fn every_command_that_is_printed_exists_with_its_options() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0"])?;
    let programs = Programs::new(lab.host("lb0"))?;
    let mut faults = Vec::new();
    let mut judged = 0;
    for printed in texts::all()? {
        for command in line::commands(&printed.text) {
            judged += 1;
            let fault = fault(&programs, &printed, &command)
                .with_context(|| format!("{}: {}", printed.place, printed.text))?;
            if let Some(fault) = fault {
                faults.push(format!("{}: `{}`: {fault}", printed.place, printed.text));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(judged > 200, "only {judged} commands were found");
    Ok(())
}

#[test]
fn what_does_not_exist_is_refused() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0"])?;
    let programs = Programs::new(lab.host("lb0"))?;
    for wrong in [
        "vrrpwatch record",
        "vrrpwatch run -w bad.pcap",
        "vrrpwatch explain no-such-finding",
        "vrrpwatch replay --fail-on disaster",
        "journalctl -k -u keepalived",
        "keepalived --check-config",
        "tcpdump -Yni INTERFACE",
        "ip adress show",
        "sysctl net.ipv4.conf.all.rp_filtre",
        "arping --unsolicited ADDRESS",
        "nmcli gadget status",
        "cargo xtask frobnicate",
        "cargo xtask fuzz --minutes 1",
        "cargo test --packages vrrp-user",
        "frobnicate",
    ] {
        let printed = Printed {
            place: "here".to_owned(),
            text: wrong.to_owned(),
            is_line: true,
        };
        let commands = line::commands(wrong);
        let [command] = commands.as_slice() else {
            panic!("{wrong}: {commands:?}");
        };
        assert!(
            fault(&programs, &printed, command)?.is_some(),
            "{wrong} passes"
        );
    }
    Ok(())
}

/// Settings of keepalived later than the one that is installed.
const LATER: [&str; 2] = ["v3_checksum_as_v2", "auth_hmac"];

/// Whether the kernel has a setting of this name, for networks.
fn is_sysctl(name: &str) -> bool {
    let folders = ["core", "ipv4", "ipv4/conf/all", "ipv6/conf/all"];
    folders
        .iter()
        .any(|folder| Path::new("/proc/sys/net").join(folder).join(name).exists())
}

#[test]
fn every_setting_that_is_named_exists() -> Result<()> {
    let program = find_program("keepalived").context("keepalived is not installed")?;
    let known = fs::read(program)?;
    let mut named = 0;
    for text in texts::advice()? {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        for setting in words.filter(|word| word.contains('_') && word.to_lowercase() == **word) {
            // What is filled in is code.
            if text.contains(&format!("{{{setting}}}")) {
                continue;
            }
            named += 1;
            let is_known = LATER.contains(&setting)
                || is_sysctl(setting)
                || memmem(&known, setting.as_bytes());
            assert!(is_known, "there is no {setting}: {text}");
        }
    }
    assert!(named > 50, "only {named} settings were found");
    Ok(())
}

fn memmem(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
