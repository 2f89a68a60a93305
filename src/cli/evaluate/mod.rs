//! `artificio evaluate`: figures as a table, or as JSON; a line for every query as CSV; the worst answers as a sheet.

mod csv;
mod table;
mod worst;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::arguments::{EncoderKind, EvaluateOptions, absolute};
use super::output;
use super::progress_bar::CancellableProgress;
use crate::config;
use crate::config::{Encoder, IndexSettings, ModelSettings, Setup};
use crate::engine::Engine;
use crate::error::Fatal;
use crate::evaluate::{EvaluationOptions, LabelledFiles, MeasuredNetwork};
use crate::files::write_whole;
use crate::nodes::Nodes;
use crate::picture::{Bounds, silence_caught_panics};

pub fn run(options: &EvaluateOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    silence_caught_panics();
    let config = config::load(&setup.source, &setup.root)?;
    let csv = options.csv.as_deref().map(|file| not_measured(file, &options.dir)).transpose()?;
    let worst = options.worst.as_deref().map(|file| not_measured(file, &options.dir)).transpose()?;
    let worst = worst.map(|file| output::sheet_format(&file).map(|format| (file, format))).transpose()?;
    let engine = if options.engine { Some(engine(&config.index)?) } else { None };
    let theme = config.answer.theme;
    let wanted = EvaluationOptions {
        folder: options.dir.clone(),
        label_by: options.label_by.clone(),
        leave_one_out: options.leave_one_out,
        networks: networks(options, &config.model)?,
        settings: config.model,
        metric: config.similarity.metric,
        seed: options.seed,
        bounds: Bounds::from(&config.limits),
    };
    let files = LabelledFiles::find(&wanted)?;
    let bar = CancellableProgress::new()?;
    bar.stage("looking at pictures");
    let pictures = files.look(&wanted, &bar)?.ok_or_else(|| bar.stopped())?;
    let through_engine = match &engine {
        None => None,
        Some(engine) => {
            bar.stage("asking the engine");
            let measured = pictures.measure_engine(&wanted, (&**engine, &config.index.url), &bar)?;
            Some(measured.ok_or_else(|| bar.stopped())?)
        }
    };
    bar.stage("training and asking");
    let mut report = pictures.measure(&wanted, &bar)?.ok_or_else(|| bar.stopped())?;
    report.engine = through_engine;
    if let Some(file) = &csv {
        write_whole(file, csv::answers(&report.answers).as_bytes(), "write the answers")?;
    }
    if let Some((file, format)) = &worst {
        bar.stage("drawing the worst answers");
        let sheet = worst::sheet(&report.answers, &wanted, (theme, *format), &bar)?.ok_or_else(|| bar.stopped())?;
        write_whole(file, &sheet, "write the sheet")?;
    }
    bar.clear();
    for trouble in &report.left_out {
        eprintln!("artificio: left out: {}", output::harmless(&trouble.to_string()));
    }
    if !options.per_label {
        report.labels.clear();
    }
    match options.json {
        true => output::print_json(&report)?,
        false => output::print(&table::of(&report))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn engine(settings: &IndexSettings) -> Result<Arc<dyn Engine>, Fatal> {
    let none = "--engine: the settings name no engine; set `engine = \"milvus\"` and `url` in [index], and name the file with --config";
    Nodes::engine_of(settings)?.ok_or_else(|| Fatal::Usage(none.into()))
}

/// What is measured. Names of networks are relative to the current folder.
fn networks(options: &EvaluateOptions, settings: &ModelSettings) -> Result<Vec<MeasuredNetwork>, Fatal> {
    if !options.network.is_empty() {
        let bundled = MeasuredNetwork::Bundled(Encoder::Pretrained);
        let files = options.network.iter().map(|file| Ok(MeasuredNetwork::File(absolute(file)?)));
        return std::iter::once(Ok(bundled)).chain(files).collect();
    }
    let in_force = match settings.has_own_network() {
        true => MeasuredNetwork::File(settings.network.clone()),
        false => MeasuredNetwork::Bundled(settings.encoder),
    };
    let bundled = |kind: EncoderKind| kind.encoders().into_iter().map(MeasuredNetwork::Bundled).collect();
    Ok(options.encoder.map_or_else(|| vec![in_force], bundled))
}

/// The absolute path of a file to be written. The measured pictures are only read.
fn not_measured(file: &Path, measured: &Path) -> Result<PathBuf, Fatal> {
    let (file, measured) = (absolute(file)?, absolute(measured)?);
    let is_inside = ["inventory", "query", "train"].iter().any(|part| file.starts_with(measured.join(part)));
    match is_inside {
        true => {
            Err(Fatal::Usage(format!("{}: lies among the measured pictures; choose another folder", file.display())))
        }
        false => Ok(file),
    }
}
