//! Pairs of a collection that are near enough to be compared by their pixels.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::policy::Candidates;
use crate::base::dot::dot;
use crate::base::nearest::{KnnOptions, Neighbour, Pairs, nearest_of_all};
use crate::base::parallel::cores;
use crate::base::rows::Rows;
use crate::progress::Progress;

/// Positions of two pictures, the former first.
pub(super) type Pair = (u32, u32);

/// Pairs to compare.
#[derive(Default)]
pub(super) struct CandidatePairs {
    /// By their miniatures.
    pub(super) pairs: Vec<Pair>,
    /// In detail, with their cosine.
    pub(super) detailed: Vec<(f32, Pair)>,
}

impl CandidatePairs {
    /// Adds the nearest of `one`: as pairs those that `candidates` allows, and of them all the first as pairs to be compared in
    /// detail.
    pub(super) fn add(&mut self, one: u32, list: &[Neighbour], candidates: Candidates, detailed: Candidates) {
        let pair = |other: u32| (one.min(other), one.max(other));
        let is_near = |neighbour: &&Neighbour| neighbour.1 >= candidates.least;
        self.pairs.extend(list.iter().filter(is_near).map(|(other, _)| pair(*other)));
        let nearest = list.iter().filter(|(_, cosine)| *cosine >= detailed.least).take(detailed.nearest);
        self.detailed.extend(nearest.map(|(other, cosine)| (*cosine, pair(*other))));
    }
}

/// The pairs `(one, other)`, `one` before `other`, of which either is a candidate of the other; those to be compared in detail
/// too, if any are `detailed`. Their cosine is that of row `other` of `rows` and row `one` of `partners`, all of unit length;
/// the other way round it has to be the same. All pairs are compared, n² / 2 products, on all cores. `None` when the work was
/// cancelled.
pub(super) fn candidates(
    (rows, partners): (&Rows, &Rows),
    candidates: Candidates,
    detailed: Candidates,
    progress: &dyn Progress,
) -> Option<CandidatePairs> {
    let least = if detailed.nearest > 0 { candidates.least.min(detailed.least) } else { candidates.least };
    let options = KnnOptions { k: candidates.nearest, least, threads: cores() };
    let lists = nearest_of_all(&Cosines { rows, partners }, options, progress)?;
    let mut found = CandidatePairs::default();
    for (one, list) in lists.iter().enumerate() {
        found.add(one as u32, list, candidates, detailed);
    }
    found.pairs.sort_unstable();
    found.pairs.dedup();
    Some(found)
}

struct Cosines<'a> {
    rows: &'a Rows,
    partners: &'a Rows,
}

impl Pairs for Cosines<'_> {
    fn count(&self) -> usize {
        self.rows.len()
    }

    fn similarities(&self, rows: &Range<usize>, columns: &Range<usize>, table: &mut [f32]) {
        Arch::new().dispatch(CosineTable { cosines: self, rows, columns, table });
    }
}

struct CosineTable<'a> {
    cosines: &'a Cosines<'a>,
    rows: &'a Range<usize>,
    columns: &'a Range<usize>,
    table: &'a mut [f32],
}

impl WithSimd for CosineTable<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { cosines, rows, columns, table } = self;
        for (line, row) in table.chunks_exact_mut(columns.len()).zip(rows.clone()) {
            for (value, column) in line.iter_mut().zip(columns.clone()) {
                *value = dot(cosines.rows.row(row), cosines.partners.row(column));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rows::to_unit_length;
    use crate::progress::Unfollowed;

    /// Rows that lie in `bundles` about directions of their own, as features do.
    fn rows(total: usize, width: usize, bundles: usize) -> Rows {
        let mut rows = Rows::empty(width);
        for at in 0..total {
            let wave = |seed: usize, value: usize| ((seed * 31 + value * seed + 7 * value) as f32).sin();
            let mut row: Vec<f32> =
                (0..width).map(|value| 0.4 + wave(at % bundles, value) + 0.5 * wave(bundles + at, value)).collect();
            to_unit_length(&mut row);
            rows.push(&row);
        }
        rows
    }

    #[test]
    fn the_nearest_are_found_and_no_others() {
        let (rows, nearest, least) = (rows(300, 70, 300), 5, 0.2);
        let total = rows.len();
        let cosine = |one: usize, other: usize| dot(rows.row(one), rows.row(other));
        let mut wanted = Vec::new();
        for one in 0..total {
            let mut others: Vec<usize> =
                (0..total).filter(|&other| other != one && cosine(one, other) >= least).collect();
            others.sort_by(|a, b| cosine(one, *b).total_cmp(&cosine(one, *a)));
            wanted.extend(others.into_iter().take(nearest).map(|other| (one.min(other) as u32, one.max(other) as u32)));
        }
        wanted.sort_unstable();
        wanted.dedup();
        assert!(wanted.len() > total, "{}", wanted.len());
        let found = |rows: &Rows| {
            let detailed = Candidates { least: 0.0, nearest: 1 };
            candidates((rows, rows), Candidates { least, nearest }, detailed, &Unfollowed).unwrap()
        };
        let of_all = found(&rows);
        assert_eq!(of_all.pairs, wanted);
        assert_eq!(of_all.detailed.len(), total, "the nearest of each, however far");
        assert!(of_all.detailed.iter().all(|&(near, (one, other))| near == cosine(one as usize, other as usize)));
        assert!(found(&Rows::default()).pairs.is_empty());
    }
}
