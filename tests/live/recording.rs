//! A run that is recorded, and replayed: the records are the same to the last byte.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use vrrp_tests::lab::{
    Host, Instance, Lab, Process, Stream, Tee, tcpdump_lines, vrrpwatch, wait_for,
};

use crate::{
    findings::scene::{ELECTION, fast, pair},
    watcher::LIMIT,
};

/// A run of which the records are taken as they are written.
struct Recorded {
    process: Process,
    file: PathBuf,
}

impl Recorded {
    fn start(lab: &Lab, host: &Host, options: &[&str]) -> Result<Self> {
        let file = lab.directory().join("run.pcapng");
        let name = file.to_str().context("UTF-8")?;
        let args = ["run", "--format", "json", "-i", "eth0", "--record", name];
        let args = args.iter().chain(options);
        let process = host.spawn(vrrpwatch()?, args, Tee::Nothing)?;
        process.expect_line(Stream::Stdout, "the start", LIMIT, |line| {
            line.contains("\"start\"")
        })?;
        Ok(Self { process, file })
    }

    fn expect(&self, what: &str, wanted: impl Fn(&str) -> bool) -> Result<()> {
        let lines = || self.process.lines(Stream::Stdout);
        wait_for(what, LIMIT * 2, || {
            lines().iter().any(|line| wanted(line)).then_some(())
        })
    }

    /// Ends the run. Gives back its records and the recording.
    fn end(mut self) -> Result<(Vec<String>, PathBuf)> {
        self.process.signal(Signal::SIGTERM)?;
        let status = self.process.wait(LIMIT)?;
        ensure!(status.success(), "{status}");
        Ok((self.process.lines(Stream::Stdout), self.file))
    }
}

fn replayed(file: &Path) -> Result<Vec<String>> {
    let output = Command::new(vrrpwatch()?)
        .args(["replay", "--format", "json", "--fail-on", "never"])
        .arg(file)
        .output()?;
    ensure!(output.status.success(), "{output:?}");
    ensure!(output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// The first line in which the two differ says more than all of them.
fn assert_same(run: &[String], replay: &[String]) -> Result<()> {
    for (line, other) in run.iter().zip(replay) {
        ensure!(line == other, "run:    {line}\nreplay: {other}");
    }
    ensure!(
        run.len() == replay.len(),
        "{} and {} records",
        run.len(),
        replay.len()
    );
    Ok(())
}

#[test]
fn a_failover_with_log_configuration_probes_and_traffic() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0", "lb1", "third"])?;
    let (one, other) = pair(&lab, &Instance::usual(150), &Instance::usual(100))?;
    let host = lab.host("lb1");
    let log = host.keepalived_log().display().to_string();
    let conf = other.configuration().display().to_string();
    let options = [
        "--log",
        &log,
        "--keepalived-conf",
        &conf,
        "--probe",
        "--vip-traffic",
        "--vip-traffic-interval",
        "1s",
    ];
    let run = Recorded::start(&lab, host, &options)?;
    run.expect("an advert", |line| line.contains("\"advert\""))?;
    one.stop()?;
    other.expect_state("MASTER", ELECTION)?;
    run.expect("the takeover", |line| line.contains("\"state\""))?;
    run.expect("an answer", |line| line.contains("\"probe\""))?;
    // Nobody listens there: what counts is the question.
    let to = SocketAddr::from(([10, 77, 0, 100], 80));
    let refused = lab.host("third").namespace().inside(|| {
        let connected = TcpStream::connect_timeout(&to, LIMIT);
        Ok(connected.is_err())
    })?;
    ensure!(refused, "somebody listens");
    run.expect("the traffic", |line| line.contains("\"traffic\""))?;
    let (records, file) = run.end()?;
    assert_same(&records, &replayed(&file)?)?;

    let bytes = fs::read(&file)?;
    let password = b"testpass";
    ensure!(
        !bytes
            .windows(password.len())
            .any(|window| window == password),
        "the password is in the recording"
    );
    // Others read the frames, and find their checksums right.
    let lines = tcpdump_lines(&file, &["-vv"])?;
    let adverts = lines.iter().filter(|line| line.contains("VRRPv2")).count();
    ensure!(adverts > 0, "{lines:?}");
    ensure!(
        !lines.iter().any(|line| line.contains("bad vrrp cksum")),
        "{lines:?}"
    );
    Ok(())
}

#[test]
fn blindness_and_a_split_brain() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0", "lb1", "third"])?;
    let (_one, other) = pair(&lab, &fast(150), &fast(100))?;
    let host = lab.host("third");
    let run = Recorded::start(&lab, host, &[])?;
    run.expect("an advert", |line| line.contains("\"advert\""))?;
    lab.switch().block_vrrp("lb0", "lb1")?;
    other.expect_state("MASTER", ELECTION)?;
    run.expect("the split brain", |line| line.contains("\"split-brain\""))?;
    host.run("ip", &["link", "set", "eth0", "down"])?;
    run.expect("the blindness", |line| line.contains("\"blind\""))?;
    host.run("ip", &["link", "set", "eth0", "up"])?;
    run.expect("its end", |line| {
        line.contains("\"blind\"") && line.contains("\"cleared\"")
    })?;
    let (records, file) = run.end()?;
    assert_same(&records, &replayed(&file)?)
}
