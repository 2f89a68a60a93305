//! Which pictures of a collection are compared by their pixels, and in which order.

use super::alignment::{OUTLINE_VALUES, mirror, outline, outlines};
use super::candidates::{CandidatePairs, Pair, candidates};
use super::coded::{Coded, evenly};
use super::codes::Folding;
use super::links::PictureSource;
use super::policy;
use crate::base::parallel::map;
use crate::base::rows::Rows;
use crate::error::Trouble;
use crate::progress::Part;

/// PictureSource in the mean around which features are folded.
const MEAN_OF: usize = 2048;

/// What is compared with what.
pub(super) struct Neighbours {
    /// All positions; what is compared with the same pictures stands together.
    pub(super) order: Vec<u32>,
    pub(super) partners: Partners,
    /// What is compared in detail, with its cosine; a pair may be there twice.
    pub(super) detailed: Vec<(f32, Pair)>,
}

/// For each picture, those that are searched for in it.
pub(super) struct Partners {
    starts: Vec<usize>,
    others: Vec<u32>,
}

impl Partners {
    /// Of pairs, each of which may be there several times.
    fn from_pairs(count: usize, pairs: &[Pair]) -> Self {
        let mut ends = vec![0; count + 1];
        let both = || pairs.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]);
        both().for_each(|(one, _)| ends[one as usize + 1] += 1);
        for at in 0..count {
            ends[at + 1] += ends[at];
        }
        // Each end moves from where its picture's part starts to where it ends, which is where the next one starts.
        let (starts, mut others) = (ends.clone(), vec![0; 2 * pairs.len()]);
        for (one, other) in both() {
            others[ends[one as usize]] = other;
            ends[one as usize] += 1;
        }
        let mut partners = Self { starts: vec![0], others: Vec::new() };
        for at in 0..count {
            let part = &mut others[starts[at]..starts[at + 1]];
            part.sort_unstable();
            let first = partners.others.len();
            for &other in &*part {
                if partners.others[first..].last() != Some(&other) {
                    partners.others.push(other);
                }
            }
            partners.starts.push(partners.others.len());
        }
        partners
    }

    /// Ascending.
    pub(super) fn of(&self, at: u32) -> &[u32] {
        &self.others[self.starts[at as usize]..self.starts[at as usize + 1]]
    }

    /// How many of the first of `order` can be compared with about `most` pictures in memory, but at least one; and these
    /// pictures, ascending.
    pub(super) fn block(&self, order: &[u32], most: usize) -> (usize, Vec<u32>) {
        let (mut is_needed, mut needed) = (vec![false; self.starts.len() - 1], Vec::new());
        let mut here = 0;
        for &at in order {
            if here > 0 && needed.len() >= most {
                break;
            }
            for &one in [at].iter().chain(self.of(at)) {
                if !std::mem::replace(&mut is_needed[one as usize], true) {
                    needed.push(one);
                }
            }
            here += 1;
        }
        needed.sort_unstable();
        (here, needed)
    }
}

/// All pairs are compared; for inventories that fit into memory.
pub(super) fn all_pairs(pictures: &dyn PictureSource, progress: &Part<'_>) -> Result<Option<Neighbours>, Trouble> {
    let order: Vec<u32> = (0..pictures.count() as u32).collect();
    let features = if pictures.have_features() { pictures.features(&order)? } else { Rows::default() };
    let (mut plain, mut mirrored) = (Rows::empty(OUTLINE_VALUES), Rows::empty(OUTLINE_VALUES));
    for miniature in pictures.miniatures(&order)? {
        let [as_it_is, in_a_mirror] = outlines(&miniature);
        plain.push(&as_it_is);
        mirrored.push(&in_a_mirror);
    }
    let part = |start, share| Part { progress, start, share };
    let by_outlines = by_outlines(pictures);
    let found = || {
        let (of_all, detailed, none) = (policy::OF_ALL_BY_FEATURES, policy::OF_ALL_IN_DETAIL, policy::NONE_IN_DETAIL);
        let mut found = candidates((&features, &features), of_all, detailed, &part(0.0, 0.8))?;
        found.pairs.extend(candidates((&plain, &plain), by_outlines, none, &part(0.8, 0.1))?.pairs);
        found.pairs.extend(candidates((&plain, &mirrored), by_outlines, none, &part(0.9, 0.1))?.pairs);
        Some(found)
    };
    Ok(found().map(|CandidatePairs { pairs, detailed }| {
        let partners = Partners::from_pairs(order.len(), &pairs);
        Neighbours { partners, order, detailed }
    }))
}

fn by_outlines(pictures: &dyn PictureSource) -> policy::Candidates {
    if pictures.have_features() { policy::OF_ALL_BY_OUTLINES } else { policy::OF_ALL_BY_OUTLINES_ALONE }
}

/// Only what lies in near cells is compared. At a million 600 MB, most of it codes and pairs.
pub(super) fn within_cells(pictures: &dyn PictureSource, progress: &Part<'_>) -> Result<Option<Neighbours>, Trouble> {
    let count = pictures.count();
    let part = |start, share| Part { progress, start, share };
    let (mut pairs, mut detailed) = (Vec::new(), Vec::new());
    let outlines = |positions: &[u32]| {
        let miniatures = pictures.miniatures(positions)?;
        let mut rows = Rows::empty(OUTLINE_VALUES);
        map(miniatures.len(), |at| outline(&miniatures[at])).iter().for_each(|row| _ = rows.push(row));
        Ok(rows)
    };
    let coded = Coded::of((count, OUTLINE_VALUES), policy::CELLS_OF_OUTLINES, &outlines, &part(0.0, 0.1))?;
    let Some(coded) = coded else { return Ok(None) };
    let by_outlines = (by_outlines(pictures), policy::NONE_IN_DETAIL);
    let as_it_is = coded.candidates(by_outlines, |_| (), &part(0.1, 0.1));
    let in_a_mirror = coded.candidates(by_outlines, mirror, &part(0.2, 0.1));
    let (Some(as_it_is), Some(in_a_mirror)) = (as_it_is, in_a_mirror) else { return Ok(None) };
    pairs.extend(as_it_is.pairs.into_iter().chain(in_a_mirror.pairs));
    let mut order = coded.order().to_vec();
    drop(coded);
    if pictures.have_features() {
        let folding = Folding::around(&pictures.features(&evenly(count, MEAN_OF))?, policy::FOLDED_VALUES);
        let folded = |positions: &[u32]| {
            let features = pictures.features(positions)?;
            let mut rows = Rows::empty(policy::FOLDED_VALUES);
            map(features.len(), |at| folding.folded(features.row(at))).iter().for_each(|row| _ = rows.push(row));
            Ok(rows)
        };
        let width = policy::FOLDED_VALUES;
        let coded = Coded::of((count, width), policy::CELLS_OF_FEATURES, &folded, &part(0.3, 0.3))?;
        let Some(coded) = coded else { return Ok(None) };
        let by_features = (policy::OF_ALL_BY_FOLDED_FEATURES, policy::OF_MANY_IN_DETAIL);
        let found = coded.candidates(by_features, |_| (), &part(0.6, 0.4));
        let Some(found) = found else { return Ok(None) };
        pairs.extend(found.pairs);
        detailed = found.detailed;
        order = coded.order().to_vec();
    }
    Ok(Some(Neighbours { partners: Partners::from_pairs(count, &pairs), order, detailed }))
}
