//! `vrrpwatch arping` beside the distribution's.

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;
use serde_json::Value;
use vrrp_tests::lab::{Host, Instance, Lab, Process, Stream, Tee, vrrpwatch};

use crate::{
    asked::{ask, held, run},
    watcher::LIMIT,
};

const VIP: &str = "10.77.0.100";

/// The time in a line of arping, in microseconds: "... index=0 time=9.293 usec" by one author,
/// "... [02:00:00:00:00:A0]  0.512ms" by the other.
fn micros(line: &str) -> Option<f64> {
    let (number, unit) = match line.split_once("time=") {
        Some((_, rest)) => rest.split_once(' ')?,
        None => line.rsplit_once("]  ").and_then(|(_, rest)| {
            let unit = rest.find(|c: char| c.is_alphabetic())?;
            Some(rest.split_at(unit))
        })?,
    };
    let number: f64 = number.parse().ok()?;
    match unit.trim() {
        "usec" => Some(number),
        "msec" | "ms" => Some(number * 1e3),
        "sec" => Some(number * 1e6),
        _ => None,
    }
}

#[test]
fn macs_and_times_are_those_of_arping() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    // One after the other: arping takes the answers to others for its own.
    let theirs = third.run("arping", &["-I", "eth0", "-c", "3", VIP])?;
    let (status, lines) = ask(third, &["arping", "-c", "3", VIP])?;
    assert_eq!(status, 0);
    let replies: Vec<&str> = theirs
        .lines()
        .filter(|line| micros(line).is_some())
        .collect();
    let mac = lb0.mac_text();
    for line in &replies {
        assert!(line.to_lowercase().contains(&mac), "{line}");
    }
    let times: Vec<f64> = replies.iter().filter_map(|line| micros(line)).collect();
    assert_eq!(times.len(), 3, "{theirs}");
    let (statistics, answers) = lines.split_last().context("it said nothing")?;
    assert!(answers.iter().all(|answer| answer["mac"] == *mac));
    assert_eq!(answers.len(), 3);
    // Ours are stamped in the kernel, on the way out and in: the quickest is no slower than what a
    // program sees, but for what a busy machine does to either.
    let slowest = times.iter().copied().fold(0.0, f64::max);
    let quickest = statistics["macs"][0]["min_us"].as_f64().context("a time")?;
    assert!(quickest > 0.0, "{statistics}");
    assert!(
        quickest <= slowest + 5000.0,
        "{quickest} us, and arping says {theirs}"
    );
    Ok(())
}

#[test]
fn every_answer_is_a_line_and_the_last_is_the_sum() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    lb1.add_address("10.77.0.100/24")?;
    let (status, lines) = ask(third, &["arping", "-c", "3", "-i", "eth0", VIP])?;
    assert_eq!(status, 1, "two machines answer");
    let (statistics, answers) = lines.split_last().context("it said nothing")?;
    assert_eq!(statistics["record"], "statistics");
    assert_eq!(statistics["sent"], 3, "{statistics}");
    assert_eq!(statistics["received"], answers.len(), "{statistics}");
    assert_eq!(statistics["duplicates"], 3, "{statistics}");
    for sequence in 1..=3 {
        let of_one = answers.iter().filter(|one| one["sequence"] == sequence);
        let mut seen: Vec<(&Value, &Value)> = of_one
            .map(|answer| (&answer["mac"], &answer["duplicate"]))
            .collect();
        assert_eq!(seen.len(), 2, "{answers:#?}");
        assert_eq!((seen[0].1, seen[1].1), (&false.into(), &true.into()));
        seen.sort_by_key(|(mac, _)| mac.as_str());
        let macs: Vec<&Value> = seen.iter().map(|(mac, _)| *mac).collect();
        assert_eq!(macs, [&lb0.mac_text(), &lb1.mac_text()]);
    }
    Ok(())
}

