//! What each finding means, in the words of `vrrpwatch explain` and of docs/findings.md.
//!
//! Log lines are keepalived's; where versions differ, those of 2.2 are quoted.

mod addresses;
mod election;
mod mismatch;
mod packets;
mod probing;

use std::fmt::{self, Display, Write as _};

use crate::record::Code;

/// A finding, explained.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    /// What it means.
    pub meaning: &'static str,
    /// How it shows on the wire.
    pub wire: &'static str,
    /// How it shows in keepalived's log.
    pub log: &'static str,
    /// What usually causes it.
    pub causes: &'static [&'static str],
    /// What to do.
    pub action: &'static str,
    /// What to run next.
    pub next: &'static [&'static str],
}

/// Explains a finding.
pub const fn explain(code: Code) -> &'static Explanation {
    match code {
        Code::SplitBrain => &election::SPLIT_BRAIN,
        Code::VridCollision => &election::VRID_COLLISION,
        Code::VipInTwoVrids => &election::VIP_IN_TWO_VRIDS,
        Code::OwnerConflict => &election::OWNER_CONFLICT,
        Code::VipConflict => &addresses::VIP_CONFLICT,
        Code::VipUnanswered => &probing::VIP_UNANSWERED,
        Code::VipWrongAnswer => &probing::VIP_WRONG_ANSWER,
        Code::VipWithoutMaster => &probing::VIP_WITHOUT_MASTER,
        Code::NoMaster => &election::NO_MASTER,
        Code::FalseOwner => &election::FALSE_OWNER,
        Code::SilentFailover => &election::SILENT_FAILOVER,
        Code::Flapping => &election::FLAPPING,
        Code::AdvertGap => &election::ADVERT_GAP,
        Code::IntervalMismatch => &mismatch::INTERVAL,
        Code::VersionMismatch => &mismatch::VERSION,
        Code::AuthMismatch => &mismatch::AUTH,
        Code::AddressListMismatch => &mismatch::ADDRESS_LIST,
        Code::ChecksumVariantMismatch => &mismatch::CHECKSUM_VARIANT,
        Code::UnicastMulticastMix => &mismatch::UNICAST_MULTICAST,
        Code::BadChecksum => &packets::BAD_CHECKSUM,
        Code::BadTtl => &packets::BAD_TTL,
        Code::MalformedAdvert => &packets::MALFORMED_ADVERT,
        Code::VmacMismatch => &addresses::VMAC_MISMATCH,
        Code::GarpMissing => &addresses::GARP_MISSING,
        Code::StaleGarp => &addresses::STALE_GARP,
        Code::ReflectedAdvert => &packets::REFLECTED_ADVERT,
        Code::PlaintextAuth => &packets::PLAINTEXT_AUTH,
        Code::CarpNeighbour => &packets::CARP_NEIGHBOUR,
    }
}

/// All findings, a line each.
pub fn list() -> impl Display {
    fmt::from_fn(|f| {
        for code in Code::ALL {
            writeln!(
                f,
                "{:<26}{:<10}{}",
                code.as_str(),
                code.severity().as_str(),
                code.summary()
            )?;
        }
        Ok(())
    })
}

/// A finding for the terminal, lines at most `width` columns wide.
pub fn text(code: Code, width: usize) -> String {
    let explanation = explain(code);
    let mut text = String::new();
    let mut section = |title: &str, body: &str| {
        text += "\n";
        text += title;
        text += "\n";
        fill(&mut text, body, "  ", "  ", width);
    };
    section("What it means", explanation.meaning);
    section("On the wire", explanation.wire);
    section("In the log of keepalived", explanation.log);
    text += "\nWhat usually causes it\n";
    for cause in explanation.causes {
        fill(&mut text, cause, "  - ", "    ", width);
    }
    text += "\nWhat to do\n";
    fill(&mut text, explanation.action, "  ", "  ", width);
    text += "\nWhat to run next\n";
    for command in explanation.next {
        text += &format!("  {command}\n");
    }
    format!(
        "{code} ({}): {}\n{text}",
        code.severity().as_str(),
        code.summary()
    )
}

/// docs/findings.md.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Findings\n\n\
         What vrrpwatch finds wrong, the worst first. This page is made from the texts of\n\
         `vrrpwatch explain`; `vrrpwatch explain CODE` shows one of them.\n\n\
         A finding is raised once, when it can be known, and cleared when it ends. What is missing\n\
         is concluded only where it would have been seen: not after lost frames, not at the start\n\
         of a capture, and not where frames that the host sends are invisible.\n\n\
         | code | severity | raised when |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        // Writing to a string cannot fail.
        let _: fmt::Result = writeln!(
            page,
            "| [{code}](#{code}) | {} | {} |",
            code.severity().as_str(),
            code.summary()
        );
    }
    for code in Code::ALL {
        let explanation = explain(*code);
        page += &format!("\n## {code}\n\n");
        fill(&mut page, code.summary(), "**", "", 100);
        page.truncate(page.trim_end().len());
        page += "**\n\n";
        fill(&mut page, explanation.meaning, "", "", 100);
        page += "\n*On the wire.* ";
        page += "\n";
        fill(&mut page, explanation.wire, "", "", 100);
        page += "\n*In the log of keepalived.*\n";
        fill(&mut page, explanation.log, "", "", 100);
        page += "\n*What usually causes it.*\n\n";
        for cause in explanation.causes {
            fill(&mut page, cause, "- ", "  ", 100);
        }
        page += "\n*What to do.*\n";
        fill(&mut page, explanation.action, "", "", 100);
        page += "\n*What to run next.*\n\n```sh\n";
        for command in explanation.next {
            page += command;
            page += "\n";
        }
        page += "```\n";
    }
    page.replace("*On the wire.* \n", "*On the wire.*\n")
}

/// Appends a paragraph, broken into lines.
fn fill(out: &mut String, text: &str, first: &str, rest: &str, width: usize) {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        let space = usize::from(!empty);
        if !empty && line.chars().count() + space + word.chars().count() > width {
            out.push_str(&line);
            out.push('\n');
            line = rest.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out.push_str(&line);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// `BLESS=1` writes the file anew.
    #[test]
    fn the_page_is_what_the_program_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/findings.md");
        let page = markdown();
        if std::env::var_os("BLESS").is_some() {
            fs::create_dir_all(path.parent().expect("it has a folder")).expect("folder is made");
            fs::write(&path, &page).expect("page is written");
        }
        let written = fs::read_to_string(&path).expect("docs/findings.md is there");
        assert!(
            written == page,
            "docs/findings.md differs from `vrrpwatch explain`; BLESS=1 writes it anew"
        );
    }

    #[test]
    fn every_finding_is_explained_in_full() {
        for code in Code::ALL {
            let explanation = explain(*code);
            for part in [
                explanation.meaning,
                explanation.wire,
                explanation.log,
                explanation.action,
            ] {
                assert!(part.ends_with('.'), "{code}: {part:?}");
            }
            assert!(!explanation.causes.is_empty(), "{code}");
            assert!(!explanation.next.is_empty(), "{code}");
            for line in text(*code, 80).lines() {
                assert!(
                    line.chars().count() <= 100,
                    "{code}: {line:?} is too long for a terminal"
                );
            }
            assert_eq!(code.as_str().parse(), Ok(*code));
        }
    }
}
