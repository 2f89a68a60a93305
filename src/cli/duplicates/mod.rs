//! `artificio duplicates`: groups of inventory pictures that are copies of one picture.

mod report;
mod sheet;

use std::process::ExitCode;

use self::report::{report, summary};
use self::sheet::draw;
use super::arguments::{DuplicatesOptions, absolute};
use super::map::not_watched;
use super::output;
use super::progress_bar::CancellableProgress;
use crate::config;
use crate::config::Setup;
use crate::dedup::{DuplicateSearch, grouped};
use crate::error::Fatal;
use crate::overview::InventoryContents;
use crate::picture::silence_caught_panics;

pub fn run(options: &DuplicatesOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    silence_caught_panics();
    let config = config::load(&setup.source, &setup.root)?;
    let sheet = options.sheet.as_deref().map(absolute).transpose()?;
    if let Some(sheet) = &sheet {
        not_watched(sheet, &config)?;
        let is_jpeg = |end: &str| end.eq_ignore_ascii_case("jpg") || end.eq_ignore_ascii_case("jpeg");
        if !sheet.extension().and_then(|end| end.to_str()).is_some_and(is_jpeg) {
            return Err(Fatal::Usage(format!("{}: a sheet of groups ends in .jpg", sheet.display())));
        }
    }
    let (contents, pictures) = InventoryContents::read(&config)?;
    let bar = CancellableProgress::new()?;
    bar.stage("comparing pictures");
    let search = DuplicateSearch::among(&pictures, options.least_similarity);
    let links = search.links(&bar)?.ok_or_else(|| bar.stopped())?;
    bar.stage("grouping copies");
    let groups = grouped(contents.paths.len(), &links, &search, &bar)?.ok_or_else(|| bar.stopped())?;
    let report = report(&contents, &groups, options.least_similarity);
    if let Some(sheet) = &sheet {
        bar.stage("reading pictures");
        draw(sheet, &report, &config, &bar)?;
    }
    bar.clear();
    match options.json {
        true => output::print_json(&report)?,
        false => output::print(&summary(&report, sheet.as_deref()))?,
    }
    Ok(ExitCode::SUCCESS)
}
