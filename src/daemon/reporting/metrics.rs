//! Writes `metrics.prom`, the daemon's metrics for the textfile collector of Prometheus' node exporter. Counters start at zero
//! with the process, as is usual there.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::engine_metrics;
use super::exposition::Exposition;
use crate::answer;
use crate::catalog::{ModelRow, Root};
use crate::daemon::retry::RETRY_PAUSE;
use crate::error::Trouble;
use crate::files::replace_quick;
use crate::service_status::{ServiceStatus, State};

/// The file's name inside the state folder.
pub const FILE_NAME: &str = "metrics.prom";
/// The file is written at most this often: collectors look at it every 15 to 60 seconds.
const PAUSE: Duration = Duration::from_secs(15);
/// ... and at least this often, so that its age shows whether the daemon is alive.
const INTERVAL: Duration = Duration::from_secs(60);
/// Upper bounds of the answers' times, in seconds.
const ANSWER_BOUNDS_S: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Upper bounds of the turns of the event loop, in seconds.
const TURN_BOUNDS_S: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Every status an answer may have.
const STATUSES: [answer::Status; 4] =
    [answer::Status::Ok, answer::Status::Partial, answer::Status::NothingSimilar, answer::Status::Error];

/// The counters, and when they were last written.
#[derive(Debug, Default)]
pub struct Metrics {
    answers: BTreeMap<&'static str, u64>,
    /// Number of answers for each of [`ANSWER_BOUNDS_S`]; the last is for those slower than all.
    answers_within: [u64; ANSWER_BOUNDS_S.len() + 1],
    answers_s: f64,
    read: BTreeMap<Root, u64>,
    encoded: u64,
    unusable: BTreeMap<Root, u64>,
    troubles: u64,
    /// Number of turns for each of [`TURN_BOUNDS_S`], and of those slower than all.
    turns_within: [u64; TURN_BOUNDS_S.len() + 1],
    turns: Duration,
    longest_turn: Duration,
    model: Option<ModelFacts>,
    written: Option<(Duration, String)>,
    next_write: Duration,
}

/// Of the model that serves.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFacts {
    id: String,
    created_s: i64,
    reconstruction_error: f32,
}

impl From<ModelRow> for ModelFacts {
    fn from(row: ModelRow) -> Self {
        Self { id: row.id, created_s: row.created_s, reconstruction_error: row.reconstruction_error }
    }
}

/// Current values that are not in the status.
pub struct Facts<'a> {
    /// As many as the system allows this user, in all programs; `None` when it does not say.
    pub watches_allowed: Option<u64>,
    /// Jobs queued and under way.
    pub pending: [(Root, usize); 3],
    /// All folders are scanned on a timer, because events do not arrive.
    pub is_polling: bool,
    /// The inventory folder is out of reach.
    pub is_inventory_offline: bool,
    /// The subjects of the daemon's own problems.
    pub degraded: Vec<&'a str>,
}

/// Which of the buckets with these upper bounds a value falls into; the one after the last is for what is above all.
fn bucket(bounds: &[f64], value: f64) -> usize {
    bounds.iter().position(|bound| value <= *bound).unwrap_or(bounds.len())
}

impl Metrics {
    /// An answer was written, `total_ms` after its query's turn came.
    pub fn count_answer(&mut self, status: answer::Status, total_ms: f64) {
        *self.answers.entry(status.name()).or_default() += 1;
        let seconds = total_ms / 1_000.0;
        self.answers_within[bucket(&ANSWER_BOUNDS_S, seconds)] += 1;
        self.answers_s += seconds;
    }

    /// A picture was read; `is_new`: its content had no features yet.
    pub fn count_picture(&mut self, root: Root, is_new: bool) {
        *self.read.entry(root).or_default() += 1;
        self.encoded += u64::from(is_new);
    }

    /// A file could not be used.
    pub fn count_unusable(&mut self, root: Root) {
        *self.unusable.entry(root).or_default() += 1;
    }

    /// A turn of the event loop took this long.
    pub fn count_turn(&mut self, took: Duration) {
        self.turns_within[bucket(&TURN_BOUNDS_S, took.as_secs_f64())] += 1;
        self.turns += took;
        self.longest_turn = self.longest_turn.max(took);
    }

    /// Counts a problem of the daemon itself.
    pub fn count_trouble(&mut self) {
        self.troubles += 1;
    }

    /// Number of problems of the daemon itself.
    #[cfg(test)]
    pub fn troubles(&self) -> u64 {
        self.troubles
    }

