//! `artificio duplicates`: groups of inventory pictures that are copies of one picture.

mod keep;
mod not_same;
mod page;
mod report;
mod scope;
mod script;
mod sheet;
mod summary;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::keep::{KeepRule, facts};
use self::not_same::{NotTheSame, remember};
use self::report::{DuplicatesReport, report};
use self::scope::{AllowedPairs, PairScope, inventory_folder, relative};
use self::script::script;
use self::summary::summary;
use super::arguments::{DuplicatesOptions, absolute};
use super::map::not_watched;
use super::output;
use super::progress_bar::CancellableProgress;
use crate::config::{self, Config, Setup};
use crate::dedup::{DuplicateSearch, grouped};
use crate::error::Fatal;
use crate::files::write_whole;
use crate::overview::{CataloguedPictures, InventoryContents};
use crate::picture::{Bounds, Hash, silence_caught_panics};

/// What is written beside what is printed, as absolute paths.
struct DuplicatesOutputs {
    sheet: Option<PathBuf>,
    page: Option<PathBuf>,
    script: Option<PathBuf>,
}

pub fn run(options: &DuplicatesOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    silence_caught_panics();
    let config = config::load(&setup.source, &setup.root)?;
    let not_same = setup.source.path.with_file_name(not_same::FILE_NAME);
    if !options.not_same.is_empty() {
        return rule_out(&options.not_same, &not_same, &config);
    }
    let outputs = DuplicatesOutputs::of(options, &config)?;
    let inventory = &config.folders.inventory;
    let keep = match &options.reference {
        // What is compared with the reference is not worth more than it.
        Some(folder) => KeepRule::Folder(inventory_folder(folder, inventory)?),
        None => KeepRule::of(&options.keep, inventory)?,
    };
    let reference = options.reference.as_deref().map(|folder| inventory_folder(folder, inventory)).transpose()?;
    let (contents, pictures) = InventoryContents::read(&config)?;
    let not_same = NotTheSame::read(&not_same)?;
    let scope = PairScope { contents: &contents, not_same, reference, across_folders: options.across_folders };
    let bar = CancellableProgress::new()?;
    let mut report = found(&scope, &pictures, options.least_similarity, &bar)?;
    bar.stage("reading copies");
    let facts = facts(&report.files(), inventory, &Bounds::from(&config.limits), &bar).ok_or_else(|| bar.stopped())?;
    report.set_facts(&facts, &keep);
    outputs.write(&report, &config, &bar)?;
    bar.clear();
    match options.json {
        true => output::print_json(&report)?,
        false => {
            let written: Vec<&Path> =
                [&outputs.page, &outputs.script].into_iter().flatten().map(PathBuf::as_path).collect();
            output::print(&summary(&report, outputs.sheet.as_deref(), &written))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Searches and groups what is asked for.
fn found(
    scope: &PairScope<'_>,
    pictures: &CataloguedPictures,
    least_similarity: f32,
    bar: &CancellableProgress,
) -> Result<DuplicatesReport, Fatal> {
    bar.stage("comparing pictures");
    let search = DuplicateSearch::among(pictures, least_similarity);
    let mut links = search.links(bar)?.ok_or_else(|| bar.stopped())?;
    links.retain(|link| scope.allows(link.one, link.other));
    bar.stage("grouping copies");
    let allowed = AllowedPairs { scope, compare: &search };
    let groups = grouped(scope.contents.paths.len(), &links, &allowed, bar)?.ok_or_else(|| bar.stopped())?;
    let mut report = report(scope.contents, &groups, least_similarity);
    report.groups.retain(|group| scope.wants(group.members.iter().map(|member| &member.file)));
    Ok(report)
}

/// Remembers that pictures are not the same.
fn rule_out(pictures: &[PathBuf], file: &Path, config: &Config) -> Result<ExitCode, Fatal> {
    let (contents, _) = InventoryContents::read(config)?;
    let named = |picture: &PathBuf| -> Result<(PathBuf, Hash), Fatal> {
        let path = relative(picture, &config.folders.inventory)?;
        let at = contents.paths.iter().position(|paths| paths.contains(&path)).ok_or_else(|| {
            Fatal::Usage(format!("{}: no picture of the inventory that has been read", picture.display()))
        })?;
        Ok((path, contents.hashes[at]))
    };
    let pictures = pictures.iter().map(named).collect::<Result<Vec<_>, Fatal>>()?;
    let text = match remember(file, &pictures)? {
        0 => format!("known already: {}\n", file.display()),
        1 => format!("one pair will not be reported again: {}\n", file.display()),
        count => format!("{count} pairs will not be reported again: {}\n", file.display()),
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

impl DuplicatesOutputs {
    /// What the command line asks for, if it may be written there.
    fn of(options: &DuplicatesOptions, config: &Config) -> Result<Self, Fatal> {
        let target = |file: &Option<PathBuf>, endings: &[&str], what: &str| -> Result<Option<PathBuf>, Fatal> {
            let Some(file) = file else { return Ok(None) };
            let target = absolute(file)?;
            not_watched(&target, config)?;
            let has_ending = |end: &str| endings.iter().any(|ending| end.eq_ignore_ascii_case(ending));
            if !endings.is_empty() && !target.extension().and_then(|end| end.to_str()).is_some_and(has_ending) {
                return Err(Fatal::Usage(format!("{}: {what}", target.display())));
            }
            Ok(Some(target))
        };
        Ok(Self {
            sheet: target(&options.sheet, &["jpg", "jpeg"], "a sheet of groups ends in .jpg")?,
            page: target(&options.html, &["html", "htm"], "a page ends in .html")?,
            script: target(&options.script, &[], "")?,
        })
    }

    fn write(&self, report: &DuplicatesReport, config: &Config, bar: &CancellableProgress) -> Result<(), Fatal> {
        if let Some(sheet) = &self.sheet {
            bar.stage("reading pictures");
            sheet::draw(sheet, report, config, bar)?;
        }
        if let Some(page) = &self.page {
            bar.stage("reading pictures");
            page::write(page, report, config, bar)?;
        }
        if let Some(file) = &self.script {
            write_whole(file, &script(report, &config.folders.inventory), "write the script")?;
        }
        Ok(())
    }
}
