//! What is written and does not do what it says: keepalived ignores it, takes something else, or never
//! gets to it.
//!
//! As everywhere, the words of the file are not repeated: one of them may be a password.

mod addresses;
mod strict;

use std::{collections::BTreeSet, net::IpAddr, ops::RangeInclusive};

use super::{block::Block, notes::Notes};

/// What keepalived 2.2.7 knows in a `vrrp_instance`, and of later releases `auth_hmac`,
/// `no_virtual_ipaddress`, `timer_expired_backup` and `v3_checksum_as_v2`.
const OPTIONS: [&str; 68] = [
    "accept",
    "advert_int",
    "auth_hmac",
    "authentication",
    "check_unicast_src",
    "debug",
    "dont_track_primary",
    "down_timer_adverts",
    "garp_extra_if",
    "garp_lower_prio_delay",
    "garp_lower_prio_repeat",
    "garp_master_delay",
    "garp_master_refresh",
    "garp_master_refresh_repeat",
    "garp_master_repeat",
    "higher_prio_send_advert",
    "interface",
    "kernel_rx_buf_size",
    "linkbeat_use_polling",
    "lower_prio_no_advert",
    "lvs_sync_daemon_interface",
    "mcast_dst_ip",
    "mcast_src_ip",
    "native_ipv6",
    "no_accept",
    "no_virtual_ipaddress",
    "nopreempt",
    "notify",
    "notify_backup",
    "notify_deleted",
    "notify_fault",
    "notify_master",
    "notify_master_rx_lower_pri",
    "notify_priority_changes",
    "notify_stop",
    "old_unicast_checksum",
    "preempt",
    "preempt_delay",
    "priority",
    "promote_secondaries",
    "skip_check_adv_addr",
    "smtp_alert",
    "state",
    "strict_mode",
    "timer_expired_backup",
    "track_bfd",
    "track_file",
    "track_interface",
    "track_process",
    "track_script",
    "track_src_ip",
    "unicast_fault_no_peer",
    "unicast_peer",
    "unicast_src_ip",
    "unicast_ttl",
    "use_ipvlan",
    "use_vmac",
    "use_vmac_addr",
    "v3_checksum_as_v2",
    "version",
    "virtual_ipaddress",
    "virtual_ipaddress_excluded",
    "virtual_router_id",
    "virtual_routes",
    "virtual_rules",
    "vmac_garp_intvl",
    "vmac_xmit_base",
    "vrf",
];

/// The longest interval of VRRPv2, in seconds.
const LONGEST_V2: f64 = 255.0;
/// Bytes of a password that an advert carries.
const PASSWORD: usize = 8;

/// Priorities that tracking leaves a router with; 255 is that of the owner, and 0 resigns.
const EFFECTIVE: RangeInclusive<i32> = 1..=254;

/// Notes what is written and does nothing.
pub(super) fn note(blocks: &[Block], notes: &mut Notes) {
    let all = |keyword: &'static str| blocks.iter().filter(move |it| it.keyword() == keyword);
    let global = |keyword| all("global_defs").filter_map(move |block| block.last(keyword));
    let has_interface = global("default_interface").next().is_some();
    let version = global("vrrp_version").filter_map(Block::value).next_back();
    let is_strict = global("vrrp_strict").next().is_some();
    let scripts: Vec<&Block> = all("vrrp_script").collect();
    for block in all("vrrp_instance") {
        Instance {
            block,
            scripts: &scripts,
            is_v3: block.last("version").and_then(Block::value).or(version) == Some("3"),
            is_strict: strict::applies(block, is_strict),
        }
        .note(has_interface, notes);
    }
    let instances: Vec<&Block> = all("vrrp_instance").collect();
    for group in all("vrrp_sync_group") {
        note_group(group, &instances, notes);
    }
}

struct Instance<'a> {
    block: &'a Block,
    scripts: &'a [&'a Block],
    is_v3: bool,
    is_strict: bool,
}

