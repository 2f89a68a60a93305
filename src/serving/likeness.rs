//! The likeness of two pictures, and what it means in this inventory: how it compares with the likeness of the inventory's own
//! pictures to their nearest others.
//!
//! `docs/decisions/nothing-similar.md` has the measurements behind each constant.

use std::path::Path;

use crate::answer::Grade;
use crate::catalog::{Catalog, Root};
use crate::dedup::{Appearance, policy};
use crate::index::{Name, NearestOther, SampledPicture};
use crate::model::{FeatureKind, Model};
use crate::picture::Hash;

/// So many of the nearest by embeddings are compared by likeness; the best counts.
pub const COMPARED: usize = 5;
/// Of the pictures of an inventory, so many have a nearest other that is less like them than the least of an answer ...
const LEAST_QUANTILE: f32 = 0.02;
/// ... than a good match ...
const GOOD_QUANTILE: f32 = 0.1;
/// ... than a strong one.
const STRONG_QUANTILE: f32 = 0.5;
/// The least of an answer lies halfway between its quantile and what is the least anywhere: the quantile alone loses 3 % of the
/// queries that have an answer, because a query may be farther from the inventory than its pictures are from one another.
const LEAST_ANYWHERE: f32 = 0.4;
/// An inventory of so many pictures counts as much as what holds without any knowledge of it.
const PRIOR_PICTURES: f32 = 30.0;

/// From which likeness on a match is good, strong, or a match at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LikenessScale {
    /// Where even the best match is less like the query, nothing is similar.
    pub least: f32,
    good: f32,
    strong: f32,
}

impl Default for LikenessScale {
    /// What holds without any knowledge of the inventory.
    fn default() -> Self {
        Self { least: 0.35, good: 0.55, strong: 0.7 }
    }
}

impl LikenessScale {
    /// From `best`, the likeness of each of some pictures of the inventory to its nearest other, if it has one. The fewer there are,
    /// the less they count.
    pub fn of(best: Vec<f32>, model: &Model) -> Self {
        // Thresholds were measured with the bundled network: how like unrelated pictures are to another one nobody knows.
        let is_measured = model.features().is_bundled_network();
        let prior = if is_measured { Self::default() } else { Self::unmeasured() };
        let mut sorted = best;
        sorted.sort_unstable_by(f32::total_cmp);
        let share = sorted.len() as f32 / (sorted.len() as f32 + PRIOR_PICTURES);
        let towards = |prior: f32, own: Option<f32>| own.map_or(prior, |own| prior + share * (own - prior));
        let quantile = |at: f32| quantile(&sorted, at);
        let halfway = quantile(LEAST_QUANTILE).map(|own| (own + LEAST_ANYWHERE) / 2.0);
        let least = if is_measured { towards(prior.least, halfway) } else { prior.least };
        let good = towards(prior.good, quantile(GOOD_QUANTILE)).max(least);
        let strong = towards(prior.strong, quantile(STRONG_QUANTILE)).max(good);
        Self { least, good, strong }
    }

    /// For a network of the user's own, and for embeddings of a model that knows no other pictures than this inventory's: it is not
    /// known from which likeness on pictures are unrelated, so nothing is refused.
    fn unmeasured() -> Self {
        Self { least: 0.0, good: 0.5, strong: 0.8 }
    }

    /// Of a match that is another picture than the query.
    pub fn grade(&self, likeness: f32) -> Grade {
        if likeness >= self.strong {
            Grade::Strong
        } else if likeness >= self.good {
            Grade::Good
        } else {
            Grade::Weak
        }
    }
}

/// Whether likeness is the cosine of the network's features; otherwise it is that of the embeddings.
pub fn compares_features(model: &Model) -> bool {
    model.features().tells_likeness()
}

/// The value below which the share `at` of `sorted` lies, interpolated.
fn quantile(sorted: &[f32], at: f32) -> Option<f32> {
    let place = at * sorted.len().checked_sub(1)? as f32;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(low + (high - low) * place.fract())
}

/// How like a picture is to its nearest other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BestLikeness {
    /// `None` where there is no other.
    pub value: Option<f32>,
    /// The catalog knew all that this depends on. Otherwise it may have another value later, although no embedding changes.
    pub is_final: bool,
}

