//! Tests that the system still sends events: touches a file in a folder of the daemon's own and waits for its event.
//!
//! This finds file systems that never send events, a watcher that has died, and one that could not be started.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file is touched this often.
const TOUCH_INTERVAL: Duration = Duration::from_secs(10);
/// ... or after this long, when that failed.
const TOUCH_RETRY: Duration = Duration::from_secs(5);
/// An event that has not come after this long is lost.
const EVENT_TIMEOUT: Duration = Duration::from_secs(3);

/// When the file was touched, and whether its event has come. Times are durations since one fixed moment.
#[derive(Debug)]
pub struct WatcherSelfTest {
    folder: PathBuf,
    touched_at: Option<Duration>,
    is_event_seen: bool,
    /// The same of the test before.
    was_event_seen: bool,
}

impl WatcherSelfTest {
    /// A self-test in `folder`, which is there for nothing else and has to be watched.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, touched_at: None, is_event_seen: true, was_event_seen: true }
    }

    /// The file could not be touched, which says nothing about events: it is tried again sooner.
    pub fn not_touched(&mut self, now: Duration) {
        self.touched_at = now.checked_sub(TOUCH_INTERVAL - TOUCH_RETRY);
        self.is_event_seen = self.was_event_seen;
    }

    /// The folder to watch.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file to touch, when it is time for another test.
    pub fn file_to_touch(&mut self, now: Duration) -> Option<PathBuf> {
        let is_due = self.touched_at.is_none_or(|touched_at| now.saturating_sub(touched_at) >= TOUCH_INTERVAL);
        is_due.then(|| {
            self.touched_at = Some(now);
            self.was_event_seen = self.is_event_seen;
            self.is_event_seen = false;
            self.folder.join("beat")
        })
    }

    /// Takes the path of an event; `false` when it is not about the self-test.
    pub fn is_own_event(&mut self, path: &Path) -> bool {
        let is_mine = path.starts_with(&self.folder);
        self.is_event_seen |= is_mine;
        is_mine
    }

    /// Whether the last event was lost.
    pub fn is_lost(&self, now: Duration) -> bool {
        !self.is_event_seen && self.touched_at.is_some_and(|touched_at| now.saturating_sub(touched_at) >= EVENT_TIMEOUT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_event_that_does_not_come_is_lost_until_one_comes() {
        let mut test = WatcherSelfTest::new("/state/pulse".into());
        assert!(!test.is_lost(at(100)), "nothing touched, nothing lost");
        let file = test.file_to_touch(at(100)).unwrap();
        assert_eq!(test.file_to_touch(at(101)), None);
        assert!(!test.is_lost(at(102)));
        assert!(test.is_lost(at(103)));
        assert!(!test.is_own_event(Path::new("/query/a.jpg")));
        assert!(test.is_lost(at(103)));
        assert!(test.is_own_event(&file));
        assert!(!test.is_lost(at(200)));
        assert!(test.file_to_touch(at(110)).is_some());
        assert!(test.is_lost(at(113)));
        assert!(test.file_to_touch(at(120)).is_some());
        test.not_touched(at(120));
        assert!(test.is_lost(at(121)), "as before");
        assert!(test.file_to_touch(at(124)).is_none() && test.file_to_touch(at(125)).is_some());
        assert!(test.is_own_event(&file) && test.file_to_touch(at(135)).is_some());
        test.not_touched(at(135));
        assert!(!test.is_lost(at(139)), "as before");
    }
}
