//! `artificio evaluate`: figures as a table, or as JSON.

use std::process::ExitCode;

use super::arguments::{EncoderKind, EvaluateOptions};
use super::output;
use super::progress_bar::CancellableProgress;
use crate::config;
use crate::config::Setup;
use crate::error::Fatal;
use crate::evaluate::{Evaluation, EvaluationOptions, LabelledPictures, ModelFigures};
use crate::picture::{Bounds, silence_caught_panics};

pub fn run(options: &EvaluateOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    silence_caught_panics();
    let config = config::load(&setup.source, &setup.root)?;
    let wanted = EvaluationOptions {
        folder: options.dir.clone(),
        leave_one_out: options.leave_one_out,
        encoders: options.encoder.map_or_else(|| vec![config.model.encoder], EncoderKind::encoders),
        settings: config.model,
        metric: config.similarity.metric,
        seed: options.seed,
        bounds: Bounds::from(&config.limits),
    };
    let bar = CancellableProgress::new()?;
    bar.stage("looking at pictures");
    let pictures = LabelledPictures::look(&wanted, &bar)?.ok_or_else(|| bar.stopped())?;
    bar.stage("training");
    let report = pictures.measure(&wanted, &bar)?.ok_or_else(|| bar.stopped())?;
    bar.clear();
    for trouble in &report.left_out {
        eprintln!("artificio: left out: {}", output::harmless(&trouble.to_string()));
    }
    match options.json {
        true => output::print_json(&report)?,
        false => output::print(&table(&report))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn table(report: &Evaluation) -> String {
    let mut text = format!("{:<14}{:>8}{:>8}{:>8}{:>8}{:>9}\n", "method", "P@1", "P@5", "P@10", "mAP", "queries");
    for row in &report.rows {
        let (method, figures) = (row.method, &row.figures);
        text += &format!("{method:<14}");
        for figure in [figures.p_at_1, figures.p_at_5, figures.p_at_10, figures.map] {
            text += &format!("{figure:>8.3}");
        }
        text += &format!("{:>9}\n", row.queries);
    }
    text += &format!("\n{} pictures searched, {} trained on\n", report.inventory, report.trained_on);
    for ModelFigures { encoder, embedding_width, reconstruction_error } in &report.models {
        let (name, kept) = (encoder.name(), 100.0 * (1.0 - reconstruction_error));
        text += &format!("{name} encoder: {embedding_width} values a code, {kept:.1} % of the variance kept\n");
    }
    text
}
