//! `cargo xtask bench live`: what watching an interface costs its traffic.
//!
//! Two hosts are joined by a veth pair, and one of them is watched, by turns in each way that there
//! is. Small frames go from a socket of one host to a socket of the other, in bursts, and one thread
//! does all of it; the stream is iperf3's. Each round measures every way once and begins with another
//! one, so that what else the machine does meets all alike; ratios are to the same round's turn with
//! nothing attached. A second such turn in each round shows what the measurement is worth.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::{
    net::UdpSocket,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use vrrp_tests::lab::{Host, Lab, Process, Stream, Tee, vrrpwatch, wait_for};

/// Odd, so that a median is a measurement.
const ROUNDS: usize = 9;
/// Frames that are sent before they are received: they fit the socket's buffer many times.
const BURST: u32 = 32;
/// Bursts that are timed as one, about a millisecond.
const BURSTS: u32 = 16;
/// How often that is timed in a turn. The median passes over what else ran meanwhile.
const SAMPLES: usize = 301;
/// With its headers a frame of the smallest size, 60 bytes.
const PAYLOAD: [u8; 18] = [0; 18];
/// Seconds of a stream, and those at its start that do not count.
const STREAM: [&str; 4] = ["-t", "2", "-O", "0.3"];
const LIMIT: Duration = Duration::from_secs(20);
/// The addresses of the hosts.
const ENDS: [&str; 2] = ["192.0.2.1", "192.0.2.2"];

/// A way of watching.
#[derive(Clone, Copy)]
enum Way {
    Nothing,
    /// vrrpwatch in this mode.
    Mode(&'static str),
    Tcpdump,
}

const WAYS: [(&str, Way); 6] = [
    ("nothing", Way::Nothing),
    ("nothing, again", Way::Nothing),
    ("vrrpwatch run (--mode auto)", Way::Mode("auto")),
    ("tcpdump 'ip proto 112 or arp'", Way::Tcpdump),
    ("--mode xdp-generic", Way::Mode("xdp-generic")),
    ("--mode xdp-native", Way::Mode("xdp-native")),
];

/// What was measured in one turn.
#[derive(Clone, Copy)]
struct Turn {
    /// Nanoseconds for a small frame, sent and received.
    frame: f64,
    /// Gigabits a second.
    stream: f64,
}

/// The hosts, and the sockets of the small frames.
struct Bench<'a> {
    watched: &'a Host,
    other: &'a Host,
    sender: UdpSocket,
    receiver: UdpSocket,
    server: Process,
}

fn main() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0", "lb1"])?;
    let bench = Bench::new(&lab)?;
    bench.turn(Way::Nothing).context("a turn to warm up")?;
    let mut turns: Vec<Vec<Turn>> = vec![Vec::new(); WAYS.len()];
    for round in 0..ROUNDS {
        for place in 0..WAYS.len() {
            let way = (place + round) % WAYS.len();
            turns[way].push(bench.turn(WAYS[way].1)?);
        }
    }
    let nothing = turns[0].clone();
    let kernel = nix::sys::utsname::uname()?;
    println!(
        "Linux {}, {} CPUs; medians of {ROUNDS} rounds, in brackets the middle half of them",
        kernel.release().to_string_lossy(),
        std::thread::available_parallelism()?
    );
    println!(
        "{:<31}{:<26}{:<8}{:<30}ratio",
        "attached", "a small frame", "ratio", "a TCP stream"
    );
    for ((name, _), turns) in WAYS.iter().zip(&turns) {
        let ratio = |of: fn(&Turn) -> f64| {
            let ratios = turns
                .iter()
                .zip(&nothing)
                .map(|(turn, bare)| of(turn) / of(bare));
            quartiles(ratios).1
        };
        let (low, frame, high) = quartiles(turns.iter().map(|turn| turn.frame));
        let frames = format!("{frame:.0} ns ({low:.0} to {high:.0})");
        let (low, stream, high) = quartiles(turns.iter().map(|turn| turn.stream));
        let streams = format!("{stream:.1} Gbit/s ({low:.1} to {high:.1})");
        println!(
            "{name:<31}{frames:<26}{:<8.2}{streams:<30}{:.2}",
            ratio(|turn| turn.frame),
            ratio(|turn| turn.stream)
        );
    }
    Ok(())
}

