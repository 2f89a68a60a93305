//! Codes in memory and exact search among them. Knows paths and numbers; nothing of pixels, models or the disk.

mod calibration;
mod embeddings;
mod neighbour_graph;
mod score;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::base::rows::Rows;
use crate::config::{Metric, SetMode};

use embeddings::{Codes, Moves};
use neighbour_graph::{Neighbourhood, WEIGHTS, drawn_towards};

pub use calibration::Calibration;

/// With fewer pictures than this the nearest are not near: codes stay as they are.
const AVERAGING_MINIMUM: usize = 12;
/// Up to so many pictures the neighbours of all are found in a moment; of more, beside the service.
const SURVEYED_AT_ONCE: usize = 4_000;
/// So many newcomers are worth a scan each; of more it is quicker to find the neighbours of all anew.
const JOINED_AT_ONCE: usize = 64;

/// The codes of the inventory, each with its path.
///
/// Every code is compared drawn towards its nearest neighbours, and so is the query's: codes alone are compared only where
/// there are too few pictures, and in a large inventory until its neighbours are found ([`Index::survey`]).
#[derive(Debug, Clone)]
pub struct Index {
    codes: Codes,
    /// `None` when codes are compared as they are.
    neighbourhood: Option<Neighbourhood>,
    /// Whose neighbours are not known; without a neighbourhood, what came or went since the last survey was ordered.
    restless: HashSet<PathBuf>,
    /// Raised by every change: tells whether something derived from the codes is still true.
    generation: u64,
}

/// One inventory picture found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Relative to the inventory folder.
    pub path: PathBuf,
    /// By the index's metric: the greater, the more alike.
    pub similarity: f32,
}

/// The search for the neighbours of all pictures as they were at one moment, to be done beside the service.
pub struct Survey(Codes);

/// What a [`Survey`] found.
pub struct Surveyed {
    codes: Codes,
    neighbourhood: Neighbourhood,
}

impl Survey {
    /// Compares every picture with every other. `None` when `goes_on` says no, which is asked now and then.
    pub fn run(self, goes_on: &dyn Fn() -> bool) -> Option<Surveyed> {
        let neighbourhood = Neighbourhood::of(&self.0, goes_on)?;
        Some(Surveyed { codes: self.0, neighbourhood })
    }
}

impl Index {
    /// An index without pictures for codes of `width` values.
    pub fn empty(width: usize, metric: Metric) -> Self {
        let neighbourhood = Some(Neighbourhood::empty(width));
        Self { codes: Codes::empty(width, metric), neighbourhood, restless: HashSet::new(), generation: 0 }
    }

    /// An index of many pictures at once. Codes of another width are left out.
    pub fn filled(width: usize, metric: Metric, pictures: impl IntoIterator<Item = (PathBuf, Vec<f32>)>) -> Self {
        let mut index = Self::empty(width, metric);
        for (path, code) in pictures {
            index.codes.put(&path, &code);
        }
        index.neighbourhood = None;
        index.settle();
        index
    }

    /// Pictures in it.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Values in a code.
    pub fn width(&self) -> usize {
        self.codes.width()
    }

    /// How codes are compared.
    pub fn metric(&self) -> Metric {
        self.codes.metric()
    }

    /// Raised by every change.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The code of a picture as the model gave it, with cosine at unit length; not drawn towards its neighbours.
    pub fn code(&self, path: &Path) -> Option<&[f32]> {
        self.codes.position(path).map(|position| self.codes.row(position))
    }

    /// Puts a picture in, or gives it another code; `false` when the code has another width. It is compared by its code
    /// alone until [`Index::settle`].
    pub fn put(&mut self, path: &Path, code: &[f32]) -> bool {
        if code.len() != self.width() {
            return false;
        }
        if self.codes.position(path).is_some() {
            self.remove([path]);
        }
        self.codes.put(path, code);
        self.restless.insert(path.to_path_buf());
        if let Some(neighbourhood) = &mut self.neighbourhood {
            neighbourhood.keep_place(&self.codes);
        }
        self.give_up_on_many();
        self.generation += 1;
        true
    }

