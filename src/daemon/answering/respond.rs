//! One query: read it, have it answered, write sheet and record.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::members::{FileRead, Material, Member, SetFile, TILE_PX};
use crate::answer::{Changes, Status};
use crate::config::{Config, Refresh, SheetFormat};
use crate::daemon::bench::Bench;
use crate::error::Trouble;
use crate::files::{make_folder, remove_own, write_whole};
use crate::isolation::Outputs;
use crate::picture::{Bounds, Hash};

/// The order.
pub struct Question {
    /// The query, relative to the query folder.
    pub query: PathBuf,
    /// Its pictures, relative to the query folder.
    pub files: Vec<PathBuf>,
    /// Pictures that the answer is to be kept away from, relative to the query folder.
    pub unlike: Vec<PathBuf>,
    /// The set's own settings, relative to the query folder.
    pub settings: Option<PathBuf>,
    /// Whether it is a folder of pictures.
    pub is_set: bool,
    /// The answer is `result_<name>.png` and `.json`.
    pub name: String,
    /// The content answered before, where that answer still holds.
    pub answered: Option<Hash>,
    /// Whether this only sees if the answer that is there would be another today.
    pub is_recheck: bool,
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
    pub result: Result<Done, Unwritten>,
}

/// An answer that could not be written.
pub struct Unwritten {
    /// Why.
    pub trouble: Trouble,
    /// The size of what was to be written.
    pub bytes: usize,
}

/// Why there is no sheet.
pub enum Undrawn {
    /// It could not be drawn.
    Failed(Trouble),
    /// A picture on it needs a trial that this thread does not hold.
    AwaitsTrial,
}

/// What was done about a query.
pub enum Done {
    /// Sheet and record are in place.
    Written {
        /// As in the record.
        status: Status,
        /// Said in the record.
        message: String,
        /// Id of the model that measured.
        model: String,
        /// From ready to written.
        total_ms: f64,
        /// The inventory was empty, not complete or out of reach: to be answered again.
        is_provisional: bool,
    },
    /// The same content has its answer.
    Unchanged,
    /// A file is not finished: look again later.
    NotYet,
    /// A picture of it, or of its sheet, needs a trial that this thread does not hold.
    AwaitsTrial,
}

impl Question {
    /// Carries it out.
    pub fn run(&self, bench: &Bench) -> Answered {
        let started = Instant::now();
        let former = self.is_recheck.then(|| self.former()).flatten();
        if self.is_recheck && !former.as_ref().is_some_and(|former| self.may_differ(former, bench)) {
            return self.answered(Vec::new(), None, Ok(Done::Unchanged));
        }
        let mut material = self.read_all(bench);
        let content = material.content();
        let result = if material.awaits_trial() {
            Ok(Done::AwaitsTrial)
        } else if self.can_wait && material.may_be_unfinished() {
            Ok(Done::NotYet)
        } else if content.is_some() && content == self.answered && self.has_answer() {
            Ok(Done::Unchanged)
        } else {
            self.answer(&mut material, bench, (started, former))
        };
        self.answered(material.into_files(), content, result)
    }

    fn answered(&self, files: Vec<FileRead>, content: Option<Hash>, result: Result<Done, Unwritten>) -> Answered {
        Answered { query: self.query.clone(), name: self.name.clone(), files, content, result }
    }

    /// Whether it is worth looking at a past answer once more: with `refresh = "model"` only for another model.
    fn may_differ(&self, former: &Value, bench: &Bench) -> bool {
        let model = former.pointer("/model/id").and_then(Value::as_str);
        self.config.answer.refresh == Refresh::Inventory || model != Some(bench.serving.read().model.id())
    }

    /// Where an answer's sheet or record is, by the end of its name.
    fn answer_path(&self, end: &str) -> PathBuf {
        self.config.folders.answer.join(self.file_name(end))
    }

    fn file_name(&self, end: &str) -> String {
        format!("result_{}.{end}", self.name)
    }

    /// A trouble with it names the folder: it is the folder's (full, read-only), not the answer's.
    fn write(&self, end: &str, bytes: &[u8], doing: &str) -> Result<(), Unwritten> {
        let folder = &self.config.folders.answer;
        let written = make_folder(folder).and_then(|()| write_whole(&self.answer_path(end), bytes, doing));
        let unwritten =
            |trouble| Unwritten { trouble: Trouble { path: folder.clone(), ..trouble }, bytes: bytes.len() };
        written.map_err(unwritten)
    }

    /// Whether the answer is still there: one that was thrown away is given again when it is asked for again.
    fn has_answer(&self) -> bool {
        [self.config.answer.format.extension(), "json"].iter().all(|end| self.answer_path(end).exists())
    }

    pub(in crate::daemon) fn bounds(&self) -> Bounds {
        Bounds::from(&self.config.limits)
    }

    /// Its files in their order, decoded where they can be.
    pub(in crate::daemon) fn read_all(&self, bench: &Bench) -> Material {
        let read = |path: &PathBuf, longest_px| Member::read(path, &self.config, bench, longest_px);
        let longest_px = if self.is_set { Some(TILE_PX) } else { Outputs::FULL_SIZE };
        Material {
            members: self.files.iter().map(|path| read(path, longest_px)).collect(),
            unlike: self.unlike.iter().map(|path| read(path, None)).collect(),
            settings: self.settings.as_ref().map(|path| SetFile::read(path, &self.config)),
        }
    }

    fn answer(
        &self,
        material: &mut Material,
        bench: &Bench,
        (started, past): (Instant, Option<Value>),
    ) -> Result<Done, Unwritten> {
        let mut composed = self.compose(material, bench, started);
        if let Some(past) = past {
            composed.record.changes = Changes::since(&past, &composed.record.matches);
            if composed.record.changes.is_none() || composed.record.status == Status::Error {
                return Ok(Done::Unchanged);
            }
        }
        let sheet_started = Instant::now();
        let sheet = match self.draw(material, &composed, bench) {
            Ok(sheet) => sheet,
            Err(Undrawn::AwaitsTrial) => return Ok(Done::AwaitsTrial),
            Err(Undrawn::Failed(trouble)) => return Err(Unwritten { trouble, bytes: 0 }),
        };
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
            model: record.model.id.clone(),
            total_ms: record.timings_ms.total,
            is_provisional,
        })
    }

    /// The record that lies in the answer folder. One that was thrown away, or is no record, is nobody's concern.
    fn former(&self) -> Option<Value> {
        serde_json::from_slice(&std::fs::read(self.answer_path("json")).ok()?).ok()
    }

    /// The sheet of the answer that is there now, if its record names one of ours: a format ago it had another end.
    fn former_sheet(&self) -> Option<String> {
        let record = self.former()?;
        let named = record.get("sheet")?.as_str()?;
        SheetFormat::ALL.map(|format| self.file_name(format.extension())).into_iter().find(|name| name == named)
    }
}

/// Since then, to a tenth.
pub(in crate::daemon) fn milliseconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 10_000.0).round() / 10.0
}
