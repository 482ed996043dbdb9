//! `run --probe` beside tcpdump: what is asked for, what is found, and what is not sent.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Result;
use serde_json::Value;
use vrrp_tests::lab::{Instance, Lab, tcpdump_lines};

use crate::{
    asked::held,
    watcher::{Watcher, nanos},
};

const VIP: &str = "10.77.0.100";
const PROBE: [&str; 5] = ["-i", "eth0", "--probe", "--probe-interval", "2s"];

fn is_finding(record: &Value, code: &str, status: &str) -> bool {
    record["record"] == "finding" && record["code"] == code && record["status"] == status
}

/// The codes of all findings raised.
fn raised(records: &[Value]) -> BTreeSet<String> {
    records
        .iter()
        .filter(|record| record["record"] == "finding" && record["status"] == "raised")
        .filter(|record| record["severity"] != "info")
        .filter_map(|record| record["code"].as_str().map(str::to_owned))
        .collect()
}

fn codes<const N: usize>(codes: [&str; N]) -> BTreeSet<String> {
    codes.into_iter().map(str::to_owned).collect()
}

fn is_answer(record: &Value, mac: &str, role: &str) -> bool {
    record["record"] == "probe"
        && record["answers"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|answer| answer["mac"] == mac && answer["role"] == role)
}

#[test]
fn a_takeover_is_timed() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let watcher = Watcher::start(third, &PROBE)?;
    let one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let _other = lb1.keepalived(&Instance::usual(100).to_string())?;
    watcher.expect("an answer of lb0", |record| {
        is_answer(record, &lb0.mac_text(), "active-router")
    })?;
    one.stop()?;
    let state = watcher.expect("the takeover", |record| {
        record["record"] == "announced" && record["to"] == "10.77.0.11"
    })?;
    let converged = state["converged_ms"].as_u64();
    assert!(converged.is_some_and(|millis| millis < 1500), "{state}");
    watcher.expect("an answer of lb1", |record| {
        is_answer(record, &lb1.mac_text(), "active-router")
    })?;
    assert_eq!(raised(&watcher.stop()?), codes([]));
    Ok(())
}

#[test]
fn an_address_that_the_active_router_does_not_answer_for() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    let watcher = Watcher::start(third, &PROBE)?;
    watcher.expect("an answer", |record| {
        is_answer(record, &lb0.mac_text(), "active-router")
    })?;
    // keepalived adds an address again that somebody deletes, so it is kept from answering.
    let arp_ignore = "net/ipv4/conf/eth0/arp_ignore";
    lb0.namespace().sysctl(arp_ignore, "8")?;
    watcher.expect("vip-unanswered", |record| {
        is_finding(record, "vip-unanswered", "raised")
    })?;
    // Somebody else has it.
    lb1.add_address("10.77.0.100/24")?;
    let wrong = watcher.expect("vip-wrong-answer", |record| {
        is_finding(record, "vip-wrong-answer", "raised")
    })?;
    assert_eq!(wrong["cause"], "outsider", "{wrong}");
    // And now both.
    lb0.namespace().sysctl(arp_ignore, "0")?;
    let both = watcher.expect("vip-conflict", |record| {
        is_finding(record, "vip-conflict", "raised")
    })?;
    let message = both["message"].as_str().unwrap_or_default();
    for mac in [lb0.mac_text(), lb1.mac_text()] {
        assert!(message.contains(&mac), "{both}");
    }
    lb1.delete_address("10.77.0.100/24")?;
    watcher.expect("vip-conflict to end", |record| {
        is_finding(record, "vip-conflict", "cleared")
    })?;
    let records = watcher.stop()?;
    let expected = ["vip-unanswered", "vip-wrong-answer", "vip-conflict"];
    assert_eq!(raised(&records), codes(expected));
    for code in expected {
        let is_over = |record| is_finding(record, code, "cleared");
        assert!(records.iter().any(is_over), "{code} is over");
    }
    Ok(())
}

#[test]
fn two_answers_in_a_split_brain() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    lab.switch().block_vrrp("lb0", "lb1")?;
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let _other = lb1.keepalived(&Instance::usual(100).to_string())?;
    held(lb0, VIP)?;
    held(lb1, VIP)?;
    let watcher = Watcher::start(third, &PROBE)?;
    let conflict = watcher.expect("vip-conflict", |record| {
        is_finding(record, "vip-conflict", "raised")
    })?;
    let message = conflict["message"].as_str().unwrap_or_default();
    for mac in [lb0.mac_text(), lb1.mac_text()] {
        assert!(message.contains(&mac), "{conflict}");
    }
    let raised = raised(&watcher.stop()?);
    assert_eq!(raised, codes(["split-brain", "vip-conflict"]));
    Ok(())
}

#[test]
fn a_killed_router_leaves_its_address_behind() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    let watcher = Watcher::start(third, &PROBE)?;
    watcher.expect("an answer", |record| {
        is_answer(record, &lb0.mac_text(), "active-router")
    })?;
    one.kill()?;
    watcher.expect("vip-without-master", |record| {
        is_finding(record, "vip-without-master", "raised")
    })?;
    let _other = lb1.keepalived(&Instance::usual(100).to_string())?;
    let conflict = watcher.expect("vip-conflict", |record| {
        is_finding(record, "vip-conflict", "raised")
    })?;
    assert_eq!(conflict["cause"], "leftover", "{conflict}");
    let records = watcher.stop()?;
    let is_over = |record| is_finding(record, "vip-without-master", "cleared");
    assert!(records.iter().any(is_over));
    Ok(())
}

