//! What neighbours have in common counts for more than what is peculiar to one picture.
//!
//! Database-side feature augmentation (Turcot and Lowe, "Better matching with fewer features", ICCV workshops 2009) and query
//! expansion (Chum et al., "Total Recall", ICCV 2007), both within the pictures that a query may find; weights by measurement.

use std::cmp::Ordering;

use pulp::{Arch, Simd, WithSimd};

use crate::base::dot::{dot, squared_distance};
use crate::base::nearest::NearestList;
use crate::base::rows::{Rows, to_unit_length};
use crate::config::Metric;

/// How much each of the nearest pictures counts in the mean of the neighbours.
const WEIGHTS: [f32; 3] = [0.5, 0.3, 0.2];
/// How much the mean of the neighbours counts, the embedding itself being 1.
const STRENGTH: f32 = 0.5;
/// Two embeddings of at least this cosine are of one picture and its copy.
pub(super) const COPY: f32 = 0.997;

/// Cosine: the dot product of unit-length embeddings. Euclidean: 1 / (1 + distance).
#[inline(always)]
pub fn similarity(a: &[f32], b: &[f32], metric: Metric) -> f32 {
    match metric {
        Metric::Cosine => dot(a, b),
        Metric::Euclidean => 1.0 / (1.0 + squared_distance(a, b).sqrt()),
    }
}

/// An embedding as it is compared: with cosine at unit length.
pub fn prepared(mut embedding: Vec<f32>, metric: Metric) -> Vec<f32> {
    if metric == Metric::Cosine {
        to_unit_length(&mut embedding);
    }
    embedding
}

/// Rows that were averaged with their neighbours.
pub struct Averaged {
    /// `[n, width]`
    pub rows: Rows,
    /// Which of them are copies of one before.
    pub is_copy: Vec<bool>,
    /// Those that each was averaged with.
    pub lists: Vec<NearestList>,
}

/// Each of `rows` averaged with those nearest to it among the others.
///
/// A copy says nothing that the picture itself does not: copies are not averaged with one another, and count once for others. What is
/// there twice would else keep its own peculiarities, and come after its like.
pub fn averaged(rows: &Rows, metric: Metric) -> Averaged {
    let (lists, is_copy) = nearest_among(rows, metric);
    let mut averaged = Rows::empty(rows.width());
    for (row, list) in rows.iter().zip(&lists) {
        averaged.push(&averaged_with(row, list.iter().map(|(other, _)| rows.row(*other as usize)), metric));
    }
    Averaged { rows: averaged, is_copy, lists }
}

/// `embedding` averaged with those of `rows` that are nearest to it, and which these are; those that `is_copy` names do not count.
pub fn expanded(embedding: &[f32], rows: &Rows, is_copy: &[bool], metric: Metric) -> (Vec<f32>, NearestList) {
    let mut list = NearestList::default();
    for (at, row) in rows.iter().enumerate().filter(|(at, _)| !is_copy[*at]) {
        list.offer((at as u32, similarity(embedding, row, metric)), WEIGHTS.len(), nearer);
    }
    (averaged_with(embedding, list.iter().map(|(at, _)| rows.row(*at as usize)), metric), list)
}

/// The similarities of all pairs of `rows`: of each row those with the rows before it.
pub fn all_pairs(rows: &Rows, metric: Metric) -> Vec<f32> {
    Arch::new().dispatch(AllPairs { rows, metric })
}

/// Not a closure: those are not compiled for the vectors of the dispatch.
struct AllPairs<'a> {
    rows: &'a Rows,
    metric: Metric,
}

impl WithSimd for AllPairs<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<f32> {
        let count = self.rows.len();
        let mut similarities = Vec::with_capacity(count * count.saturating_sub(1) / 2);
        for (one, row) in self.rows.iter().enumerate() {
            for before in self.rows.iter().take(one) {
                similarities.push(similarity(row, before, self.metric));
            }
        }
        similarities
    }
}

