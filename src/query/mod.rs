//! Answers one query, in stages of one file each: `input` reads the pictures, `search` finds the nearest ones, `matches`
//! turns them into matches, `status` describes the result, `render` draws the sheet, `write` writes sheet and record.
//!
//! It knows nothing of the daemon: a [`WorkerContext`] is all it needs.

pub mod ask;
mod context;
mod encoded;
pub mod expired;
mod files;
mod input;
mod matches;
mod member;
mod record;
mod rejected;
mod remote;
mod render;
mod sample;
mod search;
mod set_file;
mod status;
mod why;
mod write;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::answer::{Changes, Record, Status, Timings};
use crate::config::{Config, Crop, Refresh, SearchScope};
use crate::picture::{Bounds, Hash};
use crate::serving::View;

pub use ask::{Ask, DirectAnswer};
pub use context::WorkerContext;
pub use encoded::SetPictures;
pub use files::{NEGATIVES_FOLDER, POSITIVES_FOLDER, QueryFiles};
use input::Input;
use matches::{Matched, Selection};
pub use member::FileRead;
use search::EncodedQuery;
use status::Judgement;
use why::Explanation;
pub use write::Unwritten;
use write::{FormerAnswer, Place};

/// A query to be answered.
pub struct Query {
    /// The file or folder, relative to the query folder.
    pub path: PathBuf,
    /// Its files, relative to the query folder.
    pub files: QueryFiles,
    /// Whether it is a folder of pictures.
    pub is_set: bool,
    /// The answer is `result_<name>.png` and `.json`.
    pub name: String,
    /// The content that was answered before, if that answer is still valid.
    pub answered: Option<Hash>,
    /// Whether this only checks if the existing answer would change.
    pub is_recheck: bool,
    /// Whether to wait for an incomplete file, rather than to answer with its problem.
    pub can_wait: bool,
    /// Inventory pictures still to be read.
    pub inventory_pending: usize,
    /// Inventory pictures that were read and cannot be searched.
    pub inventory_missing: usize,
    /// Folders of the inventory that are out of reach, relative to it; an empty path is all of it.
    pub inventory_away: Vec<PathBuf>,
    /// Which pictures may be found, whatever its own settings say; everything: as they say.
    pub scope: SearchScope,
    /// The part of its pictures that is searched for, whatever its own settings say.
    pub crop: Option<Crop>,
    /// The settings in force.
    pub config: Arc<Config>,
}

/// The result of a query.
pub struct Answered {
    /// As in the query.
    pub query: PathBuf,
    /// As in the query.
    pub name: String,
    /// Every file of the query with its result.
    pub files: Vec<FileRead>,
    /// Hash over all its pictures; `None` when none could be read.
    pub content: Option<Hash>,
    /// What was done.
    pub result: Result<Done, Unwritten>,
}

/// What was done about a query.
pub enum Done {
    /// Sheet and record are in place.
    Written {
        /// As in the record.
        status: Status,
        /// As in the record's message, without the file that it is about.
        sentence: String,
        /// Id of the model that was used.
        model: String,
        /// Time from start to written.
        total_ms: f64,
        /// The inventory was empty, incomplete or out of reach: to be answered again.
        is_provisional: bool,
    },
    /// The same content has been answered already.
    Unchanged,
    /// A file is incomplete: try again later.
    NotYet,
    /// A picture of it, or of its sheet, needs a trial that this thread does not hold.
    AwaitsTrial,
}

/// An answer that is not written yet.
pub(crate) struct Composition {
    /// Without the timings of the stages after the search.
    pub record: Record,
    pub matches: Vec<Matched>,
    pub judgement: Judgement,
}

impl Query {
    /// Answers the query, from its files to the answer folder.
    pub fn run(&self, context: &WorkerContext) -> Answered {
        let started = Instant::now();
        if let Some(trouble) = self.place().obstacle() {
            return self.answered(Vec::new(), None, Err(Unwritten::Place(trouble)));
        }
        let former = self.is_recheck.then(|| self.place().former()).flatten();
        if self.is_recheck && !former.as_ref().is_some_and(|former| self.may_differ(former, context)) {
            return self.answered(Vec::new(), None, Ok(Done::Unchanged));
        }
        let (mut input, view) = Input::read_with_view(self, context);
        let content = input.content();
        let result = if input.awaits_trial() {
            Ok(Done::AwaitsTrial)
        } else if self.can_wait && input.may_be_unfinished() {
            Ok(Done::NotYet)
        } else if content.is_some() && content == self.answered && self.place().has_answer() {
            Ok(Done::Unchanged)
        } else {
            self.answer(&mut input, (&view, context), started, former)
        };
        self.answered(input.into_files(), content, result)
    }

