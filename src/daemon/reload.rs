//! New settings under a running daemon: all of them or none.

use std::sync::Arc;
use std::time::Duration;

use log::{info, warn};

use super::Daemon;
use super::reporting::manager;
use super::serving::Serving;
use super::start::load_index;
use crate::config::{self, Config};
use crate::error::Trouble;
use crate::files::Stamp;

impl Daemon {
    /// The configuration file as it is now; `None` when there is none.
    pub(super) fn stamp_of_config(&self) -> Option<Stamp> {
        std::fs::metadata(&self.setup.source.path).ok().map(|metadata| Stamp::of(&metadata))
    }

    pub(super) fn reload_if_changed(&mut self) {
        let stamp = self.stamp_of_config();
        if stamp == self.config_stamp {
            self.config_seen = None;
            return;
        }
        // An editor empties the file and writes it, or replaces it: what is there in between is valid, and not meant.
        // So the file has to be quiet first.
        let now = self.now();
        let quiet = Duration::from_millis(self.config.watch.settle_ms.get());
        match self.config_seen {
            Some((seen, since)) if seen == stamp && now.saturating_sub(since) >= quiet => self.reload(),
            Some((seen, _)) if seen == stamp => {}
            _ => self.config_seen = Some((stamp, now)),
        }
    }

    /// Reads it again because a signal asked for it, and reports that it is done to whoever waits.
    pub(super) fn reload_as_told(&mut self) {
        // "Ready again" makes sense only after the first time.
        if self.is_ready {
            manager::reloading();
        }
        self.reload();
        self.reloads += 1;
        self.next_report = Duration::ZERO;
        if self.is_ready {
            manager::ready();
        }
    }

    /// Reads the configuration again. A mistake in it leaves the settings in force as they are.
    pub(super) fn reload(&mut self) {
        self.config_stamp = self.stamp_of_config();
        self.config_seen = None;
        match config::load(&self.setup.source, &self.setup.root) {
            Err(error) => {
                let remedy = "correct it; until then the settings in force stay";
                self.note("config", Some(Trouble::new(error.what(), error.path(), remedy)));
            }
            Ok(new) => {
                self.note("config", None);
                self.adopt(new);
            }
        }
    }

    fn adopt(&mut self, mut new: Config) {
        let old = Arc::clone(&self.config);
        let changes = config::changes(&old, &new);
        let (waiting, taken): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.needs_restart());
        new.folders = old.folders.clone();
        new.limits.workers = old.limits.workers;
        new.model.encoder = old.model.encoder;
        for change in &waiting {
            warn!("changed settings: {change}; this needs a restart");
        }
        self.awaiting_restart = waiting.iter().map(|change| change.key.clone()).collect();
        if new == *old {
            return;
        }
        for change in &taken {
            info!("changed settings: {change}");
        }
        let has_new_metric = new.similarity.metric != old.similarity.metric;
        log::set_max_level(super::reporting::report::filter(new.log.level));
        self.config = Arc::new(new);
        if has_new_metric {
            self.rebuild_index();
        }
        if old.model.differs_in_training(&self.config.model) || has_new_metric {
            self.cancel_training();
        }
        if old.limits != self.config.limits {
            self.doubt_failed();
        }
        // What can be trained on may have changed with the settings.
        self.stir();
        info!("new settings in force: {}", self.setup.source.path.display());
    }

    fn rebuild_index(&mut self) {
        let model = self.serving.read().model.clone();
        match load_index(&self.catalog, &self.config, &model, &self.contents) {
            Ok(index) => *self.serving.write() = Serving::new(model, index),
            Err(trouble) => self.note("catalog", Some(trouble)),
        }
    }
}
