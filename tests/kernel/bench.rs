//! What a frame costs in the kernel: the shipped programs and empty ones in turns, under
//! `BPF_PROG_TEST_RUN`, timed by the kernel.
//!
//! Run it with `cargo xtask bench kernel`. It prints a table and a line for each budget; it never
//! fails for being slow, because the machine may be busy.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    net::IpAddr,
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use aya::{
    Ebpf,
    maps::{HashMap, MapData, RingBuf},
    programs::{SchedClassifier, TestRun as _, TestRunOptions, Xdp, XdpMode},
    test_helpers::NetNsGuard,
};
use vrrp_ebpf::{RING_BYTES, WatchKey, map, program, traffic::MacKey, watch_key_v4};
use vrrp_tests::frames;
use vrrp_user::{
    capture::{LoadSettings, open},
    observer::ArpMode,
};

/// How often each program gets its turn on each frame; odd, so that the median is a measurement.
const ROUNDS: usize = 101;
/// Runs in one turn where nothing is delivered.
const PASS_REPEAT: u32 = 20_000;

/// A frame that does not match may cost this many times what the empty program costs.
const PASS_BUDGET: f64 = 1.25;
/// A frame that matches may cost this many nanoseconds more than the empty program.
const MATCH_BUDGET: f64 = 250.0;

/// The ends of the frame that is counted.
const COUNTED: [[u8; 4]; 2] = [[192, 0, 2, 101], [192, 0, 2, 102]];
const OWN_MAC: MacKey = [2, 0, 0, 0, 0, 1];

/// A hook and the two programs to compare on it.
struct Pair {
    hook: &'static str,
    shipped: &'static str,
    empty: &'static str,
}

const PAIRS: [Pair; 3] = [
    Pair {
        hook: "xdp",
        shipped: program::XDP,
        empty: program::XDP_EMPTY,
    },
    Pair {
        hook: "tc-in",
        shipped: program::TC_INGRESS,
        empty: program::TC_EMPTY,
    },
    Pair {
        hook: "tc-out",
        shipped: program::TC_EGRESS,
        empty: program::TC_EMPTY,
    },
];

#[derive(Clone, Copy)]
enum Expect {
    Pass,
    /// An everyday match.
    Match,
    /// A match as large as they get: fewer of them fit the ring buffer.
    LargeMatch,
    /// A frame at programs that count traffic, which it is or is not: shown, for nobody has to
    /// count.
    Counting,
}

impl Expect {
    /// Runs in one turn: no more events than the ring buffer takes, in the size that ships, so
    /// that it is neither full nor larger than what the caches hold in real life.
    fn repeat(self) -> u32 {
        match self {
            Self::Pass | Self::Counting => PASS_REPEAT,
            Self::Match => RING_BYTES / 256,
            Self::LargeMatch => RING_BYTES / 4096,
        }
    }
}

fn main() -> Result<()> {
    let _namespace = NetNsGuard::new().context("a network namespace needs root")?;
    let (object, mut ring) = load(false, ["one", "other"])?;
    let (mut counting, mut counting_ring) = load(true, ["counting", "idle"])?;
    count(&mut counting)?;

    let mut table = format!(
        "{:<8}{:<22}{:>10}{:>10}{:>8}{:>8}\n",
        "hook", "frame", "empty ns", "ours ns", "ratio", "more"
    );
    let mut worst_ratio = 0.0_f64;
    let mut worst_more = 0.0_f64;
    for pair in &PAIRS {
        for (name, frame, expect) in bench_frames() {
            let (object, ring) = match expect {
                Expect::Counting => (&counting, &mut counting_ring),
                Expect::Pass | Expect::Match | Expect::LargeMatch => (&object, &mut ring),
            };
            let (empty, shipped) = compare(object, ring, pair, &frame, expect)?;
            let (ratio, more) = (shipped / empty, shipped - empty);
            match expect {
                Expect::Pass => worst_ratio = worst_ratio.max(ratio),
                Expect::Match | Expect::LargeMatch => worst_more = worst_more.max(more),
                Expect::Counting => {}
            }
            writeln!(
                table,
                "{:<8}{name:<22}{empty:>10.0}{shipped:>10.0}{ratio:>8.2}{more:>+8.0}",
                pair.hook
            )?;
        }
    }
    writeln!(
        table,
        "\nmedians of {ROUNDS} turns of many runs each\n\
         no match: at worst {worst_ratio:.2} times the empty program, budget {PASS_BUDGET}: {}\n\
         match:    at worst {worst_more:.0} ns more than the empty program, budget {MATCH_BUDGET}: {}",
        verdict(worst_ratio <= PASS_BUDGET),
        verdict(worst_more <= MATCH_BUDGET),
    )?;
    io::stdout().write_all(table.as_bytes())?;
    Ok(())
}

fn verdict(kept: bool) -> &'static str {
    if kept { "kept" } else { "EXCEEDED" }
}

