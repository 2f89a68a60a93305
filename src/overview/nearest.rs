//! Each row's nearest others, among all.

use pulp::Arch;

use super::heads::Heads;
use super::numbers::{cores, on_all_cores, product};
use crate::progress::Progress;
use crate::rows::Rows;

/// Rows compared with one another at a time: two blocks of features stay in a core's cache.
const BLOCK: usize = 64;

/// The pairs `(one, other)`, `one` before `other`, of which either is among the `count` nearest of the other and whose
/// scalar product, of row `one` of `rows` and row `other` of `partners` (or the other way round: they have to agree), is `least`
/// or more. All pairs are compared, on all cores: n² / 2 products of whole rows, or, of many long rows, of their heads
/// ([`Heads`]) and of the few whole rows that those do not rule out. `None` when the work was cancelled.
pub(super) fn nearest_pairs(
    (rows, partners): (&Rows, &Rows),
    count: usize,
    least: f32,
    progress: &dyn Progress,
) -> Option<Vec<(usize, usize)>> {
    let is_worth_it = std::ptr::eq(rows, partners) && Heads::pay_for(rows);
    let heads = is_worth_it.then(|| Heads::of(rows)).flatten();
    pairs_among(&All { rows, partners, heads, count, least }, progress)
}

fn pairs_among(all: &All<'_>, progress: &dyn Progress) -> Option<Vec<(usize, usize)>> {
    let (total, count) = (all.rows.len(), all.count);
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
    heads: Option<Heads>,
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
                // Without heads a product is its own bound.
                let (ones, others) =
                    self.heads.as_ref().map_or((self.rows, self.partners), |heads| (heads.rows(), heads.rows()));
                for (line, one) in products.chunks_exact_mut(BLOCK).zip(block.clone()) {
                    for (value, other) in line.iter_mut().zip(columns.clone()) {
                        *value = product(ones.row(one), others.row(other));
                    }
                }
                for ((line, one), own) in products.chunks_exact(BLOCK).zip(block.clone()).zip(&mut own) {
                    for (&most, other) in line.iter().zip(columns.clone()).filter(|(_, other)| *other < one) {
                        let floor = own.floor(self.count).min(lists[other].floor(self.count)).max(self.least);
                        if most < floor {
                            continue;
                        }
                        let alike = match self.heads {
                            Some(_) => product(self.rows.row(one), self.partners.row(other)),
                            None => most,
                        };
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
    use crate::progress::Unfollowed;
    use crate::rows::to_unit_length;

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
        let rows = rows(300, 70, 300);
        the_nearest_of(&rows, None, 5, 0.2);
    }

    #[test]
    fn heads_rule_out_nothing_that_is_near() {
        let rows = rows(600, 700, 40);
        let heads = Heads::of(&rows).unwrap();
        let mut loose = 0;
        for one in 0..rows.len() {
            for other in 0..one {
                let (most, alike) =
                    (product(heads.rows().row(one), heads.rows().row(other)), product(rows.row(one), rows.row(other)));
                assert!(most >= alike, "{one} and {other}: {most} and {alike}");
                loose += usize::from(most > 0.6);
            }
        }
        assert!(loose < rows.len() * rows.len() / 8, "{loose} pairs are not ruled out");
        the_nearest_of(&rows, Some(heads), 8, 0.6);
    }

    /// Against all products of all rows.
    fn the_nearest_of(rows: &Rows, heads: Option<Heads>, count: usize, least: f32) {
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
        let all = All { rows, partners: rows, heads, count, least };
        assert_eq!(pairs_among(&all, &Unfollowed), Some(wanted));
        assert_eq!(nearest_pairs((&Rows::default(), &Rows::default()), count, least, &Unfollowed), Some(Vec::new()));
    }
}
