//! What was found to be wrong with the catalog while it was read. All connections of the service to one file share it.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rusqlite::InterruptHandle;

use crate::picture::Hash;

use super::Root;

/// Rows that are remembered until they are repaired. Others are found again when they are read again.
const MOST_ROWS: usize = 1_000;

/// A row that is not as it was written. It counts as missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DamagedRow {
    /// Features, a miniature, an embedding or metadata.
    OfContent {
        /// Which of them.
        table: ContentTable,
        /// The row's number.
        rowid: i64,
        /// The content that it was read for.
        content: Hash,
    },
    /// What was known of a file.
    File {
        /// Which folder.
        root: Root,
        /// Relative to it.
        path: PathBuf,
    },
    /// What was known of a query's answer.
    Answer {
        /// Relative to the query folder.
        query: PathBuf,
    },
}

/// A table of which each row belongs to a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentTable {
    /// The output of the network.
    Features,
    /// The small copies by which near-duplicates are found.
    Miniatures,
    /// What a model makes of the features.
    Embeddings,
    /// What files say of their pictures.
    Metadata,
}

impl ContentTable {
    pub(super) const ALL: [Self; 4] = [Self::Features, Self::Miniatures, Self::Embeddings, Self::Metadata];

    /// Its name, and the column of its rows' numbers.
    pub(super) fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Features => ("features", "rowid"),
            Self::Miniatures => ("miniatures", "content"),
            Self::Embeddings => ("codes", "rowid"),
            Self::Metadata => ("metadata", "content"),
        }
    }

    /// The checksum that a row should have, with this expression for the content's hash.
    pub(super) fn checksum(self, hash: &str) -> String {
        match self {
            Self::Features => format!("row_checksum('features', {hash}, trunk, row)"),
            Self::Miniatures => format!("row_checksum('miniatures', {hash}, kind, pixels)"),
            Self::Embeddings => format!("row_checksum('codes', {hash}, model, row)"),
            Self::Metadata => format!("row_checksum('metadata', {hash}, taken_s, camera, lens, width, height)"),
        }
    }
}

/// Shared by the connections to one file.
#[derive(Default)]
pub(super) struct Health {
    is_damaged: AtomicBool,
    rows: Mutex<Vec<DamagedRow>>,
    /// Of the full check under way.
    check: Mutex<Option<InterruptHandle>>,
    is_check_over: AtomicBool,
}

impl fmt::Debug for Health {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Health").field("is_damaged", &self.is_damaged()).finish_non_exhaustive()
    }
}

impl Health {
    /// Whether the file must be replaced.
    pub fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Relaxed)
    }

    pub fn mark_damaged(&self, is_damaged: bool) {
        self.is_damaged.fetch_or(is_damaged, Ordering::Relaxed);
    }

    /// Remembers a row; `false` when there are too many already.
    pub fn add(&self, row: DamagedRow) -> bool {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = rows.len() < MOST_ROWS;
        if has_room && !rows.contains(&row) {
            rows.push(row);
        }
        has_room
    }

    /// Some of the rows that are remembered, at most `count`.
    pub fn take(&self, count: usize) -> Vec<DamagedRow> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = rows.len().saturating_sub(count);
        rows.split_off(rest)
    }

    /// The full check begins on this connection; `None` when it has ended.
    pub fn set_check(&self, handle: Option<InterruptHandle>) {
        *self.check.lock().unwrap_or_else(PoisonError::into_inner) = handle;
    }

    /// Whether [`Self::end_check`] was called.
    pub fn is_check_over(&self) -> bool {
        self.is_check_over.load(Ordering::Relaxed)
    }

    /// Ends the full check, which keeps the journal from being emptied.
    pub fn end_check(&self) {
        self.is_check_over.store(true, Ordering::Relaxed);
        if let Some(handle) = &*self.check.lock().unwrap_or_else(PoisonError::into_inner) {
            handle.interrupt();
        }
    }
}
