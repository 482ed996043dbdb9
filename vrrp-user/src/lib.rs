//! vrrpwatch: who holds a virtual IP, who thinks it does, and why.

pub mod capture;
