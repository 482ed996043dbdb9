//! The programs of others, and which options they have: by their own help, or by running them.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use vrrp_tests::lab::{Host, built, find_program, wait_until};

/// How a command is judged.
#[derive(Clone, Copy, Debug)]
enum Judge {
    /// It is run in a namespace of its own, where it can do no harm, and must not end with a failure.
    Run,
    /// Its options must be in what it prints for these arguments.
    Help(&'static [&'static str]),
    /// It is not part of what the tests install: the options and the words that its manual has, as
    /// far as they are needed.
    Manual(&'static [&'static str]),
}

const PROGRAMS: [(&str, Judge); 27] = [
    ("ip", Judge::Run),
    ("bridge", Judge::Run),
    ("tc", Judge::Run),
    ("nft", Judge::Run),
    ("sysctl", Judge::Run),
    ("ss", Judge::Run),
    ("bpftool", Judge::Run),
    ("ulimit", Judge::Run),
    ("vmstat", Judge::Run),
    ("pgrep", Judge::Help(&["--help"])),
    ("arptables", Judge::Manual(&["-L"])),
    ("journalctl", Judge::Help(&["--help"])),
    ("systemctl", Judge::Help(&["--help"])),
    ("networkctl", Judge::Help(&["--help"])),
    ("keepalived", Judge::Help(&["--help"])),
    ("arping", Judge::Help(&["--help"])),
    ("tcpdump", Judge::Help(&["--help"])),
    ("ps", Judge::Help(&["--help", "all"])),
    ("grep", Judge::Help(&["--help"])),
    ("diff", Judge::Help(&["--help"])),
    ("xz", Judge::Help(&["--help"])),
    ("bzip2", Judge::Help(&["--help"])),
    // Manual pages of tshark 4.0, editcap 4.0, nmcli 1.42, iptables 1.8.9, zstd 1.5 and lz4 1.9.
    ("tshark", Judge::Manual(&["-V", "-r"])),
    ("editcap", Judge::Manual(&["-F", "pcap"])),
    ("nmcli", Judge::Manual(&["device", "status"])),
    ("iptables-save", Judge::Manual(&[])),
    ("zstd", Judge::Manual(&["-d"])),
];

/// Whoever runs as long as this was not refused.
const ACCEPTED: Duration = Duration::from_millis(300);

pub(crate) struct Programs<'a> {
    host: &'a Host,
    helps: RefCell<BTreeMap<&'static str, String>>,
}

impl<'a> Programs<'a> {
    pub(crate) fn new(host: &'a Host) -> Result<Self> {
        host.add_address("10.77.0.100/24")?;
        Ok(Self {
            host,
            helps: RefCell::default(),
        })
    }

    /// Whether the program is known here.
    pub(crate) fn knows(name: &str) -> bool {
        PROGRAMS.iter().any(|(known, _)| *known == name)
    }

    /// What is wrong with these arguments of a program that is known.
    pub(crate) fn fault(&self, name: &str, arguments: &[String]) -> Result<Option<String>> {
        let Some((name, judge)) = PROGRAMS.iter().find(|(known, _)| *known == name) else {
            return Ok(Some(format!("{name} is not known here")));
        };
        Ok(match judge {
            Judge::Run => self.run(name, arguments)?,
            Judge::Help(_) if *name == "journalctl" && selects_nothing(arguments) => {
                Some("-k and -u exclude each other: no message has both".to_owned())
            }
            Judge::Help(ask) => {
                let mut help = self.help(name, ask)?;
                if *name == "arping" {
                    // Of the two programs of this name the one by Habets takes it without telling,
                    // and the one of iputils has no other.
                    help.push_str("\n -I ");
                }
                let options = arguments.iter().filter(|word| is_option(word));
                let mut missing = options.filter(|option| !has(&help, option));
                missing
                    .next()
                    .map(|option| format!("{name} has no {option}"))
            }
            Judge::Manual(words) => {
                let known = |word: &str| words.contains(&word);
                let mut foreign = arguments.iter().filter(|word| {
                    let is_word = *name == "nmcli" || is_option(word);
                    is_word && !known(word)
                });
                foreign
                    .next()
                    .map(|word| format!("{word} is not known of {name}"))
            }
        })
    }

