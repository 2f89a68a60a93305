//! The state of the reports: the daemon's own problems, and what was last written as status, metrics and gallery.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use log::{info, warn};

use super::Pacer;
use super::reading::ReadingLog;
use crate::daemon::gallery::Gallery;
use crate::daemon::reporting::manager::Patience;
use crate::daemon::reporting::metrics::Metrics;
use crate::daemon::reporting::pace::Pace;
use crate::daemon::retry::RETRY_PAUSE;
use crate::error::Trouble;
use crate::on_answer::AnswerCommands;
use crate::service_status::{ServiceStatus, State};

/// `status.json` is written at least this often.
const STATUS_INTERVAL: Duration = Duration::from_secs(10);
/// ... and at most this often.
const STATUS_PAUSE: Duration = Duration::from_millis(200);

/// What is reported of the service.
pub struct Reporting {
    /// By their subject.
    own_troubles: BTreeMap<&'static str, Trouble>,
    reported: HashSet<Trouble>,
    reading: ReadingLog,
    /// The status that is in the file, and until when.
    written: Option<(ServiceStatus, Duration)>,
    pace: Pace,
    metrics: Metrics,
    gallery: Gallery,
    commands: AnswerCommands,
    is_ready: bool,
    is_ready_logged: bool,
    /// Extends the service manager's time limit until then.
    manager: Patience,
    pacer: Pacer,
}

impl Reporting {
    /// Nothing has been reported yet.
    pub fn new(gallery: Gallery, commands: AnswerCommands) -> Self {
        Self {
            own_troubles: BTreeMap::new(),
            reported: HashSet::new(),
            reading: ReadingLog::default(),
            written: None,
            pace: Pace::default(),
            metrics: Metrics::default(),
            gallery,
            commands,
            is_ready: false,
            is_ready_logged: false,
            manager: Patience::new(),
            pacer: Pacer::new(STATUS_PAUSE),
        }
    }

    /// Sets or clears a problem of the daemon itself.
    pub fn note(&mut self, about: &'static str, trouble: Option<Trouble>) {
        match trouble {
            Some(trouble) => drop(self.own_troubles.insert(about, trouble)),
            None => drop(self.own_troubles.remove(about)),
        }
    }

    /// The problem with a subject, if any.
    pub fn trouble(&self, about: &str) -> Option<&Trouble> {
        self.own_troubles.get(about)
    }

