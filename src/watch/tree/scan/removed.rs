//! What is known of a folder and was not listed: it is removed, piece by piece, or kept while its disk is away.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use super::{COST_OF_A_FOLDER, Change, Look, Tree};
use crate::watch::reconcile::{Entry, SightMark};
use crate::watch::turn_budget::COST_OF_A_CHANGE;

/// Known entries checked for their mark at a time, and what that costs in listed ones.
const PIECE: usize = 256;
const COST_OF_A_PIECE: usize = 16;

impl Tree {
    /// Reports the next files that were not seen as removed and collects such folders; `true` at the end.
    pub(super) fn remove_unseen(
        &mut self,
        folder: &Path,
        mark: SightMark,
        after: &mut Option<OsString>,
        gone: &mut Vec<PathBuf>,
        look: &mut Look<'_>,
    ) -> bool {
        look.budget.spend(COST_OF_A_PIECE);
        let Some(state) = self.folders.get(folder) else { return true };
        let piece = || state.entries.range::<OsStr, _>(from(after.as_deref())).take(PIECE);
        let unseen: Vec<(OsString, Entry)> = piece()
            .filter(|(_, entry)| entry.mark() != mark)
            .map(|(name, entry)| (name.to_os_string(), *entry))
            .collect();
        let last = piece().last().map(|(name, _)| name.to_os_string());
        let is_end = last.is_none();
        *after = last;
        for (name, entry) in unseen {
            look.budget.spend(COST_OF_A_CHANGE);
            let path = folder.join(&name);
            if self.is_still_there(&path, entry) {
                // It was renamed to this name while the folder was listed, or its disk is away.
                self.set_mark(folder, &name, mark);
                continue;
            }
            if let Some(state) = self.folders.get_mut(folder) {
                state.entries.remove(name.as_os_str());
            }
            if entry.is_folder() {
                gone.push(path);
            } else {
                self.settle.forget(&path);
                look.changes.push(Change::Removed(path));
            }
        }
        is_end
    }

    fn is_still_there(&mut self, path: &Path, entry: Entry) -> bool {
        if entry.is_folder() && self.exclude.excludes(path, true) {
            // Nor is a disk in it waited for.
            self.mounts.forget_below(path);
            return false;
        }
        let is_there = match fs::symlink_metadata(self.absolute(path)) {
            Ok(found) if entry.is_folder() => found.is_dir(),
            Ok(found) => found.is_file() && !self.is_passed_over(path),
            // A disk that fails says nothing of what is on it.
            Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        };
        is_there || (entry.is_folder() && self.mounts.go_away_below(path))
    }

    /// Marks the next of what was not seen as seen; `true` at the end.
    pub(super) fn keep_unseen(
        &mut self,
        folder: &Path,
        mark: SightMark,
        after: &mut Option<OsString>,
        look: &mut Look<'_>,
    ) -> bool {
        look.budget.spend(COST_OF_A_PIECE);
        let Some(state) = self.folders.get_mut(folder) else { return true };
        let mut last = None;
        for (name, entry) in state.entries.range_mut::<OsStr, _>(from(after.as_deref())).take(PIECE) {
            *entry = entry.marked(mark);
            last = Some(name);
        }
        let last = last.map(|name| name.to_os_string());
        let is_end = last.is_none();
        *after = last;
        is_end
    }

    fn set_mark(&mut self, folder: &Path, name: &OsStr, mark: SightMark) {
        if let Some(entry) = self.folders.get_mut(folder).and_then(|state| state.entries.get_mut(name)) {
            *entry = entry.marked(mark);
        }
    }

    /// Removes the next of the folders `gone` and of everything in them from the tree; `true` at the end.
    pub(super) fn drop_below(&mut self, gone: &mut Vec<PathBuf>, look: &mut Look<'_>) -> bool {
        let Some(top) = gone.last() else { return true };
        let Some((folder, _)) = self.below(top).next() else {
            gone.pop();
            return gone.is_empty();
        };
        let folder = folder.clone();
        while let Some((name, entry)) = self.folders.get_mut(&folder).and_then(|state| state.entries.pop_first()) {
            if !entry.is_folder() {
                look.budget.spend(COST_OF_A_CHANGE);
                look.changes.push(Change::Removed(folder.join(&*name)));
            }
            if !look.budget.is_left() {
                return false;
            }
        }
        look.budget.spend(COST_OF_A_FOLDER);
        look.hints.disarm(&self.absolute(&folder));
        self.settle.forget_below(&folder);
        self.dirty.take(&folder);
        self.unwatched.set(&folder, None);
        self.unreadable.set(&folder, None);
        let state = self.folders.remove(&folder).unwrap_or_default();
        self.eventless -= usize::from(state.eventless.is_some());
        self.partners -= state.partners;
        self.excluded -= state.excluded;
        false
    }
}

fn from(after: Option<&OsStr>) -> (Bound<&OsStr>, Bound<&OsStr>) {
    (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}
