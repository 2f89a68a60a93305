//! Coarse cells of a large collection, by k-means: what is near lies in the same cell or in cells near by.

use pulp::{Arch, Simd, WithSimd};

use crate::base::dot::dot;
use crate::base::nearest::first;
use crate::base::parallel::map;
use crate::base::rows::{Rows, to_unit_length};

/// Rounds of Lloyd's algorithm (IEEE Transactions on Information Theory 28, 1982).
const ROUNDS: usize = 6;
/// Rows that a thread takes at a time.
const TURN: usize = 256;

/// Rows by the cell they lie in.
pub(super) struct Cells {
    centres: Rows,
    /// Cell `c` holds `members[starts[c]..starts[c + 1]]`, the farthest from its centre first.
    starts: Vec<usize>,
    members: Vec<u32>,
    /// How near each member is to its centre.
    nearness: Vec<f32>,
}

/// A cell, and the cosine of a row with its centre.
pub(super) type NearCell = (u32, f32);

impl Cells {
    /// Of rows of which the nearest centres are known.
    pub(super) fn of(centres: Rows, homes: &[NearCell]) -> Self {
        let mut members: Vec<u32> = (0..homes.len() as u32).collect();
        let home = |member: &u32| homes[*member as usize];
        members.sort_unstable_by(|one, other| {
            let ((cell, near), (other_cell, other_near)) = (home(one), home(other));
            cell.cmp(&other_cell).then(near.total_cmp(&other_near)).then(one.cmp(other))
        });
        let starts = (0..=centres.len()).map(|cell| members.partition_point(|member| (home(member).0 as usize) < cell));
        let (starts, nearness) = (starts.collect(), members.iter().map(|member| home(member).1).collect());
        Self { centres, starts, members, nearness }
    }

    /// All rows, cell after cell.
    pub(super) fn members(&self) -> &[u32] {
        &self.members
    }

    /// The members of the `probes` cells nearest to `row`. Of a cell that holds more than `most` those that are about as far
    /// from its centre as `row` is: among them are the copies of a picture that is there a thousand times.
    pub(super) fn around(&self, row: &[f32], probes: usize, most: usize) -> Vec<&[u32]> {
        let part = |(cell, near): NearCell| {
            let (start, end) = (self.starts[cell as usize], self.starts[cell as usize + 1]);
            let place = start + self.nearness[start..end].partition_point(|member| *member < near);
            let first = place.saturating_sub(most / 2).min(end.saturating_sub(most)).max(start);
            &self.members[first..end.min(first + most)]
        };
        nearest(&self.centres, row, probes).into_iter().map(part).collect()
    }
}

/// The `count` centres nearest to a row, the nearest first.
pub(super) fn nearest(centres: &Rows, row: &[f32], count: usize) -> Vec<NearCell> {
    let cosines = Arch::new().dispatch(CentreCosines { centres, row });
    first(cosines, count, |one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)))
}

struct CentreCosines<'a> {
    centres: &'a Rows,
    row: &'a [f32],
}

impl WithSimd for CentreCosines<'_> {
    type Output = Vec<NearCell>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<NearCell> {
        let mut cosines = Vec::with_capacity(self.centres.len());
        for at in 0..self.centres.len() {
            cosines.push((at as u32, dot(self.centres.row(at), self.row)));
        }
        cosines
    }
}

/// The nearest centre of each row.
pub(super) fn homes(centres: &Rows, rows: &Rows) -> Vec<NearCell> {
    let home = |at: usize| nearest(centres, rows.row(at), 1).first().copied().unwrap_or_default();
    let turn =
        |number: usize| (number * TURN..rows.len().min((number + 1) * TURN)).map(home).collect::<Vec<NearCell>>();
    map(rows.len().div_ceil(TURN), turn).concat()
}

/// `count` centres that stand for a sample of at least as many rows of unit length. They start evenly over the sample, so the same
/// sample gives the same centres.
pub(super) fn centres(sample: &Rows, count: usize) -> Rows {
    let mut centres = Rows::empty(sample.width());
    for number in 0..count {
        centres.push(sample.row(number * sample.len() / count));
    }
    for round in 0..ROUNDS {
        let mut sums = Rows::from_values(sample.width(), vec![0.0; count * sample.width()]).unwrap_or_default();
        let mut is_empty = vec![true; count];
        for ((cell, _), row) in homes(&centres, sample).into_iter().zip(sample.iter()) {
            is_empty[cell as usize] = false;
            sums.row_mut(cell as usize).iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        for (cell, is_empty) in is_empty.into_iter().enumerate() {
            // A centre of nothing goes where there is something.
            let other = sample.row((cell * 7919 + round) % sample.len());
            let centre = sums.row_mut(cell);
            if is_empty {
                centre.copy_from_slice(other);
            }
            to_unit_length(centre);
        }
        centres = sums;
    }
    centres
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows around `bundles` directions.
    fn bundles(count: usize, bundles: usize) -> Rows {
        let mut rows = Rows::empty(16);
        for at in 0..count {
            let wave = |seed: usize, value: usize| ((seed * 31 + value * seed + 7 * value) as f32).sin();
            let mut row: Vec<f32> =
                (0..16).map(|value| wave(at % bundles + 1, value) + 0.05 * wave(bundles + at, value)).collect();
            to_unit_length(&mut row);
            rows.push(&row);
        }
        rows
    }

    #[test]
    fn every_row_lies_in_one_cell_together_with_its_bundle() {
        let rows = bundles(600, 20);
        let centres = centres(&rows, 20);
        let cells = Cells::of(centres.clone(), &homes(&centres, &rows));
        let mut all = cells.members().to_vec();
        all.sort_unstable();
        assert_eq!(all, (0..600).collect::<Vec<u32>>());
        for at in [0, 7, 599] {
            let near = cells.around(rows.row(at), 2, 1000).concat();
            let of_bundle = near.iter().filter(|member| **member as usize % 20 == at % 20).count();
            assert!(of_bundle == 30 && near.contains(&(at as u32)), "{at}: {of_bundle}");
        }
    }

    #[test]
    fn of_a_large_cell_the_part_around_a_row_is_seen() {
        let rows = bundles(400, 1);
        let centres = centres(&rows, 1);
        let cells = Cells::of(centres.clone(), &homes(&centres, &rows));
        for at in 0..400 {
            let near = cells.around(rows.row(at), 3, 10);
            assert!(near.len() == 1 && near[0].len() == 10 && near[0].contains(&(at as u32)), "{at}: {near:?}");
        }
        assert_eq!(cells.around(rows.row(3), 1, 1000)[0].len(), 400);
    }
}
