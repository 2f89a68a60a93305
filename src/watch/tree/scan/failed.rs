//! What follows when a folder cannot be listed: it is gone, away, or cannot be read.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::{Look, Scan, Tree};
use crate::error::Trouble;

impl Tree {
    /// Listing the folder failed in the middle.
    pub(super) fn listing_broke_off(&mut self, folder: &Path, error: &io::Error, look: &mut Look<'_>) {
        match error.kind() {
            // The next scan says what became of it.
            ErrorKind::NotFound => self.mark(folder, look.now, None),
            _ => self.listing_failed(folder, error, look),
        }
    }

    /// The folder could not be listed: it is gone, or it cannot be read.
    pub(super) fn listing_failed(&mut self, folder: &Path, error: &io::Error, look: &mut Look<'_>) {
        let absolute = self.absolute(folder);
        let is_root = folder.as_os_str().is_empty();
        if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
            if (is_root || self.is_named_root(folder)) && self.keeps_when_empty {
                self.mounts.goes_away(folder);
            }
            let trouble = Trouble::system("look into the folder", &absolute, error);
            self.unreadable.set(folder, Some(trouble));
            return;
        }
        look.hints.distrust_below(&absolute);
        match folder.parent() {
            Some(_) if self.is_named_root(folder) && self.keeps_when_missing(folder) => self.mounts.goes_away(folder),
            Some(_) if self.is_named_root(folder) => {
                self.mounts.is_here(folder, false);
                let remedy = format!(
                    "mount it, make it, or take it out of `inventory` in [folders]: mkdir -p '{}'",
                    self.shown(folder).display()
                );
                let trouble = Trouble::new("the folder is missing", self.shown(folder), remedy);
                self.unreadable.set(folder, Some(trouble));
                let state = self.folder_at(folder);
                state.mark = !state.mark;
                let mark = state.mark;
                self.scan = Some(Scan::of_missing(folder.to_path_buf(), mark));
            }
            // The listing of the parent decides whether a sub-folder was removed: the root may be offline.
            Some(parent) => self.mark(parent, look.now, None),
            None if self.keeps_when_missing(folder) => self.mounts.goes_away(folder),
            None => {
                self.accepts_empty = false;
                self.mounts.is_here(folder, false);
                self.scan = Some(Scan::of_missing_root());
            }
        }
    }

    /// Whether a folder that is missing or empty is only away.
    pub(super) fn keeps_when_missing(&self, folder: &Path) -> bool {
        let is_root = folder.as_os_str().is_empty();
        let is_root_kept =
            (self.keeps_when_empty && !self.accepts_empty) || self.mounts.is_root_without_disk(&self.root);
        (is_root && is_root_kept) || self.mounts.was_mounted(folder)
    }
}
