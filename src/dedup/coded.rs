//! Candidates among many pictures: their codes are compared within cells, so that time and memory grow with their number alone.

use super::candidates::CandidatePairs;
use super::cells::{Cells, centres, homes};
use super::codes::Codes;
use super::policy::{Candidates, CellSearch};
use crate::base::nearest::{NearestList, Neighbour};
use crate::base::parallel::map;
use crate::base::rows::Rows;
use crate::error::Trouble;
use crate::progress::Progress;

/// Rows in a sample for each cell.
const SAMPLE_A_CELL: usize = 32;
/// Rows read at a time.
const CHUNK: usize = 2048;

/// Reads the rows at some positions, each of unit length.
pub(super) type ReadRows<'a> = &'a dyn Fn(&[u32]) -> Result<Rows, Trouble>;

/// Rows as codes in cells.
pub(super) struct Coded {
    codes: Codes,
    cells: Cells,
    search: CellSearch,
}

impl Coded {
    /// All `count` rows of `width` that `read` gives. `None` when the work was cancelled.
    pub(super) fn of(
        (count, width): (usize, usize),
        search: CellSearch,
        read: ReadRows<'_>,
        progress: &dyn Progress,
    ) -> Result<Option<Self>, Trouble> {
        let cell_count = (count / search.members).max(1);
        let mut sample = Rows::empty(width);
        for positions in evenly(count, SAMPLE_A_CELL * cell_count).chunks(CHUNK) {
            if progress.is_cancelled() {
                return Ok(None);
            }
            read(positions)?.iter().for_each(|row| _ = sample.push(row));
        }
        let centres = centres(&sample, cell_count);
        let (mut codes, mut all_homes) = (Codes::empty(width), Vec::with_capacity(count));
        let positions: Vec<u32> = (0..count as u32).collect();
        for positions in positions.chunks(CHUNK) {
            if progress.is_cancelled() {
                return Ok(None);
            }
            progress.set_share(all_homes.len() as f32 / count as f32);
            let rows = read(positions)?;
            rows.iter().for_each(|row| codes.push(row));
            all_homes.extend(homes(&centres, &rows));
        }
        Ok(Some(Self { codes, cells: Cells::of(centres, &all_homes), search }))
    }

    /// All positions, those of near rows together.
    pub(super) fn order(&self) -> &[u32] {
        self.cells.members()
    }

    /// The pairs of which either is a candidate of the other, when `changed` is what is searched for in place of a row. `None`
    /// when the work was cancelled.
    pub(super) fn candidates(
        &self,
        (candidates, detailed): (Candidates, Candidates),
        changed: impl Fn(&mut [i8]) + Sync,
        progress: &dyn Progress,
    ) -> Option<CandidatePairs> {
        let mut pairs = CandidatePairs::default();
        for (number, positions) in self.order().chunks(CHUNK).enumerate() {
            if progress.is_cancelled() {
                return None;
            }
            progress.set_share((number * CHUNK) as f32 / self.codes.len() as f32);
            let found = map(positions.len(), |at| self.nearest_to(positions[at], candidates, &changed));
            for (&one, found) in positions.iter().zip(&found) {
                pairs.add(one, found, candidates, detailed);
            }
        }
        Some(pairs)
    }

    fn nearest_to(
        &self,
        at: u32,
        Candidates { least, nearest }: Candidates,
        changed: impl Fn(&mut [i8]),
    ) -> NearestList {
        let mut code = self.codes.code(at as usize);
        changed(&mut code.values);
        let order = |one: &Neighbour, other: &Neighbour| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0));
        let (mut list, mut cosines) = (NearestList::default(), Vec::new());
        for members in self.cells.around(&code.row(), self.search.probes, self.search.most) {
            self.codes.cosines(&code, members, &mut cosines);
            for (&member, &cosine) in members.iter().zip(&cosines) {
                if cosine >= least && member != at && cosine >= list.floor(nearest) {
                    list.offer((member, cosine), nearest, order);
                }
            }
        }
        list
    }
}

/// `most` of `count` positions, or all.
pub(super) fn evenly(count: usize, most: usize) -> Vec<u32> {
    let most = most.min(count);
    (0..most).map(|number| (number * count / most) as u32).collect()
}

