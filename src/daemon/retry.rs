//! Handles disks that are full, read-only or gone: results are held in memory until they can be written, and no more work is
//! started whose results could not be written.
//!
//! An answer is too large to be held, so its query waits until a test write shows that there is room. The test takes a fraction
//! of a millisecond, another answer a hundred times as long.

use std::path::{Path, PathBuf};
use std::time::Duration;

use log::warn;

use super::Daemon;
use super::encode::Encoded;
use crate::catalog::Root;
use crate::error::Trouble;
use crate::files::{has_room, make_folder};
use crate::query::FileRead;

/// What could not be written (results, answers, the gallery) is tried again after this long ...
pub const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// ... and, where that costs the work of doing it again, after ever longer, but no longer than this: ten seconds after a disk
/// has room again, nothing says any more that it is full.
pub const LONGEST_RETRY_PAUSE: Duration = Duration::from_secs(8);
/// So much room must there be beside the catalog before it is said to work again; what waits for it is rarely more.
const CATALOG_ROOM: usize = 128 * 1024;

impl Daemon {
    /// Holds the results of pictures that were read; `refusal` is the reason, if it is new.
    pub(super) fn hold_encoded(&mut self, encoded: Vec<Encoded>, refusal: Option<Trouble>) {
        for Encoded { root, path, .. } in &encoded {
            self.plan.mark_unsaved(*root, path);
        }
        self.store.hold_encoded(encoded);
        if let Some(refusal) = refusal {
            self.catalog_failed(refusal);
        }
    }

    /// Holds the record that a query was answered.
    pub(super) fn hold_answered(&mut self, query: PathBuf, files: Vec<FileRead>, refusal: Trouble) {
        self.store.hold_answered(query, files);
        self.catalog_failed(refusal);
    }

    /// Files that are gone could not be removed from the catalog.
    pub(super) fn hold_removed(&mut self, removed: Vec<(Root, PathBuf)>, refusal: Trouble) {
        self.store.hold_removed(removed);
        self.catalog_failed(refusal);
    }

    /// The catalog could not be written. It is tried again after a pause, whether or not anything waits for it.
    pub(super) fn catalog_failed(&mut self, refusal: Trouble) {
        let now = self.now();
        self.store.mark_failed(now);
        self.note("catalog", Some(refusal));
    }

    /// The catalog was written.
    pub(super) fn catalog_works(&mut self) {
        self.store.mark_working();
        self.note("catalog", None);
    }

    /// The answer of a query could not be written because of what lies in its own place: the others go on.
    pub(super) fn postpone_query(&mut self, query: &Path, trouble: Trouble) {
        let (now, place) = (self.now(), trouble.path.file_name().unwrap_or_default());
        if self.queries.postponed().put(query, place, now) {
            warn!(file:% = trouble.path.display(); "{trouble}");
        }
        let now = self.now();
        self.pictures.fail(Root::Query, query, trouble, now);
    }

    /// Holds a query whose answer, of so many bytes, could not be written because of the answer folder.
    pub(super) fn hold_query(&mut self, query: &Path, trouble: Trouble, bytes: usize) {
        self.enqueue_query(query);
        self.hold_answers(trouble, bytes);
    }

    /// Answers nothing until a file of so many bytes can be written into the answer folder.
    pub(super) fn hold_answers(&mut self, trouble: Trouble, bytes: usize) {
        self.note("answer", Some(trouble));
        self.plan.close(Root::Query);
        let now = self.now();
        self.queries.stall(bytes, now);
    }

    /// Answers can be written again.
    pub(super) fn resume_answers(&mut self) {
        self.queries.resume();
        self.plan.open(Root::Query);
        self.note("answer", None);
    }

    /// Tries to write what is held.
    pub(super) fn retry_writing(&mut self) {
        let now = self.now();
        if self.store.may_try(now) && self.does_catalog_work() {
            let encoded = self.store.take_encoded();
            self.keep_encoded(encoded);
            self.remove_held();
            // Up to the first failure: the others would fail as well.
            while self.store.may_try(now) {
                let Some((query, files)) = self.store.take_answered() else { break };
                self.keep_answered(query, files);
            }
        }
        self.retry_answers(now);
        let of_quarantine = self.workers.quarantine().save_again(RETRY_PAUSE);
        self.note("quarantine", of_quarantine);
    }

    /// Whether the catalog works. After a failure that is tried: nothing may be left that would find out.
    fn does_catalog_work(&mut self) -> bool {
        if !self.store.is_failing() {
            return true;
        }
        // In its journal there may be room while the disk is full.
        if !has_room(&self.settings.config().folders.state, CATALOG_ROOM) {
            let now = self.now();
            self.store.mark_failed(now);
            return false;
        }
        match self.store.catalog_mut().try_writing() {
            Ok(()) => self.catalog_works(),
            Err(refusal) => self.catalog_failed(refusal),
        }
        !self.store.is_failing()
    }

    fn retry_answers(&mut self, now: Duration) {
        let Some(bytes) = self.queries.room_needed(now) else { return };
        let folder = &self.settings.config().folders.answer;
        let has_room = make_folder(folder).is_ok() && has_room(folder, bytes);
        self.queries.retry(has_room, now);
        if has_room {
            self.plan.open(Root::Query);
            if self.plan.pending(Root::Query) == 0 {
                // No query is left that would find out.
                self.resume_answers();
            }
        }
    }
}
