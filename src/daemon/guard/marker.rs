//! What one thread is about to decode, said on the disk for the process that comes after this one.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::gate::Mode;
use crate::error::Trouble;
use crate::files::{remove_own, write_quick};
use crate::picture::Hash;

/// The content of a marker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// Hash of the content, 64 hexadecimal digits.
    pub content: String,
    /// Where it was read, for people.
    pub path: String,
    /// Whether nothing else was being decoded.
    pub alone: bool,
}

impl Marker {
    /// Of a content read at `path`.
    pub fn new(content: Hash, path: &Path, mode: Mode) -> Self {
        Self { content: content.to_hex(), path: path.to_string_lossy().into_owned(), alone: mode == Mode::Alone }
    }

    /// Puts it at `file`.
    pub fn write(&self, file: &Path) -> Result<(), Trouble> {
        write_quick(file, &serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Those that a process left which did not end in order. One that it was just writing says nothing and is passed over.
pub fn all_in(folder: &Path) -> Vec<Marker> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let read = |path: &Path| serde_json::from_slice(&fs::read(path).ok()?).ok();
    let mut markers: Vec<Marker> = files.flatten().filter_map(|file| read(&file.path())).collect();
    // Copies of one picture were under way: one death, not several.
    markers.sort_unstable_by(|one, other| one.content.cmp(&other.content));
    markers.dedup_by(|one, other| one.content == other.content);
    markers
}

/// Removes them.
pub fn clear(folder: &Path) {
    let Ok(files) = fs::read_dir(folder) else { return };
    for file in files.flatten() {
        let _ = remove_own(&file.path());
    }
}