impl<'a> Bench<'a> {
    fn new(lab: &'a Lab) -> Result<Self> {
        let (other, watched) = (lab.host("lb0"), lab.host("lb1"));
        // Without the switch of the laboratory between them.
        other.namespace().ip(&format!(
            "link add name wire type veth peer name wire netns {}\n\
             address add {}/30 dev wire\n\
             link set dev wire up",
            watched.namespace().name(),
            ENDS[0]
        ))?;
        watched.namespace().ip(&format!(
            "address add {}/30 dev wire\nlink set dev wire up",
            ENDS[1]
        ))?;
        let open = |host: &Host, address: &str| {
            host.namespace()
                .inside(|| UdpSocket::bind((address, 0)).context("could not open a socket"))
        };
        let sender = open(other, ENDS[0])?;
        let receiver = open(watched, ENDS[1])?;
        receiver.set_read_timeout(Some(LIMIT))?;
        sender.connect(receiver.local_addr()?)?;
        let server = watched.spawn(
            "iperf3",
            ["-s", "-B", ENDS[1], "--forceflush"],
            Tee::Nothing,
        )?;
        server.expect_line(Stream::Stdout, "its port", LIMIT, |line| {
            line.contains("listening")
        })?;
        Ok(Self {
            watched,
            other,
            sender,
            receiver,
            server,
        })
    }

    fn turn(&self, way: Way) -> Result<Turn> {
        let mut watcher = self.attach(way)?;
        let turn = Turn {
            frame: self.small_frame()?,
            stream: self.stream()?,
        };
        if let Some(watcher) = &mut watcher {
            let status = watcher.stop(Signal::SIGINT, LIMIT)?;
            ensure!(status.success(), "it ended with {status}");
        }
        Ok(turn)
    }

    fn attach(&self, way: Way) -> Result<Option<Process>> {
        let (program, args, stream, ready) = match way {
            Way::Nothing => return Ok(None),
            Way::Mode(mode) => (
                vrrpwatch()?,
                vec!["run", "-i", "wire", "--mode", mode],
                Stream::Stdout,
                "wire",
            ),
            Way::Tcpdump => (
                "tcpdump".into(),
                vec!["-i", "wire", "-w", "/dev/null", "ip proto 112 or arp"],
                Stream::Stderr,
                "listening on",
            ),
        };
        let process = self.watched.spawn(program, args, Tee::Nothing)?;
        process.expect_line(stream, "its start", LIMIT, |line| line.contains(ready))?;
        Ok(Some(process))
    }

    /// Nanoseconds that one small frame takes, sent and received.
    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
    fn small_frame(&self) -> Result<f64> {
        let mut received = PAYLOAD;
        let mut samples = Vec::with_capacity(SAMPLES);
        for _ in 0..SAMPLES {
            let begun = Instant::now();
            for _ in 0..BURSTS {
                for _ in 0..BURST {
                    self.sender.send(&PAYLOAD)?;
                }
                for _ in 0..BURST {
                    self.receiver
                        .recv(&mut received)
                        .context("a frame is lost")?;
                }
            }
            samples.push(begun.elapsed());
        }
        samples.sort();
        let frames = f64::from(BURSTS * BURST);
        Ok(samples[SAMPLES / 2].as_secs_f64() * 1e9 / frames)
    }

    /// Gigabits a second of a TCP stream to the watched host.
    fn stream(&self) -> Result<f64> {
        // The server may not have got over the last one.
        let output = wait_for("a stream", LIMIT, || {
            let args = [&["-c", ENDS[1], "-J"][..], &STREAM].concat();
            self.other.run("iperf3", &args).ok()
        })
        .map_err(|error| self.server.explain(&error))?;
        let result: serde_json::Value = serde_json::from_str(&output)?;
        let rate = result["end"]["sum_received"]["bits_per_second"].as_f64();
        Ok(rate.with_context(|| format!("iperf3 tells no rate: {output}"))? / 1e9)
    }
}

/// The first quarter, the middle and the last quarter.
fn quartiles(values: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |quarter: usize| values[(values.len() - 1) * quarter / 4];
    (at(1), at(2), at(3))
}
