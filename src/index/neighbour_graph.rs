//! Every picture's nearest others, kept up to date as pictures come and go, and its embedding drawn towards them.
//!
//! Database-side feature augmentation (Turcot and Lowe, "Better matching with fewer features", ICCV workshops 2009;
//! weights by measurement): what neighbours have in common weighs more than what is peculiar to one picture. A list holds
//! more than the averaging needs, so that a picture taken out seldom costs a scan for another.

use super::embeddings::{Embeddings, Moves};
use super::score;
use crate::base::rows::{Rows, to_unit_length};
use crate::config::Metric;

/// How much each of the nearest pictures counts in what an embedding is drawn towards.
pub const WEIGHTS: [f32; 3] = [0.5, 0.3, 0.2];
/// How far an embedding is drawn, the embedding itself being 1.
const STRENGTH: f32 = 0.5;
/// Neighbours remembered of each picture.
const LISTED: usize = 8;
/// Rows compared with one another at a time: two blocks of this many embeddings stay in the processor's cache.
const BLOCK: usize = 128;

/// A picture's nearest others as positions and similarities, the nearest first. Whatever its length, no picture that is
/// not in it would come before the last that is.
type Nearest = Vec<(u32, f32)>;

/// For embeddings of `n` pictures: who is near whom, and the drawn embeddings `[n, width]`.
#[derive(Debug, Clone)]
pub struct NeighbourGraph {
    nearest: Vec<Nearest>,
    averaged: Rows,
}

impl NeighbourGraph {
    /// Of no pictures.
    pub fn empty(width: usize) -> Self {
        Self { nearest: Vec::new(), averaged: Rows::empty(width) }
    }

    /// Of all pictures of `embeddings`: every pair is compared, n² · width / 2 multiplications (100,000 embeddings of 128 values:
    /// about a minute of one core). `None` when `goes_on` says no; it is asked before every block of rows.
    pub fn of(embeddings: &Embeddings, goes_on: &dyn Fn() -> bool) -> Option<Self> {
        let mut all = Self { nearest: vec![Nearest::new(); embeddings.len()], averaged: embeddings.rows().clone() };
        // What a similarity has to reach to be listed, beside one another: most pairs need nothing but this look.
        let mut floors = vec![f32::NEG_INFINITY; embeddings.len()];
        let mut similarities = vec![0.0; BLOCK * BLOCK];
        let blocks = || (0..embeddings.len()).step_by(BLOCK).map(|start| start..embeddings.len().min(start + BLOCK));
        for rows in blocks() {
            if !goes_on() {
                return None;
            }
            for columns in blocks().take_while(|columns| columns.start <= rows.start) {
                score::table(&mut similarities, embeddings.rows(), &rows, &columns, embeddings.metric());
                for (row, similarities) in rows.clone().zip(similarities.chunks_exact(columns.len())) {
                    for (column, &similarity) in
                        columns.clone().zip(similarities).take_while(|(column, _)| *column < row)
                    {
                        for (one, other) in [(row, column), (column, row)] {
                            if similarity >= floors[one] {
                                all.list(embeddings, one, other, similarity);
                                floors[one] = all.floor(one);
                            }
                        }
                    }
                }
            }
        }
        (0..embeddings.len()).for_each(|position| all.average(embeddings, position));
        Some(all)
    }

    /// The drawn embeddings, in the order of positions.
    pub fn averaged(&self) -> &Rows {
        &self.averaged
    }

