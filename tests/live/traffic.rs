//! Traffic of virtual addresses: counted beside tcpdump, and found where it should not be.

use std::{
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use serde_json::Value;
use vrrp_tests::{
    frames,
    lab::{Host, Instance, Lab, tcpdump_lines},
};

use crate::{
    asked::{held, run, who},
    watcher::Watcher,
    wire::second_cable,
};

const VIP: &str = "10.77.0.100";
const LIMIT: Duration = Duration::from_secs(10);
const COUNTING: [&str; 3] = ["--vip-traffic", "--vip-traffic-interval", "1s"];

/// A service on port 80 of every address of the host. Nobody need take the connections: the kernel
/// makes them.
fn serve(host: &Host) -> Result<TcpListener> {
    host.namespace()
        .inside(|| TcpListener::bind("[::]:80").context("could not listen"))
}

/// Opens that many connections, one after the other, and closes them.
fn connect(host: &Host, address: &str, times: usize) -> Result<()> {
    let to = SocketAddr::new(address.parse::<IpAddr>()?, 80);
    host.namespace().inside(|| {
        for _ in 0..times {
            TcpStream::connect_timeout(&to, LIMIT).context("could not connect")?;
        }
        Ok(())
    })
}

/// Goes on trying to open connections, ten a second, while `work` is done.
fn while_trying<T>(host: &Host, address: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let to = SocketAddr::new(address.parse::<IpAddr>()?, 80);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let client = scope.spawn(|| {
            host.namespace().inside(|| {
                while !over.load(Ordering::Relaxed) {
                    let answered = TcpStream::connect_timeout(&to, Duration::from_millis(100));
                    if answered.is_ok() {
                        // As slowly as those that are not answered.
                        thread::park_timeout(Duration::from_millis(100));
                    }
                }
                Ok(())
            })
        });
        let done = work();
        over.store(true, Ordering::Relaxed);
        let client = client.join();
        client.unwrap_or_else(|_panic| Err(anyhow!("the client panicked")))?;
        done
    })
}

/// Lets the host take `other` for the holder of the address, whatever it is told.
fn mislead(host: &Host, address: &str, other: &Host) -> Result<()> {
    host.namespace().ip(&format!(
        "neighbour replace {address} lladdr {} dev eth0 nud permanent",
        other.mac_text()
    ))
}

/// All that was counted: packets, bytes, SYN.
fn total(records: &[Value], way: &str) -> [u64; 3] {
    let mut total = [0; 3];
    for record in records.iter().filter(|one| one["record"] == "traffic") {
        for (sum, key) in total.iter_mut().zip(["packets", "bytes", "syns"]) {
            *sum += record[way][key].as_u64().expect("a number");
        }
    }
    total
}

/// The same by tcpdump.
fn witnessed(file: &Path, way: &str) -> Result<[u64; 3]> {
    let end = if way == "in" { "dst" } else { "src" };
    let mut total = [0; 3];
    for line in tcpdump_lines(file, &["-e", &format!("{end} host {VIP}")])? {
        // "... ethertype IPv4 (0x0800), length 74: 10.77.0.50.40000 > ..."
        let (_, rest) = line.split_once(", length ").context("a length")?;
        let length = rest.split(':').next().context("a number")?;
        total[0] += 1;
        total[1] += length.parse::<u64>()?;
        total[2] += u64::from(line.contains("Flags [S],"));
    }
    Ok(total)
}

fn is_finding(record: &Value, status: &str) -> bool {
    record["record"] == "finding"
        && record["code"] == "traffic-at-standby"
        && record["status"] == status
}

