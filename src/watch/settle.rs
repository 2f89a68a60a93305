//! When a file is ready to be read: nothing happened to it for a while, and it looks the same as before. Pure: the time
//! is an argument.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files::Stamp;

/// Files that were seen new or changed and are not ready yet. Times are durations since one fixed moment.
#[derive(Debug, Default)]
pub struct Settle {
    waiting: HashMap<PathBuf, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    stamp: Stamp,
    ready_at: Duration,
}

impl Settle {
    /// A file was looked at. `was_touched`: an event named it, so that its clock starts again even if it looks the same
    /// (a scanner that writes within the clock tick of the disk).
    pub fn saw(&mut self, path: &Path, stamp: Stamp, was_touched: bool, now: Duration, quiet: Duration) {
        let known = self.waiting.get(path).is_some_and(|waiting| waiting.stamp == stamp);
        if !known || was_touched {
            self.waiting.insert(path.to_path_buf(), Waiting { stamp, ready_at: now + quiet });
        }
    }

    /// The file is gone, or needs no reading.
    pub fn forget(&mut self, path: &Path) {
        self.waiting.remove(path);
    }

    /// Every file below `folder` is gone.
    pub fn forget_below(&mut self, folder: &Path) {
        self.waiting.retain(|path, _| !path.starts_with(folder));
    }

    /// Takes out the files whose time has come; the caller looks at each once more, and back it goes if it changed.
    pub fn take_due(&mut self, now: Duration) -> Vec<(PathBuf, Stamp)> {
        let due = self.waiting.extract_if(|_, waiting| waiting.ready_at <= now);
        let mut due: Vec<_> = due.map(|(path, waiting)| (path, waiting.stamp)).collect();
        due.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        due
    }

    /// When the next file may be ready.
    pub fn next_due(&self) -> Option<Duration> {
        self.waiting.values().map(|waiting| waiting.ready_at).min()
    }

    /// Whether any file below `folder` (or `folder` itself, when it is a file) waits.
    pub fn waits_below(&self, folder: &Path) -> bool {
        self.waiting.keys().any(|path| path.starts_with(folder))
    }

    /// Files waiting.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether no file waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_millis(400);

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn stamp(size: u64) -> Stamp {
        Stamp { size, mtime_ns: 0, ctime_ns: 0, inode: 1 }
    }

    /// Each line: milliseconds, then what is seen: a size, the same size with `!` for an event, or `?` to ask what is due.
    fn story(lines: &[(u64, &str)]) -> Vec<u64> {
        let mut settle = Settle::default();
        let mut due = Vec::new();
        for &(time, what) in lines {
            match what.strip_suffix('!').unwrap_or(what) {
                "?" => due.extend(settle.take_due(at(time)).iter().map(|_| time)),
                size => settle.saw(Path::new("a"), stamp(size.parse().unwrap()), what.ends_with('!'), at(time), QUIET),
            }
        }
        due
    }

    #[test]
    fn ready_after_the_quiet_time_and_once() {
        assert_eq!(story(&[(0, "5"), (399, "?"), (400, "?"), (900, "?")]), [400]);
    }

    #[test]
    fn growing_starts_the_clock_again() {
        assert_eq!(story(&[(0, "5"), (300, "6"), (500, "?"), (700, "?")]), [700]);
    }

    #[test]
    fn another_look_at_the_same_file_does_not() {
        assert_eq!(story(&[(0, "5"), (300, "5"), (400, "?")]), [400]);
    }

    #[test]
    fn an_event_does_even_if_it_looks_the_same() {
        assert_eq!(story(&[(0, "5"), (300, "5!"), (400, "?"), (700, "?")]), [700]);
    }

    #[test]
    fn a_set_waits_as_long_as_any_of_its_files() {
        let mut settle = Settle::default();
        settle.saw(Path::new("set/a"), stamp(1), false, at(0), QUIET);
        settle.saw(Path::new("set/b"), stamp(1), false, at(200), QUIET);
        assert_eq!(settle.next_due(), Some(at(400)));
        settle.take_due(at(400));
        assert!(settle.waits_below(Path::new("set")));
        assert!(!settle.waits_below(Path::new("se")));
        settle.forget_below(Path::new("set"));
        assert!(settle.is_empty());
    }
}
