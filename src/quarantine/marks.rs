//! What one thread is about to decode, written to the disk for the process that comes after this one.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::remove_own;
use crate::picture::Hash;

/// A content that was being decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Hash of the content, 64 hexadecimal digits.
    pub content: String,
    /// Where it was read, for people.
    pub path: String,
}

impl Mark {
    /// Of a content read at `path`.
    pub fn new(content: Hash, path: &Path) -> Self {
        Self { content: content.to_hex(), path: path.to_string_lossy().into_owned() }
    }
}

/// Where one thread writes what it decodes: the first line of a file of its own. Kept open, because to make and remove a file
/// for each picture cost 100 µs of the system's time beside the catalog's flushing; this costs a few.
pub struct MarkFile {
    path: PathBuf,
    file: Option<File>,
}

impl MarkFile {
    /// At `path`. Where it cannot be written, nothing is marked: most pictures end well anyhow.
    pub fn new(path: PathBuf) -> Self {
        let file = File::options().create(true).write(true).truncate(true).open(&path);
        Self { path, file: file.ok() }
    }

    /// Of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// This is being decoded.
    pub fn put(&self, mark: &Mark) {
        let mut line = serde_json::to_vec(mark).unwrap_or_default();
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

/// Those left by a process that did not end in order. One that was just being written is no JSON and is passed over.
pub fn all_in(folder: &Path) -> Vec<Mark> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let read = |path: &Path| serde_json::from_slice(fs::read(path).ok()?.split(|byte| *byte == b'\n').next()?).ok();
    let mut marks: Vec<Mark> = files.flatten().filter_map(|file| read(&file.path())).collect();
    marks.sort_unstable_by(|one, other| one.content.cmp(&other.content));
    marks.dedup_by(|one, other| one.content == other.content);
    marks
}

/// Removes them.
pub fn clear(folder: &Path) {
    let Ok(files) = fs::read_dir(folder) else { return };
    for file in files.flatten() {
        let _ = remove_own(&file.path());
    }
}