#[test]
fn what_is_counted_is_what_tcpdump_sees() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, third) = (lab.host("lb0"), lab.host("third"));
    let _service = serve(lb0)?;
    let capture = lb0.capture("host 10.77.0.100 and tcp")?;
    let watcher = Watcher::start(
        lb0,
        &[&["-i", "eth0", "--watch", VIP], &COUNTING[..]].concat(),
    )?;
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    connect(third, VIP, 20)?;
    // The router's own address is none that is counted.
    connect(third, "10.77.0.10", 5)?;
    let record = watcher.expect("traffic", |record| {
        record["record"] == "traffic" && record["in"]["syns"].as_u64() > Some(0)
    })?;
    assert_eq!(record["address"], VIP, "{record}");
    assert_eq!(record["interface"], "eth0", "{record}");
    assert!(record["counted_ms"].as_u64() >= Some(1000), "{record}");
    // Of the last connection, too, every segment has come and gone.
    let quiet = |record: &Value| record["record"] == "traffic" && record["in"]["packets"] == 0;
    watcher.expect("an interval without traffic", quiet)?;
    let file = capture.finish()?;
    let records = watcher.stop()?;
    let addresses = records.iter().filter(|one| one["record"] == "traffic");
    assert!(addresses.into_iter().all(|one| one["address"] == VIP));
    assert!(!records.iter().any(|one| is_finding(one, "raised")));
    assert_eq!(total(&records, "in")[2], 20);
    assert_eq!(total(&records, "out")[2], 0);
    for way in ["in", "out"] {
        assert_eq!(total(&records, way), witnessed(&file, way)?, "{way}");
    }
    Ok(())
}

#[test]
fn a_standby_that_gets_the_connections() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _services = (serve(lb0)?, serve(lb1)?);
    let one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let _other = lb1.keepalived(&Instance::usual(100).to_string())?;
    held(lb0, VIP)?;
    let args = [&["-i", "eth0"], &COUNTING[..]].concat();
    let [at_lb0, at_lb1, at_third] = [
        Watcher::start(lb0, &args)?,
        Watcher::start(lb1, &args)?,
        Watcher::start(third, &args)?,
    ];
    mislead(third, VIP, lb1)?;
    while_trying(third, VIP, || {
        let finding = at_lb1.expect("traffic-at-standby", |record| is_finding(record, "raised"))?;
        assert_eq!(finding["severity"], "warning", "{finding}");
        assert_eq!(finding["addresses"][0], VIP, "{finding}");
        assert_eq!(finding["sources"][0], "10.77.0.10", "{finding}");
        Ok(())
    })?;
    // It ends when the connections do.
    at_lb1.expect("its end", |record| is_finding(record, "cleared"))?;
    // And when the host becomes active.
    while_trying(third, VIP, || {
        at_lb1.expect("the same again", |record| is_finding(record, "raised"))?;
        one.stop()?;
        at_lb1.expect("lb1 to be right", |record| is_finding(record, "cleared"))
    })?;
    for (name, watcher) in [("lb0", at_lb0), ("third", at_third)] {
        let records = watcher.stop()?;
        let found: Vec<_> = records
            .iter()
            .filter(|one| is_finding(one, "raised"))
            .collect();
        assert!(found.is_empty(), "on {name}: {found:?}");
    }
    at_lb1.stop()?;
    Ok(())
}

/// What arrives at the virtual MAC is seen on eth0 and on the macvlan, and counts once.
#[test]
fn a_virtual_mac_counts_once() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _service = serve(lb0)?;
    let instance = |priority| Instance {
        virtual_mac: true,
        ..Instance::usual(priority)
    };
    let _one = lb0.keepalived(&instance(150).to_string())?;
    let _other = lb1.keepalived(&instance(100).to_string())?;
    held(lb0, VIP)?;
    let args = [&["-i", "eth0", "-i", "vrrp.51"], &COUNTING[..]].concat();
    let (at_lb0, at_lb1) = (Watcher::start(lb0, &args)?, Watcher::start(lb1, &args)?);
    let advertised = |record: &Value| record["record"] == "advert";
    at_lb0.expect("an advert", advertised)?;
    at_lb1.expect("an advert", advertised)?;
    connect(third, VIP, 10)?;
    at_lb0.expect("traffic", |record| {
        record["record"] == "traffic" && record["in"]["syns"].as_u64() > Some(0)
    })?;
    let records = at_lb0.stop()?;
    assert_eq!(total(&records, "in")[2], 10, "{records:?}");
    let traffic = records.iter().filter(|one| one["record"] == "traffic");
    assert!(traffic.into_iter().all(|one| one["interface"] == "eth0"));
    // The standby has the virtual MAC, too, but not the address.
    assert_eq!(total(&at_lb1.stop()?, "in"), [0; 3]);
    Ok(())
}

