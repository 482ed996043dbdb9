//! `who --ssh` and `--tls` against real servers with throw-away keys.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::Value;
use vrrp_tests::lab::{Host, Instance, Lab, Process, Tee, find_program, wait_until};

use crate::asked::{self, held};

const VIP: &str = "10.77.0.100";
const LIMIT: Duration = Duration::from_secs(10);

/// Starts sshd with a key of its own; gives back the key's fingerprint as ssh-keygen has it.
fn sshd(lab: &Lab, host: &Host) -> Result<(Process, String)> {
    let key = lab.directory().join(format!("{}.key", host.name()));
    let key = key.to_str().context("UTF-8")?;
    host.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", key])?;
    let listed = host.run("ssh-keygen", &["-l", "-f", key])?;
    let fingerprint = listed
        .split(' ')
        .nth(1)
        .context("a fingerprint")?
        .to_owned();
    let config = lab.directory().join(format!("{}.sshd", host.name()));
    fs::write(
        &config,
        format!("HostKey {key}\nPort 22\nUsePAM no\nPidFile none\nStrictModes no\n"),
    )?;
    // Where sshd locks its unprivileged half in; the distribution makes it when the service starts.
    fs::create_dir_all("/run/sshd")?;
    // sshd wants to be called by its full name.
    let program = find_program("sshd").context("openssh-server is not installed")?;
    let config = config.to_str().context("UTF-8")?;
    let process = host.spawn(program, ["-D", "-e", "-f", config], Tee::Nothing)?;
    listening(host, 22)?;
    Ok((process, fingerprint))
}

fn tls_server(lab: &Lab, host: &Host) -> Result<Process> {
    let file = |suffix: &str| lab.directory().join(format!("{}.{suffix}", host.name()));
    let text = |path: &Path| path.to_str().map(str::to_owned).context("UTF-8");
    let (key, certificate) = (text(&file("pem"))?, text(&file("crt"))?);
    host.run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=lab",
            "-days",
            "1",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ],
    )?;
    let args = [
        "s_server",
        "-quiet",
        "-accept",
        "443",
        "-key",
        &key,
        "-cert",
        &certificate,
    ];
    let process = host.spawn("openssl", args, Tee::Nothing)?;
    listening(host, 443)?;
    Ok(process)
}

fn listening(host: &Host, port: u16) -> Result<()> {
    let needle = format!(":{port} ");
    wait_until(&format!("port {port} on {}", host.name()), LIMIT, || {
        host.run("ss", &["-ltn"])
            .is_ok_and(|text| text.contains(&needle))
    })
}

fn who(host: &Host, args: &[&str]) -> Result<Value> {
    let (_, who) = asked::who(host, &[&[VIP], args].concat())?;
    Ok(who)
}

#[test]
fn a_key_names_the_machine_that_a_login_reaches() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let (_ssh0, key0) = sshd(&lab, lb0)?;
    let (_ssh1, key1) = sshd(&lab, lb1)?;
    let (_tls0, _tls1) = (tls_server(&lab, lb0)?, tls_server(&lab, lb1)?);
    assert_ne!(key0, key1);
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    let healthy = who(third, &["--ssh", "--tls"])?;
    assert_eq!(healthy["verdict"], "agreed", "{healthy}");
    assert_eq!(healthy["services"][0]["shown"]["fingerprint"], *key0);
    let message = healthy["message"].as_str().unwrap_or_default();
    let proofs = "adverts, ARP, SSH key and TLS certificate agree";
    assert!(message.ends_with(proofs), "{healthy}");
    Ok(())
}

#[test]
fn of_two_the_one_that_is_reached_is_told() -> Result<()> {
    let lab = Lab::new()?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let (_ssh0, key0) = sshd(&lab, lb0)?;
    let (_ssh1, key1) = sshd(&lab, lb1)?;
    lab.switch().block_vrrp("lb0", "lb1")?;
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    let _other = lb1.keepalived(&Instance::usual(100).to_string())?;
    held(lb0, VIP)?;
    held(lb1, VIP)?;
    let split = who(third, &["--ssh"])?;
    assert_eq!(split["verdict"], "conflict", "{split}");
    let shown = split["services"][0]["shown"]["fingerprint"].as_str();
    let reached = match shown {
        Some(key) if key == key0 => "10.77.0.10",
        Some(key) if key == key1 => "10.77.0.11",
        _ => panic!("neither: {split}"),
    };
    let message = split["message"].as_str().unwrap_or_default();
    let told = format!("a connection from here reaches {reached} (SSH key)");
    assert!(message.contains(&told), "{split}");
    Ok(())
}

#[test]
fn a_strangers_key_is_a_conflict() -> Result<()> {
    let lab = Lab::with_hosts(&["lb0", "lb1", "third"])?;
    let (lb0, lb1, third) = (lab.host("lb0"), lab.host("lb1"), lab.host("third"));
    let (_ssh0, _) = sshd(&lab, lb0)?;
    let (_ssh1, key1) = sshd(&lab, lb1)?;
    let _one = lb0.keepalived(&Instance::usual(150).to_string())?;
    held(lb0, VIP)?;
    // ARP is fine, and yet this host sends the traffic elsewhere.
    lb1.namespace().ip("address add 10.77.0.100/32 dev lo")?;
    lb1.namespace()
        .sysctl("net/ipv4/conf/all/arp_ignore", "1")?;
    let neighbour = [
        "neighbour",
        "replace",
        VIP,
        "lladdr",
        &lb1.mac_text(),
        "dev",
        "eth0",
    ];
    third.run("ip", &neighbour)?;
    let stranger = who(third, &["--ssh"])?;
    assert_eq!(stranger["verdict"], "conflict", "{stranger}");
    assert_eq!(stranger["services"][0]["shown"]["fingerprint"], *key1);
    let message = stranger["message"].as_str().unwrap_or_default();
    assert!(message.contains("none of its routers"), "{stranger}");
    Ok(())
}
