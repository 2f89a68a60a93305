//! The second look at a collection: pairs are compared in detail, which takes their files. It finds copies of which miniatures
//! show too little, and confirms or refutes those that
//! miniatures have found.

use std::collections::{HashMap, HashSet};

use super::candidates::Pair;
use super::detail::{Detail, DetailMatch, Places};
use super::links::{Link, PictureSource};
use super::policy;
use crate::base::parallel::{map, map_followed};
use crate::progress::{Part, Progress};

/// Pictures read before it is asked whether to go on.
const READ_AT_ONCE: usize = 256;
/// Share of the work that is reading.
const READING_SHARE: f32 = 0.7;

/// The second look at pictures.
pub(super) struct Detailed<'a> {
    pub(super) pictures: &'a dyn PictureSource,
    /// What the user asks of miniatures.
    pub(super) threshold: f32,
}

impl Detailed<'_> {
    /// `links`, and those of `candidates` that turn out to be copies, in the order of their positions. `None` when the work was
    /// cancelled.
    pub(super) fn added_to(
        &self,
        mut links: Vec<Link>,
        candidates: Vec<(f32, Pair)>,
        progress: &dyn Progress,
    ) -> Option<Vec<Link>> {
        let known: HashMap<Pair, usize> = links.iter().enumerate().map(|(at, link)| (pair(link), at)).collect();
        let pairs = chosen(&links, &known, candidates);
        let reading = Part { progress, start: 0.0, share: READING_SHARE };
        let details = self.details(&pairs, &reading)?;
        let comparing = Part { progress, start: READING_SHARE, share: 1.0 - READING_SHARE };
        let threshold = self.threshold;
        let verdicts = map_followed(pairs.len(), &comparing, |at| {
            let (one, other) = pairs[at];
            Some(Verdict::of(details.get(&one)?, details.get(&other)?, threshold))
        })?;
        let mut is_refuted = vec![false; links.len()];
        for (&(one, other), verdict) in pairs.iter().zip(verdicts) {
            match (known.get(&(one, other)), verdict) {
                (Some(&at), Some(Verdict::Copy(_))) => links[at].is_certain = true,
                (Some(&at), Some(Verdict::Another)) => is_refuted[at] = true,
                (None, Some(Verdict::Copy(DetailMatch { alignment, is_swapped, .. }))) => {
                    // Of a link the second lies in the first.
                    let (one, other) = if is_swapped { (other, one) } else { (one, other) };
                    links.push(Link { one: one as usize, other: other as usize, alignment, is_certain: true });
                }
                (Some(_), Some(Verdict::Unclear) | None) | (None, _) => {}
            }
        }
        let mut refuted = is_refuted.into_iter();
        links.retain(|_| !refuted.next().unwrap_or(false));
        links.sort_by_key(pair);
        Some(links)
    }

    /// The details of all pictures of `pairs` whose files can be read.
    fn details(&self, pairs: &[Pair], progress: &dyn Progress) -> Option<HashMap<u32, Detail>> {
        let mut positions: Vec<u32> = pairs.iter().flat_map(|(one, other)| [*one, *other]).collect();
        positions.sort_unstable();
        positions.dedup();
        let places = Places::new();
        let mut details = HashMap::new();
        for (number, some) in positions.chunks(READ_AT_ONCE).enumerate() {
            if progress.is_cancelled() {
                return None;
            }
            progress.set_share((number * READ_AT_ONCE) as f32 / positions.len() as f32);
            let greys = self.pictures.greys(some);
            let made = map(greys.len(), |at| greys[at].as_ref().map(|grey| Detail::of(grey, &places)));
            details.extend(some.iter().zip(made).filter_map(|(at, detail)| Some((*at, detail?))));
        }
        Some(details)
    }
}

/// What details say of two pictures.
enum Verdict {
    Copy(DetailMatch),
    /// Too little agrees for a copy, or there is too little to say that they are none.
    Unclear,
    /// Both have many corners, and hardly any agree: they are two pictures, whatever they look like when they are small.
    Another,
}

