//! The list of suspects and of contents set aside, in `quarantine.json`. If it is lost, its contents are found again.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::marks::Mark;
use crate::error::Trouble;
use crate::files::{move_into_place, read_own, write_whole};
use crate::picture::{CrashCause, Hash};

/// The file's name inside the state folder.
pub const FILE_NAME: &str = "quarantine.json";
/// The version that is written. [`BY_COUNTING`] is read as well; a file of any other version is set aside, never guessed.
const VERSION: u32 = 2;
/// Set aside whatever was being decoded at two crashes, which proves nothing.
const BY_COUNTING: u32 = 1;
/// Most contents in the list; then the oldest are removed.
const MOST_ENTRIES: usize = 1_000;
/// A larger file has more entries than that, or longer paths than there are.
const LARGEST_BYTES: u64 = 16 << 20;

/// The state of a content in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuarantineState {
    /// The process died while it was decoded, or it took too long, perhaps for another reason: it needs a trial.
    Suspect,
    /// It killed the child process that decoded it.
    SetAside(CrashCause),
}

#[derive(Debug, Serialize, Deserialize)]
struct QuarantineEntry {
    content: String,
    path: String,
    state: QuarantineState,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    version: u32,
    /// Other decoders may succeed: under another version of the program all entries are suspects again.
    program: String,
    contents: Vec<QuarantineEntry>,
}

/// A file of version [`BY_COUNTING`]: the fields that are used.
#[derive(Debug, Deserialize)]
struct FileByCounting {
    contents: Vec<EntryByCounting>,
}

#[derive(Debug, Deserialize)]
struct EntryByCounting {
    content: String,
    path: String,
}

/// The list.
#[derive(Debug)]
pub struct List {
    path: PathBuf,
    /// The oldest first.
    entries: Vec<QuarantineEntry>,
}

impl List {
    /// Opens that of a state folder; also returns what to report if its file was unusable.
    pub fn open(state: &Path) -> (Self, Option<Trouble>) {
        let path = state.join(FILE_NAME);
        let (entries, trouble) = match read(&path) {
            Ok(entries) => (entries, None),
            Err(trouble) => (Vec::new(), Some(trouble)),
        };
        (Self { path, entries }, trouble)
    }

    /// Writes it to the disk.
    pub fn save(&self) -> Result<(), Trouble> {
        let program = env!("CARGO_PKG_VERSION").into();
        let file = FileRef { version: VERSION, program, contents: &self.entries };
        let mut text = serde_json::to_vec_pretty(&file).unwrap_or_default();
        text.push(b'\n');
        write_whole(&self.path, &text, "write the quarantine")
    }

    /// The state of a content; `None` for nearly all.
    pub fn state(&self, content: Hash) -> Option<QuarantineState> {
        if self.entries.is_empty() {
            return None;
        }
        let content = content.to_hex();
        self.entries.iter().find(|entry| entry.content == content).map(|entry| entry.state)
    }

    /// Whether a suspect was read at this path.
    pub fn is_suspect_at(&self, path: &Path) -> bool {
        let path = path.to_string_lossy();
        self.entries.iter().any(|entry| entry.state == QuarantineState::Suspect && entry.path == path)
    }

    /// The process died while this was decoded. Returns what to report.
    pub fn record_crash(&mut self, mark: &Mark) -> Trouble {
        let Mark { content, path } = mark.clone();
        self.take(&content);
        self.push(QuarantineEntry { content, path, state: QuarantineState::Suspect });
        Trouble::new(
            "the last run ended by force while it decoded this picture",
            &mark.path,
            "there is nothing to do: it is decoded in a process of its own now, to see whether it was the cause",
        )
    }

    /// Sets the state of a content.
    pub fn put(&mut self, content: Hash, path: &Path, state: QuarantineState) {
        let content = content.to_hex();
        self.take(&content);
        self.push(QuarantineEntry { content, path: path.to_string_lossy().into_owned(), state });
    }

    /// Removes a content: it is like any other.
    pub fn remove(&mut self, content: Hash) {
        self.take(&content.to_hex());
    }

    fn take(&mut self, content: &str) -> Option<QuarantineEntry> {
        let at = self.entries.iter().position(|entry| entry.content == content)?;
        Some(self.entries.remove(at))
    }

    fn push(&mut self, entry: QuarantineEntry) {
        self.entries.push(entry);
        if self.entries.len() > MOST_ENTRIES {
            // Suspects first: the other entries took a trial to find out.
            let older = &self.entries[..self.entries.len() - 1];
            let at = older.iter().position(|entry| entry.state == QuarantineState::Suspect).unwrap_or(0);
            self.entries.remove(at);
        }
    }
}

fn read(path: &Path) -> Result<Vec<QuarantineEntry>, Trouble> {
    let bytes = match read_own(path, LARGEST_BYTES) {
        Ok(bytes) => bytes,
        // No file of ours: it is set aside like a damaged one.
        Err(error) if error.kind() == ErrorKind::InvalidData => Vec::new(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Trouble::system("read the quarantine", path, &error)),
    };
    if let Some(entries) = parse(&bytes) {
        return Ok(entries);
    }
    let kept = path.with_file_name(format!("{FILE_NAME}.damaged"));
    move_into_place(path, &kept)?;
    let remedy =
        format!("there is nothing to do: its contents are found again; the file is kept as {}", kept.display());
    Err(Trouble::new("the quarantine is damaged or of an unknown version", path, remedy))
}

fn parse(bytes: &[u8]) -> Option<Vec<QuarantineEntry>> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    match serde_json::from_slice::<Version>(bytes).ok()?.version {
        VERSION => {
            let file: File = serde_json::from_slice(bytes).ok()?;
            let is_ours = file.program == env!("CARGO_PKG_VERSION");
            let as_suspect = |entry: QuarantineEntry| QuarantineEntry { state: QuarantineState::Suspect, ..entry };
            Some(if is_ours { file.contents } else { file.contents.into_iter().map(as_suspect).collect() })
        }
        BY_COUNTING => {
            let file: FileByCounting = serde_json::from_slice(bytes).ok()?;
            let as_suspect =
                |EntryByCounting { content, path }| QuarantineEntry { content, path, state: QuarantineState::Suspect };
            Some(file.contents.into_iter().map(as_suspect).collect())
        }
        _ => None,
    }
}

/// [`File`] to be written.
#[derive(Serialize)]
struct FileRef<'a> {
    version: u32,
    program: String,
    contents: &'a [QuarantineEntry],
}
