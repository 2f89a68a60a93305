//! The settings in force, and whether their file has changed since it was read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, Setup};
use crate::files::Stamp;

/// The settings and their file.
pub struct Settings {
    setup: Setup,
    config: Arc<Config>,
    stamp: Option<Stamp>,
    /// A change of the file: its present stamp, and since when.
    seen: Option<(Option<Stamp>, Duration)>,
    awaiting_restart: Vec<String>,
    reloads: u64,
}

impl Settings {
    /// With `config`, which was read from the file of `setup`.
    pub fn new(setup: Setup, config: Config) -> Self {
        let stamp = stamp_of(&setup.source.path);
        Self { setup, config: Arc::new(config), stamp, seen: None, awaiting_restart: Vec::new(), reloads: 0 }
    }

    /// Those in force.
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Where they come from.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Their file, whether it exists or not.
    pub fn path(&self) -> &Path {
        &self.setup.source.path
    }

    /// How long a file must stay unchanged before it is read.
    pub fn quiet(&self) -> Duration {
        Duration::from_millis(self.config.watch.settle_ms.get())
    }

    /// Whether the file has changed and settled. An editor truncates and rewrites the file, or replaces it: the state in between
    /// may be valid, but is not what the user meant.
    pub fn has_changed(&mut self, now: Duration) -> bool {
        let stamp = stamp_of(self.path());
        if stamp == self.stamp {
            self.seen = None;
            return false;
        }
        match self.seen {
            Some((seen, since)) if seen == stamp => now.saturating_sub(since) >= self.quiet(),
            _ => {
                self.seen = Some((stamp, now));
                false
            }
        }
    }

    /// Whether a detected change has not settled yet.
    pub fn is_changing(&self) -> bool {
        self.seen.is_some()
    }

    /// When a detected change may have settled.
    pub fn next_due(&self) -> Option<Duration> {
        self.seen.map(|(_, since)| since + self.quiet())
    }

    /// The file is being read as it is now.
    pub fn begin_reading(&mut self) {
        self.stamp = stamp_of(self.path());
        self.seen = None;
    }

    /// Puts `config` in force, except for the changed keys `awaiting_restart`.
    pub fn take(&mut self, config: Config, awaiting_restart: Vec<String>) {
        self.config = Arc::new(config);
        self.awaiting_restart = awaiting_restart;
    }

    /// Changed keys that take effect only after a restart.
    pub fn awaiting_restart(&self) -> &[String] {
        &self.awaiting_restart
    }

    /// Counts a reload by a signal.
    pub fn count_reload(&mut self) {
        self.reloads += 1;
    }

    /// Number of reloads by a signal.
    pub fn reloads(&self) -> u64 {
        self.reloads
    }
}

fn stamp_of(path: &Path) -> Option<Stamp> {
    std::fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    #[test]
    fn a_changed_file_is_read_once_after_it_has_settled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("artificio.toml");
        let source = Source { path: path.clone(), required: false };
        let config = crate::config::load(&source, folder.path()).unwrap();
        let mut settings = Settings::new(Setup { root: folder.path().into(), source }, config);
        let (quiet, start) = (settings.quiet(), Duration::from_secs(1));
        assert!(!settings.has_changed(start) && !settings.is_changing());
        std::fs::write(&path, "").unwrap();
        assert!(!settings.has_changed(start));
        assert_eq!(settings.next_due(), Some(start + quiet));
        std::fs::write(&path, "[log]\n").unwrap();
        assert!(!settings.has_changed(start + quiet), "it was written once more");
        assert!(settings.has_changed(start + 2 * quiet));
        settings.begin_reading();
        assert!(!settings.has_changed(start + 3 * quiet));
    }
}