/// The greatest likeness of `member` to others, of which `near` are the nearest; copies of it do not count, because a duplicate says
/// nothing of how similar other pictures are. What the catalog does not know is left out.
pub fn best_likeness(member: &SampledPicture, near: &[NearestOther], model: &Model, catalog: &Catalog) -> BestLikeness {
    let (with_features, kind) = (compares_features(model), model.features());
    let mut is_final = true;
    let mut read = |name: &Name| {
        let known = KnownPicture::read(Path::new(name), kind, catalog);
        is_final &= known.as_ref().is_some_and(|known| known.is_whole(with_features));
        known
    };
    let value = read(&member.name).and_then(|own| {
        let mut others = near.iter().filter_map(|near| {
            let other = read(&near.name)?;
            let likeness = if with_features { own.looks.cosine(&other.looks)? } else { near.cosine };
            Some((likeness, other))
        });
        let mut compared: Vec<(f32, KnownPicture)> = others.by_ref().take(COMPARED).collect();
        loop {
            let likeness = compared.iter().map(|(likeness, _)| *likeness).enumerate();
            let (at, likeness) = likeness.max_by(|a, b| a.1.total_cmp(&b.1))?;
            if likeness < policy::COPIES_LOOK_ALIKE || !own.is_copy_of(&compared[at].1, kind, catalog) {
                return Some(likeness);
            }
            compared.swap_remove(at);
            compared.extend(others.next());
        }
    });
    BestLikeness { value, is_final }
}

/// A picture as the catalog knows it.
struct KnownPicture {
    content: Hash,
    features: Option<Vec<f32>>,
    looks: Appearance,
}

impl KnownPicture {
    fn read(path: &Path, kind: &FeatureKind, catalog: &Catalog) -> Option<Self> {
        let content = catalog.content_of(Root::Inventory, path).ok()??;
        let read = || catalog.features(content, &kind.version).ok().flatten();
        let features = kind.tells_likeness().then(read).flatten();
        let looks = Appearance::new(Some(content), whole_of(features.as_deref(), kind), None);
        Some(Self { content, features, looks })
    }

    /// Whether all of it is known but its pixels, which older catalogs lack.
    fn is_whole(&self, with_features: bool) -> bool {
        self.features.is_some() || !with_features
    }

    /// By pixels, which are read only now.
    fn is_copy_of(&self, other: &Self, kind: &FeatureKind, catalog: &Catalog) -> bool {
        let with_pixels = |known: &Self| {
            let miniature = catalog.miniature(known.content).ok().flatten();
            Appearance::new(Some(known.content), whole_of(known.features.as_deref(), kind), miniature)
        };
        with_pixels(self).copy_of([&with_pixels(other)].into_iter(), 1).is_some()
    }
}

fn whole_of<'a>(features: Option<&'a [f32]>, kind: &FeatureKind) -> Option<&'a [f32]> {
    features.and_then(|row| kind.whole_of(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Encoder, ModelSettings};

    /// Of `count` pictures, their likeness to their nearest others evenly from `low` to `high`.
    fn scale(count: usize, low: f32, high: f32) -> LikenessScale {
        let step = (high - low) / (count.max(2) - 1) as f32;
        let best = (0..count).rev().map(|at| low + step * at as f32).collect();
        LikenessScale::of(best, &Model::untrained(&ModelSettings::default(), FeatureKind::of(Encoder::Pretrained)))
    }

    #[test]
    fn a_stapler_is_a_stranger_to_a_grocer_and_not_to_a_mixed_inventory() {
        let (grocer, mixed) = (scale(512, 0.57, 0.95), scale(512, 0.35, 0.7));
        assert!(grocer.least > 0.45 && mixed.least < 0.4, "{grocer:?} {mixed:?}");
        assert_eq!([0.9, 0.7, 0.5].map(|likeness| grocer.grade(likeness)), [Grade::Strong, Grade::Good, Grade::Weak]);
        assert_eq!(mixed.grade(0.7), Grade::Strong);
    }

    #[test]
    fn a_small_inventory_hardly_moves_what_holds_anywhere() {
        let general = LikenessScale::default();
        assert_eq!(scale(0, 0.0, 0.0), general);
        for (low, high) in [(0.1, 0.2), (0.9, 0.99)] {
            let few = scale(3, low, high);
            assert!((few.least - general.least).abs() < 0.05, "{few:?}");
        }
        assert!(scale(3_000, 0.9, 0.99).least > 0.6);
    }

    #[test]
    fn a_worse_likeness_never_has_a_better_grade() {
        for (low, high) in [(-0.2, -0.1), (0.1, 0.3), (0.3, 0.9), (0.99, 1.0)] {
            let scale = scale(300, low, high);
            assert!(scale.least <= scale.good && scale.good <= scale.strong, "{scale:?}");
        }
    }
}
