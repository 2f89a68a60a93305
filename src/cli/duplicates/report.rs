//! The result of `artificio duplicates`, for programs and as text.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::dedup::{Group, GroupMember, Link};
use crate::overview::{InventoryContents, SHOWN_GROUPS};

/// What was found, for programs.
#[derive(Serialize)]
pub struct DuplicatesReport {
    /// The least similarity that was asked for.
    #[serde(rename = "alike")]
    pub least_similarity: f32,
    pub pictures: usize,
    pub waiting: usize,
    pub groups: Vec<GroupPart>,
}

#[derive(Serialize)]
pub struct GroupPart {
    /// Similarity of the least similar one to `compared_with`.
    #[serde(rename = "alike")]
    pub similarity: f32,
    /// All files are the same, byte for byte.
    pub is_one_content: bool,
    /// The one of `paths` that all others were compared with.
    pub compared_with: String,
    /// Relative to the inventory folder.
    pub paths: Vec<String>,
    /// The same files with their relation to it.
    pub members: Vec<MemberPart>,
}

#[derive(Serialize)]
pub struct MemberPart {
    pub path: String,
    /// The path as the file system has it, whatever its bytes.
    #[serde(skip)]
    pub file: PathBuf,
    /// Similarity to the one that all were compared with.
    #[serde(rename = "alike")]
    pub similarity: f32,
    /// Its relations to that one; none where it is that one, or just re-saved.
    pub relations: Vec<CopyRelation>,
}

/// The relation of a picture to the one it was compared with.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum CopyRelation {
    /// The same content, byte for byte.
    Identical,
    Mirrored,
    /// By one, two or three quarters.
    Turned,
    /// Shows less.
    Part,
    /// Shows more: the other one is cropped, or this one framed.
    More,
}

impl CopyRelation {
    fn words(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Mirrored => "mirrored",
            Self::Turned => "rotated",
            Self::Part => "cropped",
            Self::More => "shows more",
        }
    }
}

/// Groups of several contents, and contents that are stored several times.
pub fn report(contents: &InventoryContents, groups: &[Group], least_similarity: f32) -> DuplicatesReport {
    let mut is_grouped = vec![false; contents.paths.len()];
    groups.iter().flat_map(|group| &group.members).for_each(|member| is_grouped[member.at] = true);
    let several = |at: &usize| !is_grouped[*at] && contents.paths[*at].len() > 1;
    let alone = |at| Group { hub: at, members: vec![GroupMember { at, link: None }], similarity: 1.0 };
    let copies = (0..contents.paths.len()).filter(several).map(alone);
    let groups = copies.chain(groups.iter().cloned()).map(|group| group_part(contents, &group)).collect();
    DuplicatesReport { least_similarity, pictures: contents.files(), waiting: contents.waiting, groups }
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
            None => vec![CopyRelation::Identical],
        };
        let similarity = member.link.map_or(1.0, |link| link.alignment.similarity);
        MemberPart { path: text(file), file: file.clone(), similarity, relations }
    };
    let mut members: Vec<MemberPart> = files.map(part).collect();
    members.sort_by(|one, other| one.file.cmp(&other.file));
    let paths = members.iter().map(|member| member.path.clone()).collect();
    GroupPart { similarity: group.similarity, is_one_content: group.members.len() == 1, compared_with, paths, members }
}

/// The relations of the content at `at` to the one it is linked with.
fn relations(link: &Link, at: usize) -> Vec<CopyRelation> {
    let alignment = &link.alignment;
    let shows_less = if link.other == at { CopyRelation::Part } else { CopyRelation::More };
    let all = [
        (!alignment.window.is_whole(), shows_less),
        (alignment.is_mirrored, CopyRelation::Mirrored),
        (alignment.quarter_turns > 0, CopyRelation::Turned),
    ];
    all.into_iter().filter(|(holds, _)| *holds).map(|(_, relation)| relation).collect()
}

/// The same for people.
pub fn summary(report: &DuplicatesReport, sheet: Option<&Path>) -> String {
    let mut text = String::new();
    for group in &report.groups {
        let how = match group.is_one_content {
            true => "identical".to_string(),
            false => format!("similarity {:.3} or more", group.similarity),
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
        0 => format!("no near-duplicates among {} pictures\n", report.pictures),
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
2 pictures, identical
    a.jpg
    b/a.jpg
4 pictures, similarity 0.931 or more
    c.jpg
    cc.jpg  (identical)
    d\\n.jpg
    e.jpg  (cropped, mirrored, rotated)
6 of 7 pictures in 2 groups
2 more are waiting to be read
";
        assert_eq!(summary(&report(&contents, &groups, 0.9), None), expected);
        let none = DuplicatesReport { least_similarity: 0.9, pictures: 30, waiting: 0, groups: Vec::new() };
        assert_eq!(summary(&none, None), "no near-duplicates among 30 pictures\n");
    }
}
