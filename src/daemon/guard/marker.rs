//! What one thread is about to decode, said on the disk for the process that comes after this one.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::gate::Mode;
use crate::files::remove_own;
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
}

/// Where one thread says what it decodes: the first line of a file of its own. Kept open, because to make and remove a file
/// for each picture cost 100 µs of the system's time beside the catalog's flushing; this costs a few.
pub struct Board {
    /// Of the file.
    pub path: PathBuf,
    file: Option<File>,
}

impl Board {
    /// At `path`. Where the disk does not go along, nothing is said: that is how most pictures end well anyhow.
    pub fn new(path: PathBuf) -> Self {
        let file = File::options().create(true).write(true).truncate(true).open(&path);
        Self { path, file: file.ok() }
    }

    /// This is being decoded.
    pub fn put(&self, marker: &Marker) {
        let mut line = serde_json::to_vec(marker).unwrap_or_default();
        line.push(b'\n');
        self.write(&line);
    }

    /// Nothing is.
    pub fn wipe(&self) {
        self.write(b"\n");
    }

    fn write(&self, line: &[u8]) {
        // What stands behind the first line is of earlier, longer ones.
        let _ = self.file.as_ref().map(|file| file.write_all_at(line, 0));
    }
}

/// Those that a process left which did not end in order. One that it was just writing says nothing and is passed over.
pub fn all_in(folder: &Path) -> Vec<Marker> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let read = |path: &Path| serde_json::from_slice(fs::read(path).ok()?.split(|byte| *byte == b'\n').next()?).ok();
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
