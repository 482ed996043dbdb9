//! The laboratory of the tests.
