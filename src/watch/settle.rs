//! Decides when a file is ready to be read: it has not changed, and no event has named it, for a while.
//!
//! Pure: the time is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files::Stamp;

/// A file with events all the time is tried after this long. One that has changed since it was last seen waits again,
/// so no file is read half-written.
const MAX_SETTLING_TIME: Duration = Duration::from_secs(60);

/// New or changed files that are not ready yet. Times are durations since one fixed moment.
#[derive(Debug, Default)]
pub struct Settle {
    waiting: BTreeMap<PathBuf, Waiting>,
    by_time: BTreeSet<(Duration, PathBuf)>,
    /// Of those waiting, how many bring a content that is not known.
    news: usize,
}

/// A file as it was just seen.
#[derive(Debug, Clone, Copy)]
pub struct Observation {
    /// Its state.
    pub stamp: Stamp,
    /// An event named it, so that its waiting time starts again even if its stamp is the same (two writes within one clock tick of
    /// the file system).
    pub was_touched: bool,
    /// Its content is most likely not the one that is known.
    pub is_news: bool,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    stamp: Stamp,
    is_news: bool,
    ready_at: Duration,
    since: Duration,
}

impl Settle {
    /// Records a file's state.
    pub fn observe(&mut self, path: &Path, seen: Observation, now: Duration, quiet: Duration) {
        let Observation { stamp, was_touched, is_news } = seen;
        let known = self.waiting.get(path).copied();
        if known.is_some_and(|waiting| waiting.stamp == stamp) && !was_touched {
            return;
        }
        let since = known.map_or(now, |waiting| waiting.since);
        self.forget(path);
        let ready_at = (now + quiet).min(since + MAX_SETTLING_TIME.max(quiet)).max(now);
        self.news += usize::from(is_news);
        self.waiting.insert(path.to_path_buf(), Waiting { stamp, is_news, ready_at, since });
        self.by_time.insert((ready_at, path.to_path_buf()));
    }

    /// The file is gone, or needs no reading.
    pub fn forget(&mut self, path: &Path) {
        if let Some((path, waiting)) = self.waiting.remove_entry(path) {
            self.by_time.remove(&(waiting.ready_at, path));
            self.news -= usize::from(waiting.is_news);
        }
    }

    /// Every file below `folder` is gone.
    pub fn forget_below(&mut self, folder: &Path) {
        let below: Vec<PathBuf> = self.below(folder).cloned().collect();
        below.iter().for_each(|path| self.forget(path));
    }

    /// Whether a file waits that is `path` or lies below it.
    pub fn has_below(&self, path: &Path) -> bool {
        self.below(path).next().is_some()
    }

    /// What is below a folder is adjacent in the order of paths.
    fn below(&self, folder: &Path) -> impl Iterator<Item = &PathBuf> {
        let from_here = self.waiting.range::<Path, _>((Bound::Included(folder), Bound::Unbounded));
        from_here.map(|(path, _)| path).take_while(move |path| path.starts_with(folder))
    }

    /// Removes and returns the files whose waiting time is over, at most `limit` of them. The caller compares each once
    /// more, and records it again if it has changed.
    pub fn take_due(&mut self, now: Duration, limit: usize) -> Vec<(PathBuf, Stamp)> {
        let mut due = Vec::new();
        while due.len() < limit && self.next_due().is_some_and(|ready_at| ready_at <= now) {
            let Some((_, path)) = self.by_time.pop_first() else { break };
            if let Some((path, waiting)) = self.waiting.remove_entry(&path) {
                self.news -= usize::from(waiting.is_news);
                due.push((path, waiting.stamp));
            }
        }
        due
    }

    /// When the next file may be ready.
    pub fn next_due(&self) -> Option<Duration> {
        self.by_time.first().map(|(ready_at, _)| *ready_at)
    }

