//! The state of one watched folder with its sub-folders: their watches, their known files, and which need a scan.

mod scan;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::identity::Identity;
use super::{Known, Settle};
use crate::error::Trouble;
use crate::files::Stamp;

/// Hints come in bursts: a folder is scanned this long after the first.
const COALESCE: Duration = Duration::from_millis(20);
/// The next scan of a folder waits this many times as long as the last scan took, so that slow folders are not scanned
/// all the time.
const SCAN_COST_FACTOR: u32 = 5;
/// Deeper folders are not entered.
const DEPTH_LIMIT: usize = 64;

/// A change that a scan found. Paths are relative to the tree's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new or changed file has settled.
    Ready(PathBuf, Stamp),
    /// A file that was known was removed.
    Removed(PathBuf),
    /// An entry that is never opened; reported once.
    Skipped(PathBuf, &'static str),
    /// The folder's file system (named) may change without hints, so it is also scanned regularly; reported once.
    Eventless(PathBuf, &'static str),
}

/// The state of one watched folder.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    /// An empty or missing root counts as offline, not as emptied.
    keeps_when_empty: bool,
    identity: Option<Identity>,
    is_offline: bool,
    accepts_empty: bool,
    /// Every folder has been scanned since the start, or found missing.
    is_first_scan_done: bool,
    folders: BTreeMap<PathBuf, Folder>,
    dirty: HashMap<PathBuf, Dirty>,
    settle: Settle,
    reported_skipped: HashSet<PathBuf>,
}

#[derive(Debug, Default)]
struct Folder {
    known: HashMap<OsString, Known>,
    children: BTreeSet<OsString>,
    scan_cost: Duration,
    was_scanned: bool,
    /// Why it cannot be watched, if it cannot.
    unwatched: Option<Trouble>,
    /// Its file system, if that may change without hints.
    eventless: Option<&'static str>,
    unreadable: Option<Trouble>,
}

#[derive(Debug)]
struct Dirty {
    due: Duration,
    touched: HashSet<OsString>,
}

impl Tree {
    /// A tree with the files `known` from earlier. `keeps_when_empty`: a root that is suddenly empty or missing counts
    /// as offline, and its files stay known.
    pub fn new(root: &Path, keeps_when_empty: bool, known: impl IntoIterator<Item = (PathBuf, Known)>) -> Self {
        let mut tree = Self {
            root: root.to_path_buf(),
            keeps_when_empty,
            identity: None,
            is_offline: false,
            accepts_empty: false,
            is_first_scan_done: false,
            folders: BTreeMap::from([(PathBuf::new(), Folder::default())]),
            dirty: HashMap::new(),
            settle: Settle::default(),
            reported_skipped: HashSet::new(),
        };
        for (path, known) in known {
            tree.learn(&path, known);
        }
        tree
    }

    /// The watched folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The absolute path of a path in the tree.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }

    /// Whether the root is missing or suddenly empty, so that its known files cannot be read.
    pub fn is_offline(&self) -> bool {
        self.is_offline
    }

    /// Files that are settling.
    pub fn settling(&self) -> usize {
        self.settle.len()
    }

    /// The entries of the root with files that are settling, or with folders still to be scanned.
    pub fn unsettled_tops(&self) -> HashSet<&OsStr> {
        let dirty = self.dirty.keys().map(PathBuf::as_path);
        self.settle.paths().chain(dirty).filter_map(|path| path.iter().next()).collect()
    }

    /// Whether no folder is waiting to be scanned.
    pub fn is_scanned(&self) -> bool {
        self.dirty.is_empty()
    }

    /// Whether every folder known at the start, and every one found in them, has been scanned once.
    pub fn is_first_scan_done(&self) -> bool {
        self.is_first_scan_done
    }

    /// Whether `path` is a folder seen in this tree.
    pub fn is_folder(&self, path: &Path) -> bool {
        self.folders.contains_key(path)
    }

    /// Whether `path` is a file known in this tree, readable or not.
    pub fn is_known_file(&self, path: &Path) -> bool {
        let folder = path.parent().and_then(|parent| self.folders.get(parent));
        folder.zip(path.file_name()).is_some_and(|(folder, name)| folder.known.contains_key(name))
    }

    /// Whether `path` is a file known in this tree, or a folder with any below it.
    pub fn has_files(&self, path: &Path) -> bool {
        self.is_known_file(path) || self.below(path).any(|(_, folder)| !folder.known.is_empty())
    }

    /// Files known below `folder`, readable or not.
    pub fn known_below(&self, folder: &Path) -> Vec<PathBuf> {
        self.below(folder).flat_map(|(path, folder)| folder.known.keys().map(move |name| path.join(name))).collect()
    }