#[cfg(test)]
mod tests {
    use artificio_random::Random;

    use super::*;
    use crate::base::rows::to_unit_length;
    use crate::dedup::candidates::Pair;
    use crate::progress::{CancelledWhen, Unfollowed};

    const WIDTH: usize = 64;
    const SEARCH: CellSearch = CellSearch { members: 256, most: 1024, probes: 8 };

    /// `count` rows around 300 directions, of which every tenth is a changed copy of the row before it.
    fn planted(count: usize) -> Rows {
        let mut random = Random::new(7);
        let mut row = |around: Option<&[f32]>, share: f32| {
            let mut row: Vec<f32> = (0..WIDTH).map(|_| random.around(0.0, 1.0)).collect();
            to_unit_length(&mut row);
            if let Some(around) = around {
                row.iter_mut().zip(around).for_each(|(value, around)| *value = *value * share + around);
                to_unit_length(&mut row);
            }
            row
        };
        let directions: Vec<Vec<f32>> = (0..300).map(|_| row(None, 1.0)).collect();
        let mut rows = Rows::empty(WIDTH);
        for at in 0..count {
            let next = match at % 10 {
                9 => row(Some(rows.row(at - 1)), 0.6),
                _ => row(Some(&directions[at * 7 % 300]), 1.0),
            };
            rows.push(&next);
        }
        rows
    }

    fn candidates_of(rows: &Rows) -> Vec<Pair> {
        let read = |positions: &[u32]| {
            let mut some = Rows::empty(WIDTH);
            positions.iter().for_each(|at| _ = some.push(rows.row(*at as usize)));
            Ok(some)
        };
        let coded = Coded::of((rows.len(), WIDTH), SEARCH, &read, &Unfollowed).unwrap().unwrap();
        let detailed = Candidates { least: 0.6, nearest: 1 };
        let found = coded.candidates((Candidates { least: 0.5, nearest: 8 }, detailed), |_| (), &Unfollowed).unwrap();
        let is_near = |(near, pair): &(f32, Pair)| *near >= 0.6 && found.pairs.contains(pair);
        assert!(found.detailed.len() <= rows.len() && found.detailed.iter().take(50).all(is_near));
        found.pairs
    }

    #[test]
    fn copies_among_twenty_thousand_are_candidates_and_the_same_each_time() {
        let rows = planted(20_000);
        let found = candidates_of(&rows);
        let pairs: std::collections::HashSet<&Pair> = found.iter().collect();
        let copies = (0..20_000).filter(|at| at % 10 == 9 && pairs.contains(&(at - 1, *at))).count();
        assert!(copies >= 1_980, "{copies} of 2,000");
        assert!(found.len() < 20_000 * 8 && found.iter().all(|(one, other)| one < other), "{}", found.len());
        assert!(found == candidates_of(&rows), "the same each time");
    }

    #[test]
    fn a_picture_that_is_there_thousands_of_times_costs_no_more_than_others() {
        let mut rows = Rows::empty(WIDTH);
        let all_of_one: Vec<f32> = (0..WIDTH).map(|value| if value == 3 { 1.0 } else { 0.0 }).collect();
        (0..5_000).for_each(|_| _ = rows.push(&all_of_one));
        planted(1_000).iter().for_each(|row| _ = rows.push(row));
        let found = candidates_of(&rows);
        assert!(found.len() <= 6_000 * 8, "{}", found.len());
        let with_candidates: std::collections::HashSet<u32> =
            found.iter().flat_map(|(one, other)| [*one, *other]).collect();
        assert!((0..5_000).all(|at| with_candidates.contains(&at)), "each has copies beside it");
    }

    #[test]
    fn cancelled_work_finds_nothing() {
        let rows = planted(100);
        let read = |_: &[u32]| Ok(rows.clone());
        assert!(Coded::of((100, WIDTH), SEARCH, &read, &CancelledWhen(|| true)).unwrap().is_none());
        let coded = Coded::of((100, WIDTH), SEARCH, &read, &Unfollowed).unwrap().unwrap();
        let wanted = Candidates { least: 0.5, nearest: 8 };
        assert!(coded.candidates((wanted, wanted), |_| (), &CancelledWhen(|| true)).is_none());
    }
}
