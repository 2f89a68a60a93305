//! All near-duplicates of a collection: candidates, confirmed by their pixels.

use super::alignment::{Alignment, Scene};
use super::detail::GreyPicture;
use super::detailed::Detailed;
use super::groups::ComparePairs;
use super::neighbours::{Neighbours, all_pairs, within_cells};
use super::policy;
use crate::base::parallel::{cores, map};
use crate::base::rows::Rows;
use crate::error::Trouble;
use crate::picture::Miniature;
use crate::progress::{Part, Progress};

/// Share of the whole work spent on finding candidates.
const SEARCH_SHARE: f32 = 0.2;
/// ... and on comparing miniatures; the rest is details.
const MINIATURES_SHARE: f32 = 0.3;
/// Miniatures in memory at a time, a kilobyte each.
const MINIATURES: usize = policy::ALL_PAIRS_UP_TO;
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
    /// Whether their details agree too, or they are so similar that nothing else can be meant.
    pub is_certain: bool,
}

impl Link {
    /// Of two whose miniatures agree.
    fn by_pixels(one: usize, other: usize, alignment: Alignment) -> Self {
        Self { one, other, alignment, is_certain: alignment.similarity >= policy::CERTAIN }
    }
}

/// PictureSource in which near-duplicates are searched for, by their positions. They are read a few at a time: of a million all
/// miniatures are a gigabyte, and all features five.
pub trait PictureSource {
    /// How many there are.
    fn count(&self) -> usize;

    /// Whether the backbone's features are known.
    fn have_features(&self) -> bool;

    /// Those of some, at unit length, `[positions.len(), 1280]`; zeros for a picture that is gone meanwhile.
    ///
    /// # Errors
    /// When they cannot be read.
    fn features(&self, positions: &[u32]) -> Result<Rows, Trouble>;

    /// What some look like; a plain grey, which is like nothing, for a picture that is gone meanwhile.
    ///
    /// # Errors
    /// When they cannot be read.
    fn miniatures(&self, positions: &[u32]) -> Result<Vec<Miniature>, Trouble>;

    /// What the files of some show now, their longer side at most [`DETAIL_PX`](super::DETAIL_PX); none for one that cannot be
    /// read.
    fn greys(&self, positions: &[u32]) -> Vec<Option<GreyPicture>>;
}

/// A search for near-duplicates.
pub struct DuplicateSearch<'a> {
    /// Where.
    pub pictures: &'a dyn PictureSource,
    /// From which similarity of their alignment on two are linked; [`policy::NEAR_DUPLICATE`] unless the user says otherwise.
    pub threshold: f32,
    /// Up to so many pictures all pairs are compared; [`policy::ALL_PAIRS_UP_TO`] but in tests.
    pub all_pairs_up_to: usize,
}

impl<'a> DuplicateSearch<'a> {
    /// Among these, as [`policy`] says.
    pub fn among(pictures: &'a dyn PictureSource, threshold: f32) -> Self {
        Self { pictures, threshold, all_pairs_up_to: policy::ALL_PAIRS_UP_TO }
    }

    /// All pairs that are linked, in the order of their positions. `None` when the work was cancelled.
    ///
    /// # Errors
    /// When pictures cannot be read.
    pub fn links(&self, progress: &dyn Progress) -> Result<Option<Vec<Link>>, Trouble> {
        let search = Part { progress, start: 0.0, share: SEARCH_SHARE };
        let Some(Neighbours { order, partners, detailed }) = self.neighbours(&search)? else { return Ok(None) };
        let details =
            Part { progress, start: SEARCH_SHARE + MINIATURES_SHARE, share: 1.0 - SEARCH_SHARE - MINIATURES_SHARE };
        let progress = Part { progress, start: SEARCH_SHARE, share: MINIATURES_SHARE };
        let (mut links, mut rest, threshold) = (Vec::new(), &order[..], self.threshold);
        while !rest.is_empty() {
            let (here, needed) = partners.block(rest, MINIATURES);
            let block = MiniatureBlock { positions: &needed, miniatures: self.pictures.miniatures(&needed)? };
            for some in rest[..here].chunks(TURN * cores()) {
                if progress.is_cancelled() {
                    return Ok(None);
                }
                let found = map(some.len(), |at| block.links(some[at], partners.of(some[at]), threshold));
                links.extend(found.into_iter().flatten());
            }
            rest = &rest[here..];
            progress.set_share(1.0 - rest.len() as f32 / order.len() as f32);
        }
        // Of both ways of comparing a pair the better: a trimmed picture lies in the whole one, not the other way round.
        let pair = |link: &Link| (link.one.min(link.other), link.one.max(link.other));
        let better = |one: &Link, other: &Link| other.alignment.similarity.total_cmp(&one.alignment.similarity);
        links.sort_by(|one, other| pair(one).cmp(&pair(other)).then(better(one, other)).then(one.one.cmp(&other.one)));
        links.dedup_by_key(|link| pair(link));
        Ok(Detailed { pictures: self.pictures, threshold }.added_to(links, detailed, &details))
    }

