//! `vrrpwatch run` on real wires: in network namespaces, with real routers, beside tcpdump.
//!
//! Every test has a laboratory of its own, so they run side by side.

mod agreement;
mod sighting;
mod watcher;
