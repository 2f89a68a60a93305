//! Groups of near-duplicates, without chains: in each there is a picture that all others are copies of.

use std::collections::HashMap;

use super::links::Link;
use crate::base::parallel::cores;
use crate::error::Trouble;
use crate::progress::Progress;

/// Two groups stay two where more pairs than this had to be compared to find that a picture is the hub of both. One that has
/// grown picture by picture needs one comparison a picture, so only large groups that meet late come near it.
const MOST_COMPARISONS: usize = 256;
/// All members that lie in a hub have so much in common there along both sides, in pixels of a miniature.
const LEAST_OVERLAP_PX: f32 = 2.0;

/// Near-duplicates of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Position of the one that all others were compared with.
    pub hub: usize,
    /// Ascending.
    pub members: Vec<GroupMember>,
    /// How similar the least similar is to the hub.
    pub similarity: f32,
}

/// One of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupMember {
    /// Its position.
    pub at: usize,
    /// How it and the hub lie in one another; none for the hub itself.
    pub link: Option<Link>,
}

/// Compares pictures that were never compared.
pub trait ComparePairs {
    /// How `one` and each of `others` are linked, in their order.
    ///
    /// # Errors
    /// When pictures cannot be read.
    fn links(&self, one: usize, others: &[usize]) -> Result<Vec<Option<Link>>, Trouble>;
}

/// Groups of the `count` pictures between which there are `links`, the most similar first. `compare` is for two that were never
/// compared. The certain and most similar are joined first, and groups only where one picture of either is linked with all
/// others of both. `None` when the work was cancelled.
///
/// # Errors
/// When pictures cannot be read.
pub fn grouped(
    count: usize,
    links: &[Link],
    compare: &dyn ComparePairs,
    progress: &dyn Progress,
) -> Result<Option<Vec<Group>>, Trouble> {
    let known = links.iter().map(|link| (pair(link.one, link.other), Some(*link))).collect();
    let mut comparisons = Comparisons { known, compare };
    let mut home: Vec<usize> = (0..count).collect();
    let mut groups: Vec<(usize, Vec<usize>)> = (0..count).map(|at| (at, vec![at])).collect();
    let mut order: Vec<&Link> = links.iter().collect();
    order.sort_by(|one, other| {
        let by_similarity = other.alignment.similarity.total_cmp(&one.alignment.similarity);
        other.is_certain.cmp(&one.is_certain).then(by_similarity)
    });
    for (number, link) in order.into_iter().enumerate() {
        if progress.is_cancelled() {
            return Ok(None);
        }
        progress.set_share(number as f32 / links.len() as f32);
        let (one, other) = (home[link.one], home[link.other]);
        if one == other {
            continue;
        }
        let (more, less) = if groups[one].1.len() >= groups[other].1.len() { (one, other) } else { (other, one) };
        let hubs = [groups[more].0, groups[less].0, link.one, link.other];
        let mut found = None;
        for hub in hubs {
            if found.is_none() && comparisons.is_hub(hub, [&groups[more].1, &groups[less].1])? {
                found = Some(hub);
            }
        }
        if let Some(hub) = found {
            let joining = std::mem::take(&mut groups[less].1);
            joining.iter().for_each(|member| home[*member] = more);
            groups[more].0 = hub;
            groups[more].1.extend(joining);
        }
    }
    let of_several = groups.into_iter().filter(|(_, members)| members.len() > 1);
    let mut groups: Vec<Group> = of_several.map(|(hub, members)| comparisons.group(hub, members)).collect();
    groups.sort_by(|one, other| other.similarity.total_cmp(&one.similarity).then(one.hub.cmp(&other.hub)));
    Ok(Some(groups))
}

fn pair(one: usize, other: usize) -> (usize, usize) {
    (one.min(other), one.max(other))
}

/// The pairs compared so far.
struct Comparisons<'a> {
    known: HashMap<(usize, usize), Option<Link>>,
    compare: &'a dyn ComparePairs,
}