#[test]
fn it_ends_by_number_or_by_time_and_asks_where_it_is_told() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    // A question a second, the first at once.
    let (status, lines) = ask(third, &["arping", "-w", "2.5", VIP])?;
    assert_eq!(status, 0);
    assert_eq!(lines.last().context("statistics")?["sent"], 3);
    // The earlier of the two.
    let (_, lines) = ask(third, &["arping", "-w", "10", "-c", "1", VIP])?;
    assert_eq!(lines.last().context("statistics")?["sent"], 1);
    // An interface that does not lead there, and one that is not there.
    third
        .namespace()
        .ip("link add name eth7 up type veth peer name far7\n\
             address add 10.78.0.50/24 dev eth7\n\
             link set dev far7 up")?;
    for (interface, expected) in [("eth7", 5), ("eth9", 2)] {
        let output = run(third, &["arping", "-i", interface, "-c", "1", VIP])?;
        assert_eq!(output.status.code(), Some(expected), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
    let (status, _) = ask(third, &["arping", "-i", "eth*", "-c", "1", VIP])?;
    assert_eq!(status, 0);
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
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    Ok(())
}

#[test]
fn in_a_split_brain_both_are_active() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    lab.switch().block_vrrp("lb0", "lb1")?;
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let _other = lb1.keepalived(&Instance::usual(100).to_string())?;
    held(lb0, VIP)?;
    held(lb1, VIP)?;
    let (status, lines) = ask(third, &["arping", "-c", "4", VIP])?;
    assert_eq!(status, 1);
    let (statistics, answers) = lines.split_last().context("it said nothing")?;
    // Before its first advert it is not known what a machine is.
    for answer in answers {
        let role = answer["role"].as_str();
        assert!(matches!(role, None | Some("active-router")), "{answer}");
    }
    let macs = statistics["macs"].as_array().context("MACs")?;
    assert_eq!(macs.len(), 2, "{statistics}");
    for mac in macs {
        assert_eq!(mac["role"], "active-router", "{statistics}");
    }
    Ok(())
}

#[test]
fn an_address_that_moves_is_held_once() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let _other = lb1.keepalived(&Instance::usual(100).to_string())?;
    held(lb0, VIP)?;
    let args = ["arping", "-c", "6", VIP];
    let mut process = third.spawn(vrrpwatch()?, args, Tee::Nothing)?;
    process.expect_line(Stream::Stdout, "the first answer", LIMIT, |line| {
        line.contains(&lb0.mac_text())
    })?;
    one.stop()?;
    let status = process.wait(LIMIT)?;
    let lines = process.lines(Stream::Stdout);
    assert_eq!(status.code(), Some(0), "{lines:#?}");
    let moved = format!("{VIP} moved from {} to {}", lb0.mac_text(), lb1.mac_text());
    assert!(lines.contains(&moved), "{lines:#?}");
    Ok(())
}

/// `arping` without an end, in JSON.
fn endless(host: &Host) -> Result<Process> {
    host.spawn(
        vrrpwatch()?,
        ["arping", VIP, "--format", "json"],
        Tee::Nothing,
    )
}

/// The next answer.
fn answer(arping: &Process) -> Result<Value> {
    let is_answer = |line: &str| line.contains(r#""record":"answer""#);
    let line = arping.expect_line(Stream::Stdout, "an answer", LIMIT, is_answer)?;
    Ok(serde_json::from_str(&line)?)
}

#[test]
fn a_signal_ends_it_with_the_sum() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    lb0.add_address("10.77.0.100/24")?;
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut arping = endless(third)?;
        answer(&arping)?;
        arping.signal(signal)?;
        assert_eq!(arping.wait(LIMIT)?.code(), Some(0), "{signal}");
        let lines = arping.lines(Stream::Stdout);
        let last = lines.last().context("the sum")?;
        assert!(last.contains(r#""record":"statistics""#), "{last}");
    }
    Ok(())
}

#[test]
fn it_goes_on_when_the_interface_is_back() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    lb0.add_address("10.77.0.100/24")?;
    let mut arping = endless(third)?;
    answer(&arping)?;
    third.namespace().ip("link set dev eth0 down")?;
    let told = |line: &str| line.contains("10.77.0.100 cannot be asked for");
    arping.expect_line(Stream::Stderr, "why it does not ask", LIMIT, told)?;
    third.namespace().ip("link set dev eth0 up")?;
    answer(&arping)?;
    arping.signal(Signal::SIGTERM)?;
    assert_eq!(arping.wait(LIMIT)?.code(), Some(0));
    assert_eq!(arping.lines(Stream::Stderr).len(), 1);
    Ok(())
}