/// Whether the tags are in the frame, as XDP finds them, or beside it, as TC does.
#[test]
fn vlans_are_told_apart() -> Result<()> {
    let lab = Lab::with_hosts(&["third"])?;
    let third = lab.host("third");
    second_cable(third)?;
    let mac = [2, 0, 0, 0, 7, 0];
    third
        .namespace()
        .ip("link set dev eth7 address 02:00:00:00:07:00")?;
    let far = third.injector("far7")?;
    for mode in ["xdp-native", "xdp-generic", "auto"] {
        let wanted = ["-i", "eth7", "--mode", mode, "--watch", "fd78::100"];
        let watcher = Watcher::start(third, &[&wanted[..], &COUNTING[..]].concat())?;
        let segment = frames::tcp("fd78::50".parse()?, "fd78::100".parse()?, mac, frames::SYN);
        let vlans = [&[][..], &[100], &[300, 100]];
        for (times, vlan) in (1..).zip(vlans) {
            let tags: Vec<(u16, u16)> = vlan.iter().map(|id| (0x8100, *id)).collect();
            for _ in 0..times {
                far.send(&frames::tagged(&segment, &tags))?;
            }
        }
        watcher.expect("traffic", |record| record["record"] == "traffic")?;
        let records = watcher.stop()?;
        for (times, vlan) in (1..).zip(vlans) {
            let there: Vec<Value> = records
                .iter()
                .filter(|record| record["vlan"] == serde_json::json!(vlan))
                .cloned()
                .collect();
            assert_eq!(
                total(&there, "in")[2],
                times,
                "{mode}, {vlan:?}: {records:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn who_gets_the_requests() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _services = (serve(lb0)?, serve(lb1)?);
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let _other = lb1.keepalived(&Instance::usual(100).to_string())?;
    held(lb0, VIP)?;
    let ask = [VIP, "--traffic", "2"];
    while_trying(third, VIP, || {
        let (status, here) = who(lb0, &ask)?;
        assert_eq!(status, 0, "{here}");
        assert_eq!(here["verdict"], "agreed", "{here}");
        assert!(here["traffic"]["counted_ms"].as_u64() >= Some(2000));
        for way in ["in", "out"] {
            let seen = &here["traffic"][way];
            let rate = seen["packets_per_second"].as_f64().expect("a number");
            let packets = seen["packets"].as_f64().expect("a number");
            assert!(
                rate > 1.0 && (rate * 2.0 - packets).abs() < packets / 4.0,
                "{here}"
            );
        }
        assert!(here["traffic"]["in"]["syns"].as_u64() > Some(2), "{here}");
        let text = run(lb0, &["who", VIP, "--traffic", "1"])?;
        let text = String::from_utf8(text.stdout)?;
        assert!(text.contains("  traffic in     "), "{text}");
        assert!(
            text.contains("packets a second for it arrive here"),
            "{text}"
        );
        let (status, there) = who(lb1, &ask)?;
        assert_eq!(status, 0, "{there}");
        assert_eq!(there["traffic"]["in"]["packets"], 0, "{there}");
        Ok(())
    })?;
    mislead(third, VIP, lb1)?;
    while_trying(third, VIP, || {
        let (status, there) = who(lb1, &ask)?;
        assert_eq!(status, 1, "{there}");
        let message = there["message"].as_str().unwrap_or_default();
        assert!(message.ends_with("which is not active"), "{there}");
        Ok(())
    })
}
