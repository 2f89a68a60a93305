//! `artificio evaluate`: figures as a table, or as JSON.

use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::EvaluateOptions;
use crate::config::{self, ModelSettings};
use crate::daemon::Setup;
use crate::error::Fatal;
use crate::evaluate::{Report, Wanted, measure};
use crate::picture::{Bounds, silence_caught_panics};

pub fn run(options: &EvaluateOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    silence_caught_panics();
    let config = config::load(&setup.source, &setup.root).map_err(Fatal::Usage)?;
    let wanted = Wanted {
        folder: options.dir.clone(),
        leave_one_out: options.leave_one_out,
        settings: ModelSettings { encoder: options.encoder.into(), ..config.model },
        bounds: Bounds::from(&config.limits),
    };
    // Drawn on standard error, and only where that is a terminal.
    let style = ProgressStyle::with_template("looking at pictures {pos}/{len} [{bar:30}]");
    let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let report = measure(&wanted, &|done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    for trouble in &report.left_out {
        eprintln!("artificio: left out: {trouble}");
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        print!("{}", table(&report));
    }
    Ok(ExitCode::SUCCESS)
}

fn table(report: &Report) -> String {
    let mut text = format!("{:<12}{:>8}{:>8}{:>8}\n", "method", "P@1", "P@5", "mAP");
    for row in &report.rows {
        let figures = &row.figures;
        text += &format!("{:<12}{:>8.3}{:>8.3}{:>8.3}\n", row.method, figures.p_at_1, figures.p_at_5, figures.map);
    }
    text + &format!(
        "\n{} queries against {} pictures; trained on {} pictures, {} values a code, {:.1} % of the variance kept\n",
        report.queries,
        report.inventory,
        report.trained_on,
        report.code_width,
        100.0 * (1.0 - report.reconstruction_error)
    )
}