    /// What is compared with what, as far as it is not cancelled.
    fn neighbours(&self, progress: &Part<'_>) -> Result<Option<Neighbours>, Trouble> {
        match self.pictures.count() <= self.all_pairs_up_to {
            true => all_pairs(self.pictures, progress),
            false => within_cells(self.pictures, progress),
        }
    }
}

/// The miniatures of some pictures, whose positions are ascending.
struct MiniatureBlock<'a> {
    positions: &'a [u32],
    miniatures: Vec<Miniature>,
}

impl MiniatureBlock<'_> {
    fn miniature(&self, position: u32) -> &Miniature {
        &self.miniatures[self.positions.partition_point(|other| *other < position)]
    }

    /// Those of `partners` that are found in the picture at `at`.
    fn links(&self, at: u32, partners: &[u32], threshold: f32) -> Vec<Link> {
        if partners.is_empty() {
            return Vec::new();
        }
        let scene = Scene::of(self.miniature(at));
        let found = |&other: &u32| {
            let alignment = scene.align(self.miniature(other))?;
            (alignment.similarity >= threshold).then(|| Link::by_pixels(at as usize, other as usize, alignment))
        };
        partners.iter().filter_map(found).collect()
    }
}

/// Pairs that were no candidates, as the members of a group may be.
impl ComparePairs for DuplicateSearch<'_> {
    fn links(&self, one: usize, others: &[usize]) -> Result<Vec<Option<Link>>, Trouble> {
        let positions: Vec<u32> = [one].iter().chain(others).map(|at| *at as u32).collect();
        let miniatures = self.pictures.miniatures(&positions)?;
        let (here, threshold) = (Scene::of(&miniatures[0]), self.threshold);
        Ok(map(others.len(), |number| {
            let other = others[number];
            let (alignment, is_swapped) = here.align_either_way(&Scene::of(&miniatures[number + 1]))?;
            let (one, other) = if is_swapped { (other, one) } else { (one, other) };
            (alignment.similarity >= threshold).then(|| Link::by_pixels(one, other, alignment))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rows::to_unit_length;
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

    struct InMemory {
        miniatures: Vec<Miniature>,
        features: Rows,
    }

    impl PictureSource for InMemory {
        fn count(&self) -> usize {
            self.miniatures.len()
        }

        fn have_features(&self) -> bool {
            !self.features.is_empty()
        }

        fn features(&self, positions: &[u32]) -> Result<Rows, Trouble> {
            let mut rows = Rows::empty(self.features.width());
            positions.iter().for_each(|at| _ = rows.push(self.features.row(*at as usize)));
            Ok(rows)
        }

        fn miniatures(&self, positions: &[u32]) -> Result<Vec<Miniature>, Trouble> {
            Ok(positions.iter().map(|at| self.miniatures[*at as usize].clone()).collect())
        }

        fn greys(&self, positions: &[u32]) -> Vec<Option<GreyPicture>> {
            positions.iter().map(|_| None).collect()
        }
    }

    #[test]
    fn a_mirrored_copy_is_found_without_any_features() {
        let original = miniature(3);
        let mirrored: Vec<u8> = original.bytes().chunks_exact(32).flat_map(|row| row.iter().rev().copied()).collect();
        let mut miniatures: Vec<Miniature> = (0..20).map(miniature).collect();
        miniatures.push(Miniature::from_bytes(&mirrored).unwrap());
        let pictures = InMemory { miniatures, features: Rows::default() };
        let found = DuplicateSearch::among(&pictures, 0.9).links(&Unfollowed).unwrap().unwrap();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!((found[0].one, found[0].other), (3, 20));
        assert!(found[0].alignment.is_mirrored && found[0].alignment.similarity > 0.99, "{:?}", found[0]);
    }

    #[test]
    fn cells_lead_to_the_links_that_all_pairs_lead_to() {
        let mut miniatures: Vec<Miniature> = (0..90).map(miniature).collect();
        for at in [3, 40, 77] {
            let brighter: Vec<u8> = miniatures[at].bytes().iter().map(|shade| shade / 2 + 90).collect();
            let mirrored: Vec<u8> = brighter.chunks_exact(32).flat_map(|row| row.iter().rev().copied()).collect();
            miniatures.extend([brighter, mirrored].map(|bytes| Miniature::from_bytes(&bytes).unwrap()));
        }
        // Features that tell nothing but which pictures are of one kind.
        let mut features = Rows::empty(1280);
        for at in 0..miniatures.len() {
            let mut row: Vec<f32> =
                (0..1280).map(|value| 1.0 + ((at / 12 * 31 + value * 7 + at % 12) as f32).sin()).collect();
            to_unit_length(&mut row);
            features.push(&row);
        }
        for features in [Rows::default(), features] {
            let pictures = InMemory { miniatures: miniatures.clone(), features };
            let among_all = DuplicateSearch::among(&pictures, 0.9).links(&Unfollowed).unwrap().unwrap();
            assert!(among_all.len() >= 9, "{}", among_all.len());
            let within_cells = DuplicateSearch { all_pairs_up_to: 0, ..DuplicateSearch::among(&pictures, 0.9) };
            assert_eq!(within_cells.links(&Unfollowed).unwrap().unwrap(), among_all);
        }
    }
}