impl Comparisons<'_> {
    /// Whether all other `members` are linked with `hub`. What is not known is compared, a few pairs at a time, since most
    /// that are no hub fail at once.
    fn is_hub(&mut self, hub: usize, members: [&[usize]; 2]) -> Result<bool, Trouble> {
        let mut unknown = Vec::new();
        for &member in members.into_iter().flatten().filter(|member| **member != hub) {
            match self.known.get(&pair(hub, member)) {
                Some(None) => return Ok(false),
                Some(Some(_)) => {}
                None if unknown.len() == MOST_COMPARISONS => return Ok(false),
                None => unknown.push(member),
            }
        }
        for some in unknown.chunks(2 * cores()) {
            let links = self.compare.links(hub, some)?;
            let are_all_linked = links.iter().all(Option::is_some);
            self.known.extend(some.iter().map(|&member| pair(hub, member)).zip(links));
            if !are_all_linked {
                return Ok(false);
            }
        }
        Ok(self.parts_overlap(hub, members))
    }

    /// Whether no two members lie side by side in `hub`: those are the pictures of a collage, not copies of one picture.
    fn parts_overlap(&self, hub: usize, members: [&[usize]; 2]) -> bool {
        let link = |member: &usize| self.known.get(&pair(hub, *member)).copied().flatten();
        let windows = members.into_iter().flatten().filter_map(link).filter(|link| link.one == hub);
        let first = (f32::MIN, f32::MAX, f32::MIN, f32::MAX);
        let (left, right, top, bottom) = windows.fold(first, |(left, right, top, bottom), link| {
            let window = link.alignment.window;
            let (end, foot) = (window.left + window.width, window.top + window.height);
            (left.max(window.left), right.min(end), top.max(window.top), bottom.min(foot))
        });
        left + LEAST_OVERLAP_PX <= right && top + LEAST_OVERLAP_PX <= bottom
    }

    fn group(&self, hub: usize, mut members: Vec<usize>) -> Group {
        members.sort_unstable();
        let link = |at: usize| self.known.get(&pair(hub, at)).copied().flatten();
        let member = |at: usize| GroupMember { at, link: link(at) };
        let members: Vec<GroupMember> = members.into_iter().map(member).collect();
        let similarities = members.iter().filter_map(|member| member.link).map(|link| link.alignment.similarity);
        Group { hub, similarity: similarities.fold(1.0, f32::min), members }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedup::{Alignment, Window};
    use crate::progress::Unfollowed;

    /// Says of every pair that it is so similar.
    struct Says(Option<f32>);

    impl ComparePairs for Says {
        fn links(&self, one: usize, others: &[usize]) -> Result<Vec<Option<Link>>, Trouble> {
            Ok(others.iter().map(|&other| self.0.map(|similarity| link(one, other, similarity))).collect())
        }
    }

    fn found(count: usize, links: &[Link], says: Option<f32>) -> Vec<Group> {
        grouped(count, links, &Says(says), &Unfollowed).unwrap().unwrap()
    }

    fn link(one: usize, other: usize, similarity: f32) -> Link {
        let alignment = Alignment { similarity, is_mirrored: false, quarter_turns: 0, window: Window::WHOLE };
        Link { one, other, alignment, is_certain: true }
    }

    fn members(group: &Group) -> Vec<usize> {
        group.members.iter().map(|member| member.at).collect()
    }

    #[test]
    fn parts_of_one_picture_are_a_group_around_it() {
        // 1 and 3 are parts of 0 that have nothing in common; 4 is 3 saved again.
        let links = [link(0, 1, 0.95), link(0, 3, 0.93), link(3, 4, 0.99), link(0, 4, 0.94)];
        let found = found(5, &links, None);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].hub, members(&found[0]), found[0].similarity), (0, vec![0, 1, 3, 4], 0.93));
    }

    #[test]
    fn the_pictures_of_a_collage_are_no_group() {
        let part = |other: usize, left: f32, similarity: f32| {
            let window = Window { left, width: 16.0, ..Window::WHOLE };
            let whole = link(0, other, similarity);
            Link { alignment: Alignment { window, ..whole.alignment }, ..whole }
        };
        let found_in = |right: f32| found(3, &[part(1, 0.0, 0.97), part(2, right, 0.95)], None);
        assert_eq!(found_in(15.0).iter().map(members).collect::<Vec<_>>(), [[0, 1]]);
        assert_eq!(found_in(9.0).iter().map(members).collect::<Vec<_>>(), [[0, 1, 2]], "parts that overlap");
    }

    #[test]
    fn a_chain_is_not_a_group() {
        let links = [link(0, 1, 0.99), link(2, 3, 0.98), link(1, 2, 0.97)];
        assert_eq!(found(4, &links, None).iter().map(members).collect::<Vec<_>>(), [[0, 1], [2, 3]]);
        // Unless the pairs that were no candidates turn out to be near-duplicates.
        assert_eq!(found(4, &links, Some(0.96)).iter().map(members).collect::<Vec<_>>(), [[0, 1, 2, 3]]);
    }

    #[test]
    fn large_groups_that_meet_late_stay_two() {
        let around = |hub: usize, count: usize| (1..count).map(move |at| link(hub, hub + at, 0.99));
        let of = |count: usize| -> Vec<Link> {
            around(0, count).chain(around(count, count)).chain([link(0, count, 0.95)]).collect()
        };
        assert_eq!(found(400, &of(200), Some(0.96)).len(), 1);
        assert_eq!(found(800, &of(400), Some(0.96)).len(), 2, "399 looks each");
    }
}
