//! `vrrpwatch run` on real wires: in network namespaces, with real routers, beside tcpdump.
//!
//! Every test has a laboratory of its own, so they run side by side.

mod agreement;
mod arping;
mod asked;
mod asking;
mod attached;
mod findings;
mod flood;
mod hooks;
mod interfaces;
mod keys;
mod limits;
mod made_up;
mod neighbours;
mod output;
mod probing;
mod promptness;
mod recording;
mod rejection;
mod sighting;
mod standing;
mod traffic;
mod vlan;
mod watcher;
mod wire;
