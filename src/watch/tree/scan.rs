//! Scans the folders of a tree that are due: sets the watch, lists the folder, compares the list with what is known.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Change, DEPTH_LIMIT, Dirty, Tree};
use crate::error::Trouble;
use crate::files::Stamp;
use crate::watch::filesystem::without_events;
use crate::watch::identity::Identity;
use crate::watch::{Hints, Known, Listing, WatchState, list, reconcile};

impl Tree {
    /// Checks whether the root was removed, has come back, or has become another folder.
    pub fn check_root(&mut self, now: Duration, hints: &mut Hints) {
        let identity = Identity::of(&self.root);
        if identity != self.identity {
            hints.disarm_below(&self.root);
            self.identity = identity;
            self.mark_all(now);
        }
    }

    /// Scans every folder that is due, after setting its watch, and checks every file whose waiting time is over.
    pub fn turn(&mut self, now: Duration, quiet: Duration, hints: &mut Hints) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut due: Vec<(PathBuf, Dirty)> = self.dirty.extract_if(|_, dirty| dirty.due <= now).collect();
        while let Some((folder, dirty)) = due.pop() {
            let found = self.scan(&folder, dirty.touched, (now, quiet), hints, &mut changes);
            due.extend(found.into_iter().map(|folder| (folder, Dirty { due: now, touched: HashSet::new() })));
        }
        if !self.is_first_scan_done {
            self.is_first_scan_done = self.folders.values().all(|folder| folder.was_scanned);
        }
        for (path, stamp) in self.settle.take_due(now) {
            match fs::metadata(self.absolute(&path)) {
                Ok(metadata) if Stamp::of(&metadata) == stamp => {
                    // Known from now on, so that the next scan of its folder does not report it once more.
                    self.learn(&path, Known { stamp, has_failed: false });
                    changes.push(Change::Ready(path, stamp));
                }
                Ok(metadata) => self.settle.observe(&path, Stamp::of(&metadata), false, now, quiet),
                Err(_) => self.mark(path.parent().unwrap_or(Path::new("")).to_path_buf(), now, None),
            }
        }
        changes
    }

    /// Scans one folder and returns the sub-folders to be scanned next.
    fn scan(
        &mut self,
        folder: &Path,
        mut touched: HashSet<OsString>,
        (now, quiet): (Duration, Duration),
        hints: &mut Hints,
        changes: &mut Vec<Change>,
    ) -> Vec<PathBuf> {
        let started = Instant::now();
        let absolute = self.absolute(folder);
        let is_root = folder.as_os_str().is_empty();
        // This scan also serves requests that came meanwhile.
        touched.extend(self.dirty.remove(folder).into_iter().flat_map(|dirty| dirty.touched));
        if let Some(state) = self.folders.get_mut(folder) {
            state.was_scanned = true;
        }
        // The watch comes first: changes during the listing then cause a hint.
        let armed = hints.arm(&absolute);
        let listing = match list(&absolute, &self.root) {
            Ok(listing) => listing,
            Err(error) => {
                self.listing_failed(folder, &error, now, hints, changes);
                return Vec::new();
            }
        };
        if is_root && self.keeps_when_empty {
            let is_bare = listing.files.is_empty() && listing.folders.is_empty();
            self.is_offline = is_bare && self.has_files(folder) && !self.accepts_empty;
            self.accepts_empty = false;
            if self.is_offline {
                self.go_offline();
                return Vec::new();
            }
        }
        self.take_listing(folder, &listing, &touched, (now, quiet), changes);
        let state = self.folders.entry(folder.to_path_buf()).or_default();
        let is_newly_watched = armed == WatchState::NewlyWatched;
        state.unwatched = if let WatchState::Polled(trouble) = armed { Some(trouble) } else { None };
        state.unreadable = None;
        state.scan_cost = started.elapsed();
        let eventless = without_events(&absolute);
        if let Some(kind) = eventless.filter(|_| is_root && state.eventless.is_none()) {
            changes.push(Change::Eventless(folder.to_path_buf(), kind));
        }
        state.eventless = eventless;
        self.follow_folders(folder, listing, is_newly_watched, hints, changes)
    }

    /// The folder could not be listed: it is gone, or it cannot be read.
    fn listing_failed(
        &mut self,
        folder: &Path,
        error: &io::Error,
        now: Duration,
        hints: &mut Hints,
        changes: &mut Vec<Change>,
    ) {
        let absolute = self.absolute(folder);
        if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
            if folder.as_os_str().is_empty() && self.keeps_when_empty {
                self.go_offline();
            }
            let trouble = Trouble::system("look into the folder", &absolute, error);
            self.folders.entry(folder.to_path_buf()).or_default().unreadable = Some(trouble);
            return;
        }
        hints.disarm_below(&absolute);
        match folder.parent() {
            // The listing of the parent decides whether a sub-folder was removed: the root may be offline.
            Some(parent) => self.mark(parent.to_path_buf(), now, None),
            None if self.keeps_when_empty && !self.accepts_empty => self.go_offline(),
            None => {
                (self.accepts_empty, self.is_offline) = (false, false);
                self.drop_below(folder, changes);
            }
        }
    }

    /// Keeps what is known. Nothing below the root can be scanned until it is back.
    fn go_offline(&mut self) {
        self.is_offline = true;
        self.is_first_scan_done = true;
    }

    fn take_listing(
        &mut self,
        folder: &Path,
        listing: &Listing,
        touched: &HashSet<OsString>,
        (now, quiet): (Duration, Duration),
        changes: &mut Vec<Change>,
    ) {
        let state = self.folders.entry(folder.to_path_buf()).or_default();
        let differences = reconcile(listing, &state.known);
        for name in &differences.removed {
            state.known.remove(name);
        }
        for (name, stamp) in differences.new_or_changed {
            self.settle.observe(&folder.join(&name), stamp, touched.contains(&name), now, quiet);
        }
        for name in differences.unchanged {
            self.settle.forget(&folder.join(name));
        }
        for name in differences.removed {
            let path = folder.join(name);
            self.settle.forget(&path);
            changes.push(Change::Removed(path));
        }
        let listed: HashSet<&OsString> = listing.files.iter().map(|(name, _)| name).collect();
        for name in touched.iter().filter(|name| !listed.contains(name)) {
            self.settle.forget(&folder.join(name));
        }
        for skipped in &listing.skipped {
            let path = folder.join(&skipped.name);
            if self.reported_skipped.insert(path.clone()) {
                changes.push(Change::Skipped(path, skipped.reason));
            }
        }
    }

    /// The sub-folders to scan next: the new ones, or all of them when the folder itself was not watched until now
    /// (`is_newly_watched`).
    fn follow_folders(
        &mut self,
        folder: &Path,
        listing: Listing,
        is_newly_watched: bool,
        hints: &mut Hints,
        changes: &mut Vec<Change>,
    ) -> Vec<PathBuf> {
        let present: BTreeSet<OsString> = listing.folders.into_iter().collect();
        let is_too_deep = folder.components().count() >= DEPTH_LIMIT;
        let state = self.folders.entry(folder.to_path_buf()).or_default();
        let before = std::mem::take(&mut state.children);
        let gone: Vec<PathBuf> = before.difference(&present).map(|name| folder.join(name)).collect();
        let new = present.iter().filter(|name| is_newly_watched || !before.contains(*name));
        let new: Vec<PathBuf> = new.map(|name| folder.join(name)).collect();
        if !is_too_deep {
            state.children = present;
        }
        for folder in gone {
            hints.disarm_below(&self.absolute(&folder));
            self.drop_below(&folder, changes);
        }
        if is_too_deep {
            return Vec::new();
        }
        for folder in &new {
            self.folders.entry(folder.clone()).or_default();
        }
        new
    }

    /// Removes `folder` and everything in it from the tree.
    fn drop_below(&mut self, folder: &Path, changes: &mut Vec<Change>) {
        changes.extend(self.known_below(folder).into_iter().map(Change::Removed));
        let gone: Vec<PathBuf> = self.below(folder).map(|(path, _)| path.clone()).collect();
        for path in gone {
            self.folders.remove(&path);
            self.dirty.remove(&path);
        }
        self.folders.entry(PathBuf::new()).or_default();
        self.settle.forget_below(folder);
    }
}
