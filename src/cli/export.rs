//! `artificio export`: the numbers of each picture, for other programs.

use std::process::ExitCode;

use super::arguments::{ExportKind, ExportOptions, absolute};
use super::map::not_watched;
use super::output;
use crate::config;
use crate::config::Setup;
use crate::error::Fatal;
use crate::overview::{ExportFormat, Exported, ExportedRows, export};

pub fn run(options: &ExportOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    let config = config::load(&setup.source, &setup.root)?;
    let file = absolute(&options.file)?;
    not_watched(&file, &config)?;
    let end = file.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
    let format = match (end.as_deref(), options.null) {
        (Some("npy"), is_null) => ExportFormat::Npy { path_end: if is_null { 0 } else { b'\n' } },
        (Some("csv"), false) => ExportFormat::Csv,
        (Some("csv"), true) => {
            return Err(Fatal::Usage("--null is for the paths beside an .npy file; a .csv file holds its own".into()));
        }
        _ => return Err(Fatal::Usage(format!("{}: numbers are written to a .npy or .csv file", file.display()))),
    };
    let rows = match options.rows {
        ExportKind::Embeddings => ExportedRows::Embeddings,
        ExportKind::Features => ExportedRows::Features,
    };
    let exported = export(&config, rows, format, &file)?;
    output::print(&summary(&exported, &file.display().to_string()))?;
    Ok(ExitCode::SUCCESS)
}

fn summary(exported: &Exported, file: &str) -> String {
    let Exported { of, count, width, without, paths } = exported;
    let mut text = format!("{count} pictures, {width} numbers each ({of}): {file}\n");
    if let Some(paths) = paths {
        text += &format!("their paths, in the same order: {}\n", paths.display());
    }
    if *without > 0 {
        text += &format!("{without} pictures have none yet\n");
    }
    text
}