    /// Records the state of a file when it was read.
    pub fn learn(&mut self, path: &Path, known: Known) {
        if let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
            self.folder_at(folder).known.insert(name.to_os_string(), known);
        }
    }

    /// Makes what is known of a file count as outdated: the next scan reports it as ready, or as removed.
    pub fn invalidate(&mut self, path: &Path) {
        self.learn(path, Known { stamp: Stamp::NEVER, has_failed: true });
    }

    /// Lets a file become ready once more after `quiet`: it could not be used yet, or its result could not be stored.
    pub fn settle_again(&mut self, path: &Path, stamp: Stamp, now: Duration, quiet: Duration) {
        self.invalidate(path);
        self.settle.observe(path, stamp, true, now, quiet);
    }

    /// The state of a folder; adds it and its ancestors to the tree where they are missing.
    fn folder_at(&mut self, folder: &Path) -> &mut Folder {
        let missing: Vec<&Path> = folder.ancestors().filter(|inner| !self.folders.contains_key(*inner)).collect();
        for inner in missing {
            if let (Some(parent), Some(name)) = (inner.parent(), inner.file_name()) {
                self.folders.entry(parent.to_path_buf()).or_default().children.insert(name.to_os_string());
            }
        }
        self.folders.entry(folder.to_path_buf()).or_default()
    }

    /// Takes a hint about an absolute path; `false` when the path is not in this tree.
    pub fn hint(&mut self, path: &Path, now: Duration) -> bool {
        let Ok(inner) = path.strip_prefix(&self.root) else { return false };
        if inner.components().any(|part| matches!(part, Component::Normal(name) if super::is_ignored(name))) {
            return true;
        }
        if self.folders.contains_key(inner) {
            self.mark(inner.to_path_buf(), now, None);
        }
        if let (Some(folder), Some(name)) = (inner.parent(), inner.file_name()) {
            self.mark(folder.to_path_buf(), now, Some(name.to_os_string()));
        }
        true
    }

    /// Marks every folder to be scanned: at the start, after lost hints, and at regular intervals.
    pub fn mark_all(&mut self, now: Duration) {
        for folder in self.folders.keys().cloned().collect::<Vec<_>>() {
            self.mark(folder, now, None);
        }
    }

    /// Marks every folder that may change without hints to be scanned (all folders if `everything`); the scan also
    /// tries again to watch it. Returns how long the last scans of these folders took.
    pub fn mark_polled(&mut self, now: Duration, everything: bool) -> Duration {
        let is_polled = |folder: &Folder| {
            everything || folder.unwatched.is_some() || folder.eventless.is_some() || folder.unreadable.is_some()
        };
        let polled: Vec<(PathBuf, Duration)> = self
            .folders
            .iter()
            .filter(|(_, folder)| is_polled(folder))
            .map(|(path, folder)| (path.clone(), folder.scan_cost))
            .collect();
        let cost = polled.iter().map(|(_, cost)| *cost).sum();
        polled.into_iter().for_each(|(path, _)| self.mark(path, now, None));
        cost
    }

    /// The user confirms that the root was emptied on purpose: the next scan reports its files as removed.
    pub fn accept_empty(&mut self, now: Duration) {
        self.accepts_empty = true;
        self.mark_all(now);
    }

    fn mark(&mut self, folder: PathBuf, now: Duration, touched: Option<OsString>) {
        let cost = self.folders.get(&folder).map_or(Duration::ZERO, |folder| folder.scan_cost);
        let due = now + COALESCE.max(cost * SCAN_COST_FACTOR);
        self.dirty.entry(folder).or_insert_with(|| Dirty { due, touched: HashSet::new() }).touched.extend(touched);
    }

    /// When there is something to do next.
    pub fn next_due(&self) -> Option<Duration> {
        self.dirty.values().map(|dirty| dirty.due).chain(self.settle.next_due()).min()
    }

    /// `folder` and its sub-folders at every depth, which are adjacent in the order of paths.
    fn below(&self, folder: &Path) -> impl Iterator<Item = (&PathBuf, &Folder)> {
        let from_here = self.folders.range::<Path, _>((Bound::Included(folder), Bound::Unbounded));
        from_here.take_while(move |(path, _)| path.starts_with(folder))
    }

    /// What is wrong with this tree right now: one entry for each kind of trouble, with the first folder concerned.
    pub fn troubles(&self) -> Vec<Trouble> {
        let mut found: BTreeMap<&str, Trouble> = BTreeMap::new();
        for folder in self.folders.values() {
            for trouble in folder.unwatched.iter().chain(&folder.unreadable) {
                found.entry(&trouble.what).or_insert_with(|| trouble.clone());
            }
        }
        let mut troubles: Vec<Trouble> = found.into_values().collect();
        if self.is_offline {
            troubles.push(Trouble::new(
                "the folder is missing or suddenly empty; its known pictures are kept and still found",
                &self.root,
                "mount or restore it; `artificio check` says what to do if it was emptied on purpose",
            ));
        } else if self.identity.is_none() && !(self.keeps_when_empty && self.has_files(Path::new(""))) {
            troubles.push(Trouble::new(
                "the folder is missing",
                &self.root,
                format!("create it or mount it: mkdir -p '{}'", self.root.display()),
            ));
        }
        troubles
    }
}
