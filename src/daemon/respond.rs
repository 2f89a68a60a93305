//! One query: read it, have it answered, write sheet and record.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use image::DynamicImage;

use super::bench::Bench;
use crate::answer::Status;
use crate::config::{Config, SheetFormat};
use crate::error::Trouble;
use crate::files::{Stamp, make_folder, remove_own, write_whole};
use crate::picture::{self, Bounds, Hash, Unusable};

/// The order.
pub struct Question {
    /// The query, relative to the query folder.
    pub query: PathBuf,
    /// Its pictures, relative to the query folder.
    pub files: Vec<PathBuf>,
    /// Whether it is a folder of pictures.
    pub is_set: bool,
    /// The answer is `result_<name>.png` and `.json`.
    pub name: String,
    /// The content answered before, where that answer still holds.
    pub answered: Option<Hash>,
    /// Whether an unfinished file is to be waited for, rather than answered with its problem.
    pub can_wait: bool,
    /// Inventory pictures still to be read.
    pub inventory_pending: usize,
    /// Why the inventory is out of reach, if it is.
    pub inventory_offline: bool,
    /// The settings in force.
    pub config: Arc<Config>,
}

/// What came of it.
pub struct Answered {
    /// As ordered.
    pub query: PathBuf,
    /// As ordered.
    pub name: String,
    /// Every file of the query with what was made of it.
    pub files: Vec<FileRead>,
    /// Hash over all its pictures; `None` when none could be read.
    pub content: Option<Hash>,
    /// What was done.
    pub result: Result<Done, Trouble>,
}

/// What was done about a query.
pub enum Done {
    /// Sheet and record are in place.
    Written {
        /// As in the record.
        status: Status,
        /// Said in the record.
        message: String,
        /// From ready to written.
        total_ms: f64,
        /// The inventory was empty, not complete or out of reach: to be answered again.
        is_provisional: bool,
    },
    /// The same content has its answer.
    Unchanged,
    /// A file is not finished: look again later.
    NotYet,
}

/// A file of the query.
pub struct FileRead {
    /// Relative to the query folder.
    pub path: PathBuf,
    /// As read; `None` when it is gone.
    pub stamp: Option<Stamp>,
    /// Its content, or why there is none.
    pub result: Result<Hash, Unusable>,
}

/// A file of the query with its pixels.
pub(super) struct Member {
    /// The file.
    pub file: FileRead,
    /// Its pixels, until the sheet takes them.
    pub decoded: Option<DynamicImage>,
}

impl Question {
    /// Carries it out.
    pub fn run(self, bench: &Bench) -> Answered {
        let started = Instant::now();
        let mut members = self.read_all();
        let content = content_of(&members);
        let is_unfinished =
            |member: &Member| matches!(&member.file.result, Err(problem) if problem.may_be_unfinished());
        let result = if self.can_wait && members.iter().any(is_unfinished) {
            Ok(Done::NotYet)
        } else if content.is_some() && content == self.answered && self.has_answer() {
            Ok(Done::Unchanged)
        } else {
            self.answer(&mut members, bench, started)
        };
        let files = members.into_iter().map(|member| member.file).collect();
        Answered { query: self.query, name: self.name, files, content, result }
    }

    /// Where an answer's sheet or record is, by the end of its name.
    fn answer_path(&self, end: &str) -> PathBuf {
        self.config.folders.answer.join(self.file_name(end))
    }

    fn file_name(&self, end: &str) -> String {
        format!("result_{}.{end}", self.name)
    }

    /// A trouble with it names the folder: it is the folder's (full, read-only), not the answer's.
    fn write(&self, end: &str, bytes: &[u8], doing: &str) -> Result<(), Trouble> {
        let folder = &self.config.folders.answer;
        let written = make_folder(folder).and_then(|()| write_whole(&self.answer_path(end), bytes, doing));
        written.map_err(|trouble| Trouble { path: folder.clone(), ..trouble })
    }

    /// Whether the answer is still there: one that was thrown away is given again when it is asked for again.
    fn has_answer(&self) -> bool {
        [self.config.answer.format.extension(), "json"].iter().all(|end| self.answer_path(end).exists())
    }

    pub(super) fn bounds(&self) -> Bounds {
        Bounds::from(&self.config.limits)
    }

    /// Its files in their order, decoded where they can be.
    pub(super) fn read_all(&self) -> Vec<Member> {
        self.files.iter().map(|path| self.read(path)).collect()
    }

    fn read(&self, path: &Path) -> Member {
        let absolute = self.config.folders.query.join(path);
        // Before the reading: a file that changes later then differs from what is remembered of it.
        let before = std::fs::metadata(&absolute).ok().map(|metadata| Stamp::of(&metadata));
        let (stamp, result, decoded) = match picture::read_still(&absolute, &self.bounds()) {
            Err(problem) => (before, Err(problem), None),
            Ok(contents) => match picture::decode(&contents.bytes, &absolute, &self.bounds()) {
                Err(problem) => (Some(contents.stamp), Err(problem), None),
                Ok(decoded) => (Some(contents.stamp), Ok(contents.hash), Some(decoded)),
            },
        };
        Member { file: FileRead { path: path.to_path_buf(), stamp, result }, decoded }
    }

    fn answer(&self, members: &mut [Member], bench: &Bench, started: Instant) -> Result<Done, Trouble> {
        let mut composed = self.compose(members, bench, started);
        let sheet_started = Instant::now();
        let sheet = self.draw(members, &composed)?;
        let record = &mut composed.record;
        record.timings_ms.sheet = milliseconds(sheet_started);
        record.timings_ms.total = milliseconds(started);
        let format = self.config.answer.format;
        record.sheet = Some(self.file_name(format.extension()));
        let former = self.former_sheet();
        // The record comes last: whoever sees it knows that the sheet is there.
        self.write(format.extension(), &sheet, "write the sheet")?;
        self.write("json", &record.to_json(), "write the record")?;
        if let Some(former) = former.filter(|former| Some(former) != record.sheet.as_ref()) {
            // What is left of it would show another answer than the record beside it.
            let _ = remove_own(&self.config.folders.answer.join(former));
        }
        let is_complete = self.inventory_pending == 0 && record.inventory > 0 && !self.inventory_offline;
        let is_provisional = !is_complete && record.status != Status::Error;
        Ok(Done::Written {
            status: record.status,
            message: record.message.clone(),
            total_ms: record.timings_ms.total,
            is_provisional,
        })
    }

    /// The sheet of the answer that is there now, if its record names one of ours: a format ago it had another end.
    fn former_sheet(&self) -> Option<String> {
        let text = std::fs::read(self.answer_path("json")).ok()?;
        let record: serde_json::Value = serde_json::from_slice(&text).ok()?;
        let named = record.get("sheet")?.as_str()?;
        SheetFormat::ALL.map(|format| self.file_name(format.extension())).into_iter().find(|name| name == named)
    }
}

/// One hash over the contents of all pictures, whatever their names and order; `None` without any.
pub(super) fn content_of(members: &[Member]) -> Option<Hash> {
    let mut hashes: Vec<Hash> = members.iter().filter_map(|member| member.file.result.as_ref().ok().copied()).collect();
    hashes.sort_unstable();
    let all: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
    // How many files failed belongs to it: the answer says so.
    let failed = members.len() - hashes.len();
    (!hashes.is_empty()).then(|| Hash::of(&[&all[..], &failed.to_le_bytes()].concat()))
}

/// Since then, to a tenth.
pub(super) fn milliseconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 10_000.0).round() / 10.0
}
