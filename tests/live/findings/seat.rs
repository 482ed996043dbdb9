//! A host that cannot see for a time, while the pair beside it is healthy.

use anyhow::Result;
use vrrp_tests::lab::{Host, Lab};

use super::scene::{Scene, fast, pair};
use crate::watcher::nanos;

/// Waits, by what another host sees, until the pair has gone on for more than an election takes.
fn go_on(other: &Scene, master: &Host) -> Result<()> {
    let last = other.last_advert(master)?;
    let beginning = nanos(&last)?;
    other
        .find("adverts for two seconds more", |record| {
            record["record"] == "advert"
                && nanos(record).is_ok_and(|time| time - beginning > 2_000_000_000)
        })
        .map(drop)
}

/// Plays a blindness of `third`: it says that it is blind, and nothing else.
fn blind(begin: impl Fn(&Lab) -> Result<()>, end: impl Fn(&Lab) -> Result<()>) -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1) = (lab.host("lb0"), lab.host("lb1"));
    let _pair = pair(&lab, &fast(150), &fast(100))?;
    let (scene, other) = (Scene::of(&lab)?, Scene::on(lb1)?);
    scene.settled(lb0)?;

    begin(&lab)?;
    let raised = scene.raised("blind")?;
    go_on(&other, lb0)?;
    end(&lab)?;
    let cleared = scene.cleared("blind")?;
    let again = scene.advert(lb0, Some(&cleared))?;
    assert!(nanos(&raised)? < nanos(&again)?);
    assert!(scene.changes()?.len() == 1, "it was active all the time");
    scene.end(&["blind"])?;
    other.end(&[])
}

#[test]
fn its_link_is_taken_down() -> Result<()> {
    blind(
        |lab| lab.host("third").namespace().ip("link set dev eth0 down"),
        |lab| lab.host("third").namespace().ip("link set dev eth0 up"),
    )
}

#[test]
fn its_cable_is_pulled() -> Result<()> {
    blind(
        |lab| lab.switch().unplug("third"),
        |lab| lab.switch().plug("third"),
    )
}

#[test]
fn it_loses_its_address_and_sees_on() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _pair = pair(&lab, &fast(150), &fast(100))?;
    // By default, what has an address is watched.
    let (scene, other) = (Scene::of_default(third)?, Scene::on(lb1)?);
    scene.settled(lb0)?;
    let address = format!("{}/24", third.ipv4());
    third.delete_address(&address)?;
    go_on(&other, lb0)?;
    third.add_address(&address)?;
    scene.advert(lb0, Some(&other.last_advert(lb0)?))?;
    assert!(scene.changes()?.len() == 1, "it was seen all the time");
    scene.end(&[])
}

#[test]
fn its_interface_gets_another_name() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let _pair = pair(&lab, &fast(150), &fast(100))?;
    let (scene, other) = (Scene::on(third)?, Scene::on(lb1)?);
    scene.settled(lb0)?;
    third
        .namespace()
        .ip("link set dev eth0 down\nlink set dev eth0 name lan0\nlink set dev lan0 up")?;
    scene.find("an advert on lan0", |record| {
        record["record"] == "advert" && record["interface"] == "lan0"
    })?;
    go_on(&other, lb0)?;
    assert!(scene.changes()?.len() == 1, "it is the same virtual router");
    // It may have been seen down, or not.
    scene.end_with(&[], &["blind"])
}

#[test]
fn somebody_takes_its_programs_off() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1) = (lab.host("lb0"), lab.host("lb1"));
    let (one, _other) = pair(&lab, &fast(150), &fast(100))?;
    let scene = Scene::of(&lab)?;
    scene.settled(lb0)?;
    scene.detach(lab.host("third"))?;
    let raised = scene.raised("blind")?;
    let message = raised["message"].as_str().unwrap_or_default();
    assert!(message.contains("detached"), "{message}");
    let cleared = scene.cleared("blind")?;
    scene.settled_after(lb0, Some(&cleared))?;
    one.stop()?;
    scene.state("resigned", lb1)?;
    scene.end(&["blind"])
}
