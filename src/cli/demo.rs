//! `artificio demo`: the real service on a picture store of the program's own drawing.

mod store;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use log::LevelFilter;
use serde_json::Value;

use super::arguments::{DemoOptions, absolute};
use super::progress_bar::StageProgress;
use super::{logging, output};
use crate::config::Setup;
use crate::config::Source;
use crate::daemon::{Daemon, Observer};
use crate::error::{Fatal, Trouble};
use crate::files::{make_folder, write_whole};
use crate::progress::Progress;
use crate::service_status::{ServiceStatus, State};

use store::{draw_queries, draw_store};

/// The shipped settings, but the demo does not wait for more training pictures to come.
const SETTINGS: &str = include_str!("../../config/artificio.toml");

/// Tells a folder made by the demo from everybody else's.
const MARKER: &str = ".artificio-demo";

pub fn run(options: &DemoOptions) -> Result<ExitCode, Fatal> {
    logging::start(LevelFilter::Warn);
    let root = absolute(&options.dir)?;
    let started = Instant::now();
    prepare(&root)?;
    let gauge = StageProgress::new();
    gauge.stage("drawing a picture store");
    draw_store(&root, &gauge)?;
    gauge.suspend(|| say(&format!("picture store of the program's own drawing: {}\n", root.display())));
    gauge.stage("reading the inventory");
    let mut guide = Guide {
        root: root.clone(),
        keeps_running: options.watch,
        gauge,
        queries: Vec::new(),
        step: Step::Reading,
        trouble: None,
        started,
    };
    let source = Source { path: root.join("config/artificio.toml"), required: true };
    let ran = Daemon::run(Setup { root, source }, &mut guide);
    guide.gauge.clear();
    ran?;
    match guide.trouble {
        Some(trouble) => Err(trouble.into()),
        None if guide.step == Step::Answered => Ok(ExitCode::SUCCESS),
        None => Err(Fatal::Failed("stopped before the queries were answered".into())),
    }
}

/// A folder with other things in it, a picture store in use above all, is not taken for a demo.
fn prepare(root: &Path) -> Result<(), Fatal> {
    let (settings, marker) = (root.join("config/artificio.toml"), root.join(MARKER));
    if marker.exists() {
        return Ok(());
    }
    let is_empty = std::fs::read_dir(root).map_or(true, |mut entries| entries.next().is_none());
    if !is_empty {
        return Err(Fatal::Usage(format!(
            "{}: this folder holds other things; name an empty or a new one: artificio demo DIR",
            root.display()
        )));
    }
    make_folder(&root.join("config"))?;
    write_whole(&marker, b"made by `artificio demo`\n", "mark the folder as a demo")?;
    write_whole(&settings, settings_text().as_bytes(), "write the settings")?;
    Ok(())
}

fn settings_text() -> String {
    SETTINGS.replace("quiet_s = 3 ", "quiet_s = 0 ")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The inventory is being read and the model trained.
    Reading,
    /// The queries are there.
    Asked,
    /// The queries are answered.
    Answered,
}

/// Leads through the demo: waits for the model, asks, waits for the answers, shows them.
struct Guide {
    root: PathBuf,
    keeps_running: bool,
    gauge: StageProgress,
    queries: Vec<PathBuf>,
    step: Step,
    trouble: Option<Trouble>,
    started: Instant,
}

impl Observer for Guide {
    fn goes_on(&mut self, status: &ServiceStatus) -> bool {
        if !matches!(status.state, State::Ready | State::Degraded) {
            return true;
        }
        let inventory = &status.inventory;
        match (self.step, &status.model.training) {
            (Step::Reading, Some(training)) => {
                self.gauge.stage("training a model");
                self.gauge.told(training.share);
            }
            (Step::Reading, None) => {
                self.gauge.told((inventory.files - inventory.pending) as f32 / inventory.files.max(1) as f32);
            }
            _ => {}
        }
        let is_trained = status.model.trained_on > 0 && status.model.training.is_none();
        if self.step == Step::Reading && inventory.pending == 0 && inventory.indexed > 0 && is_trained {
            return self.ask(status);
        }
        if self.step == Step::Asked
            && status.queries.pending == 0
            && self.queries.iter().all(|query| self.is_answered(query))
        {
            self.step = Step::Answered;
            self.gauge.clear();
            self.show();
            if self.keeps_running {
                // From now on whoever drops pictures wants to see what becomes of them.
                log::set_max_level(LevelFilter::Info);
            }
            return self.keeps_running;
        }
        true
    }
}

impl Guide {
    fn ask(&mut self, status: &ServiceStatus) -> bool {
        self.gauge.suspend(|| {
            say(&format!("read {} inventory pictures\n", status.inventory.indexed));
            say(&format!("trained a model on {} pictures\n", status.model.trained_on));
        });
        self.gauge.stage("answering");
        self.step = Step::Asked;
        match draw_queries(&self.root) {
            Ok(queries) => self.queries = queries,
            Err(trouble) => self.trouble = Some(trouble),
        }
        self.trouble.is_none()
    }

    fn answer(&self, query: &Path, end: &str) -> PathBuf {
        let stem = query.file_stem().unwrap_or_default().to_string_lossy();
        self.root.join("answer").join(format!("result_{stem}.{end}"))
    }

    fn is_answered(&self, query: &Path) -> bool {
        self.answer(query, "json").exists()
    }

    fn show(&self) {
        let took_s = self.started.elapsed().as_secs_f64();
        let mut text = format!("answered {} queries, {took_s:.1} s after the start:\n\n", self.queries.len());
        for query in &self.queries {
            let name = query.file_name().unwrap_or_default().to_string_lossy();
            let what = if query.is_dir() { " (a set of pictures)" } else { "" };
            text += &format!("  asked  query/{name}{what}\n");
            text += &format!("  found  {}\n", self.found(query).join(", "));
            text += &format!("  sheet  {}\n\n", self.answer(query, "png").display());
        }
        if self.keeps_running {
            let folder = self.root.join("query");
            text += &format!("still running: drop a picture into {} (Ctrl-C ends it)\n", folder.display());
        }
        say(&text);
    }

    /// Names of the matches, from the record.
    fn found(&self, query: &Path) -> Vec<String> {
        let text = std::fs::read_to_string(self.answer(query, "json")).unwrap_or_default();
        let record: Value = serde_json::from_str(&text).unwrap_or_default();
        let matches = record.get("matches").and_then(Value::as_array);
        let path = |found: &Value| Some(found.get("path")?.as_str()?.rsplit('/').next()?.to_string());
        matches.into_iter().flatten().filter_map(path).collect()
    }
}

/// Prints; the store and its sheets are worth having also where nobody reads on (`artificio demo | head`).
fn say(text: &str) {
    if let Err(fatal) = output::print(text) {
        log::warn!("{fatal}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_does_not_wait_for_more_training_pictures() {
        let config = crate::config::parse(Path::new("artificio.toml"), &settings_text()).unwrap();
        assert_eq!(config.model.quiet_s.get(), 0);
    }

    #[test]
    fn a_store_in_use_is_not_drawn_into() {
        let root = tempfile::tempdir().unwrap();
        prepare(root.path()).unwrap();
        prepare(root.path()).unwrap();
        let used = tempfile::tempdir().unwrap();
        make_folder(&used.path().join("config")).unwrap();
        std::fs::write(used.path().join("config/artificio.toml"), SETTINGS).unwrap();
        assert_eq!(prepare(used.path()).unwrap_err().exit_code(), 2);
    }
}
