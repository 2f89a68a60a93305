//! The result of `artificio duplicates`, for programs and as text.

use std::path::PathBuf;

use serde::Serialize;

use super::keep::{FileFacts, KeepRule};
use crate::dedup::{Group, GroupMember, Link};
use crate::overview::InventoryContents;

/// What was found, for programs.
#[derive(Serialize)]
pub struct DuplicatesReport {
    /// The least similarity that was asked for.
    #[serde(rename = "alike")]
    pub least_similarity: f32,
    pub pictures: usize,
    pub waiting: usize,
    /// The certain ones first.
    pub groups: Vec<GroupPart>,
}

#[derive(Serialize, Clone)]
pub struct GroupPart {
    /// Similarity of the least similar one to `compared_with`.
    #[serde(rename = "alike")]
    pub similarity: f32,
    /// All files are the same, byte for byte.
    pub is_one_content: bool,
    /// All members are.
    pub is_certain: bool,
    /// The one of `paths` that all others were compared with.
    pub compared_with: String,
    /// Relative to the inventory folder.
    pub paths: Vec<String>,
    /// The same files with their relation to it.
    pub members: Vec<MemberPart>,
}

#[derive(Serialize, Clone)]
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
    /// It agrees with that one in detail, or nearly to the pixel; otherwise it may be another picture.
    pub is_certain: bool,
    /// One of those to keep.
    pub keep: bool,
    /// In pixels, upright; null where the file cannot be read, as the others.
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub bytes: Option<u64>,
    /// The last change, seconds since 1970.
    pub modified_s: Option<i64>,
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
    pub fn words(self) -> &'static str {
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
    let mut groups: Vec<GroupPart> =
        copies.chain(groups.iter().cloned()).map(|group| group_part(contents, &group)).collect();
    groups.sort_by_key(|group| !group.is_certain);
    DuplicatesReport { least_similarity, pictures: contents.files(), waiting: contents.waiting, groups }
}

impl DuplicatesReport {
    /// All files of all groups, in their order.
    pub fn files(&self) -> Vec<PathBuf> {
        self.groups.iter().flat_map(|group| &group.members).map(|member| member.file.clone()).collect()
    }

    /// Notes what is known of each of [`Self::files`], and which is to be kept.
    pub fn set_facts(&mut self, facts: &[FileFacts], keep: &KeepRule) {
        let mut facts = facts.iter().copied();
        for group in &mut self.groups {
            let of_group: Vec<FileFacts> = facts.by_ref().take(group.members.len()).collect();
            let files: Vec<_> = group.members.iter().map(|member| member.file.as_path()).zip(of_group).collect();
            let kept = keep.kept(&files);
            let facts: Vec<FileFacts> = files.iter().map(|(_, facts)| *facts).collect();
            for ((member, facts), keep) in group.members.iter_mut().zip(facts).zip(kept) {
                (member.width, member.height) = facts.size.unzip();
                (member.bytes, member.keep) = (facts.bytes, keep);
                member.modified_s = facts.mtime_ns.map(|time| time.div_euclid(1_000_000_000));
            }
        }
    }
}

impl GroupPart {
    /// Of files that are certain, of which the first is the one that the others were compared with.
    pub fn of(members: Vec<MemberPart>) -> Self {
        let paths: Vec<String> = members.iter().map(|member| member.path.clone()).collect();
        let compared_with = paths.first().cloned().unwrap_or_default();
        Self { similarity: 1.0, is_one_content: false, is_certain: true, compared_with, paths, members }
    }
}

impl MemberPart {
    /// A file of which no more is known.
    pub fn of(file: PathBuf) -> Self {
        Self {
            path: file.to_string_lossy().into_owned(),
            file,
            similarity: 1.0,
            relations: Vec::new(),
            is_certain: true,
            keep: false,
            width: None,
            height: None,
            bytes: None,
            modified_s: None,
        }
    }
}

fn group_part(contents: &InventoryContents, group: &Group) -> GroupPart {
    let hub = &contents.paths[group.hub][0];
    let files =
        group.members.iter().flat_map(|member| contents.paths[member.at].iter().map(move |path| (path, member)));
    let part = |(file, member): (&PathBuf, &GroupMember)| {
        let relations = match member.link {
            Some(link) => relations(&link, member.at),
            None if file == hub => Vec::new(),
            None => vec![CopyRelation::Identical],
        };
        let similarity = member.link.map_or(1.0, |link| link.alignment.similarity);
        let is_certain = member.link.is_none_or(|link| link.is_certain);
        MemberPart { similarity, relations, is_certain, ..MemberPart::of(file.clone()) }
    };
    let mut members: Vec<MemberPart> = files.map(part).collect();
    members.sort_by(|one, other| one.file.cmp(&other.file));
    GroupPart {
        similarity: group.similarity,
        is_one_content: group.members.len() == 1,
        is_certain: members.iter().all(|member| member.is_certain),
        compared_with: hub.to_string_lossy().into_owned(),
        ..GroupPart::of(members)
    }
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
