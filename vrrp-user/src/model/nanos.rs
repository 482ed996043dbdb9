//! Times to the nanosecond, where the microseconds of the text are too coarse.

use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

use super::Timestamp;

/// Writes a time as nanoseconds since the epoch.
///
/// # Errors
/// Those of the format.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    time.as_nanos().serialize(serializer)
}

/// Reads such a time.
///
/// # Errors
/// It is no number.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Timestamp, D::Error> {
    u64::deserialize(deserializer).map(Timestamp::from_nanos)
}