impl Instance<'_> {
    fn note(&self, has_interface: bool, notes: &mut Notes) {
        let block = self.block;
        for line in &block.children {
            if !OPTIONS.contains(&line.keyword()) {
                notes.add(&line.place, "vrrp_instance has no such option");
            }
        }
        if block.last("interface").is_none() && !has_interface {
            notes.add(&block.place, "there is no interface");
        }
        if block.last("virtual_ipaddress").is_none() && block.last("no_virtual_ipaddress").is_none()
        {
            notes.add(&block.place, "there is no virtual_ipaddress");
        }
        let is_state = |word| matches!(word, Some("MASTER" | "BACKUP"));
        if let Some(line) = block.last("state")
            && !is_state(line.value())
        {
            let what = "state is MASTER or BACKUP, in capital letters; keepalived takes BACKUP";
            notes.add(&line.place, what);
        }
        self.note_times(notes);
        addresses::note(block, notes);
        if self.is_strict {
            strict::note(block, self.is_v3, self.is_owner(), notes);
        }
        self.note_authentication(notes);
        self.note_tracking(notes);
    }

    fn note_times(&self, notes: &mut Notes) {
        if let Some(line) = self.block.last("advert_int") {
            let seconds = line.value().and_then(|value| value.parse::<f64>().ok());
            match seconds {
                None => notes.add(&line.place, "advert_int is a number of seconds"),
                Some(seconds) if seconds > LONGEST_V2 && !self.is_v3 => {
                    let what = "advert_int is at most 255 s in VRRPv2; keepalived takes 1 s";
                    notes.add(&line.place, what);
                }
                Some(_) => {}
            }
        }
        if let Some(line) = self.block.last("garp_master_repeat")
            && line.value() == Some("0")
        {
            let what = "garp_master_repeat is at least 1, and keepalived takes 1";
            notes.add(&line.place, what);
        }
    }

    fn note_authentication(&self, notes: &mut Notes) {
        let Some(block) = self.block.last("authentication") else {
            return;
        };
        if self.is_v3 {
            let what = "authentication: VRRPv3 has none, and it is ignored";
            notes.add(&block.place, what);
            return;
        }
        let (kind, password) = (block.last("auth_type"), block.last("auth_pass"));
        if let Some(kind) = kind
            && !matches!(kind.value(), Some("PASS" | "AH"))
        {
            let what = "auth_type is PASS or AH; as it is written there is no authentication";
            notes.add(&kind.place, what);
        }
        match (kind, password) {
            (None, Some(line)) => {
                notes.add(
                    &line.place,
                    "auth_pass without auth_type: there is no authentication",
                );
            }
            (Some(line), None) => {
                notes.add(
                    &line.place,
                    "auth_type without auth_pass: there is no authentication",
                );
            }
            _ => {}
        }
        if let Some(line) = password {
            if line.value().is_some_and(|word| word.len() > PASSWORD) {
                let what = "auth_pass: the first 8 characters count, and the rest is ignored";
                notes.add(&line.place, what);
            }
            if line.is_cut {
                let what = "auth_pass: a comment begins within the word; put it in quotes";
                notes.add(&line.place, what);
            }
        }
    }

    /// Whether its priority is that of the owner of the addresses.
    fn is_owner(&self) -> bool {
        self.block.last("priority").and_then(Block::value) == Some("255")
    }

    fn note_tracking(&self, notes: &mut Notes) {
        let is_owner = self.is_owner();
        let priority = self.block.last("priority").and_then(Block::value);
        let priority = priority.and_then(|value| value.parse().ok()).unwrap_or(100);
        for line in lines(self.block, "track_script") {
            let mut named = self.scripts.iter();
            let Some(script) = named.find(|script| script.value() == Some(line.keyword())) else {
                notes.add(
                    &line.place,
                    "track_script: there is no vrrp_script of this name",
                );
                continue;
            };
            let after = |words: &[String]| {
                let at = words.iter().position(|word| word == "weight")?;
                words.get(at + 1)?.parse::<i32>().ok()
            };
            let usual = script.last("weight").and_then(|line| after(&line.words));
            let own = after(&line.words);
            let weight = own.or(usual).unwrap_or(0);
            if weight == 0 {
                continue;
            }
            if is_owner {
                let what =
                    "track_script: its weight is ignored, for priority 255 is that of the owner";
                notes.add(&line.place, what);
            } else if !EFFECTIVE.contains(&(priority + weight)) {
                let what = "track_script: priority and weight together are not within 1 to 254, where \
                            keepalived keeps them: two routers may come out alike";
                notes.add(&line.place, what);
            }
            // Whoever gives it a weight for this instance knows what else there is.
            if self.block.last("nopreempt").is_some() && own.is_none() {
                let what = "track_script: with nopreempt its weight never moves the addresses, for no \
                            backup takes over from a master that still advertises";
                notes.add(&line.place, what);
            }
        }
        if is_owner && self.block.last("state").and_then(Block::value) == Some("BACKUP") {
            let what = "priority 255 is that of the owner of the addresses, who is active at once: \
                        state BACKUP means nothing";
            notes.add(&self.block.place, what);
        }
    }
}

fn note_group(group: &Block, instances: &[&Block], notes: &mut Notes) {
    let mut priorities = BTreeSet::new();
    for line in lines(group, "group") {
        for name in &line.words {
            let named = |block: &&&Block| block.value() == Some(name);
            match instances.iter().find(named) {
                Some(block) => {
                    let priority = block.last("priority").and_then(Block::value);
                    priorities.insert(priority.unwrap_or("100"));
                }
                None => notes.add(&line.place, "group: there is no vrrp_instance of this name"),
            }
        }
    }
    if priorities.len() > 1 {
        let what = "vrrp_sync_group: its instances have different priorities; they move together only \
                    where all win or lose";
        notes.add(&group.place, what);
    }
}

/// The lines in the braces behind a keyword, wherever it stands in the block.
fn lines<'a>(block: &'a Block, keyword: &'static str) -> impl Iterator<Item = &'a Block> {
    block.all(keyword).flat_map(|list| &list.children)
}

