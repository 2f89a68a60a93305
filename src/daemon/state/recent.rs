//! Names of queries that failed lately, the last first. What failed earlier is in its answer, and no longer news for the status.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsStr;
use std::time::Duration;

/// A query that failed is among the problems for this long.
const RECENT: Duration = Duration::from_secs(60 * 60);

/// Names with the time they were put in.
#[derive(Debug, Default)]
pub struct RecentNames {
    times: HashMap<Box<OsStr>, Duration>,
    /// In the order of their times; those that are not in `times` with the same time were removed or renewed.
    order: VecDeque<(Duration, Box<OsStr>)>,
}

impl RecentNames {
    /// `name` has failed `now`.
    pub fn put(&mut self, name: &OsStr, now: Duration) {
        self.times.insert(name.into(), now);
        self.order.push_back((now, name.into()));
    }

    /// `name` is gone, or has not failed after all.
    pub fn remove(&mut self, name: &OsStr) {
        self.times.remove(name);
        if self.times.is_empty() {
            self.order.clear();
        }
    }

    /// Leaves out what is not recent any more.
    pub fn drop_old(&mut self, now: Duration) {
        while let Some((at, name)) = self.order.pop_front_if(|(at, _)| *at + RECENT <= now) {
            if self.times.get(&name) == Some(&at) {
                self.times.remove(&name);
            }
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.times.len()
    }

    /// Their names, the last first.
    pub fn names(&self) -> impl Iterator<Item = &OsStr> {
        let is_valid = |(at, name): &&(Duration, Box<OsStr>)| self.times.get(name) == Some(at);
        self.order.iter().rev().filter(is_valid).map(|(_, name)| &**name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_recent_for_an_hour_and_again_when_it_comes_back() {
        let mut recent = RecentNames::default();
        let minute = |minutes: u64| Duration::from_secs(60 * minutes);
        let names =
            |recent: &RecentNames| recent.names().map(|name| name.to_str().unwrap().to_string()).collect::<Vec<_>>();
        recent.put("a".as_ref(), minute(0));
        recent.put("b".as_ref(), minute(10));
        recent.put("a".as_ref(), minute(20));
        recent.put("c".as_ref(), minute(20));
        assert_eq!((names(&recent), recent.count()), (vec!["c".into(), "a".into(), "b".into()], 3));
        recent.drop_old(minute(75));
        assert_eq!(names(&recent), ["c", "a"], "the first failure of `a` counts no more");
        recent.remove("c".as_ref());
        recent.drop_old(minute(79));
        assert_eq!(names(&recent), ["a"]);
        recent.drop_old(minute(80));
        assert_eq!((names(&recent), recent.count()), (Vec::<String>::new(), 0));
    }
}
