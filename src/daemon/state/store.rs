//! The catalog, and a buffer of results that could not be written to it because the disk is full, read-only or gone.
//!
//! Buffered results are written after a pause. They are few, because nothing more is read until then. If the process ends
//! first they are lost, and computed again after the next start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::catalog::{Catalog, OrphanSweep, Root};
use crate::daemon::encode::Encoded;
use crate::daemon::requests::Reply;
use crate::daemon::retry::RETRY_PAUSE;
use crate::daemon::sweep::{FIRST_SWEEP, SWEEP_INTERVAL};
use crate::query::FileRead;

/// Replies held at most: as many commands wait for one. Further ones take the place of the last.
const MOST_REPLIES: usize = 100;

/// The catalog with its buffer of unwritten results.
pub struct Store {
    catalog: Catalog,
    encoded: Vec<Encoded>,
    /// Files that are gone.
    removed: Vec<(Root, PathBuf)>,
    /// The files of queries whose answers are written.
    answered: BTreeMap<PathBuf, Vec<FileRead>>,
    is_failing: bool,
    next_try: Duration,
    /// Replies to commands that could not be written.
    replies: Vec<(PathBuf, Reply)>,
    /// The sweep under way, and when the next one begins.
    sweep: Option<OrphanSweep>,
    next_sweep: Duration,
    has_repaired: bool,
}

impl Store {
    /// With an empty buffer.
    pub fn new(catalog: Catalog) -> Self {
        Self {
            catalog,
            encoded: Vec::new(),
            removed: Vec::new(),
            answered: BTreeMap::new(),
            is_failing: false,
            next_try: Duration::ZERO,
            replies: Vec::new(),
            sweep: None,
            next_sweep: FIRST_SWEEP,
            has_repaired: false,
        }
    }

    /// For reading, and for single statements.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// For transactions.
    pub fn catalog_mut(&mut self) -> &mut Catalog {
        &mut self.catalog
    }

    /// Whether writing pictures failed a moment ago, so that they must wait.
    pub fn must_wait(&self, now: Duration) -> bool {
        !self.encoded.is_empty() && now < self.next_try
    }

    /// Whether what is held may be written now.
    pub fn may_try(&self, now: Duration) -> bool {
        now >= self.next_try
    }

    /// Writing failed: nothing is tried again for a while.
    pub fn mark_failed(&mut self, now: Duration) {
        self.is_failing = true;
        self.next_try = now + RETRY_PAUSE;
    }

    /// Something was written.
    pub fn mark_working(&mut self) {
        self.is_failing = false;
    }

    /// Whether the last attempt to write failed.
    pub fn is_failing(&self) -> bool {
        self.is_failing
    }

    /// Holds a reply to a command.
    pub fn hold_reply(&mut self, place: &Path, reply: Reply) {
        self.replies.truncate(MOST_REPLIES - 1);
        self.replies.push((place.to_path_buf(), reply));
    }

    /// The replies held.
    pub fn take_replies(&mut self) -> Vec<(PathBuf, Reply)> {
        std::mem::take(&mut self.replies)
    }

    /// Holds the results of pictures that were read.
    pub fn hold_encoded(&mut self, encoded: Vec<Encoded>) {
        self.encoded.extend(encoded);
    }

    /// Holds files to be removed.
    pub fn hold_removed(&mut self, removed: Vec<(Root, PathBuf)>) {
        self.removed.extend(removed);
    }

    /// The files held to be removed.
    pub fn take_removed(&mut self) -> Vec<(Root, PathBuf)> {
        std::mem::take(&mut self.removed)
    }

    /// Holds the record that a query was answered, and from which files.
    pub fn hold_answered(&mut self, query: PathBuf, files: Vec<FileRead>) {
        self.answered.insert(query, files);
    }

    /// The pictures held.
    pub fn take_encoded(&mut self) -> Vec<Encoded> {
        std::mem::take(&mut self.encoded)
    }

    /// One of the queries held.
    pub fn take_answered(&mut self) -> Option<(PathBuf, Vec<FileRead>)> {
        self.answered.pop_first()
    }

    /// The sweep to go on with now, if any. Results that are held have contents that may not go.
    pub fn sweep_due(&mut self, now: Duration) -> Option<OrphanSweep> {
        if !self.encoded.is_empty() {
            return None;
        }
        self.sweep.take().or_else(|| (now >= self.next_sweep).then(OrphanSweep::begin))
    }

    /// The sweep has come so far; `None` ends it.
    pub fn swept(&mut self, sweep: Option<OrphanSweep>, now: Duration) {
        self.sweep = sweep;
        if self.sweep.is_none() {
            self.next_sweep = now + SWEEP_INTERVAL;
        }
    }

    /// Damaged rows are repaired; `true` the first time.
    pub fn mark_repaired(&mut self) -> bool {
        !std::mem::replace(&mut self.has_repaired, true)
    }

    /// A query's answer is stored: drops what is held of an earlier answer.
    pub fn mark_written(&mut self, query: &Path) {
        self.answered.remove(query);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Stamp;
    use crate::picture::Unusable;

    #[test]
    fn what_cannot_be_written_waits_and_a_newer_answer_takes_its_place() {
        let state = tempfile::tempdir().unwrap();
        let mut store = Store::new(Catalog::open(state.path()).unwrap().catalog);
        let now = Duration::from_secs(10);
        let encoded =
            Encoded { root: Root::Inventory, path: "a".into(), stamp: Stamp::NEVER, result: Err(Unusable::CutOff) };
        assert!(store.may_try(now) && !store.must_wait(now));
        store.hold_encoded(vec![encoded]);
        store.hold_answered("q".into(), Vec::new());
        store.mark_failed(now);
        assert!(!store.may_try(now) && store.must_wait(now) && store.may_try(now + RETRY_PAUSE));
        assert!(store.is_failing(), "also when nothing is held any more");
        store.mark_working();
        assert!(!store.is_failing());
        assert_eq!(store.take_encoded().len(), 1);
        store.hold_removed(vec![(Root::Inventory, "a".into())]);
        assert_eq!((store.take_removed().len(), store.take_removed().len()), (1, 0));
        assert!(!store.must_wait(now), "there is nothing to write");
        assert_eq!(
            (store.sweep_due(FIRST_SWEEP / 2), store.sweep_due(FIRST_SWEEP)),
            (None, Some(OrphanSweep::begin()))
        );
        store.swept(Some(OrphanSweep::begin()), SWEEP_INTERVAL);
        assert!(store.sweep_due(SWEEP_INTERVAL).is_some(), "it goes on");
        store.swept(None, SWEEP_INTERVAL);
        assert!(store.sweep_due(SWEEP_INTERVAL * 3 / 2).is_none() && store.sweep_due(SWEEP_INTERVAL * 2).is_some());
        store.mark_written(Path::new("q"));
        assert!(store.take_answered().is_none());
    }
}
