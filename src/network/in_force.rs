//! The network in force: the one whose features the catalog is about. In the state folder lie a copy of it and, written last, which it
//! is; without that file it is the one that comes with the program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::NetworkFile;
use crate::config::{Config, Encoder};
use crate::error::Trouble;
use crate::files::{make_folder, read_own, remove_own, write_whole};
use crate::model::{Extractor, FeatureKind};

/// Below the state folder.
const FOLDER: &str = "network";
const IN_FORCE: &str = "in_force.json";
/// It is smaller by far.
const LARGEST_BYTES: u64 = 64 << 10;
const VERSION: u32 = 1;

/// Which network is in force, as a file.
#[derive(Debug, Serialize, Deserialize)]
struct InForce {
    version: u32,
    /// The version of its features.
    features: String,
    /// Numbers in a row of them.
    width: usize,
    /// The name of its file when it was taken over, for people.
    name: String,
}

/// Where copies of networks are kept.
pub struct NetworkStore(PathBuf);

/// The features that the catalog in the configured state folder is about.
pub fn features_in_force(config: &Config) -> FeatureKind {
    match config.model.encoder {
        Encoder::Convolutional => FeatureKind::of(Encoder::Convolutional),
        Encoder::Pretrained => NetworkStore::in_state(&config.folders.state).features(),
    }
}

/// What makes them.
///
/// # Errors
/// When the copy of the network is damaged, or this program has no runtime for it.
pub fn extractor_in_force(config: &Config) -> Result<Extractor, Trouble> {
    match config.model.encoder {
        Encoder::Convolutional => Extractor::load(Encoder::Convolutional),
        Encoder::Pretrained => NetworkStore::in_state(&config.folders.state).load(),
    }
}

impl NetworkStore {
    /// The one in this state folder.
    pub fn in_state(state: &Path) -> Self {
        Self(state.join(FOLDER))
    }

    /// The features of the network in force.
    pub fn features(&self) -> FeatureKind {
        self.in_force()
            .map_or_else(|| FeatureKind::of(Encoder::Pretrained), |of| FeatureKind::of_network(&of.features, of.width))
    }

    /// The name that the file of the network in force had; `None` for the one that comes with the program.
    pub fn name(&self) -> Option<String> {
        self.in_force().map(|network| network.name)
    }

    /// Loads the network in force.
    ///
    /// # Errors
    /// When its copy is damaged, or this program has no runtime for it.
    pub fn load(&self) -> Result<Extractor, Trouble> {
        let Some(InForce { features, .. }) = self.in_force() else { return Extractor::load(Encoder::Pretrained) };
        let copy = self.copy_of(&features);
        let file = NetworkFile::read(&copy)?;
        if file.version() != features {
            return Err(Trouble::new(
                "the copy of the network is not what was written",
                copy,
                "see whether the disk is healthy",
            ));
        }
        file.load()
    }

    /// Keeps a copy of `file`, which is not in force yet.
    pub fn keep(&self, file: &NetworkFile) -> Result<(), Trouble> {
        make_folder(&self.0)?;
        let copy = self.copy_of(file.version());
        write_whole(&crate::config::description_of(&copy), file.text().as_bytes(), "keep the network's description")?;
        write_whole(&copy, file.bytes(), "keep a copy of the network")
    }

    /// Puts the network in force whose features are `kind`, of which a copy is kept unless it comes with the program. `name` is that of
    /// its file. Copies of others are removed.
    pub fn put_in_force(&self, kind: &FeatureKind, name: &str) -> Result<(), Trouble> {
        let path = self.0.join(IN_FORCE);
        if kind.is_bundled_network() {
            if path.exists() {
                remove_own(&path)?;
            }
        } else {
            let (features, name) = (kind.version.to_string(), name.to_string());
            let in_force = InForce { version: VERSION, features, width: kind.width, name };
            let text = serde_json::to_vec(&in_force).unwrap_or_default();
            write_whole(&path, &text, "write which network is in force")?;
        }
        self.sweep();
        Ok(())
    }

    /// Removes copies of networks that are not in force. What cannot be removed only takes room.
    pub fn sweep(&self) {
        let features = self.features().version;
        for entry in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_needed = path.file_stem().is_some_and(|stem| *stem == *features) || path.ends_with(IN_FORCE);
            if !is_needed {
                let _ = remove_own(&path);
            }
        }
    }

    /// `None` where there is none; nor where it cannot be read, as if it had never been.
    fn in_force(&self) -> Option<InForce> {
        let bytes: io::Result<Vec<u8>> = read_own(&self.0.join(IN_FORCE), LARGEST_BYTES);
        serde_json::from_slice(&bytes.ok()?).ok().filter(|found: &InForce| found.version == VERSION)
    }

    /// Where a copy lies of the network that makes `features`.
    fn copy_of(&self, features: &str) -> PathBuf {
        self.0.join(format!("{features}.onnx"))
    }
}