#[test]
fn an_address_that_nobody_ever_advertised() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0", "third"])?;
    lab.host("lb0").add_address("10.77.0.100/24")?;
    let args = ["-i", "eth0", "--probe", VIP, "--probe-interval", "1s"];
    let watcher = Watcher::start(lab.host("third"), &args)?;
    let finding = watcher.expect("vip-without-master", |record| {
        is_finding(record, "vip-without-master", "raised")
    })?;
    assert_eq!(finding["addresses"][0], VIP, "{finding}");
    watcher.stop()?;
    Ok(())
}

#[test]
fn two_hundred_addresses_are_no_storm() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    let addresses: Vec<String> = (1..=200)
        .map(|last| format!("10.77.0.{last}/24"))
        .filter(|address| {
            !["10.77.0.10/24", "10.77.0.11/24", "10.77.0.50/24"].contains(&address.as_str())
        })
        .collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let instance = Instance {
        addresses: &addresses,
        ..Instance::usual(150)
    };
    let capture = third.capture("arp and arp[6:2] == 1 and ether src 02:00:00:00:00:c3")?;
    let watcher = Watcher::start(third, &["-i", "eth0", "--probe"])?;
    let _one = lb0.keepalived(&instance.to_string())?;
    let mut answered = BTreeSet::new();
    watcher_long(&watcher, |record| {
        if is_answer(record, &lb0.mac_text(), "active-router") {
            answered.extend(record["address"].as_str().map(str::to_owned));
        }
        answered.len() == addresses.len()
    })?;
    let records = watcher.stop()?;
    let mut raised = raised(&records);
    // keepalived may be late with its adverts while it adds so many, and on a busy machine nobody
    // advertises for seconds while it announces them.
    raised.remove("advert-gap");
    if longest_gap(&records)? > MASTER_DOWN {
        for code in ["flood", "no-master", "unheard-master", "vip-without-master"] {
            raised.remove(code);
        }
    }
    assert_eq!(raised, codes([]));
    let lines = tcpdump_lines(&capture.finish()?, &["-tt"])?;
    let times: Vec<f64> = lines
        .iter()
        .filter(|line| line.contains("tell 10.77.0.50"))
        .filter_map(|line| line.split(' ').next()?.parse().ok())
        .collect();
    for (position, begin) in times.iter().enumerate() {
        let within = times[position..]
            .iter()
            .take_while(|time| **time < begin + 1.0);
        // The bucket, and what a busy machine sends late.
        assert!(within.count() <= 25, "a storm at {begin}");
    }
    Ok(())
}

/// When a backup takes over from a router that advertises each second, at the earliest.
const MASTER_DOWN: Duration = Duration::from_secs(3);

/// The longest time between two adverts.
fn longest_gap(records: &[Value]) -> Result<Duration> {
    let adverts = records.iter().filter(|it| it["record"] == "advert");
    let times = adverts.map(nanos).collect::<Result<Vec<i128>>>()?;
    let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
    let longest = u64::try_from(gaps.max().unwrap_or_default())?;
    Ok(Duration::from_nanos(longest))
}

/// Waits as long as 200 addresses take, at 20 a second.
fn watcher_long(watcher: &Watcher, mut done: impl FnMut(&Value) -> bool) -> Result<()> {
    for part in 1..=4 {
        if watcher
            .expect(&format!("all answers, part {part}"), &mut done)
            .is_ok()
        {
            return Ok(());
        }
    }
    watcher.expect("the last answer", done).map(drop)
}

#[test]
fn without_the_option_no_frame_is_sent() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    let capture = third.capture("ether src 02:00:00:00:00:c3 and (arp or icmp6)")?;
    let watcher = Watcher::start(third, &["-i", "eth0", "--watch", VIP])?;
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let mut adverts = 0;
    watcher.expect("some adverts", |record| {
        adverts += u32::from(record["record"] == "advert");
        adverts == 5
    })?;
    watcher.stop()?;
    let lines = tcpdump_lines(&capture.finish()?, &[])?;
    let asks = |line: &&String| line.contains("who-has 10.77.0.") || line.contains("who has fd77");
    let asked: Vec<_> = lines.iter().filter(asks).collect();
    assert!(asked.is_empty(), "{asked:?}");
    Ok(())
}

#[test]
fn what_cannot_be_asked_for_is_said_once() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    third
        .namespace()
        .ip("address flush dev eth0 scope global")?;
    let capture = third.capture("arp and ether src 02:00:00:00:00:c3")?;
    let args = ["-i", "eth0", "--probe", "--probe-interval", "1s"];
    let watcher = Watcher::start(third, &args)?;
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let mut adverts = 0;
    watcher.expect("some adverts", |record| {
        adverts += u32::from(record["record"] == "advert");
        adverts == 5
    })?;
    let records = watcher.stop()?;
    let said: Vec<_> = records
        .iter()
        .filter(|record| record["record"] == "probe")
        .collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0]["outcome"], "not-asked");
    assert_eq!(said[0]["reason"], "no-address");
    assert!(tcpdump_lines(&capture.finish()?, &[])?.is_empty());
    Ok(())
}
