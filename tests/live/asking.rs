//! `who` beside the distribution's arping, asked from every seat.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use vrrp_tests::lab::{Instance, Lab, wait_until};

use crate::{
    asked::{ask, held, run, who},
    watcher::Watcher,
};

const VIP: &str = "10.77.0.100";

/// The MACs that answered, and their roles.
fn answers(who: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let mut answers: Vec<_> = who["answered"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|answer| (text(&answer["mac"]), text(&answer["role"])))
        .collect();
    answers.sort();
    answers
}

fn is(mac: &str, role: &str) -> (String, String) {
    (mac.to_owned(), role.to_owned())
}

#[test]
fn a_healthy_pair_from_every_seat() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let _other = lb1.keepalived(&Instance::usual(100).to_string())?;
    held(lb0, VIP)?;
    for host in [third, lb1] {
        let (status, who) = who(host, &[VIP])?;
        assert_eq!(status, 0, "{who}");
        assert_eq!(who["verdict"], "agreed", "{who}");
        assert_eq!(who["advertised"][0]["source"], "10.77.0.10", "{who}");
        assert_eq!(answers(&who), [is(&lb0.mac_text(), "active-router")]);
        // The same as arping says, and in no more time than a LAN takes.
        assert_eq!(host.arping(VIP)?, [lb0.mac_text()].into());
        let rtt = who["answered"][0]["rtt_us"].as_u64();
        assert!(rtt.is_some_and(|rtt| rtt < 100_000), "{who}");
    }
    // arping finds nobody from the master; here it is said why.
    let (status, who) = who(lb0, &[VIP])?;
    assert_eq!(status, 0, "{who}");
    assert_eq!(who["held"]["interface"], "eth0", "{who}");
    assert!(answers(&who).is_empty(), "{who}");
    let message = who["message"].as_str().unwrap_or_default();
    assert!(message.contains("held by this host"), "{who}");
    Ok(())
}

#[test]
fn what_cannot_be_asked_for_is_not_nobodys() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0", "third"])?;
    let third = lab.host("third");
    let (status, who) = who(third, &["--wait", "300ms", "192.0.2.1"])?;
    assert_eq!((status, &who["verdict"]), (5, &"unknown".into()), "{who}");
    assert_eq!(who["not_asked"], "beyond-subnet", "{who}");
    let output = run(third, &["who", "--wait", "300ms", "192.0.2.1"])?;
    let text = String::from_utf8(output.stdout)?;
    assert!(text.starts_with("cannot tell who has 192.0.2.1"), "{text}");
    // An interface without a carrier asks nobody.
    third
        .namespace()
        .ip("link add name eth8 type veth peer name far8\n\
                          address add 10.88.0.50/24 dev eth8\n\
                          link set dev eth8 up")?;
    let (status, who) = crate::asked::who(third, &["--wait", "300ms", "10.88.0.1"])?;
    assert_eq!(
        (status, &who["not_asked"]),
        (5, &"no-carrier".into()),
        "{who}"
    );
    let output = run(third, &["arping", "-c", "1", "10.88.0.1"])?;
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    Ok(())
}

#[test]
fn a_real_server_has_the_address_and_does_not_answer_for_it() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    lb1.namespace().ip("address add 10.77.0.100/32 dev lo")?;
    lb1.namespace()
        .sysctl("net/ipv4/conf/all/arp_ignore", "1")?;
    for host in [lb1, third] {
        let (status, who) = who(host, &[VIP])?;
        assert_eq!((status, &who["verdict"]), (0, &"agreed".into()), "{who}");
    }
    let (_, here) = who(lb1, &[VIP])?;
    assert_eq!(here["held"]["answers"], false, "{here}");
    // Without arp_ignore it does answer.
    lb1.namespace()
        .sysctl("net/ipv4/conf/all/arp_ignore", "0")?;
    for host in [lb1, third] {
        let (status, who) = who(host, &[VIP])?;
        assert_eq!(status, 1, "{who}");
    }
    Ok(())
}

