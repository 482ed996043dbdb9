//! Real routers, watched by vrrpwatch and by tcpdump on the same device: both see the same.

mod observation;

use std::{net::IpAddr, time::Duration};

use anyhow::Result;
use vrrp_tests::lab::{Authentication, FrrRouter, Host, Instance, Lab, Unicast};

use self::observation::{Observation, Seen};

/// Three times the interval, the skew, and a few seconds for a busy machine.
const ELECTION: Duration = Duration::from_secs(15);

/// lb0 becomes master and resigns, lb1 takes over and resigns. Gives back what each of the
/// observers saw.
fn failover(
    lab: &Lab,
    observers: &[(&str, &[&str])],
    instance: impl Fn(&Host, u8) -> String,
) -> Result<Vec<Seen>> {
    let marker = lab.host("lb1").injector("eth0")?;
    let observations = observers
        .iter()
        .map(|(name, args)| Observation::begin(lab.host(name), args, &marker))
        .collect::<Result<Vec<_>>>()?;

    let (lb0, lb1) = (lab.host("lb0"), lab.host("lb1"));
    let one = lb0.keepalived(&instance(lb0, 150))?;
    let other = lb1.keepalived(&instance(lb1, 100))?;
    one.expect_state("MASTER", ELECTION)?;
    observations[0].expect_adverts_of(lb0, 2)?;
    one.stop()?;
    other.expect_state("MASTER", ELECTION)?;
    observations[0].expect_adverts_of(lb1, 2)?;
    other.stop()?;

    observations
        .into_iter()
        .map(|observation| observation.end(&marker))
        .collect()
}

const THIRD_AND_OWN: &[(&str, &[&str])] = &[("third", &["-i", "eth0"]), ("lb0", &["-i", "eth0"])];

fn assert_failover(seen: &Seen) {
    let senders: Vec<_> = seen.adverts().map(|advert| advert.priority).collect();
    let resigned = senders.iter().position(|priority| *priority == 0);
    let (first, second) = senders.split_at(resigned.expect("lb0 resigns"));
    assert!(first.iter().all(|priority| *priority == 150), "{senders:?}");
    assert_eq!(second.last(), Some(&0), "lb1 resigns");
    assert!(second.contains(&100), "{senders:?}");
}

#[test]
fn version_2_with_a_password() -> Result<()> {
    let lab = Lab::new()?;
    let [third, own] = failover(&lab, THIRD_AND_OWN, |_, priority| {
        Instance::usual(priority).to_string()
    })?
    .try_into()
    .expect("two observers");
    assert_failover(&third);
    assert_failover(&own);
    assert!(third.adverts().all(|advert| advert.auth == "pass"));
    assert!(third.directions_of("10.77.0.10").all(|way| way == "in"));
    assert!(own.directions_of("10.77.0.10").all(|way| way == "out"));
    assert!(own.directions_of("10.77.0.11").all(|way| way == "in"));
    assert!(third.neighbours() >= 10, "five announcements each");
    assert!(own.neighbours() >= 10, "its own announcements, too");
    assert!(
        third
            .records
            .iter()
            .all(|record| !record.to_string().contains("testpass")),
        "passwords stay where they are"
    );
    Ok(())
}

#[test]
fn version_2_with_an_authentication_header() -> Result<()> {
    let lab = Lab::new()?;
    let seen = failover(&lab, THIRD_AND_OWN, |_, priority| {
        let authentication = Authentication::Ah("testpass");
        Instance {
            authentication,
            ..Instance::usual(priority)
        }
        .to_string()
    })?;
    for seen in &seen {
        assert_failover(seen);
        assert!(seen.adverts().all(|advert| advert.auth == "ah"));
    }
    Ok(())
}

