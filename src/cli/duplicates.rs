//! `artificio duplicates`: groups of inventory pictures that are one picture.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::arguments::{DuplicatesOptions, absolute};
use super::bar::Bar;
use super::map::not_watched;
use super::output;
use crate::config::{self, Config};
use crate::daemon::Setup;
use crate::error::Fatal;
use crate::files::write_whole;
use crate::overview::{
    Contents, Group, Link, Member, SHOWN_GROUPS, SHOWN_MEMBERS, SheetGroup, group_sheet, grouped, link_between, links,
    thumbnails, to_jpeg,
};
use crate::picture::{Bounds, silence_caught_panics};

/// Side of a picture on the sheet.
const SIDE_PX: u32 = 180;

/// What was found, for programs.
#[derive(Serialize)]
struct Report {
    alike: f32,
    pictures: usize,
    waiting: usize,
    groups: Vec<GroupPart>,
}

#[derive(Serialize)]
struct GroupPart {
    /// How alike the least alike is to `compared_with`.
    alike: f32,
    /// All of it is one content, byte for byte.
    is_one_content: bool,
    /// The one of `paths` that all others were compared with.
    compared_with: String,
    /// Relative to the inventory folder.
    paths: Vec<String>,
    /// The same files with what they are.
    members: Vec<MemberPart>,
}

#[derive(Serialize)]
struct MemberPart {
    path: String,
    /// As the disk spells it.
    #[serde(skip)]
    file: PathBuf,
    /// How alike it is to the one that all were compared with.
    alike: f32,
    /// What it is to that one; nothing where it is that one, or just saved anew.
    relations: Vec<Relation>,
}

/// What a picture is to the one it was compared with.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Relation {
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

