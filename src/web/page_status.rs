//! What the page says of the daemon, from its `status.json`.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::files::Lock;
use crate::service_status;

/// So many problems are shown; the rest is counted.
const MOST_PROBLEMS: usize = 5;

/// What the daemon is doing.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct PageStatus {
    /// Whether it runs.
    pub is_running: bool,
    /// "starting", "ready", "degraded", "stopping".
    state: String,
    /// Pictures that can be found.
    indexed: u64,
    /// Pictures still to be read.
    pending: u64,
    /// Seconds until they are read.
    remaining_s: Option<u64>,
    /// Queries that wait for their answer.
    pub waiting: u64,
    /// "fitting", and how much of that is done, 0 to 1.
    training: Option<(String, f64)>,
    problem_count: u64,
    problems: Vec<Value>,
}

impl PageStatus {
    /// That of the daemon with this state folder.
    pub fn read(state_folder: &Path) -> Self {
        let status = service_status::read(state_folder).ok().and_then(|text| serde_json::from_str(&text).ok());
        Self::of(&status.unwrap_or_default(), Lock::is_held(state_folder))
    }

    fn of(status: &Value, is_running: bool) -> Self {
        let number = |at: &str| status.pointer(at).and_then(Value::as_u64);
        let training = status.pointer("/model/training").filter(|training| training.is_object());
        let problems =
            status["problems"].as_array().map(|problems| problems.iter().take(MOST_PROBLEMS).cloned().collect());
        Self {
            is_running,
            state: status["state"].as_str().unwrap_or_default().into(),
            indexed: number("/inventory/indexed").unwrap_or(0),
            pending: number("/inventory/pending").unwrap_or(0),
            remaining_s: number("/inventory/remaining_s"),
            waiting: number("/queries/pending").unwrap_or(0),
            training: training.map(|training| {
                (training["stage"].as_str().unwrap_or_default().into(), training["share"].as_f64().unwrap_or(0.0))
            }),
            problem_count: number("/problem_count").unwrap_or(0),
            problems: problems.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_status_is_shortened_and_absence_is_no_error() {
        let status = json!({
            "state": "ready", "inventory": {"indexed": 9, "pending": 3, "remaining_s": null}, "queries": {"pending": 2},
            "model": {"training": {"stage": "fitting", "share": 0.5}}, "problem_count": 7, "problems": vec![json!({"what": "x"}); 7],
        });
        let read = PageStatus::of(&status, true);
        assert_eq!((read.indexed, read.pending, read.remaining_s, read.waiting), (9, 3, None, 2));
        assert_eq!(read.training, Some(("fitting".into(), 0.5)));
        assert_eq!((read.problem_count, read.problems.len()), (7, MOST_PROBLEMS));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(PageStatus::read(folder.path()), PageStatus::default());
    }
}
