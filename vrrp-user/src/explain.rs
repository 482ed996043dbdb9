//! What each finding means, in the words of `vrrpwatch explain` and of docs/findings.md.
//!
//! Log lines are keepalived's; where versions differ, those of 2.2 are quoted.

mod addresses;
mod daemon;
mod election;
mod mismatch;
mod packets;
mod probing;
mod seat;
mod traffic;

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
        Code::UnheardMaster => &election::UNHEARD_MASTER,
        Code::PeerUnreachable => &election::PEER_UNREACHABLE,
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
        Code::Flood => &packets::FLOOD,
        Code::NewSender => &packets::NEW_SENDER,
        Code::VmacMismatch => &addresses::VMAC_MISMATCH,
        Code::GarpMissing => &addresses::GARP_MISSING,
        Code::StaleGarp => &addresses::STALE_GARP,
        Code::TrafficAtStandby => &traffic::TRAFFIC_AT_STANDBY,
        Code::ReflectedAdvert => &packets::REFLECTED_ADVERT,
        Code::LocalDrop => &daemon::LOCAL_DROP,
        Code::EgressBlocked => &daemon::EGRESS_BLOCKED,
        Code::AddressLost => &daemon::ADDRESS_LOST,
        Code::DuplicateAddress => &addresses::DUPLICATE_ADDRESS,
        Code::DaemonDied => &daemon::DAEMON_DIED,
        Code::DaemonStalled => &daemon::DAEMON_STALLED,
        Code::GarpNotSent => &daemon::GARP_NOT_SENT,
        Code::LogWireDisagree => &daemon::LOG_WIRE_DISAGREE,
        Code::ConfigDrift => &daemon::CONFIG_DRIFT,
        Code::LogGap => &daemon::LOG_GAP,
        Code::Blind => &seat::BLIND,
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
    let Explanation {
        meaning,
        wire,
        log,
        causes,
        action,
        next,
    } = explain(code);
    let mut text = format!("{code} ({})\n", code.severity().as_str());
    fill(&mut text, code.summary(), "", "", width);
    let mut section = |title: &str, first: &str, rest: &str, paragraphs: &[&str]| {
        text.extend(["\n", title, "\n"]);
        for paragraph in paragraphs {
            fill(&mut text, paragraph, first, rest, width);
        }
    };
    section("What it means", "  ", "  ", &[meaning]);
    section("On the wire", "  ", "  ", &[wire]);
    section("In the log of keepalived", "  ", "  ", &[log]);
    section("What usually causes it", "  - ", "    ", causes);
    section("What to do", "  ", "  ", &[action]);
    section("What to run next", "  ", "      ", next);
    text
}

/// docs/findings.md.
pub fn markdown() -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _: fmt::Result = write_page(&mut page);
    page
}

const PAGE_WIDTH: usize = 100;

fn write_page(page: &mut String) -> fmt::Result {
    page.push_str(INTRODUCTION);
    for code in Code::ALL {
        let severity = code.severity().as_str();
        writeln!(
            page,
            "| [{code}](#{code}) | {severity} | {} |",
            code.summary()
        )?;
    }
    for code in Code::ALL {
        let explanation = explain(*code);
        writeln!(page, "\n## {code}\n\n**{}**\n", code.summary())?;
        fill(page, explanation.meaning, "", "", PAGE_WIDTH);
        for (title, paragraph) in [
            ("On the wire", explanation.wire),
            ("In the log of keepalived", explanation.log),
        ] {
            writeln!(page, "\n*{title}.*")?;
            fill(page, paragraph, "", "", PAGE_WIDTH);
        }
        writeln!(page, "\n*What usually causes it.*\n")?;
        for cause in explanation.causes {
            fill(page, cause, "- ", "  ", PAGE_WIDTH);
        }
        writeln!(page, "\n*What to do.*")?;
        fill(page, explanation.action, "", "", PAGE_WIDTH);
        writeln!(page, "\n*What to run next.*\n\n```sh")?;
        for command in explanation.next {
            writeln!(page, "{command}")?;
        }
        writeln!(page, "```")?;
    }
    Ok(())
}

const INTRODUCTION: &str = "\
# Findings

What vrrpwatch finds wrong, the worst first. This page is made from the texts of
`vrrpwatch explain`; `vrrpwatch explain CODE` shows one of them.

A finding is raised once, when it can be known, and cleared when it ends. vrrpwatch calls something
missing only if it would have seen it: never after losing frames, in the first seconds, or for frames
that it cannot see.

| code | severity | raised when |
|---|---|---|
";

/// Appends a paragraph, broken into lines.
fn fill(out: &mut String, text: &str, first: &str, rest: &str, width: usize) {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        let space = usize::from(!empty);
        if !empty && line.chars().count() + space + word.chars().count() > width {
            out.push_str(&line);
            out.push('\n');
            rest.clone_into(&mut line);
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
