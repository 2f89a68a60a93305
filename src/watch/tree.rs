//! The state of one watched folder with its sub-folders: their watches, their known files, and which need a scan.
//!
//! A turn of the event loop looks at a bounded number of entries. What one look finds is the same however many turns it takes:
//! what changes meanwhile is found by the scan that follows its hint.

mod dirty;
mod known_files;
mod mounts;
mod pass;
mod questions;
mod scan;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use self::dirty::DirtyFolders;
pub use self::known_files::KnownFiles;
use self::mounts::Mounts;
use self::pass::{Pass, Scope};
use self::scan::{NamedFiles, Scan};
use self::trouble::FolderTroubles;
use super::identity::Identity;
use super::reconcile::{Entry, FileComparison, SightMark};
use super::{Known, Observation, Settle};
use crate::config::ExcludePatterns;
use crate::files::{Stamp, is_folder_of_links};

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
    /// A known file has settled whose content is most likely the same, although something about the file is not.
    Touched(PathBuf, Stamp),
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
    /// Its folders are links to the folders of an inventory of several.
    is_of_links: bool,
    /// An empty or missing root counts as offline, not as emptied.
    keeps_when_empty: bool,
    /// Files for which another of their stem stands are passed over.
    pairs_are_one: bool,
    /// Files and folders that are passed over.
    exclude: ExcludePatterns,
    identity: Option<Identity>,
    accepts_empty: bool,
    /// Every folder has been scanned since the start, or found missing.
    is_first_scan_done: bool,
    folders: BTreeMap<PathBuf, Folder>,
    dirty: DirtyFolders,
    named: NamedFiles,
    /// New folders, to be scanned next.
    found: Vec<PathBuf>,
    pass: Pass,
    /// The scan that goes on: one at a time.
    scan: Option<Scan>,
    settle: Settle,
    /// Files and folders that were renamed to where they are, and were not listed since: what is whole need not settle.
    whole: HashSet<PathBuf>,
    mounts: Mounts,
    unwatched: FolderTroubles,
    unreadable: FolderTroubles,
    /// Folders whose file system may change without hints.
    eventless: usize,
    /// Files that are passed over because another of their stem stands for them.
    partners: usize,
    /// Files and folders that are passed over by the settings.
    excluded: usize,
    polls_everything: bool,
    /// What the last pass took in the polled folders, and the present one so far.
    poll_cost: [Duration; 2],
    reported_skipped: HashSet<PathBuf>,
    looked_at: usize,
}

#[derive(Debug, Default)]
struct Folder {
    /// Known files and sub-folders. A map in order: it is gone through piece by piece, and never grows at one go.
    entries: BTreeMap<Box<OsStr>, Entry>,
    /// That of the listing that is going on, or of the last one.
    mark: SightMark,
    /// The pass of its last scan.
    scanned_in: u64,
    scan_cost: Duration,
    /// Its file system, if that may change without hints.
    eventless: Option<&'static str>,
    /// Files in it that are passed over because another of their stem stands for them.
    partners: usize,
    /// Files and folders in it that are passed over by the settings.
    excluded: usize,
}

impl Folder {
    fn has_files(&self) -> bool {
        self.entries.values().any(|entry| !entry.is_folder())
    }
}

impl Tree {
    /// A tree with the files `known` from earlier. `keeps_when_empty`: a root that is suddenly empty or missing counts
    /// as offline, and its files stay known. `mounts`: where disks were mounted earlier, of which the same holds.
    pub fn new(root: &Path, keeps_when_empty: bool, mounts: BTreeSet<PathBuf>, known: KnownFiles) -> Self {
        let is_of_links = is_folder_of_links(root);
        // A folder that is no longer in the settings is gone, not away.
        let is_left =
            |mount: &PathBuf| !is_of_links || mount.components().next().is_some_and(|name| is_link(&root.join(name)));
        let mounts = mounts.into_iter().filter(is_left).collect();
        let mut tree = Self {
            root: root.to_path_buf(),
            is_of_links,
            keeps_when_empty,
            pairs_are_one: false,
            exclude: ExcludePatterns::default(),
            identity: None,
            accepts_empty: false,
            is_first_scan_done: false,
            folders: BTreeMap::from([(PathBuf::new(), Folder::default())]),
            dirty: DirtyFolders::default(),
            named: NamedFiles::default(),
            found: Vec::new(),
            pass: Pass::idle(),
            scan: None,
            settle: Settle::default(),
            whole: HashSet::new(),
            mounts: Mounts::new(mounts),
            unwatched: FolderTroubles::default(),
            unreadable: FolderTroubles::default(),
            eventless: 0,
            partners: 0,
            excluded: 0,
            polls_everything: false,
            poll_cost: [Duration::ZERO; 2],
            reported_skipped: HashSet::new(),
            looked_at: 0,
        };
        tree.learn_all(known);
        tree.mark_all(false);
        tree
    }

