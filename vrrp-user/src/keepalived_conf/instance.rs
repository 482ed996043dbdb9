//! From a tree to instances.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{DEFAULT_VERSION, block::Block, notes::Notes};
use crate::model::{Family, Fingerprint, FingerprintKey, Priority, Span, Version, Vrid};

/// A `vrrp_instance`, with keepalived's defaults where it says nothing.
#[expect(
    clippy::struct_excessive_bools,
    reason = "options of keepalived, each on its own"
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// Interface it runs on.
    pub interface: Option<String>,
    /// VRID; `None` where it is missing or out of range.
    pub vrid: Option<Vrid>,
    /// Whether `state MASTER` is written.
    pub starts_as_master: bool,
    /// Priority before tracking changes it.
    pub priority: Priority,
    /// Interval of the adverts.
    pub interval: Span,
    /// Version of VRRP.
    pub version: Version,
    /// Authentication.
    pub auth: AuthType,
    /// Stands for the password, as an advert carries it.
    pub password: Option<Fingerprint>,
    /// Addresses that are advertised.
    pub addresses: Vec<IpAddr>,
    /// Addresses that are held and not advertised.
    pub excluded: Vec<IpAddr>,
    /// Source of the adverts, where it is set.
    pub source: Option<IpAddr>,
    /// Unicast peers; multicast where there are none.
    pub peers: Vec<IpAddr>,
    /// Whether a virtual MAC is used.
    pub use_vmac: bool,
    /// Whether it leaves a master of lower priority alone.
    pub nopreempt: bool,
    /// Whether something may change the priority while it runs.
    pub tracks: bool,
    /// How the addresses are announced.
    pub garp: GarpOptions,
}

/// Authentication of VRRPv2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuthType {
    /// None.
    #[default]
    None,
    /// A password.
    Pass,
    /// An authentication header.
    Ah,
}

/// How the addresses are announced after a takeover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GarpOptions {
    /// Announcements of an address at once.
    pub repeat: u32,
    /// Time until the second set.
    pub delay: Span,
    /// Time between refreshes; zero for none.
    pub refresh: Span,
}

impl Default for GarpOptions {
    fn default() -> Self {
        Self {
            repeat: 5,
            delay: Span::from_secs(5),
            refresh: Span::ZERO,
        }
    }
}

/// Bytes of a password that an advert carries.
const PASSWORD: usize = 8;

impl Instance {
    /// Whether the address is one of its own, advertised or not.
    pub fn holds(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address) || self.excluded.contains(&address)
    }

    /// The family of its adverts.
    pub fn family(&self) -> Family {
        self.addresses
            .first()
            .or(self.source.as_ref())
            .map_or(Family::Ipv4, |address| Family::of(*address))
    }
}

/// A `vrrp_sync_group`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncGroup {
    /// Its name.
    pub name: String,
    /// The names of its instances.
    pub members: Vec<String>,
}

/// Finds the groups.
pub(super) fn groups(blocks: &[Block]) -> Vec<SyncGroup> {
    blocks
        .iter()
        .filter(|block| block.keyword() == "vrrp_sync_group")
        .map(|block| SyncGroup {
            name: block.value().unwrap_or_default().to_owned(),
            members: block
                .all("group")
                .flat_map(|list| &list.children)
                .flat_map(|line| line.words.clone())
                .collect(),
        })
        .collect()
}

#[derive(Default)]
struct Globals {
    version: Option<Version>,
    interface: Option<String>,
    garp: GarpOptions,
}

/// Finds the instances.
pub(super) fn find(blocks: &[Block], key: &FingerprintKey, notes: &mut Notes) -> Vec<Instance> {
    let mut globals = Globals::default();
    for block in blocks
        .iter()
        .filter(|block| block.keyword() == "global_defs")
    {
        if let Some(version) = block.last("vrrp_version") {
            globals.version = version_of(version, notes);
        }
        if let Some(interface) = block.last("default_interface").and_then(Block::value) {
            globals.interface = Some(interface.to_owned());
        }
        globals.garp = garp(block, "vrrp_", globals.garp);
    }
    blocks
        .iter()
        .filter(|block| block.keyword() == "vrrp_instance")
        .map(|block| instance(block, &globals, key, notes))
        .collect()
}

