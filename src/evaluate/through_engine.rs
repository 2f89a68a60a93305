//! The same questions asked of an engine that several nodes share: how many of the nearest it finds, and whether the answers are as good.

use std::collections::HashSet;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::fits::{FitInput, FolderUse};
use super::look::{EvaluationOptions, LabelledPictures};
use super::queries::{Origin, Question, name_of, number_of, singles};
use crate::base::dot::dot;
use crate::base::nearest::first;
use crate::base::rows::{Rows, to_unit_length};
use crate::clock::{self, WallTime};
use crate::config::{ModelSettings, SearchScope, SetMode};
use crate::engine::{Engine, EngineError, EngineGeneration, EngineRow, NearRequest};
use crate::error::Fatal;
use crate::index::{Found, Index, RemoteRow, SHORTLIST, SearchMode, members};
use crate::model::{Model, TrainingError};
use crate::picture::Hash;
use crate::progress::Progress;

/// The first matches that are compared.
const FIRST: usize = 10;
/// More than are ranked are asked for, as a query does.
const MARGIN: usize = 50;
/// Rows in one message.
const AT_ONCE: usize = 500;
/// What was put can be found after this long at most.
const VISIBLE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);
/// Whose pictures these are, and who asks for them.
const NODE: &str = "evaluated";
const ASKER: &str = "evaluating";

/// How an engine answers, compared with the index of one daemon.
#[derive(Debug, Clone, Serialize)]
pub struct EngineFigures {
    /// Its kind and version.
    pub version: String,
    /// How often it was asked.
    pub queries: usize,
    /// How many of the ten nearest embeddings, found by comparing all, it finds.
    pub recall_at_10: f64,
    /// Share of right ones among the first ten matches, by the index in memory.
    pub p_at_10_embedded: f64,
    /// The same through the engine.
    pub p_at_10: f64,
    /// Share of the first ten matches that are the same.
    pub agreement: f64,
    /// Milliseconds that it takes for the rows of a query: half of them take no longer.
    pub p50_ms: f64,
    /// The same of 99 in 100.
    pub p99_ms: f64,
}

/// The pictures in an engine, under a name of their own until this is dropped.
struct Lent<'a> {
    engine: &'a dyn Engine,
    name: String,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        // Left behind, the nodes drop it, since none answers with it.
        let _ = self.engine.retire(&self.name);
    }
}

impl LabelledPictures {
    /// Asks `engine`, which is `at` this address, and the index in memory the same. `None` when it was cancelled.
    ///
    /// # Errors
    /// When the pictures teach nothing, or the engine fails.
    pub fn measure_engine(
        &self,
        options: &EvaluationOptions,
        (engine, at): (&dyn Engine, &str),
        progress: &dyn Progress,
    ) -> Result<Option<EngineFigures>, Fatal> {
        let model = match self.model(options, progress) {
            Ok(model) => model,
            Err(TrainingError::Cancelled) => return Ok(None),
            Err(TrainingError::Failed(reason)) => {
                return Err(Fatal::Failed(format!("no model could be trained: {reason}")));
            }
        };
        let searched = model.encode(&self.inventory.inputs[0]);
        let asking = match self.origin {
            Origin::Inventory => searched.clone(),
            Origin::Queries => model.encode(&self.queries.inputs[0]),
        };
        let compared = self.compare_engine(options, (&searched, &asking), engine, progress);
        compared.map_err(|error| Fatal::from(error.trouble(at)))
    }

    fn model(&self, options: &EvaluationOptions, progress: &dyn Progress) -> Result<Model, TrainingError> {
        let Self { inventory, training, .. } = self;
        let network = &options.networks[0];
        let settings = ModelSettings { encoder: network.encoder(), ..options.settings.clone() };
        let fit = FitInput { inventory, training, input: 0, settings, seed: options.seed };
        let autoencoder = fit.train(&HashSet::new(), FolderUse::Teach, progress)?;
        Ok(Model::trained("evaluate".into(), self.kinds[0].clone(), inventory.paths.len(), autoencoder))
    }

    fn compare_engine(
        &self,
        options: &EvaluationOptions,
        (searched, asking): (&Rows, &Rows),
        engine: &dyn Engine,
        progress: &dyn Progress,
    ) -> Result<Option<EngineFigures>, EngineError> {
        let version = engine.version()?;
        let lent = Lent { engine, name: format!("evaluate_{}", clock::now_us()) };
        engine.prepare(&EngineGeneration { name: lent.name.clone(), width: searched.width() })?;
        let rows: Vec<EngineRow> = searched.iter().enumerate().map(|(at, row)| self.row(at, row)).collect();
        for some in rows.chunks(AT_ONCE) {
            if progress.is_cancelled() {
                return Ok(None);
            }
            engine.put(&lent.name, some)?;
        }
        lent.wait_until_visible(&rows)?;
        let how = SearchMode { metric: options.metric, set_mode: SetMode::Mean };
        let mut both = BothSearches {
            lent,
            how,
            searched,
            index: Index::filled(searched.width(), named(searched)),
            times: Vec::new(),
        };
        let questions = singles(&self.labels, self.origin);
        let mut sums = [0.0; 4];
        for (done, question) in questions.iter().enumerate() {
            if progress.is_cancelled() {
                return Ok(None);
            }
            progress.set_share(done as f32 / questions.len() as f32);
            let found = both.ask(question, asking)?;
            sums[0] += common(&found.near, &found.exact);
            sums[1] += self.precision(question, &found.embedded);
            sums[2] += self.precision(question, &found.through);
            sums[3] += common(&found.through, &found.embedded);
        }
        let [recall_at_10, p_at_10_embedded, p_at_10, agreement] = sums.map(|sum| sum / questions.len().max(1) as f64);
        let mut times = both.times;
        times.sort_by(f64::total_cmp);
        let percentile = |share: f64| times[(times.len().saturating_sub(1) as f64 * share) as usize];
        let [p50_ms, p99_ms] = if times.is_empty() { [0.0; 2] } else { [0.5, 0.99].map(percentile) };
        let queries = questions.len();
        Ok(Some(EngineFigures { version, queries, recall_at_10, p_at_10_embedded, p_at_10, agreement, p50_ms, p99_ms }))
    }

