//! What the daemon says, against what it does.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use vrrp_tests::lab::{Lab, Tee};

use super::{
    SECOND,
    scene::{ELECTION, MASTER_DOWN, Scene, assert_after, assert_within, clock, fast},
};

#[test]
fn announcements_that_do_not_leave_are_not_sent() -> Result<()> {
    let lab = Lab::new()?;
    let master = lab.host("lb0");
    // keepalived sends them past the ARP tables; the egress hook of the device gets all.
    let chain = "{ type filter hook egress device eth0 priority 0; }";
    master.run("nft", &["add", "table", "netdev", "test"])?;
    master.run("nft", &["add", "chain", "netdev", "test", "out", chain])?;
    let rule = [
        "add", "rule", "netdev", "test", "out", "ether", "type", "arp", "drop",
    ];
    master.run("nft", &rule)?;
    let scene = Scene::with_log(master)?;
    let mut often = fast(150);
    often.extra = "garp_master_refresh 2";
    let one = master.keepalived(&often.to_string())?;
    one.expect_state("MASTER", ELECTION)?;
    let finding = scene.raised("garp-not-sent")?;
    let said = scene.find("the line", |record| {
        record["event"] == "garp_tx" && record["time"] == finding["evidence"][0]["time"]
    })?;
    // Its time is told in whole seconds, and a frame may be as late.
    assert_within(2 * SECOND, &said, &finding)?;
    assert_eq!(finding["addresses"][0], "10.77.0.100");

    // It announces them every other second.
    master.run("nft", &["delete", "table", "netdev", "test"])?;
    scene.cleared("garp-not-sent")?;
    scene.end_with(&["garp-not-sent"], &["garp-missing"])
}

#[test]
fn a_file_that_was_changed_and_not_read_has_drifted() -> Result<()> {
    let lab = Lab::new()?;
    let master = lab.host("lb0");
    let one = master.keepalived(&fast(150).to_string())?;
    one.expect_state("MASTER", ELECTION)?;
    one.rewrite(&fast(120).to_string())?;
    let conf = one.configuration().display().to_string();
    let scene = Scene::with(master, &["--keepalived-conf", &conf])?;
    let first = scene.advert(master, None)?;
    let finding = scene.raised("config-drift")?;
    assert_within(SECOND, &first, &finding)?;
    let message = finding["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("the priority is 120 in the file and 150 on the wire"),
        "{message}"
    );
    one.reload(&fast(120).to_string())?;
    scene.cleared("config-drift")?;
    scene.end(&["config-drift"])
}

#[test]
fn a_second_daemon_does_what_the_first_does_not_know() -> Result<()> {
    let lab = Lab::new()?;
    let host = lab.host("lb0");
    let scene = Scene::with_log(host)?;
    let first = host.keepalived(&fast(150).to_string())?;
    first.expect_state("MASTER", ELECTION)?;
    let mut tracking = fast(150);
    tracking.extra = "track_script {\n    broken\n}";
    let script = "vrrp_script broken {\n    script /bin/false\n    interval 1\n}\n";
    first.reload(&format!("{script}{tracking}"))?;
    first.expect_state("FAULT", ELECTION)?;

    let files = ["second.conf", "second.pid", "second.vrrp.pid"].map(|name| {
        let path = first.configuration().with_file_name(name);
        path.display().to_string()
    });
    let [conf, pid, vrrp_pid] = &files;
    std::fs::write(conf, fast(100).to_string()).context("could not write a configuration")?;
    let second = [
        "-P", "-l", "-D", "-n", "-f", conf, "-p", pid, "-r", vrrp_pid,
    ];
    let _second = host.spawn("keepalived", second, Tee::Nothing)?;
    let fault = scene.find("the line", |record| record["event"] == "state_fault")?;
    let advert = scene.advert(host, Some(&fault))?;
    let finding = scene.raised("log-wire-disagree")?;
    // The log's second may end later, and the state has to last.
    assert_within(MASTER_DOWN + 2 * SECOND, &advert, &finding)?;
    scene.end_with(&["log-wire-disagree"], &["no-master"])
}

#[test]
fn lines_that_were_left_out_are_a_gap() -> Result<()> {
    let lab = Lab::new()?;
    let host = lab.host("lb0");
    let scene = Scene::with_log(host)?;
    let one = host.keepalived(&fast(150).to_string())?;
    one.expect_state("MASTER", ELECTION)?;
    scene.settled(host)?;
    let mut log = std::fs::File::options()
        .append(true)
        .open(host.keepalived_log())
        .context("could not open the log")?;
    let told = clock()?;
    writeln!(
        log,
        "imuxsock lost 17 messages from pid 4242 due to rate-limiting"
    )?;
    let finding = scene.raised("log-gap")?;
    assert_after(told, SECOND, &finding)?;
    // What can only be told by a complete log is not told now.
    one.freeze()?;
    scene.raised("no-master")?;
    // That the process is stopped, the host shows without a log.
    scene.end_with(&["log-gap", "no-master"], &["daemon-stalled"])
}