/// Of each of `rows` the nearest others, and whether it is a copy of one before.
fn nearest_among(rows: &Rows, metric: Metric) -> (Vec<NearestList>, Vec<bool>) {
    let similarities = all_pairs(rows, metric);
    let pairs = || (0..rows.len()).flat_map(|one| (0..one).map(move |other| (one, other))).zip(&similarities);
    let lengths: Vec<f32> = rows.iter().map(|row| dot(row, row).sqrt()).collect();
    let are_copies = |one: usize, other: usize, similarity: f32| match metric {
        Metric::Cosine => similarity >= COPY,
        // Of equal length, such embeddings are at this distance.
        Metric::Euclidean => (1.0 / similarity - 1.0).powi(2) <= 2.0 * (1.0 - COPY) * lengths[one] * lengths[other],
    };
    let mut is_copy = vec![false; rows.len()];
    for ((one, other), similarity) in pairs() {
        is_copy[one] |= !is_copy[other] && are_copies(one, other, *similarity);
    }
    let mut lists = vec![NearestList::default(); rows.len()];
    for ((one, other), similarity) in
        pairs().filter(|((one, other), similarity)| !are_copies(*one, *other, **similarity))
    {
        for (of, near) in [(one, other), (other, one)].into_iter().filter(|(_, near)| !is_copy[*near]) {
            lists[of].offer((near as u32, *similarity), WEIGHTS.len(), nearer);
        }
    }
    (lists, is_copy)
}

/// The more similar first; rows come in an order of their own, which decides between equals.
fn nearer(one: &(u32, f32), other: &(u32, f32)) -> Ordering {
    other.1.total_cmp(&one.1).then(one.0.cmp(&other.0))
}

/// `embedding` averaged with the `nearest`, of which the first [`WEIGHTS`] count. With cosine only directions matter, and the
/// result is of unit length; with Euclidean distance it is the weighted mean of the embedding and its neighbours' mean.
fn averaged_with<'a>(embedding: &[f32], nearest: impl Iterator<Item = &'a [f32]>, metric: Metric) -> Vec<f32> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(degrees: f32) -> [f32; 2] {
        [degrees.to_radians().cos(), degrees.to_radians().sin()]
    }

    fn angles(rows: &Rows) -> Vec<f32> {
        rows.iter().map(|row| row[1].atan2(row[0]).to_degrees()).collect()
    }

    #[test]
    fn each_moves_towards_its_own_nearest() {
        let rows = Rows::from_values(2, [0.0, 5.0, 10.0, 15.0, 90.0].map(at).concat()).unwrap();
        let moved = angles(&averaged(&rows, Metric::Cosine).rows);
        // Of the first: half of the weight at 5, .3 at 10, .2 at 15: a mean at 8.5, which counts half.
        assert!((moved[0] - 8.5 / 3.0).abs() < 0.02, "{moved:?}");
        assert!(moved[4] < 70.0, "the last has no near neighbours and moves far: {moved:?}");
        let distances = averaged(&rows, Metric::Euclidean).rows;
        let expected =
            (2.0_f32 * rows.row(0)[1] + 0.5 * rows.row(1)[1] + 0.3 * rows.row(2)[1] + 0.2 * rows.row(3)[1]) / 3.0;
        assert!((distances.row(0)[1] - expected).abs() < 1e-6);
    }

    /// With copies of some of them among the pictures, each moves as without; the copies move as what they are copies of.
    #[test]
    fn copies_count_once_and_not_for_one_another() {
        let degrees = [0.0, 7.0, 15.0, 24.0, 34.0, 90.0];
        let (plain, copied) =
            (degrees.map(at).concat(), [0, 1, 2, 3, 4, 5, 0, 0, 2].map(|of| at(degrees[of])).concat());
        for metric in [Metric::Cosine, Metric::Euclidean] {
            let Averaged { rows: expected, is_copy: none, .. } =
                averaged(&Rows::from_values(2, plain.clone()).unwrap(), metric);
            let Averaged { rows: moved, is_copy, .. } =
                averaged(&Rows::from_values(2, copied.clone()).unwrap(), metric);
            assert_eq!(none, [false; 6]);
            assert_eq!(is_copy, [false, false, false, false, false, false, true, true, true]);
            for (row, of) in [0, 1, 2, 3, 4, 5, 0, 0, 2].into_iter().enumerate() {
                assert_eq!(moved.row(row), expected.row(of), "{metric:?}, row {row}");
            }
            let one = expanded(&at(3.0), &moved, &is_copy, metric).0;
            assert_eq!(one, expanded(&at(3.0), &expected, &none, metric).0);
        }
    }

    #[test]
    fn one_alone_stays_as_it_is() {
        for metric in [Metric::Cosine, Metric::Euclidean] {
            let rows = Rows::from_values(2, at(30.0).to_vec()).unwrap();
            let moved = averaged(&rows, metric).rows;
            assert!((angles(&moved)[0] - 30.0).abs() < 1e-3);
            assert_eq!(expanded(&at(10.0), &Rows::empty(2), &[], metric).0.len(), 2);
        }
    }
}
