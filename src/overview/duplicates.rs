//! Which contents are one picture: pairs that are worth a look, and what a look at their pixels says.

use super::Contents;
use super::groups::Look;
use super::nearest::nearest_pairs;
use super::numbers::{cores, on_all_cores};
use crate::base::rows::Rows;
use crate::model::Backbone;
use crate::picture::{OUTLINE_VALUES, Scene, Sighting, outlines};
use crate::progress::Progress;

/// Pairs whose features may be those of copies ([`Backbone::LEAST_COSINE_OF_COPIES`]) are looked at, with so many of each picture's
/// nearest: even the hardest copy is among the 32 nearest 98 times in 100.
const NEAREST: usize = 32;
/// The same for outlines, as they are and mirrored: they do not mind colours, and need no network.
const OUTLINES: Worth = Worth { least: 0.8, nearest: 8 };
/// ... where there is no network to propose pairs.
const OUTLINES_ALONE: Worth = Worth { least: 0.3, nearest: 32 };
/// Scenes made at a time by a core, before it is asked whether to go on.
const TURN: usize = 16;

/// Which pairs are looked at.
struct Worth {
    least: f32,
    nearest: usize,
}

/// Two contents that are one picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// Position of the one in which the other was found.
    pub one: usize,
    /// Position of the one that was found.
    pub other: usize,
    /// Where, and how alike they are.
    pub sighting: Sighting,
}

/// The pairs that are at least `alike`, in the order of their positions. `None` when the work was cancelled.
pub fn links(contents: &Contents, alike: f32, progress: &dyn Progress) -> Option<Vec<Link>> {
    let partners = partners(contents, &Part { progress, start: 0.0, share: 0.5 })?;
    let progress = Part { progress, start: 0.5, share: 0.5 };
    let mut links = Vec::new();
    let turn = TURN * cores();
    for start in (0..partners.len()).step_by(turn) {
        if progress.is_cancelled() {
            return None;
        }
        progress.told(start as f32 / partners.len() as f32);
        let here = turn.min(partners.len() - start);
        let seen = on_all_cores(here, |at| seen_in(contents, start + at, &partners[start + at], alike));
        links.extend(seen.into_iter().flatten());
    }
    // Of both ways of looking at a pair the better: a trimmed picture lies in the whole one, not the other way round.
    let pair = |link: &Link| (link.one.min(link.other), link.one.max(link.other));
    let better = |one: &Link, other: &Link| other.sighting.alike.total_cmp(&one.sighting.alike);
    links.sort_by(|one, other| pair(one).cmp(&pair(other)).then(better(one, other)).then(one.one.cmp(&other.one)));
    links.dedup_by_key(|link| pair(link));
    Some(links)
}

/// Compares contents that were no candidates, as the members of a group may be.
pub struct Looker<'a> {
    /// All of them.
    pub contents: &'a Contents,
    /// What two have to be at least.
    pub alike: f32,
}

impl Look for Looker<'_> {
    fn links(&self, one: usize, others: &[usize]) -> Vec<Option<Link>> {
        let scene = |at: usize| Scene::of(&self.contents.miniatures[at]);
        let here = scene(one);
        on_all_cores(others.len(), |number| {
            let other = others[number];
            let (sighting, is_swapped) = here.sameness(&scene(other))?;
            let (one, other) = if is_swapped { (other, one) } else { (one, other) };
            (sighting.alike >= self.alike).then_some(Link { one, other, sighting })
        })
    }
}

/// For each content, those that are to be sought in it.
fn partners(contents: &Contents, progress: &Part<'_>) -> Option<Vec<Vec<usize>>> {
    let (mut plain, mut mirrored) = (Rows::empty(OUTLINE_VALUES), Rows::empty(OUTLINE_VALUES));
    for miniature in &contents.miniatures {
        let [as_it_is, in_a_mirror] = outlines(miniature);
        plain.push(&as_it_is);
        mirrored.push(&in_a_mirror);
    }
    let part = |start, share| Part { progress, start, share };
    let features = &contents.features;
    let mut pairs = nearest_pairs((features, features), NEAREST, Backbone::LEAST_COSINE_OF_COPIES, &part(0.0, 0.8))?;
    let Worth { least, nearest } = if features.is_empty() { OUTLINES_ALONE } else { OUTLINES };
    pairs.extend(nearest_pairs((&plain, &plain), nearest, least, &part(0.8, 0.1))?);
    pairs.extend(nearest_pairs((&plain, &mirrored), nearest, least, &part(0.9, 0.1))?);
    let mut partners = vec![Vec::new(); contents.miniatures.len()];
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

fn seen_in(contents: &Contents, at: usize, partners: &[usize], alike: f32) -> Vec<Link> {
    if partners.is_empty() {
        return Vec::new();
    }
    let scene = Scene::of(&contents.miniatures[at]);
    let seen = |&other: &usize| {
        let sighting = scene.sighting(&contents.miniatures[other]).filter(|sighting| sighting.alike >= alike)?;
        Some(Link { one: at, other, sighting })
    };
    partners.iter().filter_map(seen).collect()
}

/// A share of the work, told as such.
struct Part<'a> {
    progress: &'a dyn Progress,
    start: f32,
    share: f32,
}

impl Progress for Part<'_> {
    fn told(&self, share: f32) {
        self.progress.told(self.start + share * self.share);
    }

    fn is_cancelled(&self) -> bool {
        self.progress.is_cancelled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Miniature;
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
        let contents = Contents { miniatures, ..Contents::default() };
        let found = links(&contents, 0.9, &Unfollowed).unwrap();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!((found[0].one, found[0].other), (3, 20));
        assert!(found[0].sighting.is_mirrored && found[0].sighting.alike > 0.99, "{:?}", found[0]);
    }
}