#[test]
fn two_machines_with_the_virtual_mac_are_two() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let instance = |priority| Instance {
        virtual_mac: true,
        ..Instance::usual(priority)
    };
    let one = lb0.keepalived(&instance(150).to_string())?;
    held(lb0, VIP)?;
    one.kill()?;
    let _other = lb1.keepalived(&instance(100).to_string())?;
    held(lb1, VIP)?;
    let (status, evidence) = who(third, &[VIP])?;
    assert_eq!(status, 1, "{evidence}");
    assert_eq!(answers(&evidence), [is("00:00:5e:00:01:33", "virtual-mac")]);
    assert!(
        evidence["answered"][0]["surplus"].as_u64() >= Some(2),
        "{evidence}"
    );
    let (status, lines) = ask(third, &["arping", "-c", "2", VIP])?;
    assert_eq!(status, 1, "{lines:#?}");
    let watcher = Watcher::start(third, &["-i", "eth0", "--probe", "--probe-interval", "1s"])?;
    let conflict = watcher.expect("vip-conflict", |record| {
        record["code"] == "vip-conflict" && record["status"] == "raised"
    })?;
    assert_eq!(conflict["cause"], "shared-mac", "{conflict}");
    // Once only one has it, it is over.
    lb0.namespace().ip("link delete dev vrrp.51")?;
    watcher.expect("its end", |record| {
        record["code"] == "vip-conflict" && record["status"] == "cleared"
    })?;
    Ok(())
}

#[test]
fn nobody_has_it() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0", "third"])?;
    let (status, who) = who(lab.host("third"), &["--wait", "500ms", "10.77.0.200"])?;
    assert_eq!(status, 4, "{who}");
    assert_eq!(who["verdict"], "nobody", "{who}");
    Ok(())
}

#[test]
fn a_split_brain_has_two_answers() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    lab.switch().block_vrrp("lb0", "lb1")?;
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let _other = lb1.keepalived(&Instance::usual(100).to_string())?;
    held(lb0, VIP)?;
    held(lb1, VIP)?;
    let (status, evidence) = who(third, &[VIP])?;
    assert_eq!(status, 1, "{evidence}");
    let macs: Vec<String> = answers(&evidence).into_iter().map(|(mac, _)| mac).collect();
    assert_eq!(macs, [lb0.mac_text(), lb1.mac_text()]);
    let sources: Vec<_> = evidence["advertised"]
        .as_array()
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(sources.len(), 2, "{evidence}");
    // From within, by the router that is active itself.
    let (status, evidence) = who(lb0, &[VIP])?;
    assert_eq!(status, 1, "{evidence}");
    Ok(())
}

#[test]
fn a_killed_router_leaves_its_address_behind() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    one.kill()?;
    let (status, alone) = who(third, &[VIP])?;
    assert_eq!(status, 5, "its routers might use unicast: {alone}");
    assert!(alone["advertised"].as_array().is_some_and(Vec::is_empty));
    assert_eq!(answers(&alone).len(), 1, "{alone}");

    let _other = lb1.keepalived(&Instance::usual(100).to_string())?;
    held(lb1, VIP)?;
    let (status, both) = who(third, &[VIP])?;
    assert_eq!(status, 1, "{both}");
    assert_eq!(
        answers(&both),
        [
            is(&lb0.mac_text(), "outsider"),
            is(&lb1.mac_text(), "active-router"),
        ]
    );
    // On the machine that was left with it.
    let (status, here) = who(lb0, &[VIP])?;
    assert_eq!(status, 1, "{here}");
    assert_eq!(here["held"]["interface"], "eth0", "{here}");
    Ok(())
}