    /// Files waiting.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Those of them whose content is most likely not the one that is known.
    pub fn news(&self) -> usize {
        self.news
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

    fn observation(size: u64, was_touched: bool) -> Observation {
        Observation { stamp: stamp(size), was_touched, is_news: true }
    }

    /// The times at which the file of a case was ready.
    fn ready_times(story: &str) -> Vec<u64> {
        let mut settle = Settle::default();
        let mut ready = Vec::new();
        for step in story.split(',') {
            let (time, what) = step.trim().split_once(' ').expect("a time and what happens then");
            let time = time.parse().expect("milliseconds");
            match what {
                "?" => ready.extend(settle.take_due(at(time), 9).iter().map(|_| time)),
                "-" => settle.forget(Path::new("a")),
                seen => {
                    let size = seen.trim_end_matches('!').parse().expect("a size");
                    settle.observe(Path::new("a"), observation(size, seen.ends_with('!')), at(time), QUIET);
                }
            }
        }
        ready
    }

    #[test]
    fn every_case_gives_the_expected_times() {
        let lines = include_str!("settle_cases.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut checked = 0;
        for line in lines {
            let (name, story) = line.split_once(": ").expect("a name");
            let (story, expected) = story.split_once("=>").expect("an end");
            let expected: Vec<u64> = expected.split_whitespace().map(|time| time.parse().unwrap()).collect();
            assert_eq!(ready_times(story), expected, "{name}");
            checked += 1;
        }
        assert!(checked >= 12, "only {checked} cases");
    }

    #[test]
    fn one_that_is_touched_all_the_time_is_ready_after_the_limit() {
        let mut settle = Settle::default();
        let limit = MAX_SETTLING_TIME.as_millis() as u64;
        for time in (0..=limit).step_by(100) {
            settle.observe(Path::new("a"), observation(1, true), at(time), QUIET);
            let due = settle.take_due(at(time), 9);
            assert_eq!(due.len(), usize::from(time == limit), "at {time} ms");
        }
    }

    #[test]
    fn what_is_below_a_folder_is_forgotten_with_it() {
        let mut settle = Settle::default();
        settle.observe(Path::new("set/a"), observation(1, false), at(0), QUIET);
        settle.observe(Path::new("set/b"), observation(1, false), at(200), QUIET);
        assert_eq!(settle.next_due(), Some(at(400)));
        settle.take_due(at(400), 9);
        assert!(settle.has_below(Path::new("set/b")) && !settle.has_below(Path::new("set/a")));
        settle.forget_below(Path::new("se"));
        assert_eq!(settle.len(), 1);
        settle.forget_below(Path::new("set"));
        assert_eq!(settle.next_due(), None);
        assert!(settle.is_empty() && !settle.has_below(Path::new("set")));
    }

    #[test]
    fn those_that_bring_news_are_counted() {
        let mut settle = Settle::default();
        let observe = |settle: &mut Settle, name: &str, size, is_news| {
            settle.observe(Path::new(name), Observation { is_news, ..observation(size, false) }, at(0), QUIET);
            (settle.len(), settle.news())
        };
        assert_eq!(observe(&mut settle, "a", 1, true), (1, 1));
        assert_eq!(observe(&mut settle, "b", 1, false), (2, 1));
        assert_eq!(observe(&mut settle, "b", 2, true), (2, 2));
        assert_eq!(observe(&mut settle, "c", 1, false), (3, 2));
        settle.forget(Path::new("a"));
        assert_eq!((settle.len(), settle.news()), (2, 1));
        assert_eq!((settle.take_due(at(400), 9).len(), settle.news()), (2, 0));
    }

    #[test]
    fn no_more_are_taken_at_once_than_asked_for() {
        let mut settle = Settle::default();
        for name in ["a", "b", "c"] {
            settle.observe(Path::new(name), observation(1, false), at(0), QUIET);
        }
        assert_eq!([2, 2, 2].map(|limit| settle.take_due(at(400), limit).len()), [2, 1, 0]);
    }
}
