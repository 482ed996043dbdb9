//! A network namespace with two ends of a wire in it.

use std::{process::Command, time::Duration};

use aya::{
    programs::{ProgramInfo, SchedClassifier, TcAttachType},
    test_helpers::NetNsGuard,
};
use nix::net::if_::if_nametoindex;
use serde_json::Value;
use vrrp_tests::lab::wait_until;
use vrrp_user::capture::Interface;

use crate::lab::require_root;

/// The end that the programs are attached to.
pub(crate) const HERE: &str = "here";
/// The other end.
pub(crate) const THERE: &str = "there";

/// The wire; the calling thread is inside its namespace as long as it lives.
pub(crate) struct Wire {
    pub(crate) here: Interface,
    pub(crate) there: Interface,
    _namespace: NetNsGuard,
}

impl Wire {
    pub(crate) fn new() -> Self {
        require_root();
        let namespace = NetNsGuard::new().expect("a network namespace");
        run(
            "ip",
            &["link", "add", HERE, "type", "veth", "peer", "name", THERE],
        );
        run("ip", &["link", "set", HERE, "up"]);
        run("ip", &["link", "set", THERE, "up"]);
        Self {
            here: interface(HERE),
            there: interface(THERE),
            _namespace: namespace,
        }
    }
}

fn interface(name: &str) -> Interface {
    Interface {
        index: if_nametoindex(name).expect("the interface is there"),
        name: name.to_owned(),
    }
}

/// The XDP program on the end that is ours, as `ip` shows it, with its mode.
pub(crate) fn xdp() -> Option<(String, u64)> {
    let link = &json("ip", &["-j", "-d", "link", "show", "dev", HERE])[0];
    let xdp = link.get("xdp")?;
    let mode = match xdp["mode"].as_u64() {
        Some(1) => "native",
        Some(2) => "generic",
        other => panic!("XDP mode {other:?}"),
    };
    Some((mode.to_owned(), xdp["prog"]["id"].as_u64().expect("an id")))
}

/// Names of the TCX programs on the end that is ours, in the order in which they run.
pub(crate) fn tcx(attach_type: TcAttachType) -> Vec<String> {
    let (_, programs) = SchedClassifier::query_tcx(HERE, attach_type).expect("the kernel tells");
    programs
        .iter()
        .map(ProgramInfo::name_as_str)
        .map(|name| name.expect("a name").to_owned())
        .collect()
}

/// Names of the clsact filters on the end that is ours.
pub(crate) fn filters(direction: &str) -> Vec<String> {
    let filters = json("tc", &["-j", "filter", "show", "dev", HERE, direction]);
    let filters = filters.as_array().cloned().unwrap_or_default();
    filters
        .iter()
        .filter_map(|filter| filter["options"]["bpf_name"].as_str().map(str::to_owned))
        .collect()
}

/// Whether the end that is ours has the clsact discipline.
pub(crate) fn has_clsact() -> bool {
    json("tc", &["-j", "qdisc", "show", "dev", HERE])
        .as_array()
        .expect("a list")
        .iter()
        .any(|qdisc| qdisc["kind"] == "clsact")
}

/// These TCX programs are attached, and no others. As with [`assert_bare`], links that were dropped
/// may take a moment to go.
pub(crate) fn assert_tcx(attach_type: TcAttachType, expected: &[&str]) {
    let what = format!("{expected:?} to be all that is attached");
    wait_until(&what, Duration::from_secs(5), || {
        tcx(attach_type) == expected
    })
    .unwrap_or_else(|error| panic!("{error}: {:?}", tcx(attach_type)));
}

/// Nothing of ours, nor of anybody else, is attached. A tool that another test starts at the same
/// time holds our links for the moment until it is executed, so this waits a little.
pub(crate) fn assert_bare() {
    let is_bare = || {
        xdp().is_none()
            && tcx(TcAttachType::Ingress).is_empty()
            && tcx(TcAttachType::Egress).is_empty()
            && !has_clsact()
    };
    wait_until("nothing to be attached", Duration::from_secs(5), is_bare).expect("it is detached");
}

/// Runs a tool to its end.
pub(crate) fn run(tool: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(tool)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{tool} does not start: {error}; cargo xtask setup"));
    assert!(
        output.status.success(),
        "{tool} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn json(tool: &str, arguments: &[&str]) -> Value {
    let output = run(tool, arguments);
    if output.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(&output).expect("the tool writes JSON")
}