fn address(word: &str) -> Option<IpAddr> {
    word.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::keepalived_conf::{
        block::parse,
        source::{Line, Place},
    };

    /// What is noted of an instance with these lines, behind what stands outside of it.
    pub(super) fn noted(outside: &str, lines: &str) -> Vec<String> {
        let text = format!("{outside}\nvrrp_instance VI_1 {{\n{lines}\n}}");
        let lines: Vec<Line> = (1..)
            .zip(text.lines())
            .map(|(number, line)| Line {
                text: line.to_owned(),
                place: Place {
                    file: Path::new("conf").into(),
                    number,
                },
                is_cut: line.contains("S@"),
            })
            .collect();
        let mut notes = Notes::default();
        let blocks = parse(&lines, &mut notes);
        note(&blocks, &mut notes);
        notes.into_words()
    }

    pub(super) const SOUND: &str = "state BACKUP\ninterface eth0\nvirtual_router_id 51\npriority 100\n\
                         virtual_ipaddress {\n10.0.0.100/24\n}\n";

    #[test]
    fn what_is_sound_is_not_noted() {
        let script = "vrrp_script chk {\nweight -20\n}";
        for (outside, lines) in [
            ("", ""),
            ("", "unicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.2\n}"),
            (
                "",
                "authentication {\nauth_type PASS\nauth_pass 12345678\n}",
            ),
            (script, "track_script {\nchk\n}"),
            (script, "nopreempt\ntrack_script {\nchk weight -20\n}"),
            ("", "version 3\nadvert_int 0.25"),
            (
                "",
                "no_virtual_ipaddress\nv3_checksum_as_v2\nauth_hmac {\n}",
            ),
        ] {
            let notes = noted(outside, &format!("{SOUND}{lines}"));
            assert_eq!(notes, [""; 0], "{outside} {lines}");
        }
        let bare = "interface eth0\nvirtual_router_id 51\nno_virtual_ipaddress";
        assert_eq!(noted("", bare), [""; 0]);
    }

    #[test]
    fn what_does_nothing_is_noted_with_its_line() {
        let script = "vrrp_script chk {\nweight 2\n}";
        let other = "vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\n}";
        let secret = "authentication {\nauth_type PASS\nauth_pass S3cr3tPw9\n}";
        for (outside, lines, word) in [
            (
                "",
                "virtual_ipadress {\n}",
                "10: vrrp_instance has no such option",
            ),
            ("", "state Master", "10: state is MASTER or BACKUP"),
            ("", "advert_int 300", "10: advert_int is at most 255 s"),
            ("", "advert_int soon", "10: advert_int is a number"),
            ("", "garp_master_repeat 0", "10: garp_master_repeat"),
            (
                "",
                "authentication {\nauth_type PASS;\n}",
                "11: auth_type is PASS or AH",
            ),
            (
                "",
                "authentication {\nauth_type PASS\n}",
                "11: auth_type without auth_pass",
            ),
            (
                "",
                "authentication {\nauth_pass x\n}",
                "11: auth_pass without auth_type",
            ),
            ("", secret, "12: auth_pass: the first 8"),
            (
                "",
                "authentication {\nauth_type PASS\nauth_pass S@\n}",
                "12: auth_pass: a comment",
            ),
            (
                "global_defs {\nvrrp_version 3\n}",
                "authentication {\n}",
                "12: authentication: VRRPv3 has none",
            ),
            (
                script,
                "nopreempt\ntrack_script {\nchk\n}",
                "14: track_script: with nopreempt",
            ),
            (
                script,
                "priority 253\ntrack_script {\nchk weight 1\n}\ntrack_script {\nchk\n}",
                "17: track_script: priority and weight",
            ),
            (
                script,
                "priority 255\ntrack_script {\nchk\n}",
                "14: track_script: its weight",
            ),
            (
                "",
                "track_script {\nchk\n}",
                "11: track_script: there is no vrrp_script",
            ),
            ("", "priority 255", "2: priority 255 is that of the owner"),
            (other, "", "4: group: there is no vrrp_instance"),
            (
                &format!("{other}\nvrrp_instance VI_2 {{\npriority 90\n}}"),
                "",
                "1: vrrp_sync_group: its instances",
            ),
        ] {
            let notes = noted(outside, &format!("{SOUND}{lines}"));
            let word = format!("conf:{word}");
            assert!(
                notes.iter().any(|note| note.starts_with(&word)),
                "{word}: {notes:?}"
            );
            assert!(
                notes.iter().all(|note| !note.contains("S3cr3tPw")),
                "{notes:?}"
            );
        }
        let notes = noted("", "virtual_router_id 51");
        assert!(
            notes.iter().any(|note| note.contains("no interface")),
            "{notes:?}"
        );
        assert!(
            notes
                .iter()
                .any(|note| note.contains("no virtual_ipaddress")),
            "{notes:?}"
        );
    }
}
