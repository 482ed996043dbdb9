//! What does not fit together in what a run is told, with the way out.

use crate::report::{Place, ReportSettings};

/// Settings that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Two outputs at one place.
    #[error("two outputs go to {0}: name another file for one of them")]
    SamePlace(Place),
    /// Records are counted, and none are written.
    #[error(
        "--count counts records, and no output takes any: leave it out, or add --output text:-"
    )]
    NothingToCount,
    /// Nothing is there that could be replaced.
    #[error(
        "--overwrite replaces files of frames, and none is written: leave it out, or add --write"
    )]
    NothingToReplace,
    /// No frames are kept that could have passwords in them.
    #[error(
        "--write-passwords is for files of frames, and none is written: leave it out, or add --write"
    )]
    NoFrames,
}

impl ReportSettings {
    /// The settings, if they can be followed.
    ///
    /// # Errors
    /// They cannot.
    pub fn checked(self) -> Result<Self, SettingsError> {
        for (position, output) in self.outputs.iter().enumerate() {
            let before = &self.outputs[..position];
            if before.iter().any(|other| other.place == output.place) {
                return Err(SettingsError::SamePlace(output.place.clone()));
            }
        }
        let any_records = self.outputs.iter().any(|it| it.content.is_records());
        if self.count.is_some() && !any_records {
            return Err(SettingsError::NothingToCount);
        }
        Ok(self)
    }
}
