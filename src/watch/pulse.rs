//! Whether hints still come through: a file in a folder of the daemon's own is touched, and its event awaited. Finds
//! file systems that never send any, a watcher that has died, and one that could not be started.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// A beat is given this often.
const BEAT_INTERVAL: Duration = Duration::from_secs(10);
/// A beat not heard for this long was lost.
const HEARING_LIMIT: Duration = Duration::from_secs(3);

/// Beats given and heard. Times are durations since one fixed moment.
#[derive(Debug)]
pub struct Pulse {
    folder: PathBuf,
    given: Option<Duration>,
    is_heard: bool,
}

impl Pulse {
    /// A pulse in `folder`, which is there for nothing else and has to be watched.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, given: None, is_heard: true }
    }

    /// The folder to watch.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file to touch, when it is time for another beat.
    pub fn beat_due(&mut self, now: Duration) -> Option<PathBuf> {
        let is_due = self.given.is_none_or(|given| now.saturating_sub(given) >= BEAT_INTERVAL);
        is_due.then(|| {
            self.given = Some(now);
            self.is_heard = false;
            self.folder.join("beat")
        })
    }

    /// Takes a hint; `false` when it is not about the pulse.
    pub fn is_own_event(&mut self, path: &Path) -> bool {
        let is_mine = path.starts_with(&self.folder);
        self.is_heard |= is_mine;
        is_mine
    }

    /// Whether the last beat was lost.
    pub fn is_lost(&self, now: Duration) -> bool {
        !self.is_heard && self.given.is_some_and(|given| now.saturating_sub(given) >= HEARING_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_beat_that_is_not_heard_is_lost_until_one_is() {
        let mut pulse = Pulse::new("/state/pulse".into());
        assert!(!pulse.is_lost(at(100)), "nothing given, nothing lost");
        let beat = pulse.beat_due(at(100)).unwrap();
        assert_eq!(pulse.beat_due(at(101)), None);
        assert!(!pulse.is_lost(at(102)));
        assert!(pulse.is_lost(at(103)));
        assert!(!pulse.is_own_event(Path::new("/query/a.jpg")));
        assert!(pulse.is_lost(at(103)));
        assert!(pulse.is_own_event(&beat));
        assert!(!pulse.is_lost(at(200)));
        assert!(pulse.beat_due(at(110)).is_some());
        assert!(pulse.is_lost(at(113)));
    }
}
