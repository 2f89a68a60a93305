//! Exact k nearest neighbours: among items with known similarities, and of every row among all others.

use std::cmp::Ordering;
use std::ops::{Deref, Range};

use super::parallel::map_on;
use crate::progress::Progress;

/// Rows compared with one another at a time: two blocks of features `[64, 1280]` stay in a core's cache.
const BLOCK: usize = 64;

/// A row and how similar it is.
pub type Neighbour = (u32, f32);

/// Keeps the `k` first of `items` by `order`, in no particular order of their own.
pub fn keep_first<T>(items: &mut Vec<T>, k: usize, order: impl FnMut(&T, &T) -> Ordering) {
    if k < items.len() {
        items.select_nth_unstable_by(k, order);
        items.truncate(k);
    }
}

/// The `k` first of `items` by `order`, in this order. Items of which neither comes before the other may change places.
pub fn first<T>(mut items: Vec<T>, k: usize, mut order: impl FnMut(&T, &T) -> Ordering) -> Vec<T> {
    keep_first(&mut items, k, &mut order);
    items.sort_unstable_by(order);
    items
}

/// The nearest neighbours of one row that have been offered so far, the nearest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NearestList(Vec<Neighbour>);

impl NearestList {
    /// A list of neighbours that are in their order already.
    pub fn of(neighbours: Vec<Neighbour>) -> Self {
        Self(neighbours)
    }

    /// What a similarity has to reach to be listed among the nearest `k`.
    pub fn floor(&self, k: usize) -> f32 {
        if self.0.len() < k { f32::NEG_INFINITY } else { self.0.last().map_or(f32::INFINITY, |(_, last)| *last) }
    }

    /// Lists `neighbour` if it is among the nearest `k`, and drops the last when there are too many; its rank if so. `order`
    /// compares two neighbours, and may not call any two equal.
    pub fn offer(
        &mut self,
        neighbour: Neighbour,
        k: usize,
        order: impl Fn(&Neighbour, &Neighbour) -> Ordering,
    ) -> Option<usize> {
        let rank = self.0.partition_point(|listed| order(listed, &neighbour).is_lt());
        if rank >= k {
            return None;
        }
        self.0.insert(rank, neighbour);
        self.0.truncate(k);
        Some(rank)
    }
}

impl Deref for NearestList {
    type Target = [Neighbour];

    fn deref(&self) -> &[Neighbour] {
        &self.0
    }
}

/// Rows of which all pairs are compared.
pub trait Pairs: Sync {
    /// How many rows there are.
    fn count(&self) -> usize;

    /// Fills `table` `[rows.len(), columns.len()]` with the similarities between `rows` and `columns`, of which only those of
    /// a row with a column before it are used.
    fn similarities(&self, rows: &Range<usize>, columns: &Range<usize>, table: &mut [f32]);

    /// Which of two equally similar rows comes first: the former, unless there is a better reason.
    fn tie(&self, one: u32, other: u32) -> Ordering {
        one.cmp(&other)
    }
}

/// What is to be found for every row.
#[derive(Debug, Clone, Copy)]
pub struct KnnOptions {
    /// So many neighbours at most.
    pub k: usize,
    /// None that are less similar than this.
    pub least: f32,
    /// Threads at work.
    pub threads: usize,
}

/// The order of neighbours: the more similar first, then as `pairs` says.
pub fn by_similarity(pairs: &dyn Pairs) -> impl Fn(&Neighbour, &Neighbour) -> Ordering {
    move |one, other| other.1.total_cmp(&one.1).then_with(|| pairs.tie(one.0, other.0))
}

/// The nearest neighbours of every row. All pairs are compared, once each. `None` when the work was cancelled, which is asked
/// before every few blocks of rows.
pub fn nearest_of_all(pairs: &dyn Pairs, options: KnnOptions, progress: &dyn Progress) -> Option<Vec<NearestList>> {
    let total = pairs.count();
    let order = by_similarity(pairs);
    let mut lists = vec![NearestList::default(); total];
    let blocks: Vec<usize> = (0..total).step_by(BLOCK).collect();
    // A block of rows is compared with those before it and with itself. Several blocks a turn keep all threads at work.
    let turn = if options.threads > 1 { 4 * options.threads } else { 1 };
    for (number, starts) in blocks.chunks(turn).enumerate() {
        if progress.is_cancelled() {
            return None;
        }
        let done = (number * turn * BLOCK) as f32 / total as f32;
        progress.set_share(done * done);
        let found = map_on(options.threads, starts.len(), |at| found_in(pairs, starts[at], options, &lists));
        for (row, column, similarity) in found.into_iter().flatten() {
            lists[row].offer((column as u32, similarity), options.k, &order);
            lists[column].offer((row as u32, similarity), options.k, &order);
        }
    }
    Some(lists)
}