#[test]
fn the_active_router_does_not_answer() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    // keepalived adds an address again that somebody deletes, so it is kept from answering.
    lb0.namespace()
        .sysctl("net/ipv4/conf/eth0/arp_ignore", "8")?;
    let (status, nobody) = who(third, &[VIP])?;
    assert_eq!(status, 1, "{nobody}");
    assert!(answers(&nobody).is_empty(), "{nobody}");
    let waited = nobody["waited_ms"].as_u64().unwrap_or_default();
    assert!(waited < 3000, "no longer than for an advert: {nobody}");
    // Somebody else answers now.
    lb1.add_address("10.77.0.100/24")?;
    for host in [third, lb0] {
        let (status, who) = who(host, &[VIP])?;
        assert_eq!(status, 1, "{who}");
        assert_eq!(answers(&who), [is(&lb1.mac_text(), "outsider")]);
    }
    Ok(())
}

#[test]
fn a_proxy_answers_for_everybody() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    lb1.proxy_for("10.77.0.0/25")?;
    let (status, who) = who(third, &["--wait", "3s", VIP])?;
    assert_eq!(status, 1, "{who}");
    assert_eq!(
        answers(&who),
        [
            is(&lb0.mac_text(), "active-router"),
            is(&lb1.mac_text(), "proxy-arp"),
        ]
    );
    Ok(())
}

#[test]
fn the_virtual_mac_is_known() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    let instance = Instance {
        virtual_mac: true,
        ..Instance::usual(150)
    };
    let _one = lb0.keepalived(&instance.to_string())?;
    held(lb0, VIP)?;
    let (status, evidence) = who(third, &[VIP])?;
    assert_eq!(status, 0, "{evidence}");
    assert_eq!(answers(&evidence), [is("00:00:5e:00:01:33", "virtual-mac")]);
    let (status, evidence) = who(lb0, &[VIP])?;
    assert_eq!(status, 0, "{evidence}");
    assert_eq!(evidence["held"]["interface"], "vrrp.51", "{evidence}");
    Ok(())
}

#[test]
fn an_ipv6_address_is_asked_for_by_neighbour_discovery() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    let addresses = ["fe80::77:100/64", "fd77::100/64"];
    let _one = lb0.keepalived(&Instance::version_3(150, &addresses).to_string())?;
    held(lb0, "fd77::100")?;
    for address in ["fd77::100", "fe80::77:100"] {
        let (status, who) = who(third, &[address])?;
        assert_eq!(status, 0, "{who}");
        assert_eq!(answers(&who), [is(&lb0.mac_text(), "active-router")]);
    }
    let output = run(third, &["arping", "-c", "1", "fd77::100"])?;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    Ok(())
}

#[test]
fn two_hundred_addresses_in_one_command() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    let addresses: Vec<String> = (51..=250).map(|last| format!("10.77.0.{last}")).collect();
    let with_prefix: Vec<String> = addresses.iter().map(|one| format!("{one}/24")).collect();
    let with_prefix: Vec<&str> = with_prefix.iter().map(String::as_str).collect();
    let instance = Instance {
        addresses: &with_prefix,
        ..Instance::usual(150)
    };
    let watcher = Watcher::start(third, &["-i", "eth0"])?;
    let _one = lb0.keepalived(&instance.to_string())?;
    // Between its first advert and the next keepalived adds and announces them all.
    let limit = Duration::from_mins(1);
    wait_until("adverts at their pace", limit, || {
        let records = watcher.records().unwrap_or_default();
        let adverts = records.iter().filter(|it| it["record"] == "advert");
        adverts.count() >= 3
    })?;
    watcher.stop()?;
    let args: Vec<&str> = ["who"]
        .into_iter()
        .chain(addresses.iter().map(String::as_str))
        .collect();
    let (status, all) = ask(third, &args)?;
    assert_eq!(all.len(), addresses.len());
    for (who, address) in all.iter().zip(&addresses) {
        assert_eq!(who["address"], **address);
        assert_eq!(
            answers(who),
            [is(&lb0.mac_text(), "active-router")],
            "{who}"
        );
    }
    assert_eq!(status, 0);
    Ok(())
}