    /// From the pictures to the record of their answer; nothing is written.
    pub(crate) fn compose(
        &self,
        input: &Input,
        (view, context): (&View, &WorkerContext),
        started: Instant,
    ) -> Composition {
        let encoding = input.encoding;
        let reading = started.elapsed().saturating_sub(encoding);
        let mut timings =
            Timings { decode: milliseconds(reading), encode: milliseconds(encoding), ..Timings::default() };
        let encoded = EncodedQuery::of(input);
        let search_started = Instant::now();
        let config = input.config(&self.config);
        let selection = Selection::new(self, context, &config.answer);
        let scope = input.scope(&self.scope);
        let searched = search::search(&encoded, &config, &scope, selection.candidates(), (view, context));
        let explanation = Explanation::new(input, config.similarity.set_mode, &searched.by.model);
        let asked = (encoded.pictures.as_slice(), &explanation);
        let mut selected = selection.select(&searched.found, &searched.scores, asked);
        let judgement = status::judge(self, input, &scope, &searched.summary(), &selected);
        if judgement.status == Status::Error {
            selected.matches.clear();
        }
        timings.search = milliseconds(search_started.elapsed());
        timings.total = milliseconds(started.elapsed());
        let record = record::compose(self, input, (&config, &scope), searched.by, &judgement, &selected, timings);
        Composition { record, matches: selected.matches, judgement }
    }

    fn answer(
        &self,
        input: &mut Input,
        (view, context): (&View, &WorkerContext),
        started: Instant,
        former: Option<FormerAnswer>,
    ) -> Result<Done, Unwritten> {
        let Composition { mut record, matches, judgement } = self.compose(input, (view, context), started);
        if let Some(former) = former {
            record.changes = Changes::since(&former.record, &record.matches);
            if record.changes.is_none() || record.status == Status::Error {
                return Ok(Done::Unchanged);
            }
        }
        let render_started = Instant::now();
        let drawn = match render::sheet(self, input, &record, &matches, context) {
            Ok(drawn) => drawn,
            Err(render::Undrawn::AwaitsTrial) => return Ok(Done::AwaitsTrial),
            Err(render::Undrawn::Failed(trouble)) => return Err(Unwritten::Place(trouble)),
        };
        record.timings_ms.sheet = milliseconds(render_started.elapsed());
        record.timings_ms.total = milliseconds(started.elapsed());
        self.place().write(&drawn, &mut record)?;
        let is_whole = self.inventory_pending == 0 && self.inventory_missing == 0;
        let has_others = record.engine.as_ref().is_none_or(|engine| engine.is_complete);
        let is_complete = is_whole
            && has_others
            && (record.inventory > 0 || record.engine.is_some())
            && self.inventory_away.is_empty();
        Ok(Done::Written {
            status: record.status,
            sentence: judgement.sentence,
            model: record.model.id,
            total_ms: record.timings_ms.total,
            is_provisional: !is_complete && record.status != Status::Error,
        })
    }

    fn answered(&self, files: Vec<FileRead>, content: Option<Hash>, result: Result<Done, Unwritten>) -> Answered {
        Answered { query: self.path.clone(), name: self.name.clone(), files, content, result }
    }

    /// Whether an old answer may change: with `refresh = "model"` only for another model.
    fn may_differ(&self, former: &FormerAnswer, context: &WorkerContext) -> bool {
        self.config.answer.refresh == Refresh::Inventory || former.model() != Some(context.serving.read().model.id())
    }

    /// Where its answer goes.
    fn place(&self) -> Place<'_> {
        Place { folder: &self.config.folders.answer, name: &self.name, format: self.config.answer.format }
    }

    fn bounds(&self) -> Bounds {
        Bounds::from(&self.config.limits)
    }
}

/// Milliseconds, to a tenth.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests;