/// The pairs of the block at `start` and rows before them that would be listed as `lists` stand.
fn found_in(pairs: &dyn Pairs, start: usize, options: KnnOptions, lists: &[NearestList]) -> Vec<(usize, usize, f32)> {
    let KnnOptions { k, least, .. } = options;
    let order = by_similarity(pairs);
    let mut found = Vec::new();
    let mut table = [0.0_f32; BLOCK * BLOCK];
    let block = |first: usize| first..pairs.count().min(first + BLOCK);
    let rows = block(start);
    let floors: Vec<f32> = lists[..rows.end].iter().map(|list| list.floor(k)).collect();
    // Lists are as they were before this turn. Rows of this block are listed here too, so that not all they meet is found.
    let mut own = vec![NearestList::default(); rows.len()];
    for columns in (0..rows.end).step_by(BLOCK).map(block) {
        pairs.similarities(&rows, &columns, &mut table[..rows.len() * columns.len()]);
        for ((line, row), own) in table.chunks_exact(columns.len()).zip(rows.clone()).zip(&mut own) {
            let mut own_floor = own.floor(k);
            for (&similarity, column) in line.iter().zip(columns.clone()).take_while(|(_, column)| *column < row) {
                if similarity >= own_floor.min(floors[column]).max(least) {
                    own.offer((column as u32, similarity), k, &order);
                    own_floor = own.floor(k);
                    found.push((row, column, similarity));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::{CancelledWhen, Unfollowed};

    /// Rows on a coarse grid, so that many are equally similar.
    struct Points(Vec<i32>);

    impl Points {
        fn new(count: usize) -> Self {
            Self((0..count as i32).map(|at| at * 7919 % 211).collect())
        }

        fn similarity(&self, one: usize, other: usize) -> f32 {
            -(self.0[one] - self.0[other]).abs() as f32
        }
    }

    impl Pairs for Points {
        fn count(&self) -> usize {
            self.0.len()
        }

        fn similarities(&self, rows: &Range<usize>, columns: &Range<usize>, table: &mut [f32]) {
            let pairs = rows.clone().flat_map(|row| columns.clone().map(move |column| (row, column)));
            table.iter_mut().zip(pairs).for_each(|(value, (row, column))| *value = self.similarity(row, column));
        }

        /// The last first.
        fn tie(&self, one: u32, other: u32) -> Ordering {
            other.cmp(&one)
        }
    }

    #[test]
    fn all_nearest_are_found_whatever_the_number_of_threads() {
        for (count, k, least, threads) in [
            (0, 3, -9.0, 1),
            (1, 3, -9.0, 1),
            (2, 3, -9.0, 2),
            (300, 5, -4.0, 1),
            (300, 5, -4.0, 3),
            (150, 999, -9e9, 1),
        ] {
            let points = Points::new(count);
            let lists = nearest_of_all(&points, KnnOptions { k, least, threads }, &Unfollowed).unwrap();
            assert_eq!(lists.len(), count);
            for (at, list) in lists.iter().enumerate() {
                let mut others: Vec<Neighbour> = (0..count)
                    .filter(|other| *other != at)
                    .map(|other| (other as u32, points.similarity(at, other)))
                    .collect();
                others.retain(|(_, similarity)| *similarity >= least);
                assert_eq!(**list, first(others, k, by_similarity(&points)), "{at} of {count}");
            }
        }
    }

    #[test]
    fn cancelled_work_finds_nothing() {
        let options = KnnOptions { k: 3, least: 0.0, threads: 1 };
        assert!(nearest_of_all(&Points::new(9), options, &CancelledWhen(|| true)).is_none());
    }

    #[test]
    fn the_first_are_the_same_as_of_all_in_order() {
        let items: Vec<i32> = (0..50).map(|at| at * 37 % 50).collect();
        for k in [0, 1, 7, 49, 50, 99] {
            assert_eq!(first(items.clone(), k, Ord::cmp), (0..(k as i32).min(50)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_list_keeps_the_nearest_and_says_what_it_takes() {
        let order = |one: &Neighbour, other: &Neighbour| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0));
        let mut list = NearestList::default();
        assert_eq!(list.floor(2), f32::NEG_INFINITY);
        assert_eq!(list.offer((5, 0.5), 2, order), Some(0));
        assert_eq!(list.offer((3, 0.5), 2, order), Some(0));
        assert_eq!(list.offer((9, 0.5), 2, order), None);
        assert_eq!(list.offer((8, 0.9), 2, order), Some(0));
        assert_eq!((&*list, list.floor(2)), (&[(8, 0.9), (3, 0.5)][..], 0.5));
    }
}
