//! How near the pictures of an inventory are to their nearest others: of a sample of them, the nearest in the whole index.
//!
//! What is found is a function of the snapshot alone. It costs what changed since the last one: rows that are new are compared with
//! the sample; only a picture new in the sample, or one that lost many of its nearest, is compared with all.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::columns::{NearList, NearestOther, scan};
use super::sample::{RowId, SampledPicture, sample_of};
use super::segment::CAPACITY;
use super::snapshot::Snapshot;

/// Nearest others of a picture of the sample: enough to have some beside its copies.
pub const NEAREST: usize = 16;
/// Others in a list: as many of them may go before it must be made again.
const LISTED: usize = 2 * NEAREST;

/// A sample of the pictures of an index with the nearest others of each, as they were in one [`Snapshot`].
#[derive(Debug, Default)]
pub struct SampleNeighbours {
    /// Of all pictures, by position.
    rows: Vec<RowId>,
    sample: Vec<SampledPicture>,
    /// Of every picture of the sample.
    lists: HashMap<RowId, NearList>,
}

/// What two states of an index differ in.
struct Difference {
    gone: HashSet<RowId>,
    /// By segment.
    new: Vec<(usize, Range<usize>)>,
}

impl SampleNeighbours {
    /// The pictures of the sample, each with its nearest others, the nearest first; copies of it are left out.
    pub fn iter(&self) -> impl Iterator<Item = (&SampledPicture, &[NearestOther])> {
        let near = |member: &SampledPicture| self.lists.get(&member.id).map_or(&[][..], NearList::near);
        self.sample
            .iter()
            .map(move |member| (member, near(member)))
            .map(|(member, near)| (member, &near[..near.len().min(NEAREST)]))
    }

    /// The sample alone.
    pub fn sample(&self) -> &[SampledPicture] {
        &self.sample
    }

    /// Brings it to the state of `snapshot`.
    pub fn follow(&mut self, snapshot: &Snapshot) {
        let segments = snapshot.segments();
        let rows: Vec<RowId> = segments.iter().flat_map(|segment| segment.heads().iter().map(RowId::of)).collect();
        let difference = Difference::between(&self.rows, &rows);
        (self.rows, self.sample) = (rows, sample_of(segments));
        let mut known = std::mem::take(&mut self.lists);
        let (mut followed, mut searched) = (Vec::new(), Vec::new());
        for member in &self.sample {
            let mut list = known.remove(&member.id);
            list.iter_mut().for_each(|list| list.forget(|row| difference.gone.contains(&row)));
            match list.filter(|list| list.holds(NEAREST)) {
                Some(list) => followed.push((member, list)),
                None => searched.push((member, NearList::unknown())),
            }
        }
        let all: Vec<_> = segments.iter().enumerate().map(|(number, segment)| (number, 0..segment.len())).collect();
        for (runs, members) in [(&difference.new, &followed), (&all, &searched)] {
            let lists = scan(segments, runs, members, LISTED);
            self.lists.extend(members.iter().map(|(member, _)| member.id).zip(lists));
        }
    }
}

