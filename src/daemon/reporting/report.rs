//! What the daemon says of itself: `status.json`, the service manager, and each trouble once in the log.

use std::collections::HashSet;

use log::{LevelFilter, info, warn};

use super::manager;
use super::metrics::Facts;
use super::status::{InventoryPart, ModelPart, PROBLEM_LIMIT, QueriesPart, SettingsPart, State, Status};
use crate::catalog::Root;
use crate::config::Level;
use crate::daemon::learning::retrain::Training;
use crate::daemon::{Daemon, Observer, STATUS_INTERVAL, STATUS_PAUSE};
use crate::error::Trouble;
use crate::watch::{Tree, WATCH_LIMIT};

/// How much is logged at a configured level.
pub fn filter(level: Level) -> LevelFilter {
    match level {
        Level::Error => LevelFilter::Error,
        Level::Warn => LevelFilter::Warn,
        Level::Info => LevelFilter::Info,
        Level::Debug => LevelFilter::Debug,
    }
}

impl Daemon {
    /// Records that something of the daemon's own is in trouble, or no longer.
    pub(in crate::daemon) fn note(&mut self, about: &'static str, trouble: Option<Trouble>) {
        match trouble {
            Some(trouble) => drop(self.own_troubles.insert(about, trouble)),
            None => drop(self.own_troubles.remove(about)),
        }
    }

    /// Tells everybody where things stand, every so often; `false` when the observer wants an end.
    pub(in crate::daemon) fn report(&mut self, state: State, observer: &mut dyn Observer) -> bool {
        let now = self.now();
        if now < self.next_report {
            self.is_report_due = true;
            return true;
        }
        (self.is_report_due, self.next_report) = (false, now + STATUS_PAUSE);
        self.heal_provisional();
        self.refresh_answers();
        let troubles = self.say_troubles();
        if self.trees.values().all(Tree::is_seen) {
            self.note("overflow", None);
        }
        let mut status = self.status(state, &troubles);
        let done = status.inventory.indexed + status.inventory.failed;
        if let Some(forecast) = self.pace.look(now, done, status.inventory.pending) {
            status.inventory.per_second = Some(forecast.per_second);
            status.inventory.remaining_s = Some(forecast.remaining_s);
        }
        let is_new = self.written.as_ref().is_none_or(|(_, written)| *written != status);
        let is_old = self.written.as_ref().is_none_or(|(at, _)| now.saturating_sub(*at) >= STATUS_INTERVAL);
        if is_new || is_old {
            self.publish(&status);
            self.written = Some((now, status.clone()));
        }
        self.publish_metrics(&status);
        self.feed_watchdog();
        if !self.is_ready {
            self.patience_of_manager.goes_on();
        }
        observer.goes_on(&status)
    }

    fn publish(&mut self, status: &Status) {
        let searchable = |status: &Status| (status.inventory.pending == 0).then_some(status.inventory.indexed);
        if let Some(count) = searchable(status).filter(|count| self.said_searchable != Some(*count)) {
            info!("inventory: {count} pictures searchable");
            self.said_searchable = Some(count);
        }
        let written = status.write(&self.config.folders.state);
        self.note("status", written.err());
        let text = self.one_line(status);
        manager::status(&text);
        if !self.is_ready && status.state != State::Starting {
            self.is_ready = true;
            info!("ready: watching {} folders", self.hints.watched());
            manager::ready();
        }
    }

    /// The service manager hears of life only while loop and workers live. A watcher that has died does not stop it: it
    /// is started anew, and folders are looked through meanwhile, which beats being killed.
    fn feed_watchdog(&self) {
        if self.workers.are_alive() {
            manager::alive();
        }
    }

    fn publish_metrics(&mut self, status: &Status) {
        let now = self.now();
        if !self.metrics.is_due(now, status.state) {
            return;
        }
        if self.metrics.lacks(&status.model.id) {
            let row = self.catalog.current_model().ok().flatten();
            self.metrics.know_model(&status.model.id, row);
        }
        let facts = Facts {
            watches_allowed: std::fs::read_to_string(WATCH_LIMIT).ok().and_then(|text| text.trim().parse().ok()),
            pending: Root::ALL.map(|root| (root, self.plan.pending(root) + self.tree(root).map_or(0, Tree::settling))),
            is_polling: self.pulse.is_lost(now),
            is_inventory_offline: self.tree(Root::Inventory).is_some_and(Tree::is_offline),
            degraded: self.own_troubles.keys().copied().collect(),
        };
        let written = self.metrics.write(now, status, &facts, &self.config.folders.state);
        self.note("metrics", written.err());
    }

