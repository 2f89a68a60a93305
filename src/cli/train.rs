//! `artificio train`: train now, by the running service or, where none runs, by oneself.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use log::LevelFilter;
use serde_json::Value;

use super::arguments::TrainOptions;
use super::{logging, output, report};
use crate::config;
use crate::daemon::{Daemon, LastTrainingPart, Observer, Request, STATUS_FILE_NAME, Setup, Status, ask_service};
use crate::error::Fatal;
use crate::files::Lock;

/// The status is read this often while the service trains.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// A training that has begun shows in the status before that.
const STATUS_PATIENCE: Duration = Duration::from_secs(20);

pub fn run(options: &TrainOptions, setup: Setup) -> Result<ExitCode, Fatal> {
    let config = config::load(&setup.source, &setup.root).map_err(Fatal::Usage)?;
    let folder = options.report.as_deref().map(|folder| report::folder(folder, &config)).transpose()?;
    let state = config.folders.state.clone();
    let bar = bar();
    let last = if Lock::is_held(&state) { follow(&state, &bar) } else { alone(setup, &bar) };
    bar.finish_and_clear();
    let mut last = last?;
    let has_passed = last.get("decision").and_then(Value::as_str) == Some("passed");
    if !options.json {
        output::print(&told(&last))?;
    }
    if let Some(folder) = folder {
        let id = last.get("id").and_then(Value::as_str).unwrap_or_default();
        let written = report::write(&folder, &config, id)?;
        match options.json {
            true => last["report"] = written.into(),
            false => output::print(&format!("\n{}\n", written.join("\n")))?,
        }
    }
    if options.json {
        output::print_json(&last)?;
    }
    Ok(if has_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Drawn on standard error, and only where that is a terminal.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} [{bar:30}]");
    let bar = ProgressBar::new(100).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar.with_message("waiting for pictures that are being read")
}

/// Has the running service train, and returns what came of it.
fn follow(state: &Path, bar: &ProgressBar) -> Result<Value, Fatal> {
    let reply = ask_service(state, &Request::Train, &mut || true)?;
    let Some(id) = reply.model else { return Err(Fatal::Failed(reply.message)) };
    let asked = Instant::now();
    let mut was_seen = false;
    loop {
        let bytes = std::fs::read(state.join(STATUS_FILE_NAME)).unwrap_or_default();
        let status: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let is_it = |part: &str| status.pointer(&format!("/model/{part}/id")).and_then(Value::as_str) == Some(&id);
        if is_it("last_training") {
            return Ok(status.pointer("/model/last_training").cloned().unwrap_or_default());
        }
        let is_lost = if was_seen { !is_it("training") } else { asked.elapsed() > STATUS_PATIENCE };
        if is_lost || !Lock::is_held(state) {
            return Err(Fatal::Failed(format!(
                "the training of model {id} was broken off; the log of the service says why"
            )));
        }
        was_seen |= is_it("training");
        let part = |key: &str| status.pointer(&format!("/model/training/{key}"));
        show(bar, &id, part("stage").and_then(Value::as_str), part("share").and_then(Value::as_f64));
        std::thread::sleep(LOOK_INTERVAL);
    }
}

fn show(bar: &ProgressBar, id: &str, stage: Option<&str>, share: Option<f64>) {
    bar.set_message(format!("model {id}: {}", stage.unwrap_or("waiting")));
    bar.set_position((share.unwrap_or(0.0) * 100.0) as u64);
}

/// Trains in this process, and returns what came of it.
fn alone(setup: Setup, bar: &ProgressBar) -> Result<Value, Fatal> {
    logging::start(LevelFilter::Warn);
    let mut watcher = Watcher { bar, before: None, outcome: None };
    Daemon::train(setup, &mut watcher)?;
    match watcher.outcome {
        Some(outcome) => Ok(serde_json::to_value(outcome).unwrap_or_default()),
        None => Err(Fatal::Failed("stopped before the training was over; the model is what it was".into())),
    }
}

/// Waits for the one training that the process is for.
struct Watcher<'a> {
    bar: &'a ProgressBar,
    /// The id of the training before it, as soon as it is known.
    before: Option<Option<String>>,
    outcome: Option<LastTrainingPart>,
}

impl Observer for Watcher<'_> {
    fn goes_on(&mut self, status: &Status) -> bool {
        let last = status.model.last_training.as_ref();
        let id = |last: &LastTrainingPart| last.id.clone();
        let before = self.before.get_or_insert_with(|| last.map(id));
        match &status.model.training {
            Some(training) => {
                let share = Some(f64::from(training.share));
                show(self.bar, &training.id, Some(training.stage.name()), share);
            }
            None => {
                let (files, pending) = (status.inventory.files, status.inventory.pending);
                self.bar.set_position((100 * (files - pending) / files.max(1)) as u64);
            }
        }
        if last.map(id) != *before {
            self.outcome = last.cloned();
        }
        self.outcome.is_none()
    }
}

/// What came of a training, as a person reads it.
fn told(last: &Value) -> String {
    let text = |key: &str| last.get(key).and_then(Value::as_str).unwrap_or("?");
    let end = match text("decision") {
        "passed" => "has passed and serves from now on".to_string(),
        _ => format!("is refused, and what served serves on: {}", text("reason")),
    };
    let mut told = format!("model {} {end}\n", text("id"));
    let figure = |of: &str, who: &str, key: &str| {
        last.pointer(&format!("/figures/{of}/{who}/{key}")).and_then(Value::as_f64).unwrap_or(f64::NAN)
    };
    let against = last.pointer("/figures/against").and_then(Value::as_str).unwrap_or("?");
    for of in ["inventory", "training"] {
        let Some(pictures) = last.pointer(&format!("/figures/{of}/pictures")).and_then(Value::as_u64) else { continue };
        let title = format!("{pictures} {of} pictures, sought by changed views of them");
        told += &format!("\n{title:<54}{:>6}{against:>16}\n", "it");
        for (key, what) in [
            ("apart", "deviations that they stand apart from others"),
            ("found", "1 / rank at which they are found"),
            ("lost", "share lost in the code of what tells them apart"),
        ] {
            told += &format!("  {what:<52}{:>6.3}{:>16.3}\n", figure(of, "after", key), figure(of, "before", key));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_is_told_like_this() {
        let sight = |apart| serde_json::json!({ "found": 0.9, "apart": apart, "lost": 0.25 });
        let last = serde_json::json!({
            "id": "m2-20261124", "decision": "passed", "reason": "it is as good",
            "figures": {"against": "m1-20261124",
                        "inventory": {"pictures": 36, "before": sight(4.84), "after": sight(4.91)}, "training": null},
        });
        let expected = "\
model m2-20261124 has passed and serves from now on

36 inventory pictures, sought by changed views of them    it     m1-20261124
  deviations that they stand apart from others         4.910           4.840
  1 / rank at which they are found                     0.900           0.900
  share lost in the code of what tells them apart      0.250           0.250
";
        assert_eq!(told(&last), expected);
        let refused =
            serde_json::json!({ "id": "m3", "decision": "refused", "reason": "it is worse", "figures": null });
        assert_eq!(told(&refused), "model m3 is refused, and what served serves on: it is worse\n");
    }
}