fn bench_frames() -> Vec<(&'static str, Vec<u8>, Expect)> {
    let vip = "192.0.2.100".parse().expect("an address");
    let target = "fe80::100".parse().expect("an address");
    vec![
        ("UDP", frames::udp_v4(), Expect::Pass),
        ("TCP SYN", frames::tcp_syn(), Expect::Pass),
        (
            "UDP, VLAN",
            frames::tagged(&frames::udp_v4(), &[(0x8100, 100)]),
            Expect::Pass,
        ),
        ("UDP, IPv6", frames::udp_v6(), Expect::Pass),
        (
            "advert",
            frames::padded(frames::advert(), 60),
            Expect::Match,
        ),
        (
            "gratuitous ARP",
            frames::padded(frames::arp(true, vip, vip), 60),
            Expect::Match,
        ),
        (
            "unsolicited NA",
            frames::advertisement(target, target, false),
            Expect::Match,
        ),
        (
            "advert, 255 addresses",
            frames::ipv4(frames::VRRP, &frames::advert_v2(255)),
            Expect::LargeMatch,
        ),
        ("UDP, counting", frames::udp_v4(), Expect::Counting),
        ("TCP SYN, counted", counted(), Expect::Counting),
    ]
}

/// A frame that is counted on every hook.
fn counted() -> Vec<u8> {
    let [from, to] = COUNTED.map(IpAddr::from);
    frames::padded(frames::tcp(from, to, OWN_MAC, frames::SYN), 60)
}

/// Has both ends of that frame counted.
fn count(object: &mut Ebpf) -> Result<()> {
    let map = object.map_mut(map::COUNTED).context(map::COUNTED)?;
    let mut addresses: HashMap<_, WatchKey, u8> = map.try_into()?;
    for address in COUNTED {
        addresses.insert(watch_key_v4(address), 1, 0)?;
    }
    let map = object.map_mut(map::OWN_MACS).context(map::OWN_MACS)?;
    let mut macs: HashMap<_, MacKey, u8> = map.try_into()?;
    Ok(macs.insert(OWN_MAC, 1, 0)?)
}

fn load(traffic: bool, devices: [&str; 2]) -> Result<(Ebpf, RingBuf<MapData>)> {
    let settings = LoadSettings {
        arp: ArpMode::Watched,
        traffic,
        // The same frame again and again.
        budgets: false,
        ..LoadSettings::default()
    };
    let mut object = open(&settings).context("loading needs root")?;
    let [one, other] = devices;
    let link = ["link", "add", one, "type", "veth", "peer", "name", other];
    let made = Command::new("ip").args(link).status().context("ip")?;
    ensure!(made.success(), "ip {}", link.join(" "));
    for (name, device) in [(program::XDP, one), (program::XDP_EMPTY, other)] {
        let program: &mut Xdp = object.program_mut(name).context(name)?.try_into()?;
        program.load().context(name)?;
        // Nothing comes in: the devices are down. A program that is attached nowhere would be put
        // into the kernel's dispatcher for every turn, and measured after 20 idle ms, when the
        // caches have gone cold.
        program.attach(device, XdpMode::Skb).context(name)?;
    }
    for name in [program::TC_INGRESS, program::TC_EGRESS, program::TC_EMPTY] {
        let program: &mut SchedClassifier = object.program_mut(name).context(name)?.try_into()?;
        program.load().context(name)?;
    }
    let data = object.take_map(map::EVENTS).context("the ring buffer")?;
    Ok((object, RingBuf::try_from(data)?))
}

/// Medians of the empty and the shipped program on this frame, in nanoseconds a run.
fn compare(
    object: &Ebpf,
    ring: &mut RingBuf<MapData>,
    pair: &Pair,
    frame: &[u8],
    expect: Expect,
) -> Result<(f64, f64)> {
    let mut empty = Vec::with_capacity(ROUNDS);
    let mut shipped = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        empty.push(turn(object, pair.empty, frame, expect)?);
        shipped.push(turn(object, pair.shipped, frame, expect)?);
        let mut events = 0;
        while ring.next().is_some() {
            events += 1;
        }
        let expected = match expect {
            Expect::Pass | Expect::Counting => 0,
            Expect::Match | Expect::LargeMatch => expect.repeat(),
        };
        ensure!(events == expected, "{events} events of {expected}");
    }
    Ok((median(empty), median(shipped)))
}

/// One turn: the kernel's mean over its runs, in nanoseconds.
fn turn(object: &Ebpf, name: &str, frame: &[u8], expect: Expect) -> Result<f64> {
    let options = TestRunOptions {
        data_in: Some(frame),
        repeat: expect.repeat(),
        ..TestRunOptions::default()
    };
    let program = object.program(name).context("no such program")?;
    let result = if let Ok(xdp) = <&Xdp>::try_from(program) {
        xdp.test_run(options)?
    } else {
        <&SchedClassifier>::try_from(program)?.test_run(options)?
    };
    Ok(result.duration.as_secs_f64() * 1e9)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