    /// Whether the facts of `model` are missing.
    pub fn lacks(&self, model: &str) -> bool {
        self.model.as_ref().is_none_or(|known| known.id != model)
    }

    /// Sets the facts of the model that serves, from the catalog.
    pub fn set_model(&mut self, id: &str, row: Option<ModelRow>) {
        let unknown = || ModelFacts { id: id.into(), created_s: 0, reconstruction_error: 0.0 };
        self.model = Some(row.filter(|row| row.id == id).map_or_else(unknown, ModelFacts::from));
    }

    /// Whether it is time to write the file if something changed.
    pub fn is_due(&self, now: Duration, state: State) -> bool {
        let is_over = matches!(state, State::Stopping);
        is_over || now >= self.next_write
    }

    /// Writes the file into the state folder, unless its content is the same and recent.
    pub fn write(
        &mut self,
        now: Duration,
        status: &ServiceStatus,
        facts: &Facts<'_>,
        folder: &Path,
    ) -> Result<(), Trouble> {
        let text = self.text(status, facts);
        // The turns alone are no reason to write: even an idle loop turns.
        let is_current = |(at, last): &(Duration, String)| *last == text && now.saturating_sub(*at) < INTERVAL;
        if self.written.as_ref().is_some_and(is_current) {
            return Ok(());
        }
        let whole = format!("{text}{}", self.turns_text());
        let written = replace_quick(&folder.join(FILE_NAME), whole.as_bytes(), "write the metrics");
        self.next_write = now + if written.is_ok() { PAUSE } else { RETRY_PAUSE };
        self.written = written.is_ok().then_some((now, text));
        written
    }

    fn text(&self, status: &ServiceStatus, facts: &Facts<'_>) -> String {
        let mut out = Exposition::default();
        self.render_state(&mut out, status, facts);
        self.render_answers(&mut out);
        self.render_pictures(&mut out, status, facts);
        self.render_model(&mut out, status);
        status.engine.iter().for_each(|engine| engine_metrics::render(&mut out, engine));
        out.into_text()
    }

    fn render_state(&self, out: &mut Exposition, status: &ServiceStatus, facts: &Facts<'_>) {
        out.gauge("artificio_info", "The program that runs.");
        out.labelled("artificio_info", &[("version", status.version)], 1.0);
        out.gauge("artificio_start_time_seconds", "When the process started, in seconds since 1970.");
        out.plain("artificio_start_time_seconds", status.started_s as f64);
        out.gauge("artificio_state", "1 for the state it is in.");
        for state in [State::Starting, State::Ready, State::Degraded, State::Stopping] {
            let is_it = f64::from(u8::from(state == status.state));
            out.labelled("artificio_state", &[("state", state.name())], is_it);
        }
        out.gauge(
            "artificio_problems",
            "Problems that need a person: files that cannot be used, and the service's own.",
        );
        out.plain("artificio_problems", status.problem_count as f64);
        out.gauge("artificio_degraded", "1 for each part of the service that is in trouble.");
        for about in &facts.degraded {
            out.labelled("artificio_degraded", &[("about", about)], 1.0);
        }
        out.counter("artificio_troubles_total", "Troubles of the service itself since the start.");
        out.plain("artificio_troubles_total", self.troubles as f64);
        out.gauge("artificio_polling", "1 while events do not arrive and every folder is scanned regularly.");
        out.plain("artificio_polling", f64::from(u8::from(facts.is_polling)));
        out.gauge("artificio_watches", "Folders for which the system sends events.");
        out.plain("artificio_watches", status.watched_folders as f64);
        if let Some(allowed) = facts.watches_allowed {
            out.gauge("artificio_watches_allowed", "Watched folders that the system allows the user, in all programs.");
            out.plain("artificio_watches_allowed", allowed as f64);
        }
    }

    fn render_answers(&self, out: &mut Exposition) {
        out.counter("artificio_answers_total", "Answers written since the start, by the status in their record.");
        for status in STATUSES {
            let count = self.answers.get(status.name()).copied().unwrap_or(0);
            out.labelled("artificio_answers_total", &[("status", status.name())], count as f64);
        }
        let counts = self.answers_within;
        let help = "Time from a query's turn to its written answer.";
        out.histogram("artificio_answer_seconds", help, &ANSWER_BOUNDS_S, &counts, self.answers_s);
    }

