//! Disks that are full, read-only or gone: what was done is held until it can be written, and nothing is done in vain.
//!
//! What the catalog could not take is held in memory and offered to it again; it is little, because nothing more is read
//! meanwhile. An answer is too large to be held, so its query waits until a trial shows that there is room for it: a trial
//! costs a fraction of a millisecond, another answer a hundred times that.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::encode::Encoded;
use super::{Daemon, LONGEST_RETRY_PAUSE, RETRY_PAUSE};
use crate::catalog::Root;
use crate::error::Trouble;
use crate::files::{has_room, make_folder};
use crate::query::FileRead;
use crate::query::Unwritten;

/// What the catalog has to be told, as soon as it can be. Lost with the process, and then done again.
#[derive(Default)]
pub struct PersistRetry {
    encoded: Vec<Encoded>,
    /// The files of queries whose answers are written.
    answered: BTreeMap<PathBuf, Vec<FileRead>>,
    next_try: Duration,
}

impl PersistRetry {
    /// Whether the catalog has refused something a moment ago.
    pub fn is_to_wait(&self, now: Duration) -> bool {
        !self.encoded.is_empty() && now < self.next_try
    }
}

/// Answers cannot be written.
pub struct Stall {
    /// Whether queries wait, rather than find out.
    is_closed: bool,
    pause: Duration,
    next_try: Duration,
    /// The largest that could not be written.
    bytes: usize,
}

impl Daemon {
    /// Holds pictures that were read, and says why, if that is new.
    pub(super) fn hold_encoded(&mut self, encoded: Vec<Encoded>, refusal: Option<Trouble>) {
        for Encoded { root, path, .. } in &encoded {
            self.plan.unkept(*root, path);
        }
        self.retry.encoded.extend(encoded);
        if refusal.is_some() {
            self.retry.next_try = self.now() + RETRY_PAUSE;
            self.note("catalog", refusal);
        }
    }

    /// Holds that a query was answered.
    pub(super) fn hold_answered(&mut self, query: PathBuf, files: Vec<FileRead>, refusal: Trouble) {
        self.retry.next_try = self.now() + RETRY_PAUSE;
        self.retry.answered.insert(query, files);
        self.note("catalog", Some(refusal));
    }

    /// What was held of it, if anything, is of an earlier answer.
    pub(super) fn answer_is_kept(&mut self, query: &Path) {
        self.retry.answered.remove(query);
    }

    /// Holds a query whose answer could not be written.
    pub(super) fn hold_query(&mut self, query: &Path, Unwritten { trouble, bytes }: Unwritten) {
        self.note("answer", Some(trouble));
        let now = self.now();
        self.plan.want(Root::Query, query, None, now);
        self.plan.close(Root::Query);
        let stall =
            self.stall.get_or_insert(Stall { is_closed: false, pause: RETRY_PAUSE / 2, next_try: now, bytes: 0 });
        stall.bytes = stall.bytes.max(bytes);
        // Others were under way as well when the first one failed: that is one failure.
        if !stall.is_closed {
            stall.is_closed = true;
            stall.pause = (stall.pause * 2).min(LONGEST_RETRY_PAUSE);
            stall.next_try = now + stall.pause;
        }
    }

    /// Answers can be written.
    pub(super) fn answers_go_on(&mut self) {
        self.stall = None;
        self.plan.open(Root::Query);
        self.note("answer", None);
    }

    /// Offers what is held to the disks again.
    pub(super) fn retry_writing(&mut self) {
        let now = self.now();
        if now >= self.retry.next_try {
            let encoded = std::mem::take(&mut self.retry.encoded);
            self.keep_encoded(encoded);
            // Up to the first that is refused: then the others would be as well.
            while now >= self.retry.next_try {
                let Some((query, files)) = self.retry.answered.pop_first() else { break };
                self.keep_answered(query, files);
            }
        }
        let folder = &self.config.folders.answer;
        let Some(stall) = self.stall.as_mut().filter(|stall| stall.is_closed && now >= stall.next_try) else { return };
        if make_folder(folder).is_err() || !has_room(folder, stall.bytes) {
            stall.next_try = now + RETRY_PAUSE;
            return;
        }
        stall.is_closed = false;
        self.plan.open(Root::Query);
        if self.plan.pending(Root::Query) == 0 {
            // Nobody is left to find out.
            self.answers_go_on();
        }
    }
}