    fn row(&self, at: usize, embedding: &[f32]) -> EngineRow {
        EngineRow {
            node: NODE.into(),
            path: name_of(at),
            content: self.inventory.contents.get(at).copied().unwrap_or(Hash::of(&[])),
            date: WallTime::UNKNOWN,
            embedding: embedding.to_vec(),
        }
    }

    /// Share of right ones among the first matches.
    fn precision(&self, question: &Question, found: &[PathBuf]) -> f64 {
        let right = &self.labels.pictures_of[question.label];
        let is_right = |path: &&PathBuf| number_of(path).is_some_and(|at| right.binary_search(&at).is_ok());
        found.iter().filter(is_right).count() as f64 / found.len().max(1) as f64
    }
}

impl Lent<'_> {
    /// What was put last is found last.
    fn wait_until_visible(&self, rows: &[EngineRow]) -> Result<(), EngineError> {
        let (Some(last), started) = (rows.last(), Instant::now()) else { return Ok(()) };
        let Some(wanted) = Rows::from_values(last.embedding.len(), last.embedding.clone()) else { return Ok(()) };
        let everything = SearchScope::default();
        let request = NearRequest { members: &wanted, asker: ASKER, scope: &everything, count: SHORTLIST };
        while !self.engine.near(&self.name, &request)?.iter().any(|row| row.path == last.path) {
            if started.elapsed() > VISIBLE {
                return Err(EngineError::Outage("what was put into it is not found".into()));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}

/// The same pictures in an engine and in memory.
struct BothSearches<'a> {
    lent: Lent<'a>,
    how: SearchMode,
    /// `[n, width]`
    searched: &'a Rows,
    index: Index,
    /// Milliseconds that the engine took.
    times: Vec<f64>,
}

/// The first matches by each.
struct FirstMatches {
    /// The nearest of what the engine gave, by cosine.
    near: Vec<PathBuf>,
    /// The nearest of all.
    exact: Vec<PathBuf>,
    embedded: Vec<PathBuf>,
    through: Vec<PathBuf>,
}

impl BothSearches<'_> {
    fn ask(&mut self, question: &Question, asking: &Rows) -> Result<FirstMatches, EngineError> {
        let mut query = Rows::empty(asking.width());
        question.members.iter().for_each(|&at| _ = query.push(asking.row(at)));
        let mut wanted = Rows::empty(query.width());
        members(&query, self.how).iter().for_each(|member| _ = wanted.push(member));
        let hidden: Vec<PathBuf> = question.hidden.iter().map(|&at| name_of(at)).collect();
        let everything = SearchScope::default();
        let count = SHORTLIST + MARGIN + hidden.len();
        let request = NearRequest { members: &wanted, asker: ASKER, scope: &everything, count };
        let started = Instant::now();
        let mut rows = self.lent.engine.near(&self.lent.name, &request)?;
        self.times.push(started.elapsed().as_secs_f64() * 1_000.0);
        rows.retain(|row| !hidden.contains(&row.path));
        let near = nearest(&wanted, rows.iter().map(|row| (row.path.clone(), &row.embedding[..])));
        let exact = nearest(&wanted, named(self.searched).filter(|(path, _)| !hidden.contains(path)));
        let others: Vec<RemoteRow> = rows.into_iter().map(RemoteRow::from).collect();
        let nothing = Index::empty(query.width()).snapshot();
        let through = nothing.search_among(&others, &query, self.how, &everything, FIRST).found;
        self.index.remove(hidden.iter().map(PathBuf::as_path));
        let embedded = self.index.snapshot().search(&query, self.how, FIRST);
        for (name, &at) in hidden.iter().zip(&question.hidden) {
            self.index.put(name, self.searched.row(at));
        }
        let paths = |found: Vec<Found>| found.into_iter().map(|found| found.path).collect();
        Ok(FirstMatches { near, exact, embedded: paths(embedded), through: paths(through) })
    }
}

/// The rows, by the names that they have in both.
fn named(rows: &Rows) -> impl Iterator<Item = (PathBuf, &[f32])> {
    rows.iter().enumerate().map(|(at, row)| (name_of(at), row))
}

/// The first by the greatest cosine to one of `members`.
fn nearest<'a>(members: &Rows, rows: impl Iterator<Item = (PathBuf, &'a [f32])>) -> Vec<PathBuf> {
    let members = members.at_unit_length();
    let cosine = |row: &[f32]| {
        let mut row = row.to_vec();
        to_unit_length(&mut row);
        members.iter().map(|member| dot(member, &row)).fold(f32::MIN, f32::max)
    };
    let all: Vec<(f32, PathBuf)> = rows.map(|(path, row)| (cosine(row), path)).collect();
    let order =
        |one: &(f32, PathBuf), other: &(f32, PathBuf)| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(&other.1));
    first(all, FIRST, order).into_iter().map(|(_, path)| path).collect()
}

/// Share of `expected` that was found.
fn common(found: &[PathBuf], expected: &[PathBuf]) -> f64 {
    expected.iter().filter(|path| found.contains(path)).count() as f64 / expected.len().max(1) as f64
}

#[cfg(test)]
#[path = "through_engine_tests.rs"]
mod tests;
