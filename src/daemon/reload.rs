//! Reloads the configuration while the daemon runs: all of the new settings take effect, or none.

use std::sync::Arc;

use log::{info, warn};

use super::Daemon;
use super::reporting::manager;
use crate::config::{self, Config, FolderSettings};
use crate::error::Trouble;

impl Daemon {
    /// Reads the configuration again once a detected change of it has settled.
    pub(super) fn reload_if_changed(&mut self) {
        if self.settings.is_changing() {
            self.reload_if_settled();
        }
    }

    /// Reads the configuration again if it has changed and settled.
    pub(super) fn reload_if_settled(&mut self) {
        let now = self.now();
        if self.settings.has_changed(now) {
            self.reload();
        }
    }

    /// Reads it again on a signal, and reports to the service manager when it is done.
    pub(super) fn reload_by_signal(&mut self) {
        // READY must not be announced a second time before the first.
        if self.reporting.is_ready() {
            manager::reloading();
        }
        self.reload();
        self.settings.count_reload();
        self.reporting.hurry();
        if self.reporting.is_ready() {
            manager::ready();
        }
    }

    /// Reads the configuration again. With a mistake in it the current settings stay in force.
    fn reload(&mut self) {
        self.settings.begin_reading();
        let setup = self.settings.setup();
        match config::load(&setup.source, &setup.root) {
            Err(error) => {
                let remedy = "correct it; until then the settings in force stay";
                self.note("config", Some(Trouble::new(error.what(), error.path(), remedy)));
            }
            Ok(new) => {
                self.note("config", None);
                self.training.network_may_differ();
                self.adopt(new);
            }
        }
    }

    fn adopt(&mut self, mut new: Config) {
        let old = Arc::clone(self.settings.config());
        let changes = config::changes(&old, &new);
        let (waiting, taken): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.needs_restart());
        new.folders = FolderSettings { exclude: new.folders.exclude, ..old.folders.clone() };
        new.answer.on_answer = old.answer.on_answer.clone();
        new.limits.workers = old.limits.workers;
        new.model.encoder = old.model.encoder;
        (new.index, new.node) = (old.index.clone(), old.node.clone());
        for change in &waiting {
            warn!("changed settings: {change}; this needs a restart");
        }
        let awaiting_restart = waiting.iter().map(|change| change.key.clone()).collect();
        let is_same = new == *old;
        self.settings.take(new, awaiting_restart);
        if is_same {
            return;
        }
        let new = Arc::clone(self.settings.config());
        for change in &taken {
            info!("changed settings: {change}");
        }
        let has_new_metric = new.similarity.metric != old.similarity.metric;
        log::set_max_level(super::reporting::publish::filter(new.log.level));
        if has_new_metric {
            // Answers may be others.
            self.serving.write().index.mark_changed();
        }
        if old.model.differs_in_training(&new.model) || has_new_metric {
            self.cancel_training();
        }
        // Its file may be another one, though its name is the same.
        if old.model.network != new.model.network {
            self.cancel_training();
        }
        if old.folders.exclude != new.folders.exclude {
            self.folders.exclude(&new.folders.exclude);
        }
        if old.answer.keep_days != new.answer.keep_days {
            self.queries.expiry().hurry();
        }
        if old.limits != new.limits {
            self.pictures.recheck_failed();
        }
        // What can be trained on may have changed with the settings.
        self.training_pictures_changed();
        info!("new settings in force: {}", self.settings.path().display());
    }
}
