//! `artificio train --report`: what came of a training, as a page in a folder.

use std::path::{Path, PathBuf};

use super::arguments::absolute;
use super::map::not_watched;
use super::progress_bar::CancellableProgress;
use crate::config::Config;
use crate::error::Fatal;
use crate::files::{make_folder, write_whole};
use crate::picture::silence_caught_panics;
use crate::report::report_on;

/// The name of the page.
const FILE_NAME: &str = "report.html";

/// The folder to write into, made where it is missing: what is wrong with it is said before hours of training.
pub fn folder(folder: &Path, config: &Config) -> Result<PathBuf, Fatal> {
    let folder = absolute(folder)?;
    not_watched(&folder, config)?;
    make_folder(&folder)?;
    Ok(folder)
}

/// Writes the report on model `id`, and returns where it is.
pub fn write(folder: &Path, config: &Config, id: &str) -> Result<String, Fatal> {
    silence_caught_panics();
    let bar = CancellableProgress::new()?;
    bar.stage("writing the report");
    let page = report_on(config, id, &bar)?.ok_or_else(|| bar.stopped())?;
    let path = folder.join(FILE_NAME);
    write_whole(&path, page.as_bytes(), "write the report")?;
    bar.clear();
    Ok(path.display().to_string())
}