#[test]
fn version_2_by_unicast() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0", "lb1"])?;
    let observers: &[(&str, &[&str])] = &[("lb1", &["-i", "eth0"]), ("lb0", &["-i", "eth0"])];
    let seen = failover(&lab, observers, |host, priority| {
        let (own, peer) = match host.name() {
            "lb0" => ("10.77.0.10", "10.77.0.11"),
            _ => ("10.77.0.11", "10.77.0.10"),
        };
        let unicast = Some(Unicast {
            source: own,
            peers: &[peer],
        });
        Instance {
            unicast,
            ..Instance::usual(priority)
        }
        .to_string()
    })?;
    for seen in &seen {
        assert_failover(seen);
        assert!(
            seen.adverts()
                .all(|advert| advert.destination.starts_with("10.77.0.1"))
        );
    }
    Ok(())
}

#[test]
fn version_3_over_ipv4() -> Result<()> {
    let lab = Lab::new()?;
    let seen = failover(&lab, THIRD_AND_OWN, |_, priority| {
        let instance = Instance::version_3(priority, &["10.77.0.100/24"]);
        Instance {
            interval: "0.2",
            ..instance
        }
        .to_string()
    })?;
    for seen in &seen {
        assert_failover(seen);
        assert!(
            seen.adverts()
                .all(|advert| advert.version == 3 && advert.interval_ms == 200)
        );
    }
    Ok(())
}

#[test]
fn version_3_over_ipv6() -> Result<()> {
    let lab = Lab::new()?;
    let seen = failover(&lab, THIRD_AND_OWN, |_, priority| {
        let addresses = &["fe80::77:100/64", "fd77::100/64"];
        let instance = Instance::version_3(priority, addresses);
        Instance {
            interval: "0.2",
            ..instance
        }
        .to_string()
    })?;
    for seen in &seen {
        assert_failover(seen);
        assert!(
            seen.adverts()
                .all(|advert| advert.destination == "ff02::12")
        );
        assert!(seen.neighbours() >= 10, "five announcements each");
    }
    Ok(())
}

#[test]
fn a_virtual_mac_address_watched_on_both_its_devices() -> Result<()> {
    let lab = Lab::new()?;
    let observers: &[(&str, &[&str])] = &[
        ("third", &["-i", "eth0"]),
        ("lb0", &["-i", "eth0", "-i", "vrrp.*"]),
    ];
    let seen = failover(&lab, observers, |_, priority| {
        Instance {
            virtual_mac: true,
            interval: "0.2",
            ..Instance::version_3(priority, &["10.77.0.100/24"])
        }
        .to_string()
    })?;
    for seen in &seen {
        assert_failover(seen);
        assert!(
            seen.records
                .iter()
                .filter(|record| record["record"] == "advert")
                .all(|record| record["source_mac"] == "00:00:5e:00:01:33"
                    && record["interface"] == "eth0")
        );
    }
    Ok(())
}

#[test]
fn frr_with_both_families() -> Result<()> {
    let lab = Lab::new()?;
    let addresses: [IpAddr; 3] = [
        "10.77.0.100".parse()?,
        "fe80::77:100".parse()?,
        "fd77::100".parse()?,
    ];
    let router = FrrRouter {
        version: 3,
        vrid: 51,
        priority: 150,
        interval_ms: 200,
        addresses: &addresses,
    };
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let marker = lb1.injector("eth0")?;
    let observation = Observation::begin(third, &["-i", "eth0"], &marker)?;
    let one = lb0.frr(&router)?;
    let other = lb1.frr(&FrrRouter {
        priority: 100,
        ..router
    })?;
    observation.expect_adverts_of(lb0, 2)?;
    observation.expect_adverts_to("ff02::12", 150)?;
    one.stop()?;
    other.expect_master(ELECTION)?;
    observation.expect_adverts_of(lb1, 2)?;
    observation.expect_adverts_to("ff02::12", 100)?;
    other.stop()?;
    let seen = observation.end(&marker)?;

    for (destination, mac) in [
        ("224.0.0.18", "00:00:5e:00:01:33"),
        ("ff02::12", "00:00:5e:00:02:33"),
    ] {
        let mut count = 0;
        for record in &seen.records {
            if record["destination"] == destination {
                assert_eq!(record["source_mac"], mac, "{record}");
                count += 1;
            }
        }
        assert!(count >= 4, "{count} adverts to {destination}");
    }
    Ok(())
}