fn instance(block: &Block, globals: &Globals, key: &FingerprintKey, notes: &mut Notes) -> Instance {
    let text = |keyword| block.last(keyword).and_then(Block::value);
    let addresses = list(block, "virtual_ipaddress", notes);
    let version = block
        .last("version")
        .and_then(|line| version_of(line, notes))
        .or(globals.version)
        // There is no VRRPv2 for IPv6.
        .filter(|_| !matches!(addresses.first(), Some(IpAddr::V6(_))))
        .or_else(|| matches!(addresses.first(), Some(IpAddr::V6(_))).then_some(Version::V3))
        .unwrap_or(DEFAULT_VERSION);
    let vrid = number(block, "virtual_router_id", notes).filter(|vrid: &u8| *vrid != 0);
    if vrid.is_none() {
        notes.add(&block.place, "no valid virtual_router_id");
    }
    let (auth, password) = authentication(block, key);
    Instance {
        name: block.value().unwrap_or_default().to_owned(),
        interface: text("interface")
            .map(str::to_owned)
            .or_else(|| globals.interface.clone()),
        vrid: vrid.map(Vrid::new),
        starts_as_master: text("state") == Some("MASTER"),
        priority: Priority::new(number(block, "priority", notes).unwrap_or(100)),
        interval: seconds(block, "advert_int").unwrap_or(Span::from_secs(1)),
        version,
        auth: if version == Version::V2 {
            auth
        } else {
            AuthType::None
        },
        password: password.filter(|_| version == Version::V2),
        excluded: list(block, "virtual_ipaddress_excluded", notes),
        addresses,
        source: text("unicast_src_ip")
            .or_else(|| text("mcast_src_ip"))
            .and_then(|address| address.parse().ok()),
        peers: list(block, "unicast_peer", notes),
        use_vmac: block.last("use_vmac").is_some(),
        nopreempt: block.last("nopreempt").is_some(),
        tracks: block
            .children
            .iter()
            .any(|child| child.keyword().starts_with("track_")),
        garp: garp(block, "", globals.garp),
    }
}

fn authentication(block: &Block, key: &FingerprintKey) -> (AuthType, Option<Fingerprint>) {
    let Some(block) = block.last("authentication") else {
        return (AuthType::None, None);
    };
    let auth = match block.last("auth_type").and_then(Block::value) {
        Some("PASS") => AuthType::Pass,
        Some("AH") => AuthType::Ah,
        _ => AuthType::None,
    };
    let password = block
        .last("auth_pass")
        .and_then(Block::value)
        .map(|password| {
            let mut field = [0; PASSWORD];
            for (place, byte) in field.iter_mut().zip(password.bytes()) {
                *place = byte;
            }
            key.fingerprint(field)
        });
    (auth, password.filter(|_| auth == AuthType::Pass))
}

fn garp(block: &Block, prefix: &str, default: GarpOptions) -> GarpOptions {
    let named = |name: &str| format!("{prefix}garp_master_{name}");
    GarpOptions {
        repeat: block
            .last(&named("repeat"))
            .and_then(Block::value)
            .and_then(|value| value.parse().ok())
            .unwrap_or(default.repeat),
        delay: seconds(block, &named("delay")).unwrap_or(default.delay),
        refresh: seconds(block, &named("refresh")).unwrap_or(default.refresh),
    }
}

/// The addresses in the braces behind a keyword, wherever it stands in the block.
fn list(block: &Block, keyword: &str, notes: &mut Notes) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for line in block.all(keyword).flat_map(|list| &list.children) {
        match line
            .keyword()
            .split('/')
            .next()
            .and_then(|address| address.parse().ok())
        {
            Some(address) => addresses.push(address),
            None => notes.add(&line.place, format_args!("{keyword}: this is no address")),
        }
    }
    addresses
}

fn version_of(line: &Block, notes: &mut Notes) -> Option<Version> {
    let version = line
        .value()
        .and_then(|value| value.parse().ok())
        .and_then(Version::from_number);
    if version.is_none() {
        notes.add(&line.place, "no such version of VRRP");
    }
    version
}

fn number(block: &Block, keyword: &str, notes: &mut Notes) -> Option<u8> {
    let line = block.last(keyword)?;
    let number = line.value().and_then(|value| value.parse().ok());
    if number.is_none() {
        notes.add(&line.place, format_args!("{keyword} is a number up to 255"));
    }
    number
}

/// Seconds, with a fraction or without.
fn seconds(block: &Block, keyword: &str) -> Option<Span> {
    let value = block.last(keyword)?.value()?;
    Span::try_from_secs_f64(value.parse().ok()?).ok()
}
