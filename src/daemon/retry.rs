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
/// ... and, where that costs the work of doing it again, after ever longer, but no longer than this.
pub const LONGEST_RETRY_PAUSE: Duration = Duration::from_secs(20);

impl Daemon {
    /// Holds the results of pictures that were read; `refusal` is the reason, if it is new.
    pub(super) fn hold_encoded(&mut self, encoded: Vec<Encoded>, refusal: Option<Trouble>) {
        for Encoded { root, path, .. } in &encoded {
            self.plan.mark_unsaved(*root, path);
        }
        self.store.hold_encoded(encoded);
        if refusal.is_some() {
            let now = self.now();
            self.store.mark_failed(now);
            self.note("catalog", refusal);
        }
    }

    /// Holds the record that a query was answered.
    pub(super) fn hold_answered(&mut self, query: PathBuf, files: Vec<FileRead>, refusal: Trouble) {
        let now = self.now();
        self.store.mark_failed(now);
        self.store.hold_answered(query, files);
        self.note("catalog", Some(refusal));
    }

    /// The answer of a query could not be written because of what lies in its own place: the others go on.
    pub(super) fn postpone_query(&mut self, query: &Path, trouble: Trouble) {
        let (now, place) = (self.now(), trouble.path.file_name().unwrap_or_default());
        if self.queries.postponed().put(query, place, now) {
            warn!(file:% = trouble.path.display(); "{trouble}");
        }
        self.pictures.fail(Root::Query, query, trouble);
    }

    /// Holds a query whose answer, of so many bytes, could not be written because of the answer folder.
    pub(super) fn hold_query(&mut self, query: &Path, trouble: Trouble, bytes: usize) {
        self.note("answer", Some(trouble));
        let now = self.now();
        self.enqueue_query(query);
        self.plan.close(Root::Query);
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
        if self.store.may_try(now) {
            let encoded = self.store.take_encoded();
            self.keep_encoded(encoded);
            self.remove_held();
            // Up to the first failure: the others would fail as well.
            while self.store.may_try(now) {
                let Some((query, files)) = self.store.take_answered() else { break };
                self.keep_answered(query, files);
            }
        }
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