impl Difference {
    /// Rows are compared by their positions; those that only moved are neither gone nor new.
    fn between(old: &[RowId], new: &[RowId]) -> Self {
        let changed = |position: &usize| old.get(*position) != new.get(*position);
        let positions: Vec<usize> = (0..old.len().max(new.len())).filter(changed).collect();
        let mut gone: HashSet<RowId> = positions.iter().filter_map(|position| old.get(*position).copied()).collect();
        let mut runs: Vec<(usize, Range<usize>)> = Vec::new();
        for position in positions {
            let Some(row) = new.get(position) else { continue };
            if gone.remove(row) {
                continue;
            }
            let (segment, row) = (position / CAPACITY, position % CAPACITY);
            match runs.last_mut() {
                Some((last, run)) if *last == segment && run.end == row => run.end += 1,
                _ => runs.push((segment, row..row + 1)),
            }
        }
        Self { gone, new: runs }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use artificio_random::Random;

    use super::*;
    use crate::base::dot::dot;
    use crate::config::Metric;
    use crate::index::Index;
    use crate::index::averaging::prepared;

    const WIDTH: usize = 24;

    /// Embeddings around a few directions; every fifth is a copy of one before it.
    fn embeddings(count: usize, random: &mut Random) -> Vec<Vec<f32>> {
        let mut normal = |size: f32| (0..WIDTH).map(|_| size * random.normal()).collect::<Vec<f32>>();
        let centres: Vec<Vec<f32>> = (0..40).map(|_| normal(1.0)).collect();
        let mut rows: Vec<Vec<f32>> = Vec::new();
        for number in 0..count {
            let near = centres[number * 7 % 40].iter().zip(normal(0.7)).map(|(a, b)| a + b).collect();
            rows.push(if number % 5 == 4 { rows[number - 3].clone() } else { near });
        }
        rows
    }

    fn name(number: usize) -> String {
        format!("{number:05}.jpg")
    }

    fn found(neighbours: &SampleNeighbours) -> Vec<(String, Vec<NearestOther>)> {
        let text = |member: &SampledPicture| member.name.to_string_lossy().into_owned();
        neighbours.iter().map(|(member, near)| (text(member), near.to_vec())).collect()
    }

    fn at_once(index: &Index) -> Vec<(String, Vec<NearestOther>)> {
        let mut neighbours = SampleNeighbours::default();
        neighbours.follow(&index.snapshot());
        found(&neighbours)
    }

    #[test]
    fn the_nearest_of_all_are_found_and_no_copies() {
        let mut random = Random::new(11);
        let rows = embeddings(5_000, &mut random);
        let index = Index::filled(WIDTH, rows.iter().enumerate().map(|(number, row)| (name(number), row)));
        let unit = |number: usize| prepared(rows[number].clone(), Metric::Cosine);
        let found = at_once(&index);
        assert_eq!(found.len(), 512);
        for (member, near) in found.iter().step_by(37) {
            let own = unit(member[..5].parse().unwrap());
            let mut exact: Vec<f32> = (0..rows.len()).map(|number| dot(&own, &unit(number))).collect();
            exact.retain(|cosine| *cosine < 0.997);
            exact.sort_by(|one, other| other.total_cmp(one));
            assert_eq!(near.len(), NEAREST);
            for (near, exact) in near.iter().zip(exact) {
                assert!((near.cosine - exact).abs() < 0.01, "{member}: {} and {exact}", near.cosine);
            }
        }
    }

    /// Whatever came, went, moved and was replaced, followed at every step or seldom: as of an index filled at once.
    #[test]
    fn they_follow_all_changes() {
        let mut random = Random::new(12);
        let rows = embeddings(9_000, &mut random);
        let mut index = Index::filled(WIDTH, (0..6_000).map(|number| (name(number), &rows[number])));
        let mut neighbours = SampleNeighbours::default();
        for step in 0..12 {
            for _ in 0..(if step == 6 { 4_000 } else { 150 }) {
                let number = random.count(0, rows.len() - 1);
                match random.count(0, 2) {
                    0 => index.remove([Path::new(&name(number))]),
                    1 => _ = index.put(Path::new(&name(number)), &rows[(number + step) % rows.len()]),
                    _ => _ = index.put(Path::new(&name(number)), &rows[number]),
                }
            }
            neighbours.follow(&index.snapshot());
            if step % 3 == 2 {
                assert_eq!(found(&neighbours), at_once(&index), "step {step}");
            }
        }
        // Of the nearest of one picture all go: its list is made again.
        let (_, nearest) = found(&neighbours).swap_remove(5);
        index.remove(nearest.iter().map(|near| Path::new(&*near.name)));
        neighbours.follow(&index.snapshot());
        assert_eq!(found(&neighbours), at_once(&index));
        // Another order of the rows.
        let again = Index::filled(
            WIDTH,
            (0..9_000).rev().filter_map(|number| Some((name(number), index.embedding(Path::new(&name(number)))?))),
        );
        assert_eq!(found(&neighbours).len(), at_once(&again).len());
    }

    #[test]
    fn a_small_inventory_is_compared_whole() {
        let mut index = Index::empty(2);
        let mut neighbours = SampleNeighbours::default();
        neighbours.follow(&index.snapshot());
        assert_eq!(neighbours.iter().count(), 0);
        for number in 0..4 {
            let angle = number as f32;
            index.put(Path::new(&name(number)), &[angle.cos(), angle.sin()]);
            neighbours.follow(&index.snapshot());
        }
        index.put(Path::new("copy.jpg"), &[1.0, 0.0]);
        neighbours.follow(&index.snapshot());
        let found = found(&neighbours);
        let of = |name: &str| found.iter().find(|(member, _)| member == name).map(|(_, near)| near.len());
        assert_eq!((of("00000.jpg"), of("00001.jpg"), of("copy.jpg")), (Some(3), Some(4), Some(3)));
    }
}
