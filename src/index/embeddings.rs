//! The embeddings as they came from the model, each with its path.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::score;
use crate::base::nearest::{Pairs, first};
use crate::base::rows::{Rows, to_unit_length};
use crate::config::Metric;

/// Embeddings `[n, width]` of `n` pictures; with cosine at unit length.
#[derive(Debug, Clone)]
pub struct Embeddings {
    metric: Metric,
    rows: Rows,
    paths: Vec<PathBuf>,
    position_of: HashMap<PathBuf, usize>,
}

/// What became of the positions when pictures were taken out: the new position of each former one, `None` for those
/// taken out.
pub struct Moves(Vec<Option<u32>>);

impl Moves {
    /// Where the picture that stood at `former` stands now.
    pub fn now(&self, former: u32) -> Option<u32> {
        self.0.get(former as usize).copied().flatten()
    }

    /// Where the pictures of `before` stand in `after`; those whose path is gone, or of which `is_other` says that their
    /// embedding is another one now, stand nowhere.
    pub fn between(before: &Embeddings, after: &Embeddings, is_other: impl Fn(&Path) -> bool) -> Self {
        let place = |path: &PathBuf| after.position(path).filter(|_| !is_other(path)).map(|position| position as u32);
        Self(before.paths.iter().map(place).collect())
    }
}

impl Embeddings {
    /// None yet, each to be `width` values.
    pub fn empty(width: usize, metric: Metric) -> Self {
        Self { metric, rows: Rows::empty(width), paths: Vec::new(), position_of: HashMap::new() }
    }

    /// How they are compared.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// Pictures.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Values in an embedding.
    pub fn width(&self) -> usize {
        self.rows.width()
    }

    /// All embeddings, `[n, width]`, in the order of their positions.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The embedding at `position`.
    pub fn row(&self, position: usize) -> &[f32] {
        self.rows.row(position)
    }

    /// The path at `position`.
    pub fn path(&self, position: usize) -> &Path {
        &self.paths[position]
    }

    /// Where `path` stands.
    pub fn position(&self, path: &Path) -> Option<usize> {
        self.position_of.get(path).copied()
    }

    /// An embedding as it is kept: with cosine at unit length.
    pub fn prepared(&self, embedding: &[f32]) -> Vec<f32> {
        let mut embedding = embedding.to_vec();
        if self.metric == Metric::Cosine {
            to_unit_length(&mut embedding);
        }
        embedding
    }

    /// Puts a picture in, or gives it another embedding; its position, or `None` when the embedding has another width.
    pub fn put(&mut self, path: &Path, embedding: &[f32]) -> Option<usize> {
        let prepared = self.prepared(embedding);
        if prepared.len() != self.width() {
            return None;
        }
        if let Some(position) = self.position(path) {
            self.rows.row_mut(position).copy_from_slice(&prepared);
            return Some(position);
        }
        let position = self.len();
        self.rows.push(&prepared);
        self.position_of.insert(path.to_path_buf(), position);
        self.paths.push(path.to_path_buf());
        Some(position)
    }

    /// Takes pictures out; the last ones move into their places. `None` when none of them was there.
    pub fn remove<'a>(&mut self, paths: impl IntoIterator<Item = &'a Path>) -> Option<Moves> {
        let mut formers: Vec<u32> = (0..self.len() as u32).collect();
        let mut moves = vec![None; self.len()];
        for path in paths {
            let Some(position) = self.position_of.remove(path) else { continue };
            self.rows.swap_remove(position);
            self.paths.swap_remove(position);
            formers.swap_remove(position);
            if let Some(moved) = self.paths.get(position) {
                self.position_of.insert(moved.clone(), position);
            }
        }
        (formers.len() < moves.len()).then(|| {
            formers.iter().enumerate().for_each(|(now, former)| moves[*former as usize] = Some(now as u32));
            Moves(moves)
        })
    }

    /// Of every picture, in the order of positions, the similarity to `embedding`.
    pub fn similarities_to(&self, embedding: &[f32]) -> Vec<f32> {
        let mut similarities = vec![f32::NEG_INFINITY; self.len()];
        score::raise_to(&mut similarities, embedding, &self.rows, self.metric);
        similarities
    }

    /// The positions of the `k` greatest of `similarities`, one for every picture; the greatest first, then by path.
    pub fn best(&self, similarities: &[f32], k: usize) -> Vec<usize> {
        let better = |&a: &usize, &b: &usize| self.rank((a, similarities[a]), (b, similarities[b]));
        first((0..similarities.len()).collect(), k, better)
    }

    /// The order of two pictures, each a position and a similarity: the more similar first, then by path.
    pub fn rank(&self, a: (usize, f32), b: (usize, f32)) -> Ordering {
        b.1.total_cmp(&a.1).then_with(|| self.paths[a.0].cmp(&self.paths[b.0]))
    }
}

impl Pairs for Embeddings {
    fn count(&self) -> usize {
        self.len()
    }

    fn similarities(&self, rows: &Range<usize>, columns: &Range<usize>, table: &mut [f32]) {
        score::table(table, &self.rows, rows, columns, self.metric);
    }

    fn tie(&self, one: u32, other: u32) -> Ordering {
        self.paths[one as usize].cmp(&self.paths[other as usize])
    }
}
