//! Runs that end by themselves, and what limits them.

use anyhow::{Context as _, Result};
use vrrp_tests::lab::{Lab, vrrpwatch};

use crate::{
    watcher::Watcher,
    wire::{Wire, advert, priorities},
};

#[test]
fn a_count_ends_the_run_after_exactly_so_many() -> Result<()> {
    let wire = Wire::new()?;
    // What is made of the adverts counts, too, unless it is not asked for.
    let args = ["-i", "eth0", "--only", "start,advert", "--count", "3"];
    let watcher = Watcher::start(wire.third(), &args)?;
    for priority in 1..=8 {
        wire.sender.send(&advert(priority))?;
    }
    let records = watcher.wait()?;
    assert_eq!(priorities(&records), [1, 2, 3]);
    Ok(())
}

#[test]
fn a_duration_ends_the_run_with_a_summary() -> Result<()> {
    let wire = Wire::new()?;
    let watcher = Watcher::start(wire.third(), &["-i", "eth0", "--for", "500ms"])?;
    wire.advert(1)?;
    let records = watcher.wait()?;
    assert_eq!(priorities(&records), [1]);
    let summary = records.last().expect("it wrote");
    assert_eq!(summary["record"], "summary");
    assert_eq!(summary["adverts"], 1);
    Ok(())
}

#[test]
fn only_what_is_asked_for_is_written() -> Result<()> {
    let wire = Wire::new()?;
    let args = ["-i", "eth0", "--only", "start,arp", "--count", "1"];
    let watcher = Watcher::start(wire.third(), &args)?;
    wire.advert(1)?;
    let address = "10.77.0.99".parse()?;
    wire.sender
        .send(&vrrp_tests::frames::arp(true, address, address))?;
    let records = watcher.wait()?;
    let kinds: Vec<_> = records.iter().map(|record| &record["record"]).collect();
    assert_eq!(kinds, ["start", "arp"]);
    Ok(())
}

#[test]
fn too_few_open_files_are_named_as_that_wherever_they_run_out() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0"])?;
    let program = vrrpwatch()?;
    for (command, most) in [
        ("run -i lo --for 100ms", 40),
        ("why-dropped --for 0.1", 24),
        ("who --wait 100ms 10.77.0.200", 40),
    ] {
        let mut refused = 0;
        for files in 8..most {
            let script = format!("ulimit -n {files}; exec {} {command}", program.display());
            let mut shell = lab.host("lb0").namespace().command("sh")?;
            let output = shell.args(["-c", &script]).output()?;
            let status = output.status.code().context("it was killed")?;
            let complaint = String::from_utf8_lossy(&output.stderr);
            if status == 3 {
                refused += 1;
                assert!(
                    complaint.contains("Too many open files"),
                    "{files}: {complaint}"
                );
                assert!(complaint.contains("ulimit -n"), "{files}: {complaint}");
            }
        }
        assert!(refused > 2, "{command} was refused {refused} times");
    }
    Ok(())
}
