//! Embeddings in memory and exact search among them. Knows paths and numbers; nothing of pixels, models or the disk.

mod calibration;
mod embeddings;
mod neighbour_graph;
mod score;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::base::rows::Rows;
use crate::config::{Metric, SetMode};
use crate::progress::{Progress, Unfollowed};

use embeddings::{Embeddings, Moves};
use neighbour_graph::{NeighbourGraph, WEIGHTS, averaged_with};

pub use calibration::Calibration;

/// With fewer pictures than this the nearest are not near: embeddings stay as they are.
const AVERAGING_MINIMUM: usize = 12;
/// Up to so many pictures the graph is built in a moment; of more, in the background.
const BUILT_AT_ONCE: usize = 4_000;
/// So many new pictures are worth a scan each; with more it is quicker to build the graph again.
const JOINED_AT_ONCE: usize = 64;

/// The embeddings of the inventory, each with its path.
///
/// Every embedding is compared averaged with its nearest neighbours, and so is the query's. Embeddings are compared as they are
/// where there are too few pictures, and in a large inventory until its graph is built ([`Index::graph_build`]).
#[derive(Debug, Clone)]
pub struct Index {
    embeddings: Embeddings,
    /// `None` when embeddings are compared as they are.
    graph: Option<NeighbourGraph>,
    /// Pictures whose neighbours are not known; without a graph, what came or went since the last build was started.
    pending: HashSet<PathBuf>,
    /// Raised by every change: shows whether something derived from the embeddings is still true.
    generation: u64,
}

/// One inventory picture found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Relative to the inventory folder.
    pub path: PathBuf,
    /// By the index's metric: the greater, the more similar.
    pub similarity: f32,
}

/// The build of the neighbour graph of all pictures as they were at one moment, to be run in the background.
pub struct GraphBuild(Embeddings);

/// The result of a [`GraphBuild`].
pub struct BuiltGraph {
    embeddings: Embeddings,
    graph: NeighbourGraph,
}

impl GraphBuild {
    /// Compares every picture with every other. `None` when it was cancelled.
    pub fn run(self, progress: &dyn Progress) -> Option<BuiltGraph> {
        let graph = NeighbourGraph::of(&self.0, progress)?;
        Some(BuiltGraph { embeddings: self.0, graph })
    }
}

impl Index {
    /// An index without pictures for embeddings of `width` values.
    pub fn empty(width: usize, metric: Metric) -> Self {
        let graph = Some(NeighbourGraph::empty(width));
        Self { embeddings: Embeddings::empty(width, metric), graph, pending: HashSet::new(), generation: 0 }
    }

    /// An index of many pictures at once. Embeddings of another width are left out.
    pub fn filled(width: usize, metric: Metric, pictures: impl IntoIterator<Item = (PathBuf, Vec<f32>)>) -> Self {
        let mut index = Self::empty(width, metric);
        for (path, embedding) in pictures {
            index.embeddings.put(&path, &embedding);
        }
        index.graph = None;
        index.settle();
        index
    }

    /// Pictures in it.
    pub fn len(&self) -> usize {
        self.embeddings.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Values in an embedding.
    pub fn width(&self) -> usize {
        self.embeddings.width()
    }

    /// How embeddings are compared.
    pub fn metric(&self) -> Metric {
        self.embeddings.metric()
    }

    /// Raised by every change.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The embedding of a picture as the model gave it, with cosine at unit length; not averaged with its neighbours.
    pub fn embedding(&self, path: &Path) -> Option<&[f32]> {
        self.embeddings.position(path).map(|position| self.embeddings.row(position))
    }

    /// Puts a picture in, or gives it another embedding; `false` when the embedding has another width. It is compared by its embedding
    /// alone until [`Index::settle`].
    pub fn put(&mut self, path: &Path, embedding: &[f32]) -> bool {
        if embedding.len() != self.width() {
            return false;
        }
        if self.embeddings.position(path).is_some() {
            self.remove([path]);
        }
        self.embeddings.put(path, embedding);
        self.pending.insert(path.to_path_buf());
        if let Some(graph) = &mut self.graph {
            graph.keep_place(&self.embeddings);
        }
        self.drop_graph_when_many_are_pending();
        self.generation += 1;
        true
    }

    /// Takes pictures out. Many at once cost little more than one.
    pub fn remove<'a>(&mut self, paths: impl IntoIterator<Item = &'a Path>) {
        let mut gone = Vec::new();
        let moves = self.embeddings.remove(paths.into_iter().inspect(|path| gone.push(path.to_path_buf())));
        let Some(moves) = moves else { return };
        match &mut self.graph {
            None => self.pending.extend(gone),
            Some(graph) => {
                self.pending.retain(|path| !gone.contains(path));
                let underconnected = graph.follow(&self.embeddings, &moves);
                self.pending
                    .extend(underconnected.into_iter().map(|position| self.embeddings.path(position).to_path_buf()));
                self.drop_graph_when_many_are_pending();
            }
        }
        self.generation += 1;
    }

