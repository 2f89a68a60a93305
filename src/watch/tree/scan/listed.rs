//! Compares one entry that a folder's listing gave with what is known of it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Look, Scan, Tree};
use crate::config::ExcludePatterns;
use crate::watch::listing::Listed;
use crate::watch::pairs::is_partner;
use crate::watch::reconcile::{Entry, FileComparison};
use crate::watch::turn_budget::COST_OF_A_CHANGE;
use crate::watch::{Change, Observation, WatchState};

/// Why a folder is not entered (`DEPTH_LIMIT`).
const TOO_DEEP: &str = "a folder inside 64 others: move it higher up, or its pictures are never read";

fn is_excluded(exclude: &ExcludePatterns, folder: &Path, entry: &Listed) -> bool {
    match entry {
        _ if exclude.is_empty() => false,
        Listed::Ignored => false,
        Listed::Folder(name) => exclude.excludes(&folder.join(name), true),
        Listed::File(name, _) | Listed::Skipped(name, _) => exclude.excludes(&folder.join(name), false),
    }
}

impl Tree {
    pub(super) fn take_listed(&mut self, scan: &mut Scan, batch: Vec<Listed>, look: &mut Look<'_>) {
        let absolute = self.absolute(&scan.folder);
        let Some(state) = self.folders.get_mut(&scan.folder) else { return };
        let (mut folders, mut skipped) = (Vec::new(), Vec::new());
        for entry in batch {
            if is_excluded(&self.exclude, &scan.folder, &entry) {
                // It is no empty folder that somebody emptied or whose disk is away. What is known of the entry counts as gone.
                (scan.is_bare, scan.excluded) = (false, scan.excluded + 1);
                continue;
            }
            match entry {
                Listed::Ignored => {}
                Listed::Folder(name) => folders.push(name),
                Listed::Skipped(name, reason) => skipped.push((scan.folder.join(name), reason)),
                // What is known of it counts as gone.
                Listed::File(name, _) if self.pairs_are_one && is_partner(&absolute.join(&name)) => {
                    scan.is_bare = false;
                    scan.partners += 1;
                    self.settle.forget(&scan.folder.join(name));
                }
                Listed::File(name, stamp) => {
                    scan.is_bare = false;
                    let was_touched = !scan.touched.is_empty() && scan.touched.remove(&name);
                    let is_whole = (was_touched && self.whole.remove(&scan.folder.join(&name))) || scan.is_whole;
                    let known = state.entries.get_mut(name.as_os_str());
                    let comparison = known.as_ref().map_or(FileComparison::Changed, |known| known.compare(&stamp));
                    // A folder of this name was not seen, so it counts as gone.
                    if let Some(known) = known.filter(|known| !known.is_folder()) {
                        *known = known.marked(scan.mark);
                    }
                    if comparison != FileComparison::Same {
                        let seen = Observation { stamp, was_touched, is_news: comparison == FileComparison::Changed };
                        let quiet = if is_whole { Duration::ZERO } else { look.quiet };
                        self.settle.observe(&scan.folder.join(name), seen, look.now, quiet);
                    } else if !self.settle.is_empty() {
                        self.settle.forget(&scan.folder.join(name));
                    }
                }
            }
        }
        for (path, reason) in skipped {
            self.skip(path, reason, look);
        }
        for name in folders {
            self.take_folder(scan, name, look);
        }
    }

    fn skip(&mut self, path: PathBuf, reason: &'static str, look: &mut Look<'_>) {
        if self.reported_skipped.insert(path.clone()) {
            look.changes.push(Change::Skipped(path, reason));
        }
    }

    /// A new folder is scanned next; all are if the one in which they lie was not watched until now.
    fn take_folder(&mut self, scan: &mut Scan, name: OsString, look: &mut Look<'_>) {
        scan.is_bare = false;
        let path = scan.folder.join(&name);
        if scan.is_too_deep {
            return self.skip(path, TOO_DEEP, look);
        }
        let Some(state) = self.folders.get_mut(&scan.folder) else { return };
        let is_known = match state.entries.get_mut(name.as_os_str()) {
            Some(known) if known.is_folder() => {
                *known = known.marked(scan.mark);
                true
            }
            known => {
                if known.is_some() {
                    // It was a file.
                    look.budget.spend(COST_OF_A_CHANGE);
                    look.changes.push(Change::Removed(path.clone()));
                }
                state.entries.insert(name.into_boxed_os_str(), Entry::folder(scan.mark));
                false
            }
        };
        if !is_known {
            self.settle.forget(&path);
            self.folders.entry(path.clone()).or_default();
            if scan.is_whole {
                self.whole.insert(path.clone());
            }
            self.found.push(path);
        } else if scan.armed == WatchState::NewlyWatched {
            let comes_anyway = self.pass.is_before(&path);
            let Some(child) = self.folders.get_mut(&path).filter(|_| comes_anyway) else {
                return self.found.push(path);
            };
            child.scanned_in = 0;
        }
    }
}
