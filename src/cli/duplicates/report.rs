//! What `artificio duplicates` found, for programs and in words.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::dedup::{Group, GroupMember, Link};
use crate::overview::{InventoryContents, SHOWN_GROUPS};

/// What was found, for programs.
#[derive(Serialize)]
pub struct Report {
    pub alike: f32,
    pub pictures: usize,
    pub waiting: usize,
    pub groups: Vec<GroupPart>,
}

#[derive(Serialize)]
pub struct GroupPart {
    /// How alike the least alike is to `compared_with`.
    pub alike: f32,
    /// All of it is one content, byte for byte.
    pub is_one_content: bool,
    /// The one of `paths` that all others were compared with.
    pub compared_with: String,
    /// Relative to the inventory folder.
    pub paths: Vec<String>,
    /// The same files with what they are.
    pub members: Vec<MemberPart>,
}

#[derive(Serialize)]
pub struct MemberPart {
    pub path: String,
    /// As the disk spells it.
    #[serde(skip)]
    pub file: PathBuf,
    /// How alike it is to the one that all were compared with.
    pub alike: f32,
    /// What it is to that one; nothing where it is that one, or just saved anew.
    pub relations: Vec<Relation>,
}

/// What a picture is to the one it was compared with.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The same content, byte for byte.
    Identical,
    Mirrored,
    /// By a quarter, a half or three.
    Turned,
    /// Shows less.
    Part,
    /// Shows more: the other is trimmed, or this one framed.
    More,
}

impl Relation {
    fn words(self) -> &'static str {
        match self {
            Self::Identical => "the same content",
            Self::Mirrored => "mirrored",
            Self::Turned => "turned",
            Self::Part => "a part",
            Self::More => "shows more",
        }
    }
}

/// Groups of several contents, and contents that lie in several places.
pub fn report(contents: &InventoryContents, groups: &[Group], alike: f32) -> Report {
    let mut is_grouped = vec![false; contents.paths.len()];
    groups.iter().flat_map(|group| &group.members).for_each(|member| is_grouped[member.at] = true);
    let several = |at: &usize| !is_grouped[*at] && contents.paths[*at].len() > 1;
    let alone = |at| Group { hub: at, members: vec![GroupMember { at, link: None }], similarity: 1.0 };
    let copies = (0..contents.paths.len()).filter(several).map(alone);
    let groups = copies.chain(groups.iter().cloned()).map(|group| group_part(contents, &group)).collect();
    Report { alike, pictures: contents.files(), waiting: contents.waiting, groups }
}

fn group_part(contents: &InventoryContents, group: &Group) -> GroupPart {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    let compared_with = text(&contents.paths[group.hub][0]);
    let files =
        group.members.iter().flat_map(|member| contents.paths[member.at].iter().map(move |path| (path, member)));
    let part = |(file, member): (&PathBuf, &GroupMember)| {
        let relations = match member.link {
            Some(link) => relations(&link, member.at),
            None if *file == contents.paths[group.hub][0] => Vec::new(),
            None => vec![Relation::Identical],
        };
        let alike = member.link.map_or(1.0, |link| link.alignment.similarity);
        MemberPart { path: text(file), file: file.clone(), alike, relations }
    };
    let mut members: Vec<MemberPart> = files.map(part).collect();
    members.sort_by(|one, other| one.file.cmp(&other.file));
    let paths = members.iter().map(|member| member.path.clone()).collect();
    GroupPart { alike: group.similarity, is_one_content: group.members.len() == 1, compared_with, paths, members }
}

/// What the content at `at` is to the one it is linked with.
fn relations(link: &Link, at: usize) -> Vec<Relation> {
    let alignment = &link.alignment;
    let shows_less = if link.other == at { Relation::Part } else { Relation::More };
    let all = [
        (!alignment.window.is_whole(), shows_less),
        (alignment.is_mirrored, Relation::Mirrored),
        (alignment.quarter_turns > 0, Relation::Turned),
    ];
    all.into_iter().filter(|(holds, _)| *holds).map(|(_, relation)| relation).collect()
}

/// The same for people.
pub fn told(report: &Report, sheet: Option<&Path>) -> String {
    let mut text = String::new();
    for group in &report.groups {
        let how = match group.is_one_content {
            true => "the same content".to_string(),
            false => format!("at least {:.3} alike", group.alike),
        };
        text += &format!("{} pictures, {how}\n", group.paths.len());
        for member in &group.members {
            let words: Vec<&str> = member.relations.iter().map(|relation| relation.words()).collect();
            text += &match words.is_empty() || group.is_one_content {
                true => format!("    {}\n", member.path.escape_debug()),
                false => format!("    {}  ({})\n", member.path.escape_debug(), words.join(", ")),
            };
        }
    }
    let members: usize = report.groups.iter().map(|group| group.paths.len()).sum();
    text += &match report.groups.len() {
        0 => format!("none of {} pictures is nearly the same as another\n", report.pictures),
        1 => format!("{members} of {} pictures in one group\n", report.pictures),
        count => format!("{members} of {} pictures in {count} groups\n", report.pictures),
    };
    if report.waiting > 0 {
        text += &format!("{} more are waiting to be read\n", report.waiting);
    }
    if let Some(sheet) = sheet {
        let left_out = report.groups.len().saturating_sub(SHOWN_GROUPS);
        let more = match left_out {
            0 => String::new(),
            1 => " (without the last group)".into(),
            count => format!(" (without the last {count} groups)"),
        };
        text += &format!("{}{more}\n", sheet.display());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedup::{Alignment, Window};

    #[test]
    fn groups_read_like_this() {
        let whole = Alignment { similarity: 0.9312, is_mirrored: false, quarter_turns: 0, window: Window::WHOLE };
        let part = Window { width: 20.0, height: 22.0, ..Window::WHOLE };
        let mirrored = Alignment { similarity: 0.96, is_mirrored: true, quarter_turns: 2, window: part };
        let link = |other, alignment| Some(Link { one: 1, other, alignment });
        let members = vec![
            GroupMember { at: 1, link: None },
            GroupMember { at: 2, link: link(2, whole) },
            GroupMember { at: 3, link: link(3, mirrored) },
        ];
        let groups = [Group { hub: 1, members, similarity: 0.9312 }];
        let paths = [vec!["a.jpg", "b/a.jpg"], vec!["c.jpg", "cc.jpg"], vec!["d\n.jpg"], vec!["e.jpg"], vec!["f.jpg"]];
        let paths = paths.map(|of_one| of_one.into_iter().map(PathBuf::from).collect()).to_vec();
        let contents = InventoryContents { paths, waiting: 2, ..InventoryContents::default() };
        let expected = "\
2 pictures, the same content
    a.jpg
    b/a.jpg
4 pictures, at least 0.931 alike
    c.jpg
    cc.jpg  (the same content)
    d\\n.jpg
    e.jpg  (a part, mirrored, turned)
6 of 7 pictures in 2 groups
2 more are waiting to be read
";
        assert_eq!(told(&report(&contents, &groups, 0.9), None), expected);
        let none = Report { alike: 0.9, pictures: 30, waiting: 0, groups: Vec::new() };
        assert_eq!(told(&none, None), "none of 30 pictures is nearly the same as another\n");
    }
}