    /// Keeps a place for a picture that was added to `embeddings`: its embedding as it is, until it joins.
    pub fn keep_place(&mut self, embeddings: &Embeddings) {
        self.averaged.push(embeddings.row(self.nearest.len()));
        self.nearest.push(Nearest::new());
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

    /// Follows pictures to where they moved in `embeddings`, and forgets those taken out. Gives the positions of those who
    /// have lost too many neighbours and should join anew.
    pub fn follow(&mut self, embeddings: &Embeddings, moves: &Moves) -> Vec<usize> {
        let mut nearest = vec![Nearest::new(); embeddings.len()];
        let mut averaged = embeddings.rows().clone();
        let mut touched = Vec::new();
        for (former, list) in std::mem::take(&mut self.nearest).into_iter().enumerate() {
            let Some(now) = moves.now(former as u32) else { continue };
            let now = now as usize;
            let stays = |(position, similarity): &(u32, f32)| Some((moves.now(*position)?, *similarity));
            let first = list.iter().take(WEIGHTS.len());
            if first.clone().any(|neighbour| stays(neighbour).is_none()) {
                touched.push(now);
            }
            nearest[now] = list.iter().filter_map(stays).collect();
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
        if nearest.iter().any(|(listed, _)| *listed as usize == other) {
            return None;
        }
        let comes_before =
            |(listed, at): &(u32, f32)| embeddings.rank((*listed as usize, *at), (other, similarity)).is_lt();
        let rank = nearest.partition_point(comes_before);
        nearest.insert(rank, (other as u32, similarity));
        nearest.truncate(LISTED);
        (rank < LISTED).then_some(rank)
    }

    /// What a similarity has to reach to be listed for `position` while pictures are offered one after the other.
    fn floor(&self, position: usize) -> f32 {
        if self.nearest[position].len() < LISTED { f32::NEG_INFINITY } else { self.last(position) }
    }

    /// Whether `other` comes before the last that is listed for `position`. What comes after it is not listed, not even
    /// beside room for more: pictures that are not listed either may come between the two.
    fn comes_before_last(&self, embeddings: &Embeddings, position: usize, other: usize, similarity: f32) -> bool {
        let last = self.nearest[position].last();
        last.is_some_and(|(last, at)| embeddings.rank((other, similarity), (*last as usize, *at)).is_lt())
    }

    /// The similarity of the last that is listed for `position`; beyond all reach when none is.
    fn last(&self, position: usize) -> f32 {
        self.nearest[position].last().map_or(f32::INFINITY, |(_, similarity)| *similarity)
    }

    /// Draws the embedding at `position` towards its nearest.
    fn average(&mut self, embeddings: &Embeddings, position: usize) {
        let nearest = self.nearest[position].iter().map(|(other, _)| embeddings.row(*other as usize));
        let drawn = averaged_with(embeddings.row(position), nearest, embeddings.metric());
        self.averaged.row_mut(position).copy_from_slice(&drawn);
    }
}

/// `embedding` drawn towards the `nearest`, of which the first [`WEIGHTS`] count. With cosine only directions matter, and the
/// result is of unit length; with Euclidean distance it is the mean of the embedding and of what it is drawn to.
pub fn averaged_with<'a>(embedding: &[f32], nearest: impl Iterator<Item = &'a [f32]>, metric: Metric) -> Vec<f32> {
    let mut pull = vec![0.0; embedding.len()];
    let mut weights = 0.0;
    for (near, weight) in nearest.zip(WEIGHTS) {
        pull.iter_mut().zip(near).for_each(|(pull, value)| *pull += weight * value);
        weights += weight;
    }
    match metric {
        Metric::Cosine => to_unit_length(&mut pull),
        Metric::Euclidean if weights > 0.0 => pull.iter_mut().for_each(|pull| *pull /= weights),
        Metric::Euclidean => return embedding.to_vec(),
    }
    let mut drawn: Vec<f32> =
        embedding.iter().zip(&pull).map(|(embedding, pull)| embedding + STRENGTH * pull).collect();
    match metric {
        Metric::Cosine => to_unit_length(&mut drawn),
        Metric::Euclidean => drawn.iter_mut().for_each(|value| *value /= 1.0 + STRENGTH),
    }
    drawn
}

/// The nearest of the picture at `position`, given the similarity of every picture to it.
fn nearest_of(embeddings: &Embeddings, position: usize, similarities: &[f32]) -> Nearest {
    let order = embeddings.best(similarities, LISTED + 1);
    let others = order.into_iter().filter(|other| *other != position).take(LISTED);
    others.map(|other| (other as u32, similarities[other])).collect()
}

#[cfg(test)]
#[path = "neighbour_graph_tests.rs"]
mod tests;
