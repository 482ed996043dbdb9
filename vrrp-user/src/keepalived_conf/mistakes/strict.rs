//! What strict mode takes away: `vrrp_strict` is in the sample configuration that most files began as.

use super::super::{block::Block, notes::Notes};

/// Options that keepalived resets in strict mode.
const RESET: [&str; 6] = [
    "down_timer_adverts",
    "garp_lower_prio_delay",
    "garp_lower_prio_repeat",
    "higher_prio_send_advert",
    "preempt_delay",
    "vmac_xmit_base",
];

/// Notes what an instance in strict mode does not do.
pub(super) fn note(block: &Block, is_v3: bool, is_owner: bool, notes: &mut Notes) {
    let accept = block.last("accept");
    if !is_owner && block.last("no_accept").is_none() {
        match accept {
            None => {
                let what = "strict mode: keepalived drops every packet to and from the virtual \
                            addresses, pings and connections to services too; only VRRPv3 with \
                            `accept` lets them pass";
                notes.add(&block.place, what);
            }
            Some(line) if !is_v3 => {
                let what = "accept has no effect on VRRPv2 in strict mode: keepalived drops every \
                            packet to and from the virtual addresses";
                notes.add(&line.place, what);
            }
            Some(_) => {}
        }
    }
    if let Some(line) = block.last("unicast_peer") {
        let what = "unicast_peer is not allowed in strict mode: current releases of keepalived leave \
                    the instance out";
        notes.add(&line.place, what);
    }
    if let Some(line) = block.last("authentication")
        && !is_v3
    {
        let what = "authentication is ignored in strict mode";
        notes.add(&line.place, what);
    }
    for keyword in RESET {
        if let Some(line) = block.last(keyword)
            && !matches!(line.value(), Some("0" | "off" | "no" | "false"))
        {
            notes.add(
                &line.place,
                format_args!("{keyword} is ignored in strict mode"),
            );
        }
    }
}

/// Whether an instance is in strict mode.
pub(super) fn applies(block: &Block, by_default: bool) -> bool {
    block.last("strict_mode").map_or(by_default, |line| {
        !matches!(line.value(), Some("off" | "no" | "false"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SOUND, noted};

    const STRICT: &str = "global_defs {\nvrrp_strict\n}";

    #[test]
    fn the_addresses_serve_nobody() {
        for (outside, lines, word) in [
            (STRICT, "", "4: strict mode: keepalived drops every packet"),
            (
                "",
                "strict_mode",
                "2: strict mode: keepalived drops every packet",
            ),
            (STRICT, "accept", "12: accept has no effect on VRRPv2"),
        ] {
            let notes = noted(outside, &format!("{SOUND}{lines}"));
            let [note] = &notes[..] else {
                panic!("one note of {lines:?}: {notes:?}");
            };
            assert!(note.starts_with(&format!("conf:{word}")), "{note}");
        }
        for lines in [
            "version 3\naccept",
            "no_accept",
            "strict_mode off",
            "state MASTER\npriority 255",
        ] {
            let notes = noted(STRICT, &format!("{SOUND}{lines}"));
            assert_eq!(notes, [""; 0], "{lines}");
        }
    }

    #[test]
    fn what_is_ignored_is_named_with_its_line() {
        for (lines, word) in [
            ("unicast_peer {\n10.0.0.2\n}", "14: unicast_peer"),
            ("preempt_delay 5", "14: preempt_delay"),
            ("garp_lower_prio_repeat 3", "14: garp_lower_prio_repeat"),
        ] {
            let notes = noted(STRICT, &format!("{SOUND}version 3\naccept\n{lines}"));
            let [note] = &notes[..] else {
                panic!("one note of {lines:?}: {notes:?}");
            };
            assert!(note.starts_with(&format!("conf:{word}")), "{note}");
        }
        let password = "no_accept\nauthentication {\nauth_type PASS\nauth_pass S3cr3tPw\n}";
        let notes = noted(STRICT, &format!("{SOUND}{password}"));
        assert_eq!(notes, ["conf:13: authentication is ignored in strict mode"]);
        let off = noted(STRICT, &format!("{SOUND}no_accept\npreempt_delay 0"));
        assert_eq!(off, [""; 0]);
    }
}