    fn render_pictures(&self, out: &mut Exposition, status: &ServiceStatus, facts: &Facts<'_>) {
        out.gauge("artificio_queue", "What waits or is under way, by folder.");
        for (root, pending) in facts.pending {
            out.labelled("artificio_queue", &[("folder", root.name())], pending as f64);
        }
        out.gauge("artificio_inventory_pictures", "Pictures of the inventory.");
        let inventory = &status.inventory;
        let parts = [("indexed", inventory.indexed), ("pending", inventory.pending), ("failed", inventory.failed)];
        for (part, count) in parts {
            out.labelled("artificio_inventory_pictures", &[("state", part)], count as f64);
        }
        out.gauge(
            "artificio_inventory_offline",
            "1 while the inventory folder or a disk in it is missing or suddenly empty.",
        );
        out.plain("artificio_inventory_offline", f64::from(u8::from(facts.is_inventory_offline)));
        out.counter("artificio_pictures_read_total", "Inventory and training pictures read since the start.");
        for root in [Root::Inventory, Root::Training] {
            let count = self.read.get(&root).copied().unwrap_or(0);
            out.labelled("artificio_pictures_read_total", &[("folder", root.name())], count as f64);
        }
        out.counter("artificio_unusable_total", "Files that could not be used since the start.");
        for root in Root::ALL {
            let count = self.unusable.get(&root).copied().unwrap_or(0);
            out.labelled("artificio_unusable_total", &[("folder", root.name())], count as f64);
        }
        out.counter("artificio_encoded_total", "Pictures that went through the network since the start.");
        out.plain("artificio_encoded_total", self.encoded as f64);
    }

    fn turns_text(&self) -> String {
        let mut out = Exposition::default();
        let help = "Time of one turn of the event loop; events, signals and jobs wait for it.";
        out.histogram("artificio_turn_seconds", help, &TURN_BOUNDS_S, &self.turns_within, self.turns.as_secs_f64());
        out.gauge("artificio_turn_longest_seconds", "The longest turn of the event loop since the start.");
        out.plain("artificio_turn_longest_seconds", self.longest_turn.as_secs_f64());
        out.into_text()
    }

