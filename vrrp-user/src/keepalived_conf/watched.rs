//! A configuration on disk, which somebody may change.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{Conf, ConfError};
use crate::model::FingerprintKey;

/// The file of a configuration and those that it includes.
#[derive(Debug)]
pub struct ConfFile {
    path: PathBuf,
    config_id: String,
    key: FingerprintKey,
    stamps: Vec<(PathBuf, Stamp)>,
}

/// What changes with a file: device, inode, length in bytes and time of the last change in seconds and
/// nanoseconds; `None` where there is none.
type Stamp = Option<(u64, u64, u64, i64, i64)>;

impl ConfFile {
    /// Reads a configuration, see [`Conf::read`].
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(
        path: &Path,
        config_id: &str,
        key: &FingerprintKey,
    ) -> Result<(Self, Conf), ConfError> {
        let conf = Conf::read(path, config_id, key)?;
        let file = Self {
            path: path.to_owned(),
            config_id: config_id.to_owned(),
            key: key.clone(),
            stamps: stamps(&conf),
        };
        Ok((file, conf))
    }

    /// The file itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration as it is now; `None` where no file has changed.
    ///
    /// # Errors
    /// The file cannot be read any more. It is tried again when it changes.
    pub fn reread(&mut self) -> Option<Result<Conf, ConfError>> {
        let changed = self
            .stamps
            .iter()
            .any(|(path, before)| stamp(path) != *before);
        if !changed {
            return None;
        }
        let conf = Conf::read(&self.path, &self.config_id, &self.key);
        match &conf {
            Ok(conf) => self.stamps = stamps(conf),
            Err(_) => {
                for (path, before) in &mut self.stamps {
                    *before = stamp(path);
                }
            }
        }
        Some(conf)
    }
}

fn stamps(conf: &Conf) -> Vec<(PathBuf, Stamp)> {
    let files = conf.files.iter();
    files.map(|path| (path.clone(), stamp(path))).collect()
}

fn stamp(path: &Path) -> Stamp {
    let it = fs::metadata(path).ok()?;
    Some((it.dev(), it.ino(), it.len(), it.mtime(), it.mtime_nsec()))
}