    /// The same tree, in which of a raw file, or a film, and the photograph of its stem only the photograph is a file.
    pub fn with_pairs_as_one(self) -> Self {
        Self { pairs_are_one: true, ..self }
    }

    /// The same tree, in which what is `excluded` is passed over.
    pub fn without(self, excluded: ExcludePatterns) -> Self {
        Self { exclude: excluded, ..self }
    }

    /// From now on this is passed over. The pass that begins reports known files that are as removed, and others as ready.
    pub fn exclude(&mut self, excluded: ExcludePatterns) {
        self.exclude = excluded;
        self.mark_all(false);
    }

    /// Files and folders that are passed over by the settings.
    pub fn excluded(&self) -> usize {
        self.excluded
    }

    /// Files that are passed over, because another of their stem stands for them.
    pub fn partners(&self) -> usize {
        self.partners
    }

    /// Whether this is one of the folders of an inventory of several: of each the same holds as of a root.
    fn is_named_root(&self, folder: &Path) -> bool {
        self.is_of_links && folder.components().count() == 1
    }

    /// The watched folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The absolute path of a path in the tree.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }

    /// Whether the root is missing or suddenly empty, or a disk in it is, so that known files cannot be read.
    pub fn is_offline(&self) -> bool {
        !self.mounts.away().is_empty()
    }

    /// The folders that cannot be reached, relative to the root; an empty path is the root.
    pub fn away(&self) -> impl Iterator<Item = &Path> {
        self.mounts.away().iter().map(PathBuf::as_path)
    }

    /// Where disks are mounted in this tree, or were before they went away; the one that is absolute is where the root lies.
    pub fn mounts(&self) -> &BTreeSet<PathBuf> {
        self.mounts.known()
    }

    /// Where a folder lies, for people: of an inventory of several, not through the link to it.
    fn shown(&self, folder: &Path) -> PathBuf {
        let mut names = folder.components();
        let link =
            names.next().filter(|_| self.is_of_links).and_then(|name| std::fs::read_link(self.root.join(name)).ok());
        let joined = |target: PathBuf| names.as_path().components().fold(target, |path, name| path.join(name));
        link.map_or_else(|| self.root.join(folder), joined)
    }

    /// Files that are settling.
    pub fn settling(&self) -> usize {
        self.settle.len()
    }

    /// Those of them whose content is most likely not the one that is known.
    pub fn settling_news(&self) -> usize {
        self.settle.news()
    }

    /// Whether `path` has a file that is settling, or a folder still to be scanned.
    pub fn is_unsettled(&self, path: &Path) -> bool {
        self.settle.has_below(path)
            || self.dirty.has_below(path)
            || self.found.iter().any(|folder| folder.starts_with(path))
            || self.scan.as_ref().is_some_and(|scan| scan.folder().starts_with(path))
            || (self.pass.is_needed() && self.below(path).any(|(_, folder)| folder.scanned_in != self.pass.number()))
    }

    /// Whether no folder is waiting to be scanned. The regular look at everything, in case hints were missed, does not count.
    pub fn is_scanned(&self) -> bool {
        let is_scanning = self.scan.as_ref().is_some_and(|scan| !scan.is_of_pass());
        self.dirty.is_empty() && self.found.is_empty() && !is_scanning && !self.pass.is_needed()
    }

    /// Whether every folder known at the start, and every one found in them, has been scanned once.
    pub fn is_first_scan_done(&self) -> bool {
        self.is_first_scan_done
    }

    /// Entries looked at since the start.
    pub fn looked_at(&self) -> usize {
        self.looked_at
    }

