//! The catalog, and what it could not take: a disk may be full, read-only or gone.
//!
//! What was done is held in memory and offered to the catalog again, after a pause; it is little, because nothing more is read
//! meanwhile. What is held is lost with the process, and then done again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::catalog::Catalog;
use crate::daemon::encode::Encoded;
use crate::query::FileRead;

/// What could not be written is tried again after this long.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// The catalog with its buffer of what is to be written again.
pub struct Store {
    catalog: Catalog,
    encoded: Vec<Encoded>,
    /// The files of queries whose answers are written.
    answered: BTreeMap<PathBuf, Vec<FileRead>>,
    next_try: Duration,
}

impl Store {
    /// With nothing to be written again.
    pub fn new(catalog: Catalog) -> Self {
        Self { catalog, encoded: Vec::new(), answered: BTreeMap::new(), next_try: Duration::ZERO }
    }

    /// For reading, and for what is a transaction by itself.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// For transactions.
    pub fn catalog_mut(&mut self) -> &mut Catalog {
        &mut self.catalog
    }

    /// Whether pictures would only be refused now, as a moment ago.
    pub fn must_wait(&self, now: Duration) -> bool {
        !self.encoded.is_empty() && now < self.next_try
    }

    /// Whether what is held may be offered again.
    pub fn may_try(&self, now: Duration) -> bool {
        now >= self.next_try
    }

    /// Something was refused: nothing is offered again for a while.
    pub fn mark_refused(&mut self, now: Duration) {
        self.next_try = now + RETRY_PAUSE;
    }

    /// Holds pictures that were read.
    pub fn hold_encoded(&mut self, encoded: Vec<Encoded>) {
        self.encoded.extend(encoded);
    }

    /// Holds that a query was answered, and from which files.
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

    /// What was held of a query, if anything, is of an earlier answer.
    pub fn mark_written(&mut self, query: &Path) {
        self.answered.remove(query);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Root;
    use crate::files::Stamp;
    use crate::picture::Unusable;

    #[test]
    fn what_is_refused_waits_and_a_newer_answer_takes_its_place() {
        let state = tempfile::tempdir().unwrap();
        let mut store = Store::new(Catalog::open(state.path()).unwrap().catalog);
        let now = Duration::from_secs(10);
        let encoded =
            Encoded { root: Root::Inventory, path: "a".into(), stamp: Stamp::NEVER, result: Err(Unusable::CutOff) };
        assert!(store.may_try(now) && !store.must_wait(now));
        store.hold_encoded(vec![encoded]);
        store.hold_answered("q".into(), Vec::new());
        store.mark_refused(now);
        assert!(!store.may_try(now) && store.must_wait(now) && store.may_try(now + RETRY_PAUSE));
        assert_eq!(store.take_encoded().len(), 1);
        assert!(!store.must_wait(now), "there is nothing to be refused");
        store.mark_written(Path::new("q"));
        assert!(store.take_answered().is_none());
    }
}
