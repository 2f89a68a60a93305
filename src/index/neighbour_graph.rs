//! The graph of every picture's nearest others, kept up to date as pictures come and go, and each picture's embedding
//! averaged with those of its neighbours.
//!
//! Database-side feature augmentation (Turcot and Lowe, "Better matching with fewer features", ICCV workshops 2009;
//! weights by measurement): what neighbours have in common counts for more than what is peculiar to one picture. A list holds
//! more than the averaging needs, so that a picture taken out seldom costs a scan for another.

use super::embeddings::{Embeddings, Moves};
use crate::base::nearest::{KnnOptions, NearestList, Neighbour, by_similarity, nearest_of_all};
use crate::base::rows::{Rows, to_unit_length};
use crate::config::Metric;
use crate::progress::Progress;

/// How much each of the nearest pictures counts in the mean of the neighbours.
pub const WEIGHTS: [f32; 3] = [0.5, 0.3, 0.2];
/// How much the mean of the neighbours counts, the embedding itself being 1.
const STRENGTH: f32 = 0.5;
/// Neighbours remembered of each picture.
const LISTED: usize = 8;
/// For embeddings of `n` pictures: the nearest of each, and the averaged embeddings `[n, width]`.
#[derive(Debug, Clone)]
pub struct NeighbourGraph {
    /// Each by positions. Whatever the length of a list, no picture that is not in it would come before the last that is.
    nearest: Vec<NearestList>,
    averaged: Rows,
}

impl NeighbourGraph {
    /// Of no pictures.
    pub fn empty(width: usize) -> Self {
        Self { nearest: Vec::new(), averaged: Rows::empty(width) }
    }

    /// Of all pictures of `embeddings`: every pair is compared, n² · width / 2 multiplications (100,000 embeddings of 128
    /// values: about a minute of one core, which is all it takes: it runs in the background of a service). `None` when it was
    /// cancelled.
    pub fn of(embeddings: &Embeddings, progress: &dyn Progress) -> Option<Self> {
        let options = KnnOptions { k: LISTED, least: f32::NEG_INFINITY, threads: 1 };
        let nearest = nearest_of_all(embeddings, options, progress)?;
        let mut all = Self { nearest, averaged: embeddings.rows().clone() };
        (0..embeddings.len()).for_each(|position| all.average(embeddings, position));
        Some(all)
    }

    /// The averaged embeddings, in the order of positions.
    pub fn averaged(&self) -> &Rows {
        &self.averaged
    }

    /// Keeps a place for a picture that was added to `embeddings`: its embedding as it is, until it joins.
    pub fn keep_place(&mut self, embeddings: &Embeddings) {
        self.averaged.push(embeddings.row(self.nearest.len()));
        self.nearest.push(NearestList::default());
    }

    /// Finds the neighbours of the picture at `position`, and makes it one of those it is near to; a scan.
    pub fn join(&mut self, embeddings: &Embeddings, position: usize) {
        let similarities = embeddings.similarities_to(embeddings.row(position));
        self.nearest[position] = nearest_of(embeddings, position, &similarities);
        self.average(embeddings, position);
        for (other, similarity) in similarities.into_iter().enumerate().filter(|(other, _)| *other != position) {
            let knows_all = self.nearest[other].len() + 2 >= embeddings.len();
            if (knows_all || self.comes_before_last(embeddings, other, position, similarity))
                && self.list(embeddings, other, position, similarity).is_some_and(|rank| rank < WEIGHTS.len())
            {
                self.average(embeddings, other);
            }
        }
    }