    /// Takes pictures out. Many at once cost little more than one.
    pub fn remove<'a>(&mut self, paths: impl IntoIterator<Item = &'a Path>) {
        let mut gone = Vec::new();
        let moves = self.codes.remove(paths.into_iter().inspect(|path| gone.push(path.to_path_buf())));
        let Some(moves) = moves else { return };
        match &mut self.neighbourhood {
            None => self.restless.extend(gone),
            Some(neighbourhood) => {
                self.restless.retain(|path| !gone.contains(path));
                let lonely = neighbourhood.follow(&self.codes, &moves);
                self.restless.extend(lonely.into_iter().map(|position| self.codes.path(position).to_path_buf()));
                self.give_up_on_many();
            }
        }
        self.generation += 1;
    }

    /// Mixing codes that are drawn with many that are not would compare them unfairly.
    fn give_up_on_many(&mut self) {
        if self.neighbourhood.is_some() && self.restless.len() > JOINED_AT_ONCE {
            self.neighbourhood = None;
        }
    }

    /// Finds the neighbours of pictures that came, where that is a matter of moments: to be called when no more are
    /// expected at once. A large inventory to which many came wants a survey.
    pub fn settle(&mut self) {
        if self.wants_survey() && self.len() <= SURVEYED_AT_ONCE {
            self.neighbourhood = Neighbourhood::of(&self.codes, &|| true);
            self.restless.clear();
            self.generation += 1;
        }
        self.join_restless();
    }

    fn join_restless(&mut self) {
        let Some(neighbourhood) = &mut self.neighbourhood else { return };
        for path in std::mem::take(&mut self.restless) {
            if let Some(position) = self.codes.position(&path) {
                neighbourhood.join(&self.codes, position);
                self.generation += 1;
            }
        }
    }

    /// Whether [`Index::settle`] has something to do.
    pub fn is_settled(&self) -> bool {
        match self.neighbourhood {
            Some(_) => self.restless.is_empty(),
            None => self.len() > SURVEYED_AT_ONCE,
        }
    }

    /// Whether [`Index::survey`] has something to give.
    pub fn wants_survey(&self) -> bool {
        self.neighbourhood.is_none()
    }

    /// What is to be done beside the service before codes are drawn towards their neighbours; `None` when they are.
    /// Begins anew what was begun before.
    pub fn survey(&mut self) -> Option<Survey> {
        self.wants_survey().then(|| {
            self.restless.clear();
            Survey(self.codes.clone())
        })
    }

    /// Takes in what the last [`Index::survey`] found, and what has come and gone meanwhile; if that is too much, a
    /// survey is wanted again.
    pub fn take_survey(&mut self, surveyed: Surveyed) {
        let Surveyed { codes: before, mut neighbourhood } = surveyed;
        let moves = Moves::between(&before, &self.codes, |path| self.restless.contains(path));
        let lonely = neighbourhood.follow(&self.codes, &moves);
        self.restless.extend(lonely.into_iter().map(|position| self.codes.path(position).to_path_buf()));
        self.neighbourhood = Some(neighbourhood);
        self.give_up_on_many();
        self.join_restless();
        self.generation += 1;
    }

    /// The `k` pictures most similar to `query`, codes of one or several pictures `[m, width]`, best first;
    /// pictures equally similar in the order of their paths.
    pub fn search(&self, query: &Rows, mode: SetMode, k: usize) -> Vec<Found> {
        let members: Vec<Vec<f32>> =
            query.iter().filter(|row| row.len() == self.width()).map(|row| self.codes.prepared(row)).collect();
        let members = match mode {
            SetMode::Nearest => members,
            SetMode::Mean => mean(&members).map(|code| self.codes.prepared(&code)).into_iter().collect(),
        };
        let expanded: Vec<Vec<f32>> = members.iter().map(|member| self.expanded(member)).collect();
        let similarities = self.similarities(&expanded);
        let order = self.codes.best(&similarities, k);
        let found =
            |position| Found { path: self.codes.path(position).to_path_buf(), similarity: similarities[position] };
        order.into_iter().map(found).collect()
    }

    /// Of every picture, in the index's order, the similarity to the nearest of `members`.
    fn similarities(&self, members: &[Vec<f32>]) -> Vec<f32> {
        let mut best = vec![f32::NEG_INFINITY; if members.is_empty() { 0 } else { self.len() }];
        for member in members {
            score::raise_to(&mut best, member, self.compared(), self.metric());
        }
        best
    }

    /// The codes that queries are compared with, `[n, width]`.
    fn compared(&self) -> &Rows {
        match &self.neighbourhood {
            Some(neighbourhood) if self.len() >= AVERAGING_MINIMUM => neighbourhood.averaged(),
            _ => self.codes.rows(),
        }
    }

    /// A query's code drawn towards its nearest pictures: query expansion (Chum et al., Total Recall, ICCV 2007).
    fn expanded(&self, code: &[f32]) -> Vec<f32> {
        if self.len() < AVERAGING_MINIMUM {
            return code.to_vec();
        }
        let nearest = self.codes.best(&self.similarities(&[code.to_vec()]), WEIGHTS.len());
        drawn_towards(code, nearest.into_iter().map(|position| self.compared().row(position)), self.metric())
    }

    /// Similarity between two pictures of the index as queries meet them, by position.
    pub(crate) fn similarity_between(&self, a: usize, b: usize) -> f32 {
        score::similarity(self.compared().row(a), self.compared().row(b), self.metric())
    }
}

fn mean(rows: &[Vec<f32>]) -> Option<Vec<f32>> {
    let mut sum = rows.first()?.clone();
    for row in &rows[1..] {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    sum.iter_mut().for_each(|sum| *sum /= rows.len() as f32);
    Some(sum)
}

#[cfg(test)]
mod tests;
