//! What the kernel says is attached to an interface, and to its tracepoints.

use std::fs;

use anyhow::{Context as _, Result};
use aya::{
    programs::{SchedClassifier, TcAttachType},
    util::KernelVersion,
};
use nix::unistd::Pid;
use serde_json::Value;
use vrrp_tests::lab::Host;

/// Whether the kernel attaches TC programs by link.
pub(crate) fn has_tcx() -> bool {
    KernelVersion::current().is_ok_and(|version| version >= KernelVersion::new(6, 6, 0))
}

/// The programs on an interface, by hook.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Attached {
    /// Identifier of the XDP program.
    pub(crate) xdp: Option<u64>,
    /// `native` or `generic`, where there is an XDP program.
    pub(crate) xdp_mode: Option<&'static str>,
    /// Names of the TC programs attached by link.
    pub(crate) tcx: Vec<String>,
    /// Filters and the discipline for them, as `tc` lists them.
    pub(crate) clsact: Vec<String>,
}

impl Attached {
    /// Nothing at all.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Asks about an interface of a host.
    pub(crate) fn on(host: &Host, interface: &str) -> Result<Self> {
        let text = host.run(
            "ip",
            &["-json", "-details", "link", "show", "dev", interface],
        )?;
        let links: Value = serde_json::from_str(&text)?;
        let xdp = &links[0]["xdp"];
        let mut clsact = Vec::new();
        for direction in ["ingress", "egress"] {
            let text = host.run("tc", &["filter", "show", "dev", interface, direction])?;
            clsact.extend(text.lines().map(str::to_owned));
        }
        let disciplines = host.run("tc", &["qdisc", "show", "dev", interface])?;
        clsact.extend(
            disciplines
                .lines()
                .filter(|line| line.contains("clsact"))
                .map(str::to_owned),
        );
        Ok(Self {
            xdp: xdp["prog"]["id"].as_u64(),
            xdp_mode: match xdp["mode"].as_u64() {
                Some(1) => Some("native"),
                Some(2) => Some("generic"),
                _ => None,
            },
            tcx: host.namespace().inside(|| tcx(interface))?,
            clsact,
        })
    }
}

/// Whether a process has a program on the tracepoint of dropped packets.
pub(crate) fn counts_drops(process: Pid) -> Result<bool> {
    let directory = format!("/proc/{process}/fdinfo");
    for entry in fs::read_dir(&directory).with_context(|| directory.clone())? {
        // A descriptor may be closed meanwhile.
        let text = fs::read_to_string(entry?.path()).unwrap_or_default();
        let mut fields = text.lines().filter_map(|line| line.split_once(":\t"));
        if fields.any(|field| field == ("tp_name", vrrp_ebpf::DROP_TRACEPOINT)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn tcx(interface: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for direction in [TcAttachType::Ingress, TcAttachType::Egress] {
        let (_revision, programs) = SchedClassifier::query_tcx(interface, direction)
            .with_context(|| format!("could not query TCX on {interface}"))?;
        names.extend(
            programs
                .iter()
                .filter_map(|program| program.name_as_str().map(str::to_owned)),
        );
    }
    Ok(names)
}