    /// Logs what is newly wrong and what is mended, and returns all that is wrong now.
    fn say_troubles(&mut self) -> Vec<Trouble> {
        let mut troubles: Vec<Trouble> = self.own_troubles.values().cloned().collect();
        troubles.extend(self.trees.values().flat_map(Tree::troubles));
        // One limit of the system troubles several folders: said once.
        let mut seen = HashSet::new();
        troubles.retain(|trouble| seen.insert(trouble.clone()));
        for trouble in self.said_troubles.iter().filter(|trouble| !troubles.contains(trouble)) {
            info!("{}: over: {}", trouble.path.display(), trouble.what.lines().next().unwrap_or_default());
        }
        for trouble in troubles.iter().filter(|trouble| !self.said_troubles.contains(*trouble)) {
            warn!(file:% = trouble.path.display(); "{trouble}");
            self.metrics.count_trouble();
        }
        self.said_troubles = troubles.iter().cloned().collect();
        troubles
    }

    fn status(&self, state: State, troubles: &[Trouble]) -> Status {
        let inventory = self.tree(Root::Inventory);
        let settling = inventory.map_or(0, Tree::settling);
        let pending = self.plan.pending(Root::Inventory) + settling;
        let serving = self.serving.read();
        let indexed = serving.index.len();
        // Changed pictures, and those that an older program read, are searchable while they wait to be read again.
        let again =
            self.plan.pending_paths(Root::Inventory).filter(|path| serving.index.embedding(path).is_some()).count();
        let failed = self.failed.keys().filter(|(root, _)| *root == Root::Inventory).count();
        let is_seen = self.trees.values().all(Tree::was_seen);
        let state = match state {
            State::Ready if !is_seen => State::Starting,
            State::Ready if !troubles.is_empty() => State::Degraded,
            other => other,
        };
        let answered = self.answers.values().filter(|answer| answer.is_answered());
        let queries_failed = answered.clone().filter(|answer| answer.status == "error").count();
        let queries_settling = self.stirred.len().max(self.tree(Root::Query).map_or(0, Tree::settling).min(1));
        let problems = troubles.iter().chain(self.failed.values());
        Status {
            state,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION"),
            started_s: self.started_s,
            inventory: InventoryPart {
                files: indexed + failed + pending - again,
                indexed,
                pending,
                failed,
                per_second: None,
                remaining_s: None,
            },
            queries: QueriesPart {
                answered: answered.count() - queries_failed,
                failed: queries_failed,
                pending: self.plan.pending(Root::Query) + queries_settling,
            },
            model: ModelPart {
                id: serving.model.id().into(),
                encoder: serving.model.encoder().name(),
                trained_on: serving.model.trained_on(),
                training: self.training.as_ref().and_then(Training::part),
                last_training: self.last_training.clone(),
            },
            watched_folders: self.hints.watched(),
            awaiting_restart: self.awaiting_restart.clone(),
            degraded_by: troubles.iter().take(PROBLEM_LIMIT).cloned().collect(),
            settings: SettingsPart {
                reloads: self.reloads,
                problem: self.own_troubles.get("config").map(ToString::to_string),
            },
            problem_count: troubles.len() + self.failed.len(),
            problems: problems.take(PROBLEM_LIMIT).cloned().collect(),
        }
    }

    fn one_line(&self, status: &Status) -> String {
        // The service manager takes what stands on a line of its own for another message: of a drawing, the sentence.
        let trouble = status.problems.first().map(ToString::to_string).unwrap_or_default();
        let trouble = trouble.lines().next().map(|line| format!("; {line}")).unwrap_or_default();
        format!(
            "{} pictures searchable, {} waiting; {} queries answered, {} waiting; model {}{trouble}",
            status.inventory.indexed,
            status.inventory.pending,
            status.queries.answered,
            status.queries.pending,
            status.model.id
        )
    }
}
