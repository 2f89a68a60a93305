//! One picture against a few others: which of them it is a near-duplicate of.

use std::cell::OnceCell;

use super::alignment::{Outline, Scene, outline_similarity, outlines};
use super::policy;
use crate::base::dot::dot_in_lanes;
use crate::base::nearest::first;
use crate::base::rows::to_unit_length;
use crate::picture::{Hash, Miniature};

/// How a picture looks, as far as it is known.
pub struct Appearance {
    content: Option<Hash>,
    /// Those of the network that tell of the whole picture, at unit length.
    features: Option<Vec<f32>>,
    shape: Option<ComparedShape>,
}

/// A miniature, and what it takes to compare it.
struct ComparedShape {
    miniature: Miniature,
    /// As it is, and in a mirror.
    outlines: [Outline; 2],
    /// A tenth of a millisecond and a hundred kilobytes, so made when it is asked for.
    scene: OnceCell<Scene>,
}

impl Appearance {
    /// Of a content with what was made of it; of features the part for the whole picture, where there is one.
    pub fn new(content: Option<Hash>, whole: Option<&[f32]>, miniature: Option<Miniature>) -> Self {
        let features = whole.map(|row| {
            let mut row = row.to_vec();
            to_unit_length(&mut row);
            row
        });
        let shape = |miniature| ComparedShape { outlines: outlines(&miniature), miniature, scene: OnceCell::new() };
        Self { content, features, shape: miniature.map(shape) }
    }

    /// Of both features, where they are known. Records keep it to the last bit, so its terms are added one after the other.
    pub fn cosine(&self, other: &Self) -> Option<f32> {
        let (one, other) = (self.features.as_ref()?, other.features.as_ref()?);
        // A network was exchanged between the two.
        if one.len() != other.len() {
            return None;
        }
        Some(dot_in_lanes::<1>(one, other).clamp(-1.0, 1.0))
    }

    /// Which of `others` this is a copy of, if any; the `most` nearest candidates are compared by their pixels.
    pub fn copy_of<'a>(&self, others: impl Iterator<Item = &'a Self>, most: usize) -> Option<usize> {
        let mut near: Vec<(f32, usize, &Self)> = Vec::new();
        for (at, other) in others.enumerate() {
            if self.content.is_some() && self.content == other.content {
                return Some(at);
            }
            near.extend(self.nearness(other).map(|near| (near, at, other)));
        }
        let near = first(near, most, |one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        near.into_iter().find(|(_, _, other)| self.is_near_duplicate(other)).map(|(_, at, _)| at)
    }

    /// How near two candidates are; none where they are none.
    fn nearness(&self, other: &Self) -> Option<f32> {
        let (one, another) = (self.shape.as_ref()?, other.shape.as_ref()?);
        if let Some(cosine) = self.cosine(other) {
            return (cosine >= policy::OF_ONE_BY_FEATURES.least).then_some(cosine);
        }
        let similarity = |outline: &Outline| outline_similarity(outline, &another.outlines[0]);
        let best = one.outlines.iter().map(similarity).fold(f32::NEG_INFINITY, f32::max);
        (best >= policy::OF_ONE_BY_OUTLINES.least).then_some(best)
    }

    /// Whether both are one picture, by their pixels.
    fn is_near_duplicate(&self, other: &Self) -> bool {
        let (Some(one), Some(other)) = (&self.shape, &other.shape) else { return false };
        let alignment = one.scene().align_either_way(other.scene());
        alignment.is_some_and(|(alignment, _)| alignment.similarity >= policy::NEAR_DUPLICATE)
    }
}

impl ComparedShape {
    fn scene(&self) -> &Scene {
        self.scene.get_or_init(|| Scene::of(&self.miniature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = policy::OF_ONE_BY_FEATURES.nearest;

    /// A picture of its own for every number, with features that point its own way.
    fn appearance(number: u32, features: &[(usize, f32)]) -> Appearance {
        let shade = |at: u32| {
            let (x, y) = ((at % 32) as f32, (at / 32) as f32);
            let wave = |step: f32| ((number as f32 + 1.0) * step * 7.0 + x * step + y * (1.0 - step)).sin();
            (128.0 + 40.0 * (wave(0.31) + wave(0.77) + wave(0.53))) as u8
        };
        let bytes: Vec<u8> = (0..1024).map(shade).collect();
        let mut row = vec![0.0; 96];
        features.iter().for_each(|&(at, value)| row[at] = value);
        let row = (!features.is_empty()).then_some(row);
        Appearance::new(Some(Hash::of(&number.to_le_bytes())), row.as_deref(), Miniature::from_bytes(&bytes))
    }

    #[test]
    fn the_nearest_are_compared_and_no_others() {
        let original = appearance(1, &[(0, 1.0)]);
        let others =
            [appearance(5, &[(0, 0.9), (1, 0.3)]), appearance(1, &[(0, 0.6), (1, 0.6)]), appearance(1, &[(2, 1.0)])];
        // The same pixels under other contents.
        let others: Vec<Appearance> = others
            .into_iter()
            .enumerate()
            .map(|(at, other)| Appearance { content: Some(Hash([at as u8; 32])), ..other })
            .collect();
        assert_eq!(original.copy_of(others.iter(), MOST), Some(1));
        assert_eq!(original.copy_of(others.iter(), 1), None, "the nearest is another picture");
        assert_eq!(original.copy_of(others.iter().skip(2), MOST), None, "features rule it out");
    }

    #[test]
    fn without_features_outlines_choose_candidates_and_one_content_is_one_picture() {
        let original = appearance(1, &[]);
        let copy = Appearance { content: None, ..appearance(1, &[]) };
        assert_eq!(original.copy_of([appearance(5, &[]), copy].iter(), MOST), Some(1));
        let unseen = Appearance::new(original.content, None, None);
        assert_eq!(original.copy_of([&unseen].into_iter(), 0), Some(0));
        assert_eq!(original.copy_of([appearance(5, &[]), appearance(9, &[])].iter(), MOST), None);
    }
}
