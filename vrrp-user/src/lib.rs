//! vrrpwatch: who holds a virtual IP, who thinks it does, and why.
//!
//! The modules follow the data:
//!
//! ```text
//! capture | replay  ->  Frame  ->  wire  ->  Packet  ->  observer  ->  Record  ->  report
//!  (kernel) (file)                (pure)                 (pure core)              (text, JSON)
//! ```

pub mod capture;
pub mod cli;
pub mod commands;
pub mod detect;
pub mod explain;
pub mod frame;
pub mod identity;
pub mod link;
pub mod live;
pub mod model;
pub mod observer;
pub mod probe;
pub mod record;
pub mod replay;
pub mod report;
pub mod tracker;
pub mod who;
pub mod wire;