    /// Follows pictures to where they moved in `embeddings`, and forgets those taken out. Gives the positions of those that
    /// have lost too many neighbours and should join again.
    pub fn follow(&mut self, embeddings: &Embeddings, moves: &Moves) -> Vec<usize> {
        let mut nearest = vec![NearestList::default(); embeddings.len()];
        let mut averaged = embeddings.rows().clone();
        let mut touched = Vec::new();
        for (former, list) in std::mem::take(&mut self.nearest).into_iter().enumerate() {
            let Some(now) = moves.now(former as u32) else { continue };
            let now = now as usize;
            let stays = |(position, similarity): &Neighbour| Some((moves.now(*position)?, *similarity));
            let first = list.iter().take(WEIGHTS.len());
            if first.clone().any(|neighbour| stays(neighbour).is_none()) {
                touched.push(now);
            }
            nearest[now] = NearestList::of(list.iter().filter_map(stays).collect());
            averaged.row_mut(now).copy_from_slice(self.averaged.row(former));
        }
        (self.nearest, self.averaged) = (nearest, averaged);
        touched.iter().for_each(|position| self.average(embeddings, *position));
        touched.retain(|position| self.nearest[*position].len() < WEIGHTS.len());
        touched
    }

    /// Lists `other` among the nearest of `position` where it belongs, and drops the last when there are too many. The
    /// rank it got; `None` when it is listed already or comes after all that fit.
    fn list(&mut self, embeddings: &Embeddings, position: usize, other: usize, similarity: f32) -> Option<usize> {
        let nearest = &mut self.nearest[position];
        let is_listed = nearest.iter().any(|(listed, _)| *listed as usize == other);
        let neighbour = (other as u32, similarity);
        (!is_listed).then(|| nearest.offer(neighbour, LISTED, by_similarity(embeddings)))?
    }

    /// Whether `other` comes before the last that is listed for `position`. What comes after it is not listed, not even
    /// where there is room for more: pictures that are not listed either may come between the two.
    fn comes_before_last(&self, embeddings: &Embeddings, position: usize, other: usize, similarity: f32) -> bool {
        let last = self.nearest[position].last();
        last.is_some_and(|last| by_similarity(embeddings)(&(other as u32, similarity), last).is_lt())
    }

    /// Averages the embedding at `position` with those of its nearest.
    fn average(&mut self, embeddings: &Embeddings, position: usize) {
        let nearest = self.nearest[position].iter().map(|(other, _)| embeddings.row(*other as usize));
        let averaged = averaged_with(embeddings.row(position), nearest, embeddings.metric());
        self.averaged.row_mut(position).copy_from_slice(&averaged);
    }
}

/// `embedding` averaged with the `nearest`, of which the first [`WEIGHTS`] count. With cosine only directions matter, and the
/// result is of unit length; with Euclidean distance it is the weighted mean of the embedding and its neighbours' mean.
pub fn averaged_with<'a>(embedding: &[f32], nearest: impl Iterator<Item = &'a [f32]>, metric: Metric) -> Vec<f32> {
    let mut mean = vec![0.0; embedding.len()];
    let mut weights = 0.0;
    for (near, weight) in nearest.zip(WEIGHTS) {
        mean.iter_mut().zip(near).for_each(|(mean, value)| *mean += weight * value);
        weights += weight;
    }
    match metric {
        Metric::Cosine => to_unit_length(&mut mean),
        Metric::Euclidean if weights > 0.0 => mean.iter_mut().for_each(|mean| *mean /= weights),
        Metric::Euclidean => return embedding.to_vec(),
    }
    let mut averaged: Vec<f32> =
        embedding.iter().zip(&mean).map(|(embedding, mean)| embedding + STRENGTH * mean).collect();
    match metric {
        Metric::Cosine => to_unit_length(&mut averaged),
        Metric::Euclidean => averaged.iter_mut().for_each(|value| *value /= 1.0 + STRENGTH),
    }
    averaged
}

/// The nearest of the picture at `position`, given the similarity of every picture to it.
fn nearest_of(embeddings: &Embeddings, position: usize, similarities: &[f32]) -> NearestList {
    let order = embeddings.best(similarities, LISTED + 1);
    let others = order.into_iter().filter(|other| *other != position).take(LISTED);
    NearestList::of(others.map(|other| (other as u32, similarities[other])).collect())
}

#[cfg(test)]
#[path = "neighbour_graph_tests.rs"]
mod tests;
