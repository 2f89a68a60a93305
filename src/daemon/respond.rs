//! One query: read it, search, draw the sheet, write sheet and record.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use image::DynamicImage;

use super::encode::features_of;
use super::workers::Bench;
use crate::answer::sheet::{self, SheetContent};
use crate::answer::{self, MatchPart, ModelPart, QueryFile, QueryPart, Record, Status, Timings};
use crate::clock;
use crate::config::Config;
use crate::error::Trouble;
use crate::files::{Stamp, write_whole};
use crate::index::Found;
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
        /// The inventory was empty or not complete: to be answered again.
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
        let mut record = self.search(members, &features, bench, &mut timings);
        let sheet_started = Instant::now();
        let png = self.draw(members, &record)?;
        timings.sheet = milliseconds(sheet_started);
        timings.total = milliseconds(started);
        let total_ms = timings.total;
        record.timings_ms = timings;
        // The record comes last: whoever sees it knows that the sheet is there.
        write_whole(&self.answer_path("png"), &png, "write the sheet")?;
        write_whole(&self.answer_path("json"), &record.to_json(), "write the record")?;
        let is_complete = self.inventory_pending == 0 && record.inventory > 0;
        let is_provisional = !is_complete && record.status != Status::Error;
        Ok(Done::Written { status: record.status, message: record.message, total_ms, is_provisional })
    }

    /// The record, but for the timings of what comes after it.
    fn search(&self, members: &[Member], features: &Rows, bench: &Bench, timings: &mut Timings) -> Record {
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
        let matches = ranked(found, self.config.answer.min_score.get());
        timings.search = milliseconds(started);
        let (status, message) = self.judge(members, inventory, &matches);
        let matches = if status == Status::Error { Vec::new() } else { matches };
        Record {
            schema: answer::SCHEMA,
            status,
            message,
            query: QueryPart {
                name: self.query.to_string_lossy().into_owned(),
                files: members.iter().map(|member| record_of(&member.file)).collect(),
                set_mode: self.is_set.then_some(mode),
            },
            model,
            metric,
            inventory,
            matches,
            answered_s: clock::now_s(),
            timings_ms: Timings::default(),
        }
    }

    fn judge(&self, members: &[Member], inventory: usize, matches: &[MatchPart]) -> (Status, String) {
        let problems: Vec<(&Path, &Unusable)> = members
            .iter()
            .filter_map(|member| Some((member.file.path.as_path(), member.file.result.as_ref().err()?)))
            .collect();
        if problems.len() == members.len() {
            return (Status::Error, self.why_unanswerable(&problems));
        }
        if inventory == 0 && self.inventory_pending == 0 {
            let folder = self.config.folders.inventory.display();
            let message = format!(
                "There is nothing to compare with yet. Put pictures into {folder}; then this is answered again."
            );
            return (Status::NothingSimilar, message);
        }
        let mut remarks = Vec::new();
        if self.inventory_pending > 0 {
            let all = inventory + self.inventory_pending;
            remarks.push(format!("Answered from {inventory} of {all} pictures: the others are still being read, then this is answered again."));
        }
        if let [(path, problem), rest @ ..] = &problems[..] {
            let others = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
            remarks.push(format!("Left out: {} ({problem}){others}.", path.display()));
        }
        if self.inventory_offline {
            remarks.push("The inventory folder is out of reach; answered from what was known of it.".into());
        }
        match (remarks.is_empty(), matches.is_empty()) {
            (false, _) => (Status::Partial, remarks.join(" ")),
            (true, true) => (Status::NothingSimilar, format!("None of the {inventory} pictures is similar enough.")),
            (true, false) => (Status::Ok, format!("The {} most similar of {inventory} pictures.", matches.len())),
        }
    }

    fn why_unanswerable(&self, problems: &[(&Path, &Unusable)]) -> String {
        match problems {
            [] => format!("The folder {} holds no pictures.", self.query.display()),
            [(path, problem)] => format!("{}: {problem}. What to do: {}.", path.display(), problem.remedy()),
            [(path, problem), ..] => format!(
                "None of the {} files could be used. The first, {}: {problem}. What to do: {}.",
                problems.len(),
                path.display(),
                problem.remedy()
            ),
        }
    }

    fn draw(&self, members: &mut [Member], record: &Record) -> Result<Vec<u8>, Trouble> {
        let style = answer::style(&self.config.answer);
        let side = sheet::picture_side_px(record.matches.len(), &style);
        let queries = members.iter_mut().map(|member| sheet::Tile {
            name: member.file.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            picture: member.decoded.take().and_then(|decoded| picture::shrink(&decoded, side)),
        });
        let content = SheetContent {
            title: record.query.name.clone(),
            queries: queries.collect(),
            matches: record.matches.iter().map(|found| self.tile(found, side)).collect(),
            notice: answer::notice(record),
            footer: answer::footer(record),
        };
        sheet::to_png(&sheet::render(&content, &style)).map_err(|reason| {
            Trouble::new(format!("the sheet could not be drawn: {reason}"), &self.query, "please report this")
        })
    }

    /// A match with its picture, as far as it can be had right now.
    fn tile(&self, found: &MatchPart, side: u32) -> sheet::Match {
        let path = self.config.folders.inventory.join(&found.path);
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

fn ranked(found: Vec<(Found, f32)>, min_score: f32) -> Vec<MatchPart> {
    let similar = found.into_iter().filter(|(_, closer_than)| *closer_than >= min_score);
    let part = |(at, (found, closer_than)): (usize, (Found, f32))| MatchPart {
        rank: at + 1,
        path: found.path.to_string_lossy().into_owned(),
        similarity: found.similarity,
        closer_than,
    };
    similar.enumerate().map(part).collect()
}

fn record_of(file: &FileRead) -> QueryFile {
    QueryFile {
        path: file.path.to_string_lossy().into_owned(),
        blake3: file.result.as_ref().ok().map(|hash| hash.to_hex()),
        problem: file.result.as_ref().err().map(ToString::to_string),
    }
}

fn milliseconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 10_000.0).round() / 10.0
}
