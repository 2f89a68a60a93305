//! Groups of contents that are one picture, without chains: in each there is a picture that all others are copies of.

use std::collections::HashMap;

use super::duplicates::Link;

/// Contents that are one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Position of the one that all others were compared with.
    pub hub: usize,
    /// Ascending.
    pub members: Vec<Member>,
    /// How alike the least alike is to the hub.
    pub alike: f32,
}

/// One of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its position.
    pub at: usize,
    /// How it and the hub lie in one another; none for the hub itself.
    pub link: Option<Link>,
}

/// Groups of the `count` contents between which there are `links`, those most alike first. `look` compares two that were
/// never compared. The most alike are brought together first, and groups only where one picture of either is linked with
/// all others of both.
pub fn grouped(count: usize, links: &[Link], look: &dyn Fn(usize, usize) -> Option<Link>) -> Vec<Group> {
    let known = links.iter().map(|link| (pair(link.one, link.other), Some(*link))).collect();
    let mut seen = Seen { known, look };
    let mut home: Vec<usize> = (0..count).collect();
    let mut groups: Vec<(usize, Vec<usize>)> = (0..count).map(|at| (at, vec![at])).collect();
    let mut order: Vec<&Link> = links.iter().collect();
    order.sort_by(|one, other| other.sighting.alike.total_cmp(&one.sighting.alike));
    for link in order {
        let (one, other) = (home[link.one], home[link.other]);
        if one == other {
            continue;
        }
        let (more, less) = if groups[one].1.len() >= groups[other].1.len() { (one, other) } else { (other, one) };
        let hubs = [groups[more].0, groups[less].0, link.one, link.other];
        let is_hub = |hub: &usize| {
            let mut all = groups[more].1.iter().chain(&groups[less].1);
            all.all(|member| member == hub || seen.link(*hub, *member).is_some())
        };
        if let Some(hub) = hubs.into_iter().find(is_hub) {
            let joining = std::mem::take(&mut groups[less].1);
            joining.iter().for_each(|member| home[*member] = more);
            groups[more].0 = hub;
            groups[more].1.extend(joining);
        }
    }
    let of_several = groups.into_iter().filter(|(_, members)| members.len() > 1);
    let mut groups: Vec<Group> = of_several.map(|(hub, members)| seen.group(hub, members)).collect();
    groups.sort_by(|one, other| other.alike.total_cmp(&one.alike).then(one.hub.cmp(&other.hub)));
    groups
}

fn pair(one: usize, other: usize) -> (usize, usize) {
    (one.min(other), one.max(other))
}

/// What is known of pairs.
struct Seen<'a> {
    known: HashMap<(usize, usize), Option<Link>>,
    look: &'a dyn Fn(usize, usize) -> Option<Link>,
}

impl Seen<'_> {
    fn link(&mut self, one: usize, other: usize) -> Option<Link> {
        *self.known.entry(pair(one, other)).or_insert_with(|| (self.look)(one, other))
    }

    fn group(&mut self, hub: usize, mut members: Vec<usize>) -> Group {
        members.sort_unstable();
        let mut member = |at: usize| Member { at, link: if at == hub { None } else { self.link(hub, at) } };
        let members: Vec<Member> = members.into_iter().map(&mut member).collect();
        let alike = members.iter().filter_map(|member| member.link).map(|link| link.sighting.alike);
        Group { hub, alike: alike.fold(1.0, f32::min), members }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Sighting, Window};

    fn link(one: usize, other: usize, alike: f32) -> Link {
        let sighting = Sighting { alike, is_mirrored: false, quarter_turns: 0, window: Window::WHOLE };
        Link { one, other, sighting }
    }

    fn members(group: &Group) -> Vec<usize> {
        group.members.iter().map(|member| member.at).collect()
    }

    #[test]
    fn parts_of_one_picture_are_a_group_around_it() {
        // 1 and 3 are parts of 0 that have nothing in common; 4 is 3 saved anew.
        let links = [link(0, 1, 0.95), link(0, 3, 0.93), link(3, 4, 0.99), link(0, 4, 0.94)];
        let found = grouped(5, &links, &|_, _| None);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].hub, members(&found[0]), found[0].alike), (0, vec![0, 1, 3, 4], 0.93));
    }

    #[test]
    fn a_chain_is_not_a_group() {
        let links = [link(0, 1, 0.99), link(2, 3, 0.98), link(1, 2, 0.97)];
        let found = grouped(4, &links, &|_, _| None);
        assert_eq!(found.iter().map(members).collect::<Vec<_>>(), [[0, 1], [2, 3]]);
        // But for pairs that nobody has looked at.
        let found = grouped(4, &links, &|one, other| Some(link(one, other, 0.96)));
        assert_eq!(found.iter().map(members).collect::<Vec<_>>(), [[0, 1, 2, 3]]);
    }
}