    /// The subjects of the daemon's own problems.
    pub fn degraded(&self) -> Vec<&'static str> {
        self.own_troubles.keys().copied().collect()
    }

    /// Logs new problems and resolved ones, and returns all current ones, `others` included. A limit of the system affects several
    /// folders, but is logged once.
    pub fn log_troubles(&mut self, others: impl Iterator<Item = Trouble>) -> Vec<Trouble> {
        let mut troubles: Vec<Trouble> = self.own_troubles.values().cloned().chain(others).collect();
        let mut seen = HashSet::new();
        troubles.retain(|trouble| seen.insert(trouble.clone()));
        for trouble in self.reported.iter().filter(|trouble| !seen.contains(*trouble)) {
            info!("{}: resolved: {}", trouble.path.display(), trouble.what.lines().next().unwrap_or_default());
        }
        for trouble in troubles.iter().filter(|trouble| !self.reported.contains(*trouble)) {
            warn!(file:% = trouble.path.display(); "{trouble}");
            self.metrics.count_trouble();
        }
        self.reported = seen;
        troubles
    }

    /// Whether it is time to report.
    pub fn is_due(&mut self, now: Duration) -> bool {
        self.pacer.is_due(now)
    }

    /// Reports as soon as possible.
    pub fn hurry(&mut self) {
        self.pacer.hurry();
    }

    /// When a report that was put off is due.
    pub fn next_due(&self) -> Option<Duration> {
        self.pacer.next_due()
    }

    /// Adds to `status` how fast pictures are read, and how long it will take.
    pub fn add_forecast(&mut self, now: Duration, status: &mut ServiceStatus) {
        let done = status.inventory.indexed + status.inventory.failed;
        if let Some(forecast) = self.pace.look(now, done, status.inventory.pending) {
            status.inventory.per_second = Some(forecast.per_second);
            status.inventory.remaining_s = Some(forecast.remaining_s);
        }
    }

    /// Whether `status` must be written: it differs from the last one, or that is old. From then on it counts as written.
    pub fn take_new(&mut self, now: Duration, status: &ServiceStatus) -> bool {
        let is_known = |(written, until): &(ServiceStatus, Duration)| written == status && now < *until;
        let is_new = !self.written.as_ref().is_some_and(is_known);
        if is_new {
            self.written = Some((status.clone(), now + STATUS_INTERVAL));
        }
        is_new
    }

    /// The status could not be written: it is tried again after a pause, or when something else is to be said.
    pub fn status_failed(&mut self, now: Duration) {
        if let Some((_, until)) = &mut self.written {
            *until = now + RETRY_PAUSE;
        }
    }

    /// What the log is to say about the reading of the inventory.
    pub fn reading_line(&mut self, now: Duration, status: &ServiceStatus) -> Option<String> {
        // While folders are being listed, it is not known how many pictures there are.
        if status.state == State::Starting { None } else { self.reading.line(now, &status.inventory) }
    }

    /// Whether all folders were scanned once.
    pub fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// All folders were scanned; `true` the first time.
    pub fn become_ready(&mut self) -> bool {
        !std::mem::replace(&mut self.is_ready, true)
    }

    /// Whether the log is to say that all is ready: once, when the inventory was read. The service manager hears of it earlier, since
    /// queries are answered as soon as folders are watched.
    pub fn log_ready(&mut self, status: &ServiceStatus) -> bool {
        let is_read = self.is_ready && status.inventory.pending == 0;
        is_read && !std::mem::replace(&mut self.is_ready_logged, true)
    }

    /// Extends the service manager's time limit until all is ready.
    pub fn extend_start_limit(&mut self) {
        if !self.is_ready {
            self.manager.goes_on();
        }
    }

    /// The metrics.
    pub fn metrics(&mut self) -> &mut Metrics {
        &mut self.metrics
    }

    /// The page of all answers.
    pub fn gallery(&mut self) -> &mut Gallery {
        &mut self.gallery
    }

    /// The commands that are run after answers.
    pub fn commands(&self) -> &AnswerCommands {
        &self.commands
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ModelSettings;
    use crate::sandbox::Confinement;

    fn reporting() -> (tempfile::TempDir, Reporting) {
        let folder = tempfile::tempdir().unwrap();
        let gallery = Gallery::start(folder.path(), folder.path(), &crossbeam_channel::unbounded().0).unwrap();
        (folder, Reporting::new(gallery, AnswerCommands::none()))
    }

    #[test]
    fn a_problem_is_logged_once_and_again_when_it_comes_back() {
        let (_folder, mut reporting) = reporting();
        let trouble = |what: &str| Trouble::new(what, "/a", "");
        reporting.note("catalog", Some(trouble("the disk is full")));
        let limit = || [trouble("a limit"), trouble("a limit")].into_iter();
        assert_eq!(reporting.log_troubles(limit()).len(), 2, "one limit is one problem");
        reporting.log_troubles(limit());
        assert_eq!((reporting.degraded(), reporting.metrics().troubles()), (vec!["catalog"], 2));
        reporting.note("catalog", None);
        assert_eq!(reporting.log_troubles(std::iter::empty()), []);
        reporting.note("catalog", Some(trouble("the disk is full")));
        reporting.log_troubles(std::iter::empty());
        assert_eq!(reporting.metrics().troubles(), 3);
        assert!(reporting.trouble("catalog").is_some() && reporting.trouble("gallery").is_none());
    }

    #[test]
    fn a_status_is_written_when_it_is_new_or_old_and_again_soon_when_that_failed() {
        let (_folder, mut reporting) = reporting();
        let trouble = Trouble::new("it is full", "/a", "");
        let confined = Confinement::none("this is a test").report().clone();
        let mut status = ServiceStatus::waiting(&ModelSettings::default(), confined, trouble, 0);
        let second = Duration::from_secs;
        let mut is_written = |at: u64, status: &ServiceStatus| reporting.take_new(second(at), status);
        assert!(is_written(1, &status) && !is_written(2, &status) && is_written(11, &status));
        status.pid += 1;
        assert!(is_written(12, &status) && !is_written(16, &status));
        reporting.status_failed(second(12));
        let mut is_written = |at: u64, status: &ServiceStatus| reporting.take_new(second(at), status);
        assert!(!is_written(16, &status) && is_written(17, &status) && !is_written(26, &status));
    }

    #[test]
    fn it_becomes_ready_once() {
        let (_folder, mut reporting) = reporting();
        assert!(!reporting.is_ready() && reporting.become_ready());
        assert!(reporting.is_ready() && !reporting.become_ready());
    }
}
