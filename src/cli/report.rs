//! `artificio train --report`: what came of a training, as pictures in a folder.

use std::path::{Path, PathBuf};

use super::arguments::absolute;
use super::bar::Bar;
use super::map::not_watched;
use crate::answer::sheet::encode;
use crate::config::{Config, SheetFormat};
use crate::error::Fatal;
use crate::files::{make_folder, write_whole};
use crate::picture::silence_caught_panics;
use crate::report::report_on;

/// The folder to write into, made where it is missing: what is wrong with it is said before hours of training.
pub fn folder(folder: &Path, config: &Config) -> Result<PathBuf, Fatal> {
    let folder = absolute(folder)?;
    not_watched(&folder, config)?;
    make_folder(&folder)?;
    Ok(folder)
}

/// Draws the report on model `id` and says what was written.
pub fn write(folder: &Path, config: &Config, id: &str) -> Result<Vec<String>, Fatal> {
    silence_caught_panics();
    let bar = Bar::new()?;
    bar.stage("drawing the report");
    let drawn = report_on(config, id, &bar)?.ok_or_else(|| bar.stopped())?;
    let mut written = Vec::new();
    for one in drawn {
        let path = folder.join(one.name).with_extension(SheetFormat::Png.extension());
        let bytes = encode(&one.picture, SheetFormat::Png)
            .map_err(|reason| Fatal::Failed(format!("{}: {reason}", path.display())))?;
        write_whole(&path, &bytes, "write the report")?;
        written.push(path.display().to_string());
    }
    bar.clear();
    Ok(written)
}
