//! Writes the daemon's reports: `status.json`, notices to the service manager, and each problem once to the log.

use log::{LevelFilter, info};

use super::manager;
use super::metrics::Facts;
use crate::catalog::Root;
use crate::config::Level;
use crate::daemon::{Daemon, Observer};
use crate::error::Trouble;
use crate::service_status::{
    InventoryPart, PROBLEM_LIMIT, QueriesPart, ServedModelPart, ServiceSettingsPart, ServiceStatus, State,
};
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
    /// Reports the present state, at intervals; `false` when the observer ends the daemon. It schedules nothing.
    pub(in crate::daemon) fn report(&mut self, state: State, observer: &mut dyn Observer) -> bool {
        let now = self.now();
        if !self.reporting.is_due(now) {
            return true;
        }
        let troubles = self.reporting.log_troubles(self.folders.trees().flat_map(Tree::troubles));
        // Only now, so that it was logged however soon everything was scanned.
        if self.folders.are_seen() {
            self.note("overflow", None);
        }
        let failures = self.pictures.count_problems(now);
        let mut status = self.status(state, &troubles, failures);
        self.reporting.add_forecast(now, &mut status);
        if self.reporting.take_new(now, &status) {
            self.publish(&status);
        }
        self.publish_metrics(&status);
        // The service manager is notified only while loop and workers are alive. A dead watcher does not count: it is
        // restarted and folders are scanned until then, which is better than being killed.
        // Nor is anything gained by it while workers cannot be replaced because the catalog is out of reach.
        if self.workers.are_alive() || ["state", "catalog"].iter().any(|about| self.reporting.trouble(about).is_some())
        {
            manager::alive();
        }
        self.reporting.extend_start_limit();
        observer.goes_on(&status)
    }

    fn publish(&mut self, status: &ServiceStatus) {
        let written = status.write(&self.config().folders.state);
        if written.is_err() {
            let now = self.now();
            self.reporting.status_failed(now);
        }
        self.note("status", written.err());
        manager::status(&one_line(status));
        if status.state != State::Starting && self.reporting.become_ready() {
            manager::ready();
            if status.inventory.pending > 0 {
                let InventoryPart { files, pending, .. } = status.inventory;
                info!("watching {} folders; {pending} of {files} pictures are to be read", status.watched_folders);
            }
        }
        let now = self.now();
        if let Some(line) = self.reporting.reading_line(now, status) {
            info!("{line}");
        }
        if self.reporting.log_ready(status) {
            info!("ready: watching {} folders", status.watched_folders);
        }
    }

    fn publish_metrics(&mut self, status: &ServiceStatus) {
        let now = self.now();
        if !self.reporting.metrics().is_due(now, status.state) {
            return;
        }
        if self.reporting.metrics().lacks(&status.model.id) {
            let row = self.store.catalog().current_model().ok().flatten();
            self.reporting.metrics().set_model(&status.model.id, row);
        }
        let facts = Facts {
            watches_allowed: std::fs::read_to_string(WATCH_LIMIT).ok().and_then(|text| text.trim().parse().ok()),
            pending: Root::ALL.map(|root| (root, self.plan.pending(root) + self.folders.settling(root))),
            is_polling: self.folders.is_polling(now),
            is_inventory_offline: self.tree(Root::Inventory).is_some_and(Tree::is_offline),
            degraded: self.reporting.degraded(),
        };
        let written = self.reporting.metrics().write(now, status, &facts, &self.settings.config().folders.state);
        self.note("metrics", written.err());
    }

    /// `failures`: files that cannot be used, as far as they are among the problems.
    fn status(&self, state: State, troubles: &[Trouble], failures: usize) -> ServiceStatus {
        let pending = self.plan.pending(Root::Inventory) + self.folders.settling(Root::Inventory);
        let serving = self.serving.read();
        let indexed = serving.index.len();
        // Changed pictures, and those read by an older program, are searchable while they wait to be read again.
        let again = self.plan.known(Root::Inventory);
        let failed = self.pictures.failed(Root::Inventory);
        let is_seen = self.folders.are_ready();
        let state = match state {
            State::Ready if !is_seen => State::Starting,
            State::Ready if !troubles.is_empty() => State::Degraded,
            other => other,
        };
        let queries_settling = self.queries.changed().max(self.folders.settling(Root::Query).min(1));
        let problems = troubles.iter().chain(self.pictures.problems());
        ServiceStatus {
            state,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION"),
            started_s: self.life.started_s(),
            inventory: InventoryPart {
                files: (indexed + failed + pending).saturating_sub(again),
                indexed,
                pending,
                failed,
                paired: self.folders.partners(Root::Inventory),
                excluded: self.folders.excluded(Root::Inventory),
                per_second: None,
                remaining_s: None,
            },
            queries: QueriesPart {
                answered: self.queries.answered(),
                failed: self.queries.failed(),
                pending: self.plan.pending(Root::Query) + queries_settling,
            },
            model: ServedModelPart {
                id: serving.model.id().into(),
                encoder: serving.model.encoder().name(),
                trained_on: serving.model.trained_on(),
                folders: serving.model.folder_report(),
                network: self.training.network_part(),
                training: self.training.part(),
                last_training: self.training.last().cloned(),
            },
            engine: self.workers.nodes().map(|nodes| nodes.status()),
            watched_folders: self.folders.watched(),
            awaiting_restart: self.settings.awaiting_restart().to_vec(),
            degraded_by: troubles.iter().take(PROBLEM_LIMIT).cloned().collect(),
            settings: ServiceSettingsPart {
                reloads: self.settings.reloads(),
                problem: self.reporting.trouble("config").map(ToString::to_string),
            },
            confined: self.life.confinement().report().clone(),
            problem_count: troubles.len() + failures,
            problems: problems.take(PROBLEM_LIMIT).cloned().collect(),
        }
    }
}

/// For the service manager, which takes each line for a message of its own: only the sentence of a problem with a drawing.
fn one_line(status: &ServiceStatus) -> String {
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
