//! One query: read it, search, draw the sheet, write sheet and record.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use image::DynamicImage;

use super::bench::Bench;
use super::encode::features_of;
use super::verdict::{ranked, record_of};
use crate::answer::sheet::{self, SheetContent};
use crate::answer::{self, MatchPart, ModelPart, QueryPart, Record, Status, Timings};
use crate::clock;
use crate::config::Config;
use crate::error::Trouble;
use crate::files::{Stamp, make_folder, write_whole};
use crate::model::{PRETRAINED, Trunk};
use crate::picture::{self, Bounds, Hash, Unusable};
use crate::rows::Rows;

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
struct Member {
    file: FileRead,
    decoded: Option<DynamicImage>,
}

impl Question {
    /// Carries it out.
    pub fn run(self, bench: &Bench) -> Answered {
        let started = Instant::now();
        let mut members: Vec<Member> = self.files.iter().map(|path| self.read(path)).collect();
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
        self.config.folders.answer.join(format!("result_{}.{end}", self.name))
    }

    /// A trouble with it names the folder: it is the folder's (full, read-only), not the answer's.
    fn write(&self, end: &str, bytes: &[u8], doing: &str) -> Result<(), Trouble> {
        let folder = &self.config.folders.answer;
        let written = make_folder(folder).and_then(|()| write_whole(&self.answer_path(end), bytes, doing));
        written.map_err(|trouble| Trouble { path: folder.clone(), ..trouble })
    }

    /// Whether the answer is still there: one that was thrown away is given again when it is asked for again.
    fn has_answer(&self) -> bool {
        ["png", "json"].iter().all(|end| self.answer_path(end).exists())
    }

    fn bounds(&self) -> Bounds {
        Bounds::from(&self.config.limits)
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
        let mut timings = Timings { decode: milliseconds(started), ..Timings::default() };
        let encode_started = Instant::now();
        let features = features_of_members(members, bench);
        timings.encode = milliseconds(encode_started);
        let (mut record, paths) = self.search(members, &features, bench, &mut timings);
        let sheet_started = Instant::now();
        let png = self.draw(members, &record, &paths)?;
        timings.sheet = milliseconds(sheet_started);
        timings.total = milliseconds(started);
        let total_ms = timings.total;
        record.timings_ms = timings;
        // The record comes last: whoever sees it knows that the sheet is there.
        self.write("png", &png, "write the sheet")?;
        self.write("json", &record.to_json(), "write the record")?;
        let is_complete = self.inventory_pending == 0 && record.inventory > 0 && !self.inventory_offline;
        let is_provisional = !is_complete && record.status != Status::Error;
        Ok(Done::Written { status: record.status, message: record.message, total_ms, is_provisional })
    }

    /// The record, but for the timings of what comes after it; and the paths of the matches as the disk spells them.
    fn search(
        &self,
        members: &[Member],
        features: &Rows,
        bench: &Bench,
        timings: &mut Timings,
    ) -> (Record, Vec<PathBuf>) {
        let started = Instant::now();
        let mode = self.config.similarity.set_mode;
        // One lock for model and codes: a query sees one model, whatever happens meanwhile.
        let serving = bench.serving.read();
        let found = serving.search(features, mode, self.config.answer.results.count());
        let model =
            ModelPart { id: serving.model.id().into(), encoder: PRETRAINED, trained_on: serving.model.trained_on() };
        let inventory = serving.index.len();
        let metric = serving.index.metric().name();
        drop(serving);
        let paths = found.iter().map(|(found, _)| found.path.clone()).collect();
        let matches = ranked(found, self.config.answer.min_score.get());
        timings.search = milliseconds(started);
        let files: Vec<&FileRead> = members.iter().map(|member| &member.file).collect();
        let (status, message) = self.judge(&files, inventory, &matches);
        let matches = if status == Status::Error { Vec::new() } else { matches };
        let record = Record {
            schema: answer::SCHEMA,
            status,
            message,
            query: QueryPart {
                name: self.query.to_string_lossy().into_owned(),
                files: files.into_iter().map(record_of).collect(),
                set_mode: self.is_set.then_some(mode),
            },
            model,
            metric,
            inventory,
            matches,
            answered_s: clock::now_s(),
            timings_ms: Timings::default(),
        };
        (record, paths)
    }

    fn draw(&self, members: &mut [Member], record: &Record, paths: &[PathBuf]) -> Result<Vec<u8>, Trouble> {
        let style = answer::style(&self.config.answer);
        let side = sheet::picture_side_px(record.matches.len(), &style);
        let queries = members.iter_mut().map(|member| sheet::Tile {
            name: member.file.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            picture: member.decoded.take().and_then(|decoded| picture::shrink(&decoded, side)),
        });
        let content = SheetContent {
            title: record.query.name.clone(),
            queries: queries.collect(),
            // What is left out for its score stands at the end, so ranks and paths go together.
            matches: record.matches.iter().zip(paths).map(|(found, path)| self.tile(found, path, side)).collect(),
            notice: answer::notice(record),
            footer: answer::footer(record),
        };
        sheet::to_png(&sheet::render(&content, &style)).map_err(|reason| {
            Trouble::new(format!("the sheet could not be drawn: {reason}"), &self.query, "please report this")
        })
    }

    /// A match with its picture, as far as it can be had right now.
    fn tile(&self, found: &MatchPart, path: &Path, side: u32) -> sheet::Match {
        let path = self.config.folders.inventory.join(path);
        let decoded = picture::read_still(&path, &self.bounds())
            .and_then(|contents| picture::decode(&contents.bytes, &path, &self.bounds()));
        sheet::Match {
            rank: found.rank,
            name: found.path.clone(),
            closer_than: found.closer_than,
            similarity: found.similarity,
            picture: decoded.ok().and_then(|decoded| picture::shrink(&decoded, side)),
        }
    }
}

/// Features `[m, 1280]` of the members that are pictures.
fn features_of_members(members: &mut [Member], bench: &Bench) -> Rows {
    let mut features = Rows::empty(Trunk::WIDTH);
    for member in members {
        let (Some(decoded), Ok(hash)) = (&member.decoded, &member.file.result) else { continue };
        let kept = bench.catalog.features(*hash, Trunk::VERSION).ok().flatten();
        match kept.map_or_else(|| features_of(decoded, &bench.trunk), Ok) {
            Ok(row) => drop(features.push(&row)),
            Err(problem) => member.file.result = Err(problem),
        }
    }
    features
}

/// One hash over the contents of all pictures, whatever their names and order; `None` without any.
fn content_of(members: &[Member]) -> Option<Hash> {
    let mut hashes: Vec<Hash> = members.iter().filter_map(|member| member.file.result.as_ref().ok().copied()).collect();
    hashes.sort_unstable();
    let all: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
    // How many files failed belongs to it: the answer says so.
    let failed = members.len() - hashes.len();
    (!hashes.is_empty()).then(|| Hash::of(&[&all[..], &failed.to_le_bytes()].concat()))
}

fn milliseconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 10_000.0).round() / 10.0
}
