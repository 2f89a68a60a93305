//! The contents that are suspects or set aside, in `quarantine.json`. All of it can be lost: it is found out again.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::marker::Marker;
use crate::error::Trouble;
use crate::files::{move_into_place, write_whole};
use crate::picture::Hash;

/// The file's name inside the state folder.
pub const FILE_NAME: &str = "quarantine.json";
/// Another version is set aside, never guessed at.
const VERSION: u32 = 1;
/// Contents in the list; more push out the oldest.
const MOST_ENTRIES: usize = 1_000;

/// What is thought of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The process ended while it was decoded, others beside it: it is decoded alone next time.
    Suspect,
    /// The process ended while it alone was decoded: never again.
    Deadly,
    /// Its decoding took longer than this: not before more time is allowed.
    Slow {
        /// The limit it exceeded.
        limit_ms: u64,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    content: String,
    path: String,
    deaths: u32,
    standing: Standing,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    /// Other decoders may do what these could not: a new version of the program tries everything again.
    program: String,
    contents: Vec<Entry>,
}

/// The list.
#[derive(Debug)]
pub struct List {
    path: PathBuf,
    /// The oldest first.
    entries: Vec<Entry>,
}

impl List {
    /// That of a state folder, with what is to be said if its file was of no use.
    pub fn open(state: &Path) -> (Self, Option<Trouble>) {
        let path = state.join(FILE_NAME);
        let (entries, trouble) = match read(&path) {
            Ok(entries) => (entries, None),
            Err(trouble) => (Vec::new(), Some(trouble)),
        };
        (Self { path, entries }, trouble)
    }

    /// Makes it durable.
    pub fn save(&self) -> Result<(), Trouble> {
        let program = env!("CARGO_PKG_VERSION").into();
        let file = FileRef { version: VERSION, program, contents: &self.entries };
        let mut text = serde_json::to_vec_pretty(&file).unwrap_or_default();
        text.push(b'\n');
        write_whole(&self.path, &text, "write the quarantine")
    }

    /// What is thought of a content, and how often the process ended over it.
    pub fn standing(&self, content: Hash) -> Option<(Standing, u32)> {
        if self.entries.is_empty() {
            return None;
        }
        let content = content.to_hex();
        let entry = self.entries.iter().find(|entry| entry.content == content)?;
        Some((entry.standing, entry.deaths))
    }

    /// The process ended while this was decoded. Returns what is to be said of it.
    pub fn accuse(&mut self, marker: &Marker) -> Trouble {
        let earlier = self.take(&marker.content).map_or(0, |entry| entry.deaths);
        let standing = if marker.alone { Standing::Deadly } else { Standing::Suspect };
        let Marker { content, path, .. } = marker.clone();
        self.push(Entry { content, path, deaths: earlier + 1, standing });
        let (what, remedy) = match marker.alone {
            false => (
                "the last run ended by force while it decoded this picture",
                "nothing need be done: it is decoded with nothing beside it now, to see whether it was the cause",
            ),
            true => (
                "the last run ended by force while it decoded this picture and no other: it is set aside",
                "replace the picture or remove it; it is tried again when its content changes",
            ),
        };
        Trouble::new(what, &marker.path, remedy)
    }

    /// Where the suspects were read.
    pub fn suspects(&self) -> Vec<PathBuf> {
        let suspects = self.entries.iter().filter(|entry| entry.standing == Standing::Suspect);
        suspects.map(|entry| PathBuf::from(&entry.path)).collect()
    }

    /// From now on this is thought of a content.
    pub fn put(&mut self, content: Hash, path: &Path, standing: Standing) {
        let content = content.to_hex();
        let deaths = self.take(&content).map_or(0, |entry| entry.deaths);
        self.push(Entry { content, path: path.to_string_lossy().into_owned(), deaths, standing });
    }

    /// Nothing is thought of it any more.
    pub fn remove(&mut self, content: Hash) {
        self.take(&content.to_hex());
    }

    fn take(&mut self, content: &str) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.content == content)?;
        Some(self.entries.remove(at))
    }

    fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
        if self.entries.len() > MOST_ENTRIES {
            // Suspects first: what is known for certain was dear to find out.
            let at = self.entries.iter().position(|entry| entry.standing == Standing::Suspect).unwrap_or(0);
            self.entries.remove(at);
        }
    }
}

fn read(path: &Path) -> Result<Vec<Entry>, Trouble> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Trouble::system("read the quarantine", path, &error)),
    };
    if let Some(file) = serde_json::from_slice::<File>(&bytes).ok().filter(|file| file.version == VERSION) {
        let is_ours = file.program == env!("CARGO_PKG_VERSION");
        return Ok(if is_ours { file.contents } else { Vec::new() });
    }
    let kept = path.with_file_name(format!("{FILE_NAME}.damaged"));
    move_into_place(path, &kept)?;
    let remedy = format!("nothing need be done: what is in it is found out again; it is kept as {}", kept.display());
    Err(Trouble::new("the quarantine is damaged or of an unknown version", path, remedy))
}

/// [`File`] to be written.
#[derive(Serialize)]
struct FileRef<'a> {
    version: u32,
    program: String,
    contents: &'a [Entry],
}
