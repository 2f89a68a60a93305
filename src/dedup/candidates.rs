//! Pairs of a collection that are near enough to be compared by their pixels.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::policy::Candidates;
use crate::base::dot::dot;
use crate::base::nearest::{KnnOptions, Pairs, nearest_of_all};
use crate::base::parallel::cores;
use crate::base::rows::Rows;
use crate::progress::Progress;

/// Positions of two pictures, the former first.
pub(super) type Pair = (u32, u32);

/// The pairs `(one, other)`, `one` before `other`, of which either is a candidate of the other. Their cosine is that of row
/// `other` of `rows` and row `one` of `partners`, all of unit length; the other way round it has to be the same. All pairs are
/// compared, n² / 2 products, on all cores. `None` when the work was cancelled.
pub(super) fn candidates(
    (rows, partners): (&Rows, &Rows),
    Candidates { least, nearest }: Candidates,
    progress: &dyn Progress,
) -> Option<Vec<Pair>> {
    let options = KnnOptions { k: nearest, least, threads: cores() };
    let lists = nearest_of_all(&Cosines { rows, partners }, options, progress)?;
    let of =
        |one: usize| lists[one].iter().map(move |(other, _)| (*other.min(&(one as u32)), *other.max(&(one as u32))));
    let mut pairs: Vec<Pair> = (0..lists.len()).flat_map(of).collect();
    pairs.sort_unstable();
    pairs.dedup();
    Some(pairs)
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
        let found = |rows: &Rows| candidates((rows, rows), Candidates { least, nearest }, &Unfollowed);
        assert_eq!(found(&rows), Some(wanted));
        assert_eq!(found(&Rows::default()), Some(Vec::new()));
    }
}
