//! All near-duplicates of a collection: candidates by features and outlines, confirmed by their pixels.

use super::alignment::{Alignment, OUTLINE_VALUES, Scene, outlines};
use super::candidates::candidates;
use super::groups::ComparePairs;
use super::policy;
use crate::base::parallel::{cores, map};
use crate::base::rows::Rows;
use crate::picture::Miniature;
use crate::progress::{Part, Progress};

/// Scenes made at a time by a core, before it is asked whether to go on.
const TURN: usize = 16;

/// Two pictures that are near-duplicates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// Position of the one in which the other was found.
    pub one: usize,
    /// Position of the one that was found.
    pub other: usize,
    /// Where, and how similar they are.
    pub alignment: Alignment,
}

/// A collection in which near-duplicates are searched for; position `i` of each list belongs to the same picture.
pub struct DuplicateSearch<'a> {
    /// What they look like.
    pub miniatures: &'a [Miniature],
    /// The backbone's features at unit length, `[n, 1280]`; no rows where they are not known.
    pub features: &'a Rows,
    /// From which similarity of their alignment on two are linked; [`policy::NEAR_DUPLICATE`] unless the user says otherwise.
    pub threshold: f32,
}

impl DuplicateSearch<'_> {
    /// All pairs that are linked, in the order of their positions. `None` when the work was cancelled.
    pub fn links(&self, progress: &dyn Progress) -> Option<Vec<Link>> {
        let partners = self.partners(&Part { progress, start: 0.0, share: 0.5 })?;
        let progress = Part { progress, start: 0.5, share: 0.5 };
        let mut links = Vec::new();
        let turn = TURN * cores();
        for start in (0..partners.len()).step_by(turn) {
            if progress.is_cancelled() {
                return None;
            }
            progress.set_share(start as f32 / partners.len() as f32);
            let here = turn.min(partners.len() - start);
            let found = map(here, |at| self.found_in(start + at, &partners[start + at]));
            links.extend(found.into_iter().flatten());
        }
        // Of both ways of comparing a pair the better: a trimmed picture lies in the whole one, not the other way round.
        let pair = |link: &Link| (link.one.min(link.other), link.one.max(link.other));
        let better = |one: &Link, other: &Link| other.alignment.similarity.total_cmp(&one.alignment.similarity);
        links.sort_by(|one, other| pair(one).cmp(&pair(other)).then(better(one, other)).then(one.one.cmp(&other.one)));
        links.dedup_by_key(|link| pair(link));
        Some(links)
    }

    /// For each picture, those that are searched for in it.
    fn partners(&self, progress: &Part<'_>) -> Option<Vec<Vec<usize>>> {
        let (mut plain, mut mirrored) = (Rows::empty(OUTLINE_VALUES), Rows::empty(OUTLINE_VALUES));
        for miniature in self.miniatures {
            let [as_it_is, in_a_mirror] = outlines(miniature);
            plain.push(&as_it_is);
            mirrored.push(&in_a_mirror);
        }
        let part = |start, share| Part { progress, start, share };
        let features = self.features;
        let by_outlines =
            if features.is_empty() { policy::OF_ALL_BY_OUTLINES_ALONE } else { policy::OF_ALL_BY_OUTLINES };
        let mut pairs = candidates((features, features), policy::OF_ALL_BY_FEATURES, &part(0.0, 0.8))?;
        pairs.extend(candidates((&plain, &plain), by_outlines, &part(0.8, 0.1))?);
        pairs.extend(candidates((&plain, &mirrored), by_outlines, &part(0.9, 0.1))?);
        let mut partners = vec![Vec::new(); self.miniatures.len()];
        for (one, other) in pairs {
            partners[one].push(other);
            partners[other].push(one);
        }
        for list in &mut partners {
            list.sort_unstable();
            list.dedup();
        }
        Some(partners)
    }

    fn found_in(&self, at: usize, partners: &[usize]) -> Vec<Link> {
        if partners.is_empty() {
            return Vec::new();
        }
        let scene = Scene::of(&self.miniatures[at]);
        let found = |&other: &usize| {
            let alignment = scene.align(&self.miniatures[other])?;
            (alignment.similarity >= self.threshold).then_some(Link { one: at, other, alignment })
        };
        partners.iter().filter_map(found).collect()
    }
}

/// Pairs that were no candidates, as the members of a group may be.
impl ComparePairs for DuplicateSearch<'_> {
    fn links(&self, one: usize, others: &[usize]) -> Vec<Option<Link>> {
        let scene = |at: usize| Scene::of(&self.miniatures[at]);
        let here = scene(one);
        map(others.len(), |number| {
            let other = others[number];
            let (alignment, is_swapped) = here.align_either_way(&scene(other))?;
            let (one, other) = if is_swapped { (other, one) } else { (one, other) };
            (alignment.similarity >= self.threshold).then_some(Link { one, other, alignment })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Unfollowed;

    /// A picture of its own for every number.
    fn miniature(number: usize) -> Miniature {
        let blobs: Vec<[f32; 3]> = (0..14)
            .map(|blob| {
                [0.61, 0.83, 0.37].map(|step: f32| ((blob * 7 + number * 5) as f32 * step * 1.7).fract() * 32.0)
            })
            .collect();
        let shade = |x: f32, y: f32| {
            let light = |[left, top, size]: &[f32; 3]| {
                (-((x - left).powi(2) + (y - top).powi(2)) / (2.0 + size / 3.0)).exp() * (size - 16.0) * 12.0
            };
            (128.0 + blobs.iter().map(light).sum::<f32>()).clamp(0.0, 255.0) as u8
        };
        let bytes: Vec<u8> = (0..32 * 32).map(|at| shade((at % 32) as f32, (at / 32) as f32)).collect();
        Miniature::from_bytes(&bytes).unwrap()
    }

    #[test]
    fn a_mirrored_copy_is_found_without_any_features() {
        let original = miniature(3);
        let mirrored: Vec<u8> = original.bytes().chunks_exact(32).flat_map(|row| row.iter().rev().copied()).collect();
        let mut miniatures: Vec<Miniature> = (0..20).map(miniature).collect();
        miniatures.push(Miniature::from_bytes(&mirrored).unwrap());
        let search = DuplicateSearch { miniatures: &miniatures, features: &Rows::default(), threshold: 0.9 };
        let found = search.links(&Unfollowed).unwrap();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!((found[0].one, found[0].other), (3, 20));
        assert!(found[0].alignment.is_mirrored && found[0].alignment.similarity > 0.99, "{:?}", found[0]);
    }
}