    fn render_model(&self, out: &mut Exposition, status: &ServiceStatus) {
        out.gauge("artificio_model_info", "The model that serves.");
        out.labelled("artificio_model_info", &[("id", &status.model.id), ("encoder", status.model.encoder)], 1.0);
        out.gauge("artificio_model_trained_on", "Pictures the model that serves was trained on; 0 before a training.");
        out.plain("artificio_model_trained_on", status.model.trained_on as f64);
        if let Some(model) = self.model.as_ref().filter(|model| model.created_s > 0) {
            out.gauge(
                "artificio_model_created_seconds",
                "When the model that serves was trained, in seconds since 1970.",
            );
            out.plain("artificio_model_created_seconds", model.created_s as f64);
            let help = "Share of the variance between the training pictures that the model loses.";
            out.gauge("artificio_model_reconstruction_error", help);
            out.plain("artificio_model_reconstruction_error", f64::from(model.reconstruction_error));
        }
        out.gauge("artificio_training", "1 while a model is trained.");
        out.plain("artificio_training", f64::from(u8::from(status.model.training.is_some())));
        let Some(last) = &status.model.last_training else { return };
        out.gauge("artificio_last_training_refused", "1 when the last trained model was not good enough to serve.");
        out.plain("artificio_last_training_refused", f64::from(u8::from(last.decision == "refused")));
        out.gauge("artificio_last_training_figure", "What the decision about the last trained model rests on.");
        for (figure, value) in last.figures.as_object().into_iter().flatten() {
            if let Some(value) = Value::as_f64(value) {
                out.labelled("artificio_last_training_figure", &[("figure", figure)], value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::service_status::{InventoryPart, LastTrainingPart, QueriesPart, ServedModelPart, ServiceSettingsPart};

    fn status() -> ServiceStatus {
        let figures = serde_json::json!({ "distinct": 54, "named": "x" });
        let last = LastTrainingPart { id: "m1".into(), decision: "refused", reason: "it knows less".into(), figures };
        ServiceStatus {
            state: State::Degraded,
            pid: 1,
            version: "0.1.0",
            started_s: 1_700_000_000,
            engine: None,
            watched_folders: 12,
            degraded_by: Vec::new(),
            settings: ServiceSettingsPart { reloads: 0, problem: None },
            confined: crate::sandbox::Confinement::none("this is a test").report().clone(),
            awaiting_restart: Vec::new(),
            inventory: InventoryPart {
                files: 40,
                indexed: 36,
                pending: 3,
                failed: 1,
                paired: 0,
                excluded: 0,
                per_second: None,
                remaining_s: None,
            },
            queries: QueriesPart { answered: 1, failed: 1, pending: 0 },
            model: ServedModelPart {
                id: "m1 \"quoted\"".into(),
                encoder: "pretrained",
                trained_on: 36,
                folders: crate::model::FolderReport::none(""),
                network: crate::service_status::NetworkPart { name: "bundled".into(), next: None },
                training: None,
                last_training: Some(last),
            },
            problem_count: 2,
            problems: Vec::new(),
        }
    }

    fn facts() -> Facts<'static> {
        Facts {
            watches_allowed: Some(8_192),
            pending: Root::ALL.map(|root| (root, 3)),
            is_polling: true,
            is_inventory_offline: false,
            degraded: vec!["catalog", "watcher"],
        }
    }

    /// Every value follows the announcement of its metric, each metric is announced once, every value is a number.
    fn assert_well_formed(text: &str) {
        let (mut announced, mut current) = (HashSet::new(), "");
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                current = rest.split(' ').next().unwrap();
                assert!(announced.insert(current), "announced twice: {line}");
            } else if !line.starts_with("# HELP ") {
                let (name, value) = line.rsplit_once(' ').unwrap();
                let name = name.split('{').next().unwrap();
                let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
                assert!(name == current || base == Some(current), "{line} stands below {current}");
                assert!(value.parse::<f64>().is_ok(), "{line}");
            }
        }
        assert!(announced.len() > 15, "only {} names", announced.len());
    }

    #[test]
    fn what_was_counted_is_reported() {
        let mut metrics = Metrics::default();
        metrics.count_answer(answer::Status::Ok, 40.0);
        metrics.count_answer(answer::Status::Error, 60_000.0);
        metrics.count_picture(Root::Inventory, true);
        metrics.count_picture(Root::Inventory, false);
        metrics.count_unusable(Root::Query);
        metrics.set_model("m1", None);
        for ms in [2, 300, 7_000] {
            metrics.count_turn(Duration::from_millis(ms));
        }
        let text = metrics.text(&status(), &facts()) + &metrics.turns_text();
        assert_well_formed(&text);
        for line in [
            "artificio_state{state=\"degraded\"} 1",
            "artificio_state{state=\"ready\"} 0",
            "artificio_answers_total{status=\"ok\"} 1",
            "artificio_answers_total{status=\"partial\"} 0",
            "artificio_answer_seconds_bucket{le=\"0.05\"} 1",
            "artificio_answer_seconds_bucket{le=\"30\"} 1",
            "artificio_answer_seconds_bucket{le=\"+Inf\"} 2",
            "artificio_answer_seconds_count 2",
            "artificio_pictures_read_total{folder=\"inventory\"} 2",
            "artificio_encoded_total 1",
            "artificio_turn_seconds_bucket{le=\"0.25\"} 1",
            "artificio_turn_seconds_bucket{le=\"5\"} 2",
            "artificio_turn_seconds_count 3",
            "artificio_turn_longest_seconds 7",
            "artificio_unusable_total{folder=\"query\"} 1",
            "artificio_degraded{about=\"watcher\"} 1",
            "artificio_watches_allowed 8192",
            "artificio_last_training_refused 1",
            "artificio_last_training_figure{figure=\"distinct\"} 54",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn the_file_is_written_on_changes_and_once_a_minute_but_never_often() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        let (at, mut metrics) = (Duration::from_secs, Metrics::default());
        let is_written = |metrics: &mut Metrics, seconds: u64, state: State| {
            let _ = std::fs::remove_file(&path);
            if metrics.is_due(at(seconds), state) {
                metrics.write(at(seconds), &status(), &facts(), folder.path()).unwrap();
            }
            path.exists()
        };
        assert!(is_written(&mut metrics, 0, State::Ready), "at once");
        metrics.count_picture(Root::Inventory, true);
        metrics.count_turn(Duration::from_millis(1));
        assert!(!is_written(&mut metrics, 14, State::Ready), "too soon");
        assert!(is_written(&mut metrics, 15, State::Ready), "changed");
        metrics.count_turn(Duration::from_millis(1));
        assert!(!is_written(&mut metrics, 74, State::Ready), "the content is the same");
        assert!(is_written(&mut metrics, 75, State::Ready), "a sign of life");
        metrics.count_trouble();
        assert!(is_written(&mut metrics, 76, State::Stopping), "the last word");
        let gone = folder.path().join("gone");
        metrics.count_trouble();
        assert!(metrics.is_due(at(100), State::Ready));
        assert!(metrics.write(at(100), &status(), &facts(), &gone).is_err());
        assert!(!metrics.is_due(at(104), State::Ready), "not at once");
        assert!(is_written(&mut metrics, 105, State::Ready), "the same content, sooner than otherwise");
    }
}
