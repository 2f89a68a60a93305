//! `artificio duplicates`: groups of inventory pictures that are nearly the same.

use std::collections::HashMap;
use std::path::Path;
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
    Collection, Group, Measure, SHOWN_GROUPS, SHOWN_MEMBERS, group_sheet, groups, thumbnails, to_jpeg,
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
    /// The least similarity that holds it together.
    alike: f32,
    /// All of it is one content, byte for byte.
    is_one_content: bool,
    /// Relative to the inventory folder.
    paths: Vec<String>,
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
    let collection = Collection::read(&config, Measure::Features)?;
    collection.some_or_fail(&config.folders.inventory)?;
    let bar = Bar::new()?;
    bar.stage("comparing pictures");
    let groups = groups(&collection.codes, options.alike, &bar).ok_or_else(|| bar.stopped())?;
    if let Some(sheet) = &sheet {
        bar.stage("reading pictures");
        draw(sheet, &collection, &groups, &config, &bar)?;
    }
    bar.clear();
    let report = report(&collection, &groups, options.alike);
    match options.json {
        true => output::print_json(&report)?,
        false => output::print(&told(&report, sheet.as_deref()))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn report(collection: &Collection, groups: &[Group], alike: f32) -> Report {
    let part = |group: &Group| GroupPart {
        alike: group.alike,
        is_one_content: group.members.iter().all(|&at| collection.hashes[at] == collection.hashes[group.members[0]]),
        paths: group.members.iter().map(|&at| collection.paths[at].to_string_lossy().into_owned()).collect(),
    };
    let groups = groups.iter().map(part).collect();
    Report { alike, pictures: collection.len(), waiting: collection.waiting, groups }
}

fn told(report: &Report, sheet: Option<&Path>) -> String {
    let mut text = String::new();
    for group in &report.groups {
        let how = match group.is_one_content {
            true => "the same content".to_string(),
            false => format!("at least {:.3} alike", group.alike),
        };
        text += &format!("{} pictures, {how}\n", group.paths.len());
        group.paths.iter().for_each(|path| text += &format!("    {}\n", path.escape_debug()));
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

fn draw(sheet: &Path, collection: &Collection, groups: &[Group], config: &Config, bar: &Bar) -> Result<(), Fatal> {
    let shown = groups.iter().take(SHOWN_GROUPS).flat_map(|group| group.members.iter().take(SHOWN_MEMBERS));
    let members: Vec<usize> = shown.copied().collect();
    let paths: Vec<_> = members.iter().map(|&at| collection.paths[at].clone()).collect();
    let bounds = Bounds::from(&config.limits);
    let made = thumbnails(&config.folders.inventory, &paths, SIDE_PX, &bounds, bar).ok_or_else(|| bar.stopped())?;
    let made: HashMap<usize, _> = members.into_iter().zip(&made).collect();
    let names: Vec<String> = collection.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let picture = group_sheet(groups, &|at| (&names[at], made.get(&at).copied()), config.answer.theme);
    let bytes = to_jpeg(&picture).map_err(|reason| Fatal::Failed(format!("{}: {reason}", sheet.display())))?;
    Ok(write_whole(sheet, &bytes, "write the sheet")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_read_like_this() {
        let group = |alike, is_one_content, paths: &[&str]| GroupPart {
            alike,
            is_one_content,
            paths: paths.iter().map(ToString::to_string).collect(),
        };
        let groups = vec![group(1.0, true, &["a.jpg", "b/a.jpg"]), group(0.9312, false, &["c.jpg", "d\n.jpg"])];
        let report = Report { alike: 0.9, pictures: 30, waiting: 2, groups };
        let expected = "\
2 pictures, the same content
    a.jpg
    b/a.jpg
2 pictures, at least 0.931 alike
    c.jpg
    d\\n.jpg
4 of 30 pictures in 2 groups
2 more are waiting to be read
";
        assert_eq!(told(&report, None), expected);
        let none = Report { alike: 0.9, pictures: 30, waiting: 0, groups: Vec::new() };
        assert_eq!(told(&none, None), "none of 30 pictures is nearly the same as another\n");
    }
}
