//! keepalived's configuration: what an instance is meant to be.
//!
//! Included files, definitions and conditional lines are followed as keepalived does. What cannot
//! be followed is a note, not an error: half an expectation is better than none. Passwords are
//! fingerprinted as they are read and never kept. Only regular files are read, and one reading costs
//! a bounded amount of time and memory, whatever the files ask for.

mod block;
pub(crate) mod drift;
mod instance;
pub mod lint;
mod mistakes;
mod notes;
mod source;
mod watched;

use std::{
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

pub use instance::{AuthType, GarpOptions, Instance, SyncGroup};
use serde::{Deserialize, Serialize};
pub use watched::ConfFile;

use crate::model::{FingerprintKey, Version};
use notes::Notes;

/// A configuration, as far as it concerns VRRP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conf {
    /// The instances, in the order of the file.
    pub instances: Vec<Instance>,
    /// The groups whose instances change their states together.
    pub groups: Vec<SyncGroup>,
    /// What a reader should know: what was not understood, or could not be read.
    pub notes: Vec<String>,
    /// The files that it is made of.
    pub files: Vec<PathBuf>,
    /// What is written and does not do what it says.
    pub mistakes: Vec<String>,
}

/// The configuration cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path:?}")]
pub struct ConfError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl Conf {
    /// Reads a configuration and what it includes. `config_id` is what `@NAME` lines are compared
    /// with: keepalived's option `-i`, or the name of the host up to its first dot.
    ///
    /// # Errors
    /// The file itself cannot be read; what cannot be read of the files it includes is noted.
    pub fn read(path: &Path, config_id: &str, key: &FingerprintKey) -> Result<Self, ConfError> {
        let mut notes = Notes::default();
        let (lines, files) =
            source::read(path, config_id, &mut notes).map_err(|source| ConfError {
                path: path.to_owned(),
                source,
            })?;
        let blocks = block::parse(&lines, &mut notes);
        let instances = instance::find(&blocks, key, &mut notes);
        let groups = instance::groups(&blocks);
        let mut mistakes = Notes::default();
        mistakes::note(&blocks, &mut mistakes);
        Ok(Self {
            instances,
            groups,
            notes: notes.into_words(),
            files,
            mistakes: mistakes.into_words(),
        })
    }

    /// The names of the instances in a group.
    pub fn members(&self, group: &str) -> &[String] {
        let group = self.groups.iter().find(|known| known.name == group);
        group.map_or(&[], |group| &group.members)
    }

    /// The instance of this name.
    pub fn instance(&self, name: &str) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.name == name)
    }

    /// The instances that hold this address.
    pub fn having(&self, address: IpAddr) -> impl Iterator<Item = &Instance> {
        self.instances
            .iter()
            .filter(move |instance| instance.holds(address))
    }
}

/// The version of VRRP where neither the instance nor the globals say.
const DEFAULT_VERSION: Version = Version::V2;

#[cfg(test)]
mod tests;
