//! The laboratory of the tests.

pub mod frames;
