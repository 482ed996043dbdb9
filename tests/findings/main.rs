//! What vrrpwatch finds: in the recorded cases, in scenes made to order, and whatever happens.

#![cfg(test)]

mod account;
mod already;
mod beginning;
mod bounds;
mod claims;
mod clock;
mod cost;
mod course;
mod duplicates;
mod each;
mod forged;
mod group;
mod outlet;
mod properties;
mod recorded;
mod scenes;
mod seat;
mod session;
mod sight;
mod stage;
mod suspicion;
mod told;
mod traffic;
