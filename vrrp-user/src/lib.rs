//! vrrpwatch: who holds a virtual IP, who thinks it does, and why.
//!
//! The modules follow the data:
//!
//! ```text
//! capture | replay  ->  Frame  ->  wire  ->  Packet  ->  observer  ->  Record  ->  report
//!  (kernel) (file)                (pure)                 (pure core)              (text, JSON)
//! ```

pub mod capture;
pub mod chain;
mod chronicle;
pub mod cli;
pub mod commands;
pub mod daemon;
pub mod detect;
pub mod dropped;
mod escape;
pub mod explain;
mod file;
pub mod frame;
pub mod identity;
pub mod input;
pub mod keepalived_conf;
pub mod link;
pub mod live;
pub mod log;
pub mod machine;
mod merge;
pub mod model;
pub mod observer;
pub mod probe;
pub mod record;
pub mod recording;
pub mod replay;
pub mod report;
pub mod settings;
pub mod sight;
pub mod source;
pub mod tracker;
pub mod traffic;
pub mod who;
pub mod wire;
pub mod world;
