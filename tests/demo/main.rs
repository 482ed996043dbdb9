//! `cargo xtask demo`: a keepalived pair starts, fails over and splits, and vrrpwatch tells.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a demonstration is read on the terminal"
)]

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;
use vrrp_tests::lab::{self, Instance, Lab, Process, Stream, Tee, wait_until};

/// How long anything may take that the demo waits for.
const PATIENCE: Duration = Duration::from_secs(15);

/// Plays. The argument is the program to show; `cargo xtask demo` builds it and passes it on.
fn main() -> ExitCode {
    let outcome = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .context("type `cargo xtask demo`, which builds what is shown here")
        .and_then(|program| {
            // Whatever is waited for then fails, and all that was made is dropped on the way out.
            ctrlc::set_handler(lab::interrupt).context("could not prepare for Ctrl-C")?;
            play(program)
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if lab::is_interrupted() => {
            say("interrupted; everything is cleaned up");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn play(program: PathBuf) -> Result<()> {
    say("three hosts on a switch, in network namespaces: lb0 (10.77.0.10), lb1 (.11), third (.50)");
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));

    say("vrrpwatch starts on third");
    let mut vrrpwatch = third.spawn(
        program,
        ["run", "-i", "eth0", "--format", "text"],
        Tee::Stdout,
    )?;
    wait_until("the first line of vrrpwatch", PATIENCE, || {
        !vrrpwatch.lines(Stream::Stdout).is_empty()
    })
    .map_err(|error| vrrpwatch.explain(&error))?;

    say("lb0 (priority 150) and lb1 (priority 100) start keepalived for 10.77.0.100");
    let preferred = Instance::usual(150).to_string();
    let one = lb0.keepalived(&preferred)?;
    let other = lb1.keepalived(&Instance::usual(100).to_string())?;
    one.expect_state("MASTER", PATIENCE)?;
    watch(&vrrpwatch, 3)?;

    say("failover: keepalived stops on lb0 (SIGTERM)");
    one.stop()?;
    other.expect_state("MASTER", PATIENCE)?;
    watch(&vrrpwatch, 3)?;

    say("lb0 returns and, having the higher priority, takes over");
    let one = lb0.keepalived(&preferred)?;
    one.expect_state("MASTER", PATIENCE)?;
    watch(&vrrpwatch, 3)?;

    say("split brain: the switch drops VRRP between lb0 and lb1, all else passes");
    lab.switch().block_vrrp("lb0", "lb1")?;
    other.expect_state("MASTER", PATIENCE)?;
    watch(&vrrpwatch, 4)?;

    say("third asks by ARP who has 10.77.0.100");
    let both = [lb0.mac_text(), lb1.mac_text()].into();
    wait_until("both to answer", PATIENCE, || {
        third
            .arping("10.77.0.100")
            .is_ok_and(|answers| answers == both)
    })?;
    watch(&vrrpwatch, 6)?;

    say("the switch passes VRRP again; lb1 hears lb0 and yields");
    lab.switch().heal()?;
    other.expect_state("BACKUP", PATIENCE)?;
    watch(&vrrpwatch, 3)?;

    say("vrrpwatch is stopped (SIGINT)");
    vrrpwatch.stop(Signal::SIGINT, PATIENCE)?;
    say("done; the namespaces and all that ran in them go");
    Ok(())
}

/// Lets the reader see that many more adverts, about one a second from each master, and whatever
/// else vrrpwatch prints meanwhile.
fn watch(vrrpwatch: &Process, adverts: usize) -> Result<()> {
    let seen = || {
        let lines = vrrpwatch.lines(Stream::Stdout);
        lines.iter().filter(|line| line.contains("VRRPv2")).count()
    };
    let enough = seen() + adverts;
    wait_until("adverts", PATIENCE, || seen() >= enough).map_err(|error| vrrpwatch.explain(&error))
}

fn say(text: &str) {
    println!("\n== {text}");
}
