//! The order in which queries are answered: by arrival, and in turn among those who ask, so that a thousand queries of one do not
//! keep the single one of another waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

/// Whoever asks: the user who owns the file or folder.
pub type Owner = u32;

/// Queries that wait. Each step costs the same however many there are, and a little more for each owner.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// Of each owner who has any, the earliest first.
    waiting: BTreeMap<Owner, BTreeSet<(Duration, Arc<OsStr>)>>,
    /// Whose turn it was last.
    last: Option<Owner>,
}

impl Arrivals {
    /// A query of `owner` arrived.
    pub fn insert(&mut self, owner: Owner, since: Duration, path: Arc<OsStr>) {
        self.waiting.entry(owner).or_default().insert((since, path));
    }

    /// It waits no longer.
    pub fn remove(&mut self, owner: Owner, since: Duration, path: Arc<OsStr>) {
        if let Some(queries) = self.waiting.get_mut(&owner) {
            queries.remove(&(since, path));
            if queries.is_empty() {
                self.waiting.remove(&owner);
            }
        }
    }

    /// The next query, of those that arrived at `latest` or before; the turn passes to the next owner.
    pub fn take_turn(&mut self, latest: Duration) -> Option<Arc<OsStr>> {
        let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let up_to = self.last.map_or(Bound::Unbounded, Bound::Included);
        let again = self.last.map(|_| self.waiting.range((Bound::Unbounded, up_to)));
        let in_turn = self.waiting.range((after, Bound::Unbounded)).chain(again.into_iter().flatten());
        let first = |(owner, queries): (&Owner, &BTreeSet<(Duration, Arc<OsStr>)>)| {
            let (since, path) = queries.first()?;
            (*since <= latest).then(|| (*owner, Arc::clone(path)))
        };
        let (owner, path) = in_turn.into_iter().find_map(first)?;
        self.last = Some(owner);
        Some(path)
    }

    /// When the earliest query arrived, of those that did at `earliest` or later.
    pub fn first_since(&self, earliest: Duration) -> Option<Duration> {
        let from: (Duration, Arc<OsStr>) = (earliest, Arc::from(OsStr::new("")));
        let firsts = self.waiting.values().filter_map(|queries| queries.range(from.clone()..).next());
        firsts.map(|(since, _)| *since).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATEST: Duration = Duration::MAX;

    fn take_all(arrivals: &mut Arrivals) -> Vec<String> {
        let mut taken = Vec::new();
        while let Some(path) = arrivals.take_turn(LATEST) {
            let [owner, at] = [0, 1].map(|part| path.to_str().unwrap().split('-').nth(part).unwrap().parse().unwrap());
            arrivals.remove(owner as Owner, Duration::from_secs(at), Arc::clone(&path));
            taken.push(path.to_str().unwrap().to_string());
        }
        taken
    }

    fn put(arrivals: &mut Arrivals, owner: Owner, at: u64) {
        let path: Arc<OsStr> = OsStr::new(&format!("{owner}-{at}")).into();
        arrivals.insert(owner, Duration::from_secs(at), path);
    }

    #[test]
    fn a_thousand_of_one_do_not_keep_one_of_another_waiting() {
        let mut arrivals = Arrivals::default();
        (0..1_000).for_each(|at| put(&mut arrivals, 7, at));
        for (owner, at) in [(9, 2_000), (9, 2_001), (3, 3_000)] {
            put(&mut arrivals, owner, at);
        }
        let taken = take_all(&mut arrivals);
        assert_eq!(taken[..7], ["3-3000", "7-0", "9-2000", "7-1", "9-2001", "7-2", "7-3"]);
        assert_eq!(taken.len(), 1_003);
        assert!(arrivals.waiting.is_empty() && arrivals.first_since(Duration::ZERO).is_none());
    }

    #[test]
    fn one_who_arrived_too_late_gives_the_turn_to_others() {
        let mut arrivals = Arrivals::default();
        put(&mut arrivals, 1, 50);
        put(&mut arrivals, 2, 10);
        assert!(arrivals.take_turn(Duration::from_secs(9)).is_none());
        assert_eq!(arrivals.take_turn(Duration::from_secs(10)).as_deref(), Some(OsStr::new("2-10")));
        assert_eq!(arrivals.first_since(Duration::from_secs(11)), Some(Duration::from_secs(50)));
    }
}