impl Verdict {
    /// Who asks more of miniatures than usual (`threshold`) asks more of details, by the same share of what is left up to 1.
    fn of(one: &Detail, other: &Detail, threshold: f32) -> Self {
        let more = ((threshold - policy::NEAR_DUPLICATE) / (1.0 - policy::NEAR_DUPLICATE)).max(0.0);
        let agrees = |found: &DetailMatch, (corners, least): (usize, f32)| {
            found.corners >= corners && found.alignment.similarity >= least + more * (1.0 - least)
        };
        let found = one.compare(other, policy::COVERED_IN_DETAIL);
        if let Some(found) = found
            && policy::COPY_IN_DETAIL.into_iter().any(|least| agrees(&found, least))
        {
            return Self::Copy(found);
        }
        let has_many = |detail: &Detail| detail.corners() >= policy::MANY_CORNERS;
        let least_corners = policy::COPY_IN_DETAIL.map(|(corners, _)| corners).into_iter().min();
        // Two parts of one picture may have little in common, but there their corners agree.
        let agree = || found.or_else(|| one.compare(other, 0.0)).map(|found| found.corners);
        match has_many(one) && has_many(other) && agree() < least_corners {
            true => Self::Another,
            false => Self::Unclear,
        }
    }
}

/// Which pairs are compared in detail: links that are not certain, then candidates, the nearest first, as long as they are of
/// no more than [`policy::MOST_IN_DETAIL`] pictures.
fn chosen(links: &[Link], known: &HashMap<Pair, usize>, mut candidates: Vec<(f32, Pair)>) -> Vec<Pair> {
    let mut to_confirm: Vec<&Link> = links.iter().filter(|link| !link.is_certain).collect();
    to_confirm.sort_by(|one, other| other.alignment.similarity.total_cmp(&one.alignment.similarity));
    candidates.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    let unlinked = candidates.into_iter().map(|(_, pair)| pair).filter(|pair| !known.contains_key(pair));
    let (mut read, mut taken, mut pairs) = (HashSet::new(), HashSet::new(), Vec::new());
    for (one, other) in to_confirm.into_iter().map(pair).chain(unlinked) {
        let more = [one, other].iter().filter(|at| !read.contains(*at)).count();
        if read.len() + more <= policy::MOST_IN_DETAIL && taken.insert((one, other)) {
            read.extend([one, other]);
            pairs.push((one, other));
        }
    }
    pairs
}

fn pair(link: &Link) -> Pair {
    (link.one.min(link.other) as u32, link.one.max(link.other) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedup::alignment::{Alignment, Window};

    fn link(one: usize, other: usize, similarity: f32, is_certain: bool) -> Link {
        let alignment = Alignment { similarity, is_mirrored: false, quarter_turns: 0, window: Window::WHOLE };
        Link { one, other, alignment, is_certain }
    }

    #[test]
    fn links_to_confirm_come_first_then_the_nearest_and_each_pair_once() {
        let links = [link(0, 1, 0.93, false), link(5, 2, 0.95, false), link(3, 4, 0.99, true)];
        let known = links.iter().enumerate().map(|(at, link)| (pair(link), at)).collect();
        let candidates = vec![(0.5, (0, 2)), (0.7, (1, 6)), (0.7, (1, 6)), (0.9, (3, 4)), (0.9, (0, 1))];
        assert_eq!(chosen(&links, &known, candidates), [(2, 5), (0, 1), (1, 6), (0, 2)]);
    }

    #[test]
    fn no_more_pictures_are_read_than_allowed() {
        let most = policy::MOST_IN_DETAIL as u32;
        let chain = (0..2 * most).map(|at| (1.0 - at as f32 / (4 * most) as f32, (at, at + 1))).collect();
        let pairs = chosen(&[], &HashMap::new(), chain);
        assert_eq!((pairs.len() as u32, pairs.last()), (most - 1, Some(&(most - 2, most - 1))));
    }
}
