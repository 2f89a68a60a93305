//! `artificio train`: train now, in the running service or, without one, in this process.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use log::LevelFilter;
use serde_json::Value;

use super::arguments::TrainOptions;
use super::progress_bar::{CancellableProgress, StageProgress};
use super::{logging, output, report};
use crate::config;
use crate::config::Setup;
use crate::daemon::{Daemon, Observer, Request, ask_service};
use crate::error::Fatal;
use crate::files::Lock;
use crate::model::FolderLesson;
use crate::progress::Progress;
use crate::service_status::{self, LastTrainingPart, ServiceStatus};

/// The first stage.
const READING: &str = "reading pictures";
/// The status is read this often while the service trains.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// A training that has begun is in the status by then.
const STATUS_TIMEOUT: Duration = Duration::from_secs(20);

pub fn run(options: &TrainOptions, setup: Setup) -> Result<ExitCode, Fatal> {
    let config = config::load(&setup.source, &setup.root)?;
    // A misspelt folder is an error: nothing is made there, and nothing trained.
    if !setup.root.is_dir() {
        return Err(Fatal::Usage(format!("{}: there is no such folder", setup.root.display())));
    }
    let folder = options.report.as_deref().map(|folder| report::folder(folder, &config)).transpose()?;
    let state = config.folders.state.clone();
    let mut last = if Lock::is_held(&state) { train_in_service(&state)? } else { train_here(setup)? };
    let has_passed = last.get("decision").and_then(Value::as_str) == Some("passed");
    if !options.json {
        output::print(&summary(&last))?;
    }
    if let Some(folder) = folder {
        let id = last.get("id").and_then(Value::as_str).unwrap_or_default();
        let written = report::write(&folder, &config, id)?;
        match options.json {
            true => last["report"] = [written].as_slice().into(),
            false => output::print(&format!("\n{written}\n"))?,
        }
    }
    if options.json {
        output::print_json(&last)?;
    }
    Ok(if has_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Has the running service train, and returns the result.
fn train_in_service(state: &Path) -> Result<Value, Fatal> {
    let bar = CancellableProgress::new()?;
    bar.stage(READING);
    let last = follow(state, &bar);
    bar.clear();
    last
}

fn follow(state: &Path, bar: &CancellableProgress) -> Result<Value, Fatal> {
    let reply = ask_service(state, &Request::Train, &mut || !bar.is_cancelled())?;
    let Some(id) = reply.model else { return Err(Fatal::Failed(reply.message)) };
    let asked = Instant::now();
    let mut was_seen = false;
    loop {
        let text = service_status::read(state).unwrap_or_default();
        let status: Value = serde_json::from_str(&text).unwrap_or_default();
        let is_ours = |part: &str| status.pointer(&format!("/model/{part}/id")).and_then(Value::as_str) == Some(&id);
        if is_ours("last_training") {
            return Ok(status.pointer("/model/last_training").cloned().unwrap_or_default());
        }
        let is_lost = if was_seen { !is_ours("training") } else { asked.elapsed() > STATUS_TIMEOUT };
        if is_lost || !Lock::is_held(state) {
            return Err(Fatal::Failed(format!(
                "the training of model {id} was aborted; the log of the service says why"
            )));
        }
        if bar.is_cancelled() {
            let whose = format!("the service goes on with the training of model {id}");
            return Err(Fatal::Failed(format!("stopped watching; {whose}: artificio status says how far it is")));
        }
        was_seen |= is_ours("training");
        let part = |key: &str| status.pointer(&format!("/model/training/{key}"));
        show(bar.stages(), &id, part("stage").and_then(Value::as_str), part("share").and_then(Value::as_f64));
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn show(stages: &StageProgress, id: &str, stage: Option<&str>, share: Option<f64>) {
    stages.stage(&format!("model {id}: {}", stage.unwrap_or("waiting")));
    stages.set_share(share.unwrap_or(0.0) as f32);
}

/// Trains in this process, and returns the result.
fn train_here(setup: Setup) -> Result<Value, Fatal> {
    logging::start(LevelFilter::Warn);
    let stages = StageProgress::new();
    stages.stage(READING);
    let mut watcher = Watcher { stages: &stages, before: None, outcome: None };
    let trained = Daemon::train(setup, &mut watcher);
    stages.clear();
    trained?;
    match watcher.outcome {
        Some(outcome) => Ok(serde_json::to_value(outcome).unwrap_or_default()),
        None => Err(Fatal::Failed("stopped before the training was done; the model has not changed".into())),
    }
}

/// Waits for the one training that the process is for.
struct Watcher<'a> {
    stages: &'a StageProgress,
    /// The id of the training before it, as soon as it is known.
    before: Option<Option<String>>,
    outcome: Option<LastTrainingPart>,
}

impl Observer for Watcher<'_> {
    fn goes_on(&mut self, status: &ServiceStatus) -> bool {
        let last = status.model.last_training.as_ref();
        let id = |last: &LastTrainingPart| last.id.clone();
        let before = self.before.get_or_insert_with(|| last.map(id));
        match &status.model.training {
            Some(training) => {
                let share = Some(f64::from(training.share));
                show(self.stages, &training.id, Some(training.stage.name()), share);
            }
            None => {
                let (files, pending) = (status.inventory.files, status.inventory.pending);
                self.stages.set_share((files - pending) as f32 / files.max(1) as f32);
            }
        }
        if last.map(id) != *before {
            self.outcome = last.cloned();
        }
        self.outcome.is_none()
    }
}

/// The result of a training as text.
fn summary(last: &Value) -> String {
    let text = |key: &str| last.get(key).and_then(Value::as_str).unwrap_or("?");
    let end = match text("decision") {
        "passed" => "passed and serves from now on".to_string(),
        _ => format!("is refused, and the previous one goes on serving: {}", text("reason")),
    };
    let mut lines = format!("model {} {end}\n", text("id"));
    let lesson = last
        .pointer("/figures/folders")
        .cloned()
        .and_then(|lesson| serde_json::from_value::<FolderLesson>(lesson).ok());
    lines += &lesson.map(|lesson| format!("{}\n", lesson.sentence())).unwrap_or_default();
    let figure = |of: &str, who: &str, key: &str| {
        last.pointer(&format!("/figures/{of}/{who}/{key}")).and_then(Value::as_f64).unwrap_or(f64::NAN)
    };
    let against = last.pointer("/figures/against").and_then(Value::as_str).unwrap_or("?");
    for of in ["inventory", "training"] {
        let Some(pictures) = last.pointer(&format!("/figures/{of}/pictures")).and_then(Value::as_u64) else { continue };
        lines += &format!("\n{pictures} {of} pictures, searched for by altered views of them\n");
        lines += &format!("{:<32}{:>9}{against:>16}\n", "", "new model");
        for (key, what) in [
            ("apart", "separation score"),
            ("found", "mean reciprocal rank"),
            ("lost", "relative reconstruction error"),
        ] {
            let [after, before] = ["after", "before"].map(|who| match figure(of, who, key) {
                // A network that has learned nothing decodes worse than a constant would.
                share if key == "lost" && share > 1.0 => "all".into(),
                figure => format!("{figure:.3}"),
            });
            lines += &format!("  {what:<30}{after:>9}{before:>16}\n");
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_reads_like_this() {
        let figures = |apart| serde_json::json!({ "found": 0.9, "apart": apart, "lost": 0.25 });
        let last = serde_json::json!({
            "id": "m2-20261124", "decision": "passed", "reason": "it is as good",
            "figures": {"against": "m1-20261124",
                        "inventory": {"pictures": 36, "before": figures(4.84), "after": figures(4.91)}, "training": null,
                        "folders": FolderLesson { taught: true, folders: 6, before: 0.5, after: 0.75, ..FolderLesson::default() }},
        });
        let expected = "\
model m2-20261124 passed and serves from now on
6 folders taught: found right first 75 % instead of 50 %

36 inventory pictures, searched for by altered views of them
                                new model     m1-20261124
  separation score                  4.910           4.840
  mean reciprocal rank              0.900           0.900
  relative reconstruction error     0.250           0.250
";
        assert_eq!(summary(&last), expected);
        let refused =
            serde_json::json!({ "id": "m3", "decision": "refused", "reason": "it is worse", "figures": null });
        assert_eq!(summary(&refused), "model m3 is refused, and the previous one goes on serving: it is worse\n");
    }
}
