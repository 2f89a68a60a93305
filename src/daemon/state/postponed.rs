//! Queries whose answers cannot be written because of what lies in their own place, such as a folder of that name. Each is tried
//! again after a pause of its own, which grows, or when something happens there; no other query waits for it. Pure: the time is an
//! argument.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The first pause ...
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// ... and the longest: each is twice as long as the one before.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Queries tried again in one turn.
const TRIED_AT_ONCE: usize = 100;

/// The queries that wait.
#[derive(Debug, Default)]
pub struct Postponed {
    queries: BTreeMap<PathBuf, Wait>,
    due: BTreeSet<(Duration, PathBuf)>,
    /// The query whose answer cannot be written to this file of the answer folder.
    places: HashMap<OsString, PathBuf>,
}

#[derive(Debug)]
struct Wait {
    pause: Duration,
    due: Duration,
    place: OsString,
}

impl Postponed {
    /// The answer of `query` could not be written to the file `place` of the answer folder. `true` the first time.
    pub fn put(&mut self, query: &Path, place: &OsStr, now: Duration) -> bool {
        let earlier = self.remove(query);
        let pause = earlier.map_or(FIRST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE));
        let due = now + pause;
        self.due.insert((due, query.to_path_buf()));
        self.places.insert(place.to_os_string(), query.to_path_buf());
        self.queries.insert(query.to_path_buf(), Wait { pause, due, place: place.to_os_string() });
        earlier.is_none()
    }

    /// Some of the queries to try again now. Each is forgotten only by [`Self::remove`], so that its next pause is longer.
    pub fn take_due(&mut self, now: Duration) -> Vec<PathBuf> {
        let mut taken = Vec::new();
        while taken.len() < TRIED_AT_ONCE && self.next_due().is_some_and(|due| due <= now) {
            taken.extend(self.due.pop_first().map(|(_, query)| query));
        }
        taken
    }

    /// Something happened to this file of the answer folder: the query that waits for it is due.
    pub fn hurry(&mut self, place: &OsStr) {
        let Some(query) = self.places.get(place) else { return };
        if let Some(wait) = self.queries.get_mut(query)
            && self.due.remove(&(wait.due, query.clone()))
        {
            wait.due = Duration::ZERO;
            self.due.insert((wait.due, query.clone()));
        }
    }

    /// The query was answered, or is gone; the pause it had, if it waited.
    pub fn remove(&mut self, query: &Path) -> Option<Duration> {
        let Wait { pause, due, place } = self.queries.remove(query)?;
        self.due.remove(&(due, query.to_path_buf()));
        self.places.remove(&place);
        Some(pause)
    }

    /// When the next one is due.
    pub fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_query_is_tried_again_after_ever_longer_pauses_and_said_once() {
        let (mut postponed, query) = (Postponed::default(), Path::new("q.jpg"));
        let place = OsStr::new("result_q.json");
        let (mut now, mut pauses) = (second(100), Vec::new());
        assert!(postponed.put(query, place, now));
        for _ in 0..9 {
            let due = postponed.next_due().unwrap();
            assert!(postponed.take_due(due - second(1)).is_empty());
            assert_eq!(postponed.take_due(due), [query]);
            assert!(postponed.take_due(due).is_empty() && postponed.next_due().is_none(), "it is under way");
            pauses.push((due - now).as_secs());
            now = due;
            assert!(!postponed.put(query, place, now), "that is known");
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
    }

    #[test]
    fn it_is_tried_again_at_once_when_something_happens_in_its_place() {
        let mut postponed = Postponed::default();
        for name in ["a", "b"] {
            postponed.put(Path::new(name), OsStr::new(&format!("result_{name}.png")), second(100));
        }
        postponed.hurry(OsStr::new("result_c.png"));
        postponed.hurry(OsStr::new("result_b.png"));
        assert_eq!((postponed.take_due(second(100)), postponed.next_due()), (vec!["b".into()], Some(second(105))));
        postponed.hurry(OsStr::new("result_b.png"));
        assert!(postponed.take_due(second(100)).is_empty(), "it is under way");
        assert!(postponed.remove(Path::new("b")).is_some() && postponed.remove(Path::new("b")).is_none());
        assert!(postponed.put(Path::new("b"), OsStr::new("result_b.png"), second(200)), "that is new");
    }
}
