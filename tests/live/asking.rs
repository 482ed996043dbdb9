//! `who` and `arping` beside the distribution's arping, asked from every seat.

use std::{
    process::Output,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use vrrp_tests::lab::{Host, Instance, Lab, vrrpwatch, wait_until};

const VIP: &str = "10.77.0.100";
const ELECTION: Duration = Duration::from_secs(10);

/// Runs vrrpwatch on a host to its end.
fn run(host: &Host, args: &[&str]) -> Result<Output> {
    host.namespace()
        .command(vrrpwatch()?)?
        .args(args)
        .output()
        .context("could not run vrrpwatch")
}

/// The exit status and what it says of the address.
fn who(host: &Host, args: &[&str]) -> Result<(i32, Value)> {
    let args: Vec<&str> = ["who", "--format", "json"]
        .iter()
        .chain(args)
        .copied()
        .collect();
    let output = run(host, &args)?;
    let text = String::from_utf8(output.stdout)?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(complaint.is_empty(), "it complained: {complaint}");
    let line = text.lines().next().context("it said nothing")?;
    let status = output.status.code().context("it was killed")?;
    Ok((status, serde_json::from_str(line)?))
}

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

/// Waits until the address is where it should be.
fn held(host: &Host, address: &str) -> Result<()> {
    wait_until(&format!("{address} on {}", host.name()), ELECTION, || {
        host.has_address(address).unwrap_or(false)
    })
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
#[expect(
    clippy::disallowed_methods,
    reason = "how long it takes is what is asked"
)]
fn an_answer_takes_little_more_than_the_wait_for_an_advert() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    let instance = Instance {
        interval: "0.2",
        ..Instance::version_3(150, &["10.77.0.100/24"])
    };
    let _one = lb0.keepalived(&instance.to_string())?;
    held(lb0, VIP)?;
    let begun = Instant::now();
    let (status, who) = who(third, &[VIP])?;
    let taken = begun.elapsed();
    assert_eq!(status, 0, "{who}");
    let waited = who["waited_ms"].as_u64().context("a number")?;
    assert!(waited <= 400, "an advert comes every 200 ms: {who}");
    assert!(taken < Duration::from_secs(5), "{taken:?}");
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
    assert_eq!(status, 1, "nobody advertises it: {alone}");
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
    // The network lies behind another interface as well, by a better route.
    lb1.namespace()
        .ip("link add name back0 up type veth peer name back1\n\
         link set dev back1 up\n\
         route add 10.77.0.0/25 dev back0")?;
    lb1.namespace()
        .sysctl("net/ipv4/conf/eth0/proxy_arp", "1")?;
    lb1.namespace().sysctl("net/ipv4/conf/all/rp_filter", "0")?;
    lb1.namespace()
        .sysctl("net/ipv4/conf/eth0/rp_filter", "0")?;
    lb1.namespace().sysctl("net/ipv4/ip_forward", "1")?;
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
fn arping_tells_whose_mac_it_is_and_points_out_duplicates() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    let output = run(third, &["arping", "-c", "2", VIP])?;
    let text = String::from_utf8(output.stdout)?;
    assert_eq!(output.status.code(), Some(0), "{text}");
    let reply = format!("reply from {VIP} [{}] seq=1", lb0.mac_text());
    assert!(text.contains(&reply), "{text}");
    assert!(text.contains("active router 10.77.0.10"), "{text}");
    assert!(
        text.contains("2 sent, 2 received, 0 unanswered, 0 duplicates"),
        "{text}"
    );
    assert!(text.contains("min/avg/max"), "{text}");

    lb1.add_address("10.77.0.100/24")?;
    let output = run(third, &["arping", "-w", "3", VIP])?;
    let text = String::from_utf8(output.stdout)?;
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("(DUP!)"), "{text}");
    assert!(text.contains("2 MACs answer"), "{text}");

    let output = run(third, &["arping", "-w", "1", "10.77.0.200"])?;
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let output = run(third, &["arping", "192.0.2.1"])?;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    Ok(())
}
