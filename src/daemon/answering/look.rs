//! What is known of how a picture looks, and which of many pictures it is: a cheap look at all, a look at the pixels of few.

use std::cell::OnceCell;

use crate::base::rows::to_unit_length;
use crate::catalog::Catalog;
use crate::model::Backbone;
use crate::picture::{Hash, Miniature, OUTLINE_VALUES, SAME, Scene, outlines};

/// Most pictures that one picture is compared with in pixels, a fifth of a millisecond each: those that look nearest. A
/// copy is among the 32 nearest of a whole inventory (`overview::links`), so it is among the first of some fifty.
pub(super) const LOOKS: usize = 8;
/// Where the backbone's features are not known, outlines as far apart as this are not compared.
const LEAST_OUTLINE: f32 = 0.3;

/// How a picture looks, as far as it is known.
pub(super) struct Look {
    content: Option<Hash>,
    /// The backbone's, at unit length.
    features: Option<Vec<f32>>,
    pixels: Option<Pixels>,
}

/// A miniature, and what it takes to compare it.
struct Pixels {
    miniature: Miniature,
    /// As it is, and in a mirror.
    outlines: [[f32; OUTLINE_VALUES]; 2],
    /// A tenth of a millisecond and a hundred kilobytes, so made when it is asked for.
    scene: OnceCell<Scene>,
}

impl Look {
    /// Of a content with what was made of it; features of another encoder say too little, and are passed over.
    pub fn new(content: Option<Hash>, features: Option<&[f32]>, miniature: Option<Miniature>) -> Self {
        let features = features.filter(|row| row.len() == Backbone::WIDTH).map(|row| {
            let mut row = row.to_vec();
            to_unit_length(&mut row);
            row
        });
        let pixels = |miniature| Pixels { outlines: outlines(&miniature), miniature, scene: OnceCell::new() };
        Self { content, features, pixels: miniature.map(pixels) }
    }

    /// Of an inventory picture, as far as the catalog knows it; with the backbone's features where they are wished.
    pub fn known(content: Option<Hash>, with_features: bool, catalog: &Catalog) -> Self {
        // A catalog that cannot be read just now costs the marks, nothing else.
        let features = content.filter(|_| with_features);
        let features = features.and_then(|hash| catalog.features(hash, Backbone::VERSION).ok().flatten());
        let miniature = content.and_then(|hash| catalog.miniature(hash).ok().flatten());
        Self::new(content, features.as_deref(), miniature)
    }

    /// Of both features, where they are known.
    pub fn cosine(&self, other: &Self) -> Option<f32> {
        let (one, other) = (self.features.as_ref()?, other.features.as_ref()?);
        Some(one.iter().zip(other).map(|(one, other)| one * other).sum::<f32>().clamp(-1.0, 1.0))
    }

    /// Which of `others` this is a copy of, if any: their pixels are looked at for the `most` nearest of them.
    pub fn copy_of<'a>(&self, others: impl Iterator<Item = &'a Self>, most: usize) -> Option<usize> {
        let mut near: Vec<(f32, usize, &Self)> = Vec::new();
        for (at, other) in others.enumerate() {
            if self.content.is_some() && self.content == other.content {
                return Some(at);
            }
            near.extend(self.nearness(other).map(|near| (near, at, other)));
        }
        near.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        near.into_iter().take(most).find(|(_, _, other)| self.is_same(other)).map(|(_, at, _)| at)
    }

    /// How near two pictures are that may be one; none where they cannot be.
    fn nearness(&self, other: &Self) -> Option<f32> {
        let (one, another) = (self.pixels.as_ref()?, other.pixels.as_ref()?);
        if let Some(cosine) = self.cosine(other) {
            return (cosine >= Backbone::LEAST_COSINE_OF_COPIES).then_some(cosine);
        }
        let likeness = |outline: &[f32; OUTLINE_VALUES]| {
            outline.iter().zip(&another.outlines[0]).map(|(one, other)| one * other).sum::<f32>()
        };
        let best = one.outlines.iter().map(likeness).fold(f32::NEG_INFINITY, f32::max);
        (best >= LEAST_OUTLINE).then_some(best)
    }

    /// Whether both are one picture, by their pixels.
    fn is_same(&self, other: &Self) -> bool {
        let (Some(one), Some(other)) = (&self.pixels, &other.pixels) else { return false };
        one.scene().sameness(other.scene()).is_some_and(|(sighting, _)| sighting.alike >= SAME)
    }
}

impl Pixels {
    fn scene(&self) -> &Scene {
        self.scene.get_or_init(|| Scene::of(&self.miniature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of its own for every number, with features that point its own way.
    fn look(number: u32, features: &[(usize, f32)]) -> Look {
        let shade = |at: u32| {
            let (x, y) = ((at % 32) as f32, (at / 32) as f32);
            let wave = |step: f32| ((number as f32 + 1.0) * step * 7.0 + x * step + y * (1.0 - step)).sin();
            (128.0 + 40.0 * (wave(0.31) + wave(0.77) + wave(0.53))) as u8
        };
        let bytes: Vec<u8> = (0..1024).map(shade).collect();
        let mut row = vec![0.0; Backbone::WIDTH];
        features.iter().for_each(|&(at, value)| row[at] = value);
        let row = (!features.is_empty()).then_some(row);
        Look::new(Some(Hash::of(&number.to_le_bytes())), row.as_deref(), Miniature::from_bytes(&bytes))
    }

    #[test]
    fn the_nearest_are_looked_at_and_no_others() {
        let original = look(1, &[(0, 1.0)]);
        let others = [look(5, &[(0, 0.9), (1, 0.3)]), look(1, &[(0, 0.6), (1, 0.6)]), look(1, &[(2, 1.0)])];
        // The same pixels under other contents.
        let others: Vec<Look> = others
            .into_iter()
            .enumerate()
            .map(|(at, other)| Look { content: Some(Hash([at as u8; 32])), ..other })
            .collect();
        assert_eq!(original.copy_of(others.iter(), LOOKS), Some(1));
        assert_eq!(original.copy_of(others.iter(), 1), None, "the nearest is another picture");
        assert_eq!(original.copy_of(others.iter().skip(2), LOOKS), None, "features rule it out");
    }

    #[test]
    fn without_features_outlines_say_what_is_looked_at_and_one_content_is_one_picture() {
        let original = look(1, &[]);
        let copy = Look { content: None, ..look(1, &[]) };
        assert_eq!(original.copy_of([look(5, &[]), copy].iter(), LOOKS), Some(1));
        let unseen = Look::new(original.content, None, None);
        assert_eq!(original.copy_of([&unseen].into_iter(), 0), Some(0));
        assert_eq!(original.copy_of([look(5, &[]), look(9, &[])].iter(), LOOKS), None);
    }
}
