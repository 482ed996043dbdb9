//! What vrrpwatch says when it cannot do what it was asked.

use std::{fs, os::unix::fs::PermissionsExt as _};

use anyhow::{Context as _, Result, anyhow};
use vrrp_tests::lab::{Process, Stream, Tee, vrrpwatch};

use crate::{
    attached::Attached,
    watcher::{LIMIT, Watcher},
    wire::Wire,
};

/// The exit status, and all that was said on standard error.
fn end(process: &mut Process) -> Result<(Option<i32>, String)> {
    let status = process.wait(LIMIT)?;
    assert!(process.lines(Stream::Stdout).is_empty(), "no records");
    Ok((status.code(), process.lines(Stream::Stderr).join("\n")))
}

/// A copy of the program that everybody can run: the build may lie where others cannot read.
///
/// Another program copies it. A file that this one had open for writing could not be run as long as
/// a child that another test is about to start still has it open, too.
fn public_copy(wire: &Wire) -> Result<String> {
    let copy = wire.lab.directory().join("vrrpwatch");
    let (from, to) = (vrrpwatch()?, copy.display().to_string());
    let from = from.to_str().context("the path of the build is UTF-8")?;
    wire.third().run("install", &["-m", "755", from, &to])?;
    fs::set_permissions(wire.lab.directory(), fs::Permissions::from_mode(0o755))?;
    Ok(to)
}

#[test]
fn an_output_that_cannot_be_opened_is_wrong_use() -> Result<()> {
    let wire = Wire::new()?;
    for option in ["--output", "--write"] {
        let args = ["-i", "eth0", option, "/nonexistent/file"];
        let mut watcher = Watcher::spawn(wire.third(), &args)?;
        let (status, complaint) = end(watcher.process())?;
        assert_eq!(status, Some(2), "{complaint}");
        assert!(complaint.contains("/nonexistent/file"), "{complaint}");
    }
    assert!(Attached::on(wire.third(), "eth0")?.is_nothing());
    Ok(())
}

#[test]
fn without_rights_the_missing_capabilities_are_named() -> Result<()> {
    let wire = Wire::new()?;
    let program = public_copy(&wire)?;
    let run = |capabilities: &[&str]| {
        let rights = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let program = [&*program, "run", "-i", "eth0"];
        let args = rights.iter().chain(capabilities).chain(&program);
        end(&mut wire.third().spawn("setpriv", args, Tee::Nothing)?)
    };

    let (status, complaint) = run(&[])?;
    assert_eq!(status, Some(3), "{complaint}");
    for capability in ["CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"] {
        assert!(complaint.contains(capability), "{complaint}");
    }

    let (status, complaint) = run(&["--inh-caps=+bpf,+perfmon", "--ambient-caps=+bpf,+perfmon"])?;
    assert_eq!(status, Some(3), "{complaint}");
    assert!(complaint.contains("CAP_NET_ADMIN"), "{complaint}");
    assert!(!complaint.contains("CAP_BPF"), "{complaint}");
    Ok(())
}

#[test]
fn two_capabilities_are_enough_to_count_drops() -> Result<()> {
    let wire = Wire::new()?;
    let program = public_copy(&wire)?;
    let run = |capabilities: &[&str]| {
        let rights = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let program = [&*program, "why-dropped", "--for", "100ms"];
        let args = rights.iter().chain(capabilities).chain(&program);
        let mut process = wire.third().spawn("setpriv", args, Tee::Nothing)?;
        let status = process.wait(LIMIT)?.code();
        Ok::<_, anyhow::Error>((status, process.lines(Stream::Stderr).join("\n")))
    };
    let (status, complaint) = run(&[])?;
    assert_eq!(status, Some(3), "{complaint}");
    assert!(complaint.contains("CAP_BPF, CAP_PERFMON"), "{complaint}");
    let (status, complaint) = run(&["--inh-caps=+bpf,+perfmon", "--ambient-caps=+bpf,+perfmon"])?;
    assert_eq!(status, Some(0), "{complaint}");
    Ok(())
}

#[test]
fn the_three_capabilities_are_enough() -> Result<()> {
    let wire = Wire::new()?;
    let program = public_copy(&wire)?;
    let mut watching = wire.third().spawn(
        "setpriv",
        [
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--inh-caps=+bpf,+perfmon,+net_admin",
            "--ambient-caps=+bpf,+perfmon,+net_admin",
            &*program,
            "run",
            "--format=json",
            "-i",
            "eth0",
            "--count=1",
        ],
        Tee::Nothing,
    )?;
    watching.expect_line(Stream::Stdout, "a start", LIMIT, |line| {
        line.contains(r#""record":"start""#)
    })?;
    wire.advert(1)?;
    let status = watching.wait(LIMIT)?;
    if status.success() {
        Ok(())
    } else {
        Err(watching.explain(&anyhow!("{status}")))
    }
}