pub fn run(options: &DuplicatesOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    silence_caught_panics();
    let config = config::load(&setup.source, &setup.root).map_err(Fatal::Usage)?;
    let sheet = options.sheet.as_deref().map(absolute).transpose()?;
    if let Some(sheet) = &sheet {
        not_watched(sheet, &config)?;
        let is_jpeg = |end: &str| end.eq_ignore_ascii_case("jpg") || end.eq_ignore_ascii_case("jpeg");
        if !sheet.extension().and_then(|end| end.to_str()).is_some_and(is_jpeg) {
            return Err(Fatal::Usage(format!("{}: a sheet of groups ends in .jpg", sheet.display())));
        }
    }
    let contents = Contents::read(&config)?;
    let bar = Bar::new()?;
    bar.stage("comparing pictures");
    let links = links(&contents, options.alike, &bar).ok_or_else(|| bar.stopped())?;
    let look = |one, other| link_between(&contents, one, other, options.alike);
    let groups = grouped(contents.paths.len(), &links, &look);
    let report = report(&contents, &groups, options.alike);
    if let Some(sheet) = &sheet {
        bar.stage("reading pictures");
        draw(sheet, &report, &config, &bar)?;
    }
    bar.clear();
    match options.json {
        true => output::print_json(&report)?,
        false => output::print(&told(&report, sheet.as_deref()))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Groups of several contents, and contents that lie in several places.
fn report(contents: &Contents, groups: &[Group], alike: f32) -> Report {
    let mut is_grouped = vec![false; contents.paths.len()];
    groups.iter().flat_map(|group| &group.members).for_each(|member| is_grouped[member.at] = true);
    let several = |at: &usize| !is_grouped[*at] && contents.paths[*at].len() > 1;
    let alone = |at| Group { hub: at, members: vec![Member { at, link: None }], alike: 1.0 };
    let copies = (0..contents.paths.len()).filter(several).map(alone);
    let groups = copies.chain(groups.iter().cloned()).map(|group| group_part(contents, &group)).collect();
    Report { alike, pictures: contents.files(), waiting: contents.waiting, groups }
}

fn group_part(contents: &Contents, group: &Group) -> GroupPart {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    let compared_with = text(&contents.paths[group.hub][0]);
    let files =
        group.members.iter().flat_map(|member| contents.paths[member.at].iter().map(move |path| (path, member)));
    let part = |(file, member): (&PathBuf, &Member)| {
        let relations = match member.link {
            Some(link) => relations(&link, member.at),
            None if *file == contents.paths[group.hub][0] => Vec::new(),
            None => vec![Relation::Identical],
        };
        let alike = member.link.map_or(1.0, |link| link.sighting.alike);
        MemberPart { path: text(file), file: file.clone(), alike, relations }
    };
    let mut members: Vec<MemberPart> = files.map(part).collect();
    members.sort_by(|one, other| one.file.cmp(&other.file));
    let paths = members.iter().map(|member| member.path.clone()).collect();
    GroupPart { alike: group.alike, is_one_content: group.members.len() == 1, compared_with, paths, members }
}

/// What the content at `at` is to the one it is linked with.
fn relations(link: &Link, at: usize) -> Vec<Relation> {
    let sighting = &link.sighting;
    let shows_less = if link.other == at { Relation::Part } else { Relation::More };
    let all = [
        (!sighting.window.is_whole(), shows_less),
        (sighting.is_mirrored, Relation::Mirrored),
        (sighting.quarter_turns > 0, Relation::Turned),
    ];
    all.into_iter().filter(|(holds, _)| *holds).map(|(_, relation)| relation).collect()
}

fn told(report: &Report, sheet: Option<&Path>) -> String {
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
        count => format!("{members} of {} pictures in {count} groups\n", report.pictures),
    };
    if report.waiting > 0 {
        text += &format!("{} more are waiting to be read\n", report.waiting);
    }
    if let Some(sheet) = sheet {
        let left_out = report.groups.len().saturating_sub(SHOWN_GROUPS);
        let more = if left_out > 0 { format!(" (without the last {left_out} groups)") } else { String::new() };
        text += &format!("{}{more}\n", sheet.display());
    }
    text
}

fn draw(sheet: &Path, report: &Report, config: &Config, bar: &Bar) -> Result<(), Fatal> {
    // Positions are those among all files of the first groups, of which only so many of each are drawn.
    let (mut files, mut groups) = (Vec::new(), Vec::new());
    for group in report.groups.iter().take(SHOWN_GROUPS) {
        let start = files.len();
        files.extend(&group.members);
        groups.push(SheetGroup { alike: group.alike, members: (start..files.len()).collect() });
    }
    let drawn = groups.iter().flat_map(|group| group.members.iter().take(SHOWN_MEMBERS));
    let drawn: Vec<usize> = drawn.copied().collect();
    let paths: Vec<PathBuf> = drawn.iter().map(|&at| files[at].file.clone()).collect();
    let bounds = Bounds::from(&config.limits);
    let made = thumbnails(&config.folders.inventory, &paths, SIDE_PX, &bounds, bar).ok_or_else(|| bar.stopped())?;
    let made: HashMap<usize, _> = drawn.into_iter().zip(&made).collect();
    let picture = group_sheet(&groups, &|at| (files[at].path.as_str(), made.get(&at).copied()), config.answer.theme);
    let bytes = to_jpeg(&picture).map_err(|reason| Fatal::Failed(format!("{}: {reason}", sheet.display())))?;
    Ok(write_whole(sheet, &bytes, "write the sheet")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Sighting, Window};

    #[test]
    fn groups_read_like_this() {
        let whole = Sighting { alike: 0.9312, is_mirrored: false, quarter_turns: 0, window: Window::WHOLE };
        let part = Window { width: 20.0, height: 22.0, ..Window::WHOLE };
        let mirrored = Sighting { alike: 0.96, is_mirrored: true, quarter_turns: 2, window: part };
        let link = |other, sighting| Some(Link { one: 1, other, sighting });
        let members = vec![
            Member { at: 1, link: None },
            Member { at: 2, link: link(2, whole) },
            Member { at: 3, link: link(3, mirrored) },
        ];
        let groups = [Group { hub: 1, members, alike: 0.9312 }];
        let paths = [vec!["a.jpg", "b/a.jpg"], vec!["c.jpg", "cc.jpg"], vec!["d\n.jpg"], vec!["e.jpg"], vec!["f.jpg"]];
        let paths = paths.map(|of_one| of_one.into_iter().map(PathBuf::from).collect()).to_vec();
        let contents = Contents { paths, waiting: 2, ..Contents::default() };
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
