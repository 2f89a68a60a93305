//! Each row's nearest others, among all.

use pulp::Arch;

use super::numbers::{cores, on_all_cores, product};
use crate::base::rows::Rows;
use crate::progress::Progress;

/// Rows compared with one another at a time: two blocks of features stay in a core's cache.
const BLOCK: usize = 64;

/// The pairs `(one, other)`, `one` before `other`, of which either is among the `count` nearest of the other and whose
/// scalar product, of row `one` of `rows` and row `other` of `partners` (or the other way round: they have to agree), is `least`
/// or more. All pairs are compared, n² / 2 products, on all cores. `None` when the work was cancelled.
pub(super) fn nearest_pairs(
    (rows, partners): (&Rows, &Rows),
    count: usize,
    least: f32,
    progress: &dyn Progress,
) -> Option<Vec<(usize, usize)>> {
    let all = All { rows, partners, count, least };
    let total = rows.len();
    let mut lists: Vec<Nearest> = vec![Nearest::default(); total];
    let blocks: Vec<usize> = (0..total).step_by(BLOCK).collect();
    // A block of rows is compared with those before it.
    let turn = 4 * cores();
    for (number, starts) in blocks.chunks(turn).enumerate() {
        if progress.is_cancelled() {
            return None;
        }
        let done = (number * turn * BLOCK) as f32 / total as f32;
        progress.told(done * done);
        let found = on_all_cores(starts.len(), |at| all.found_in(starts[at], &lists));
        for (one, other, alike) in found.into_iter().flatten() {
            lists[one].offer(other, alike, count);
            lists[other].offer(one, alike, count);
        }
    }
    let ordered = |(one, list): (usize, Nearest)| {
        list.0.into_iter().map(move |(other, _)| (one.min(other as usize), one.max(other as usize)))
    };
    let mut pairs: Vec<(usize, usize)> = lists.into_iter().enumerate().flat_map(ordered).collect();
    pairs.sort_unstable();
    pairs.dedup();
    Some(pairs)
}

/// The nearest of a row, the nearest first.
#[derive(Clone, Default)]
struct Nearest(Vec<(u32, f32)>);

impl Nearest {
    /// What has to be reached to be listed.
    fn floor(&self, count: usize) -> f32 {
        if self.0.len() < count { f32::NEG_INFINITY } else { self.0.last().map_or(f32::INFINITY, |(_, alike)| *alike) }
    }

    fn offer(&mut self, other: usize, alike: f32, count: usize) {
        if alike > self.floor(count) {
            self.0.insert(self.0.partition_point(|(_, listed)| *listed >= alike), (other as u32, alike));
            self.0.truncate(count);
        }
    }
}

/// What is compared, and which pairs are wanted.
struct All<'a> {
    rows: &'a Rows,
    partners: &'a Rows,
    count: usize,
    least: f32,
}

impl All<'_> {
    /// The pairs of the block at `start` and rows before them that would be listed as things stand.
    fn found_in(&self, start: usize, lists: &[Nearest]) -> Vec<(usize, usize, f32)> {
        let mut found = Vec::new();
        let mut products = [0.0_f32; BLOCK * BLOCK];
        let block = start..self.rows.len().min(start + BLOCK);
        // Who comes after the lists of this turn were made is listed here first, so that not all it sees is found.
        let mut own = vec![Nearest::default(); block.len()];
        for columns in (0..block.end).step_by(BLOCK).map(|first| first..self.rows.len().min(first + BLOCK)) {
            Arch::new().dispatch(|| {
                for (line, one) in products.chunks_exact_mut(BLOCK).zip(block.clone()) {
                    for (value, other) in line.iter_mut().zip(columns.clone()) {
                        *value = product(self.rows.row(one), self.partners.row(other));
                    }
                }
                for ((line, one), own) in products.chunks_exact(BLOCK).zip(block.clone()).zip(&mut own) {
                    for (&alike, other) in line.iter().zip(columns.clone()).filter(|(_, other)| *other < one) {
                        let floor = own.floor(self.count).min(lists[other].floor(self.count)).max(self.least);
                        if alike >= floor {
                            own.offer(other, alike, self.count);
                            found.push((other, one, alike));
                        }
                    }
                }
            });
        }
        found
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
        let (rows, count, least) = (rows(300, 70, 300), 5, 0.2);
        let total = rows.len();
        let alike = |one: usize, other: usize| product(rows.row(one), rows.row(other));
        let mut wanted = Vec::new();
        for one in 0..total {
            let mut others: Vec<usize> =
                (0..total).filter(|&other| other != one && alike(one, other) >= least).collect();
            others.sort_by(|a, b| alike(one, *b).total_cmp(&alike(one, *a)));
            wanted.extend(others.into_iter().take(count).map(|other| (one.min(other), one.max(other))));
        }
        wanted.sort_unstable();
        wanted.dedup();
        assert!(wanted.len() > total, "{}", wanted.len());
        assert_eq!(nearest_pairs((&rows, &rows), count, least, &Unfollowed), Some(wanted));
        assert_eq!(nearest_pairs((&Rows::default(), &Rows::default()), count, least, &Unfollowed), Some(Vec::new()));
    }
}
