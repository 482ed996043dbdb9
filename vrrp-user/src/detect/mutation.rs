//! A detector that says nothing: does a test miss it? For `cargo xtask mutate`, which names it in the
//! environment.

use std::{env, sync::LazyLock};

use crate::record::{Body, Code, Record};

/// The finding that is not told, and nothing that comes of it.
static SILENT: LazyLock<Option<Code>> =
    LazyLock::new(|| env::var("VRRPWATCH_WITHOUT").ok()?.parse().ok());

/// Whether a record is told although that detector is silent.
pub(super) fn is_told(record: &Record) -> bool {
    !matches!(&record.body, Body::Finding(finding) if Some(finding.code) == *SILENT)
}