    /// Records the state of a file when it was read.
    pub fn learn(&mut self, path: &Path, known: Known) {
        if let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
            let folder = self.folder_at(folder);
            let entry = Entry::file(known, folder.mark);
            match folder.entries.get_mut(name) {
                Some(earlier) if earlier.is_folder() => {}
                Some(earlier) => *earlier = entry,
                None => drop(folder.entries.insert(name.into(), entry)),
            }
        }
    }

    /// Makes what is known of a file count as outdated: the next scan reports it as ready, or as removed.
    pub fn invalidate(&mut self, path: &Path) {
        self.learn(path, Known { stamp: Stamp::NEVER, has_failed: true });
    }

    /// Lets a file become ready once more after `quiet`: it could not be used yet, or its result could not be stored.
    pub fn settle_again(&mut self, path: &Path, stamp: Stamp, now: Duration, quiet: Duration) {
        self.invalidate(path);
        self.settle.observe(path, Observation { stamp, was_touched: true, is_news: true }, now, quiet);
    }

    /// How a file in this state compares with what is known of it.
    fn compare(&self, path: &Path, stamp: &Stamp) -> FileComparison {
        let folder = path.parent().and_then(|parent| self.folders.get(parent));
        let entry = folder.zip(path.file_name()).and_then(|(folder, name)| folder.entries.get(name));
        entry.map_or(FileComparison::Changed, |entry| entry.compare(stamp))
    }

    /// The state of a folder; adds it and its ancestors to the tree where they are missing.
    fn folder_at(&mut self, folder: &Path) -> &mut Folder {
        let is_missing = |inner: &&Path| !self.folders.contains_key(*inner);
        let missing: Vec<&Path> = folder.ancestors().take_while(is_missing).collect();
        for inner in missing {
            if let (Some(parent), Some(name)) = (inner.parent(), inner.file_name()) {
                let parent = self.folders.entry(parent.to_path_buf()).or_default();
                parent.entries.insert(name.into(), Entry::folder(parent.mark));
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
        self.whole.remove(inner);
        if self.folders.contains_key(inner) {
            self.mark(inner, now, None);
        }
        if let (Some(folder), Some(name)) = (inner.parent(), inner.file_name()) {
            self.mark(folder, now, Some(name.to_os_string()));
        }
        true
    }

    /// The same of a path to which something was renamed. It is ready when it is listed, unless something happens to it before.
    pub fn renamed_hint(&mut self, path: &Path, now: Duration) {
        if self.hint(path, now)
            && let Ok(inner) = path.strip_prefix(&self.root)
        {
            self.whole.insert(inner.to_path_buf());
        }
    }

    /// Lets every folder be scanned: at the start, after lost hints, and at regular intervals (`is_precaution`).
    pub fn mark_all(&mut self, is_precaution: bool) {
        self.pass.ask(Scope::Everything, is_precaution);
    }

    /// Lets every folder that may change without hints be scanned (all folders if `everything`); the scan also tries again to
    /// watch it. Returns how long the last scans of these folders took.
    pub fn mark_polled(&mut self, everything: bool) -> Duration {
        self.polls_everything = everything;
        let are_any = self.eventless > 0 || !self.unwatched.is_empty() || !self.unreadable.is_empty();
        if (everything || are_any) && !self.pass.is_under_way() {
            self.pass.ask(if everything { Scope::Everything } else { Scope::Polled }, true);
        }
        self.poll_cost[0]
    }

    /// The user confirms that the root, or the disks that are away, were emptied on purpose: the next scan reports their files
    /// as removed.
    pub fn accept_empty(&mut self) {
        self.accepts_empty = true;
        self.mounts.accept();
        self.mark_all(false);
    }

    fn mark(&mut self, folder: &Path, now: Duration, touched: Option<OsString>) {
        let cost = self.folders.get(folder).map_or(Duration::ZERO, |folder| folder.scan_cost);
        let pause = cost * SCAN_COST_FACTOR;
        if let Some(name) = touched.as_ref().filter(|_| pause > COALESCE) {
            self.named.insert(folder.join(name));
        }
        self.dirty.mark(folder, now + COALESCE.max(pause), touched);
    }

    /// When there is something to do next.
    pub fn next_due(&self) -> Option<Duration> {
        let are_more_due = !self.found.is_empty() || !self.named.is_empty() || self.pass.is_under_way();
        if self.scan.is_some() || are_more_due {
            return Some(Duration::ZERO);
        }
        self.dirty.next_due().into_iter().chain(self.settle.next_due()).min()
    }

    /// `folder` and its sub-folders at every depth, which are adjacent in the order of paths.
    fn below(&self, folder: &Path) -> impl Iterator<Item = (&PathBuf, &Folder)> {
        let from_here = self.folders.range::<Path, _>((Bound::Included(folder), Bound::Unbounded));
        from_here.take_while(move |(path, _)| path.starts_with(folder))
    }
}

fn is_link(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}