    /// Mixing averaged embeddings with many that are not would compare them unfairly.
    fn drop_graph_when_many_are_pending(&mut self) {
        if self.graph.is_some() && self.pending.len() > JOINED_AT_ONCE {
            self.graph = None;
        }
    }

    /// Finds the neighbours of pictures that came, where that is a matter of moments: to be called when no more are
    /// expected at once. A large inventory to which many came needs a [`Index::graph_build`].
    pub fn settle(&mut self) {
        if self.needs_graph_build() && self.len() <= BUILT_AT_ONCE {
            self.graph = NeighbourGraph::of(&self.embeddings, &Unfollowed);
            self.pending.clear();
            self.generation += 1;
        }
        self.join_pending();
    }

    fn join_pending(&mut self) {
        let Some(graph) = &mut self.graph else { return };
        for path in std::mem::take(&mut self.pending) {
            if let Some(position) = self.embeddings.position(&path) {
                graph.join(&self.embeddings, position);
                self.generation += 1;
            }
        }
    }

    /// Whether [`Index::settle`] has something to do.
    pub fn is_settled(&self) -> bool {
        match self.graph {
            Some(_) => self.pending.is_empty(),
            None => self.len() > BUILT_AT_ONCE,
        }
    }

    /// Whether [`Index::graph_build`] has something to give.
    pub fn needs_graph_build(&self) -> bool {
        self.graph.is_none()
    }

    /// What is to be run in the background before embeddings are averaged with their neighbours; `None` when they are.
    /// It replaces a build that was started before.
    pub fn graph_build(&mut self) -> Option<GraphBuild> {
        self.needs_graph_build().then(|| {
            self.pending.clear();
            GraphBuild(self.embeddings.clone())
        })
    }

    /// Takes in the result of the last [`Index::graph_build`], and what has come and gone meanwhile; if that is too much, a
    /// build is needed again.
    pub fn take_built_graph(&mut self, built: BuiltGraph) {
        let BuiltGraph { embeddings: before, mut graph } = built;
        let moves = Moves::between(&before, &self.embeddings, |path| self.pending.contains(path));
        let underconnected = graph.follow(&self.embeddings, &moves);
        self.pending.extend(underconnected.into_iter().map(|position| self.embeddings.path(position).to_path_buf()));
        self.graph = Some(graph);
        self.drop_graph_when_many_are_pending();
        self.join_pending();
        self.generation += 1;
    }

    /// The `k` pictures most similar to `query`, embeddings of one or several pictures `[m, width]`, best first;
    /// pictures equally similar in the order of their paths.
    pub fn search(&self, query: &Rows, mode: SetMode, k: usize) -> Vec<Found> {
        let members: Vec<Vec<f32>> =
            query.iter().filter(|row| row.len() == self.width()).map(|row| self.embeddings.prepared(row)).collect();
        let members = match mode {
            SetMode::Nearest => members,
            SetMode::Mean => mean(&members).map(|embedding| self.embeddings.prepared(&embedding)).into_iter().collect(),
        };
        let expanded: Vec<Vec<f32>> = members.iter().map(|member| self.expanded(member)).collect();
        let similarities = self.similarities(&expanded);
        let order = self.embeddings.best(&similarities, k);
        let found =
            |position| Found { path: self.embeddings.path(position).to_path_buf(), similarity: similarities[position] };
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

    /// The embeddings that queries are compared with, `[n, width]`.
    fn compared(&self) -> &Rows {
        match &self.graph {
            Some(graph) if self.len() >= AVERAGING_MINIMUM => graph.averaged(),
            _ => self.embeddings.rows(),
        }
    }

    /// A query's embedding averaged with its nearest pictures: query expansion (Chum et al., Total Recall, ICCV 2007).
    fn expanded(&self, embedding: &[f32]) -> Vec<f32> {
        if self.len() < AVERAGING_MINIMUM {
            return embedding.to_vec();
        }
        let nearest = self.embeddings.best(&self.similarities(&[embedding.to_vec()]), WEIGHTS.len());
        averaged_with(embedding, nearest.into_iter().map(|position| self.compared().row(position)), self.metric())
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