    /// Whether a program whose help is known has this option.
    pub(crate) fn any_has(&self, option: &str) -> Result<bool> {
        for (name, judge) in PROGRAMS {
            if let Judge::Help(ask) = judge
                && has(&self.help(name, ask)?, option)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn help(&self, name: &'static str, ask: &[&str]) -> Result<String> {
        if let Some(help) = self.helps.borrow().get(name) {
            return Ok(help.clone());
        }
        let program = find_program(name).with_context(|| {
            format!("{name} is not installed, and what is said of it cannot be tried")
        })?;
        let output = Command::new(program).args(ask).output().context(name)?;
        let help = [output.stdout, output.stderr].concat();
        let help = String::from_utf8_lossy(&help).into_owned();
        self.helps.borrow_mut().insert(name, help.clone());
        Ok(help)
    }

    fn run(&self, name: &str, arguments: &[String]) -> Result<Option<String>> {
        let mut command = if name == "ulimit" {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("ulimit {}", arguments.join(" "))]);
            shell
        } else {
            let mut command = self.host.namespace().command(name)?;
            command.args(arguments);
            command
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context(name.to_owned())?;
        let ended = wait_until(name, ACCEPTED, || {
            child.try_wait().is_ok_and(|status| status.is_some())
        });
        if ended.is_err() {
            child.kill()?;
        }
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        // It was understood, and there was nothing here to remove.
        let understood = arguments.iter().any(|word| word == "del")
            && said == "RTNETLINK answers: No such file or directory";
        let fine = ended.is_err() || output.status.success() || understood;
        Ok((!fine).then(|| format!("{}: {said}", output.status)))
    }
}

/// What is wrong with these arguments of cargo.
pub(crate) fn cargo(arguments: &[String]) -> Result<Option<String>> {
    let Some((verb, arguments)) = arguments.split_first() else {
        return Ok(None);
    };
    let end = arguments.iter().position(|word| word == "--");
    let own = &arguments[..end.unwrap_or(arguments.len())];
    if verb == "xtask" {
        // Its parser refuses what it does not know before it gives help.
        let program = built("xtask")?;
        let output = Command::new(program).args(own).arg("--help").output()?;
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Ok((!output.status.success()).then_some(said));
    }
    let output = Command::new("cargo").args([verb, "--help"]).output()?;
    if !output.status.success() {
        return Ok(Some(format!("cargo has no {verb}")));
    }
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut missing = own
        .iter()
        .filter(|word| is_option(word) && !has(&help, word));
    Ok(missing
        .next()
        .map(|option| format!("cargo {verb} has no {option}")))
}

/// Messages of the kernel are of no unit: journalctl joins the two by AND.
fn selects_nothing(arguments: &[String]) -> bool {
    let has = |short: &str, long: &str| arguments.iter().any(|word| word == short || word == long);
    has("-k", "--dmesg") && has("-u", "--unit")
}

fn is_option(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-') && !word[1..].starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a help text names this option, or each of these letters.
fn has(help: &str, option: &str) -> bool {
    let words = || {
        help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .filter(|word| word.starts_with('-'))
    };
    let option = option.split('=').next().unwrap_or(option);
    if option.starts_with("--") {
        return words().any(|word| word == option);
    }
    let letters = option[1..].chars();
    // A letter may stand alone, or in the summary of all: [-AbdDef].
    letters
        .clone()
        .all(|letter| words().any(|word| !word.starts_with("--") && word[1..].contains(letter)))
}

#[test]
fn options_are_found_as_helps_write_them() {
    let help = "usage: [ -0aAb ] [-c count]\n  -f, --follow[=HOW]  Follow\n      --since=DATE";
    for there in ["-a", "-bc", "--follow", "--since=-10min", "-f"] {
        assert!(has(help, there), "{there}");
    }
    for missing in ["-x", "-ax", "--foll", "--until"] {
        assert!(!has(help, missing), "{missing}");
    }
}
