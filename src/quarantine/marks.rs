//! Marks on the disk of what each thread is decoding, so that after a crash the next process knows the suspects.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::{create_own, read_own};
use crate::picture::Hash;

/// A larger file is no mark.
const LARGEST_BYTES: u64 = 64 << 10;

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

/// The file where one thread writes what it decodes, in the first line. It stays open: creating and removing a file for each
/// picture took 100 µs of system time while the catalog was flushing; this takes a few.
pub struct MarkFile {
    path: PathBuf,
    file: Option<File>,
}

impl MarkFile {
    /// At `path`. If it cannot be written, nothing is marked: nearly all pictures are harmless anyway.
    pub fn new(path: PathBuf) -> Self {
        let file = create_own(&path).ok();
        Self { path, file }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Marks what is being decoded.
    pub fn put(&self, mark: &Mark) {
        let mut line = serde_json::to_vec(mark).unwrap_or_default();
        line.push(b'\n');
        self.write(&line);
    }

    /// Nothing is being decoded.
    pub fn wipe(&self) {
        self.write(b"\n");
    }

    fn write(&self, line: &[u8]) {
        // The rest after the first line comes from earlier, longer lines.
        let _ = self.file.as_ref().map(|file| file.write_all_at(line, 0));
    }
}

/// The marks left by a process that crashed. A half-written one is not valid JSON and is skipped.
pub fn all_in(folder: &Path) -> Vec<Mark> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let read = |path: &Path| {
        let bytes = read_own(path, LARGEST_BYTES).ok()?;
        serde_json::from_slice(bytes.split(|byte| *byte == b'\n').next()?).ok()
    };
    let mut marks: Vec<Mark> = files.flatten().filter_map(|file| read(&file.path())).collect();
    marks.sort_unstable_by(|one, other| one.content.cmp(&other.content));
    marks.dedup_by(|one, other| one.content == other.content);
    marks
}
