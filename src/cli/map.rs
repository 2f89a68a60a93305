//! `artificio map`: the inventory laid out by similarity, as a picture and as a page to zoom and search in.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::fs::Access;
use serde::Serialize;

use super::arguments::{MapOptions, absolute};
use super::output;
use super::progress_bar::CancellableProgress;
use crate::answer::sheet::thousands;
use crate::config::Setup;
use crate::config::{self, Config};
use crate::error::{Fatal, Trouble};
use crate::files::write_whole;
use crate::map::{Grid, captioned, draw, page, plane, snapped};
use crate::overview::{Collection, NotEncoded, Thumbnail, thumbnails, to_jpeg};
use crate::picture::{Bounds, silence_caught_panics};

/// More troubles than a person reads at once.
const SHOWN_TROUBLES: usize = 10;

/// What the command has done, for programs.
#[derive(Serialize)]
struct MapReport<'a> {
    files: Vec<String>,
    model: &'a str,
    pictures: usize,
    shown: usize,
    /// More pictures than were asked for: `shown` were chosen evenly.
    is_sample: bool,
    waiting: usize,
    left_out: Vec<&'a Trouble>,
}

pub fn run(options: &MapOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    silence_caught_panics();
    let config = config::load(&setup.source, &setup.root)?;
    let targets = targets(&options.files, &config)?;
    let collection = Collection::read(&config, options.limit)?;
    let bar = CancellableProgress::new()?;
    bar.stage("laying out");
    let places = plane(&collection.embeddings, &bar).ok_or_else(|| bar.stopped())?;
    let grid = snapped(&places);
    bar.stage("reading pictures");
    let (folder, bounds) = (&config.folders.inventory, Bounds::from(&config.limits));
    let side_px = cell_px(collection.len());
    let thumbnails =
        thumbnails(folder, &collection.paths, side_px * 3 / 2, &bounds, &bar).ok_or_else(|| bar.stopped())?;
    if let Some(Err(trouble)) = thumbnails.iter().find(|thumbnail| thumbnail.is_err())
        && thumbnails.iter().all(Result::is_err)
    {
        return Err(Fatal::Failed(format!("none of the pictures can be shown; the first: {trouble}")));
    }
    bar.stage("drawing");
    for target in &targets {
        let bytes = render(target, &collection, &grid, &thumbnails, &config)?;
        write_whole(target, &bytes, "write the map")?;
    }
    bar.clear();
    let left_out: Vec<&Trouble> = thumbnails.iter().filter_map(|thumbnail| thumbnail.as_ref().err()).collect();
    let report = MapReport {
        files: targets.iter().map(|target| target.display().to_string()).collect(),
        model: &collection.model,
        pictures: collection.total,
        shown: collection.len() - left_out.len(),
        is_sample: collection.len() < collection.total,
        waiting: collection.waiting,
        left_out,
    };
    if options.json {
        output::print_json(&report)?;
    } else {
        output::print(&summary(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn summary(report: &MapReport) -> String {
    let sampled = if report.is_sample { ", chosen evenly" } else { "" };
    let (shown, pictures) = (thousands(report.shown), thousands(report.pictures));
    let mut text = format!("{shown} of {pictures} pictures laid out{sampled}, by model {}\n", report.model);
    if report.waiting > 0 {
        text += &format!("{} more are waiting to be read\n", report.waiting);
    }
    for trouble in report.left_out.iter().take(SHOWN_TROUBLES) {
        text += &format!("left out: {trouble}\n");
    }
    let hidden = report.left_out.len().saturating_sub(SHOWN_TROUBLES);
    if hidden > 0 {
        text += &format!("left out: {hidden} more, see --json\n");
    }
    report.files.iter().for_each(|file| text += &format!("{file}\n"));
    text
}

/// Where to write, as absolute paths: a picture or a page by the extension, and never into a watched folder.
fn targets(files: &[PathBuf], config: &Config) -> Result<Vec<PathBuf>, Fatal> {
    let mut targets = Vec::new();
    for file in files {
        let target = absolute(file)?;
        if MapFormat::of(&target).is_none() {
            let what = "a map ends in .jpg (a picture) or .html (a page to zoom and search in)";
            return Err(Fatal::Usage(format!("{}: {what}", file.display())));
        }
        not_watched(&target, config)?;
        check_writable(&target)?;
        targets.push(target);
    }
    Ok(targets)
}

/// Found out before the work, not after a minute of it.
fn check_writable(target: &Path) -> Result<(), Trouble> {
    let folder = target.parent().unwrap_or(target);
    rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| Trouble::system("write the map", target, &error.into()))
}

/// Refuses a file in a watched folder, where it would be taken for one of the user's pictures.
pub fn not_watched(target: &Path, config: &Config) -> Result<(), Fatal> {
    match config.folders.read().into_iter().find(|(_, folder)| target.starts_with(folder)) {
        None => Ok(()),
        Some((name, _)) => Err(Fatal::Usage(format!(
            "{}: this lies in the {name} folder, which is watched; choose another place",
            target.display()
        ))),
    }
}

/// What is written to a target.
enum MapFormat {
    Picture,
    Page,
}

impl MapFormat {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" => Some(Self::Picture),
            "html" | "htm" => Some(Self::Page),
            _ => None,
        }
    }
}

fn render(
    target: &Path,
    collection: &Collection,
    grid: &Grid,
    thumbnails: &[Thumbnail],
    config: &Config,
) -> Result<Vec<u8>, Fatal> {
    let failed = |error: NotEncoded| Fatal::Failed(format!("{}: {error}", target.display()));
    let (title, theme) = (title(collection), config.answer.theme);
    if let Some(MapFormat::Page) = MapFormat::of(target) {
        let page = page(&title, grid, &collection.paths, &collection.embeddings, thumbnails);
        return page.map(String::into_bytes).map_err(failed);
    }
    let map = draw(grid, thumbnails, cell_px(collection.len()), theme);
    let map = if collection.len() < collection.total { captioned(&map, &title, theme) } else { map };
    to_jpeg(&map).map_err(failed)
}

/// What the map shows, also where it is not all.
fn title(collection: &Collection) -> String {
    let (shown, total) = (thousands(collection.len()), thousands(collection.total));
    match collection.len() == collection.total {
        true => format!("{} pictures by similarity", collection.len()),
        false => format!("{shown} of {total} pictures by similarity, chosen evenly"),
    }
}

/// Side of a cell in pixels: the more pictures, the smaller, so that programs can still open the map.
fn cell_px(pictures: usize) -> u32 {
    match pictures {
        0..=150 => 160,
        151..=1000 => 128,
        1001..=2500 => 96,
        _ => 72,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_said() {
        let mut collection =
            Collection { paths: vec!["a.jpg".into(), "b.jpg".into()], total: 2, ..Collection::default() };
        assert_eq!(title(&collection), "2 pictures by similarity");
        collection.total = 312_000;
        assert_eq!(title(&collection), "2 of 312,000 pictures by similarity, chosen evenly");
        let (files, left_out) = (vec!["map.jpg".into()], Vec::new());
        let report =
            MapReport { files, model: "m3", pictures: 312_000, shown: 5000, is_sample: true, waiting: 0, left_out };
        let expected = "5,000 of 312,000 pictures laid out, chosen evenly, by model m3\nmap.jpg\n";
        assert_eq!(summary(&report), expected);
    }

    #[test]
    fn a_map_is_not_written_where_it_would_be_taken_for_a_picture() {
        let root = Path::new("/pictures");
        let config = Config { folders: Config::default().folders.below(root), ..Config::default() };
        let target = |path: &str| targets(&[path.into()], &config).map_err(|fatal| fatal.to_string());
        assert_eq!(target("/tmp/map.JPG").unwrap(), [PathBuf::from("/tmp/map.JPG")]);
        assert!(target("/tmp/no such folder/map.jpg").unwrap_err().contains("could not write the map"));
        assert!(target("/pictures/query/map.jpg").unwrap_err().contains("query folder"));
        assert!(target("/pictures/map.bmp").unwrap_err().contains(".html"));
        assert!(target("/pictures/map").is_err());
    }
}
