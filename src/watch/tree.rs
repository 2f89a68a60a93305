//! One watched folder with all its sub-folders: which are armed, what is known of their files, what has to be looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use super::filesystem::without_events;
use super::{Armed, Hints, Known, Listing, Settle, list, reconcile};
use crate::error::Trouble;
use crate::files::Stamp;

/// Hints come in bursts: a folder is looked at this long after the first.
const COALESCE: Duration = Duration::from_millis(20);
/// A folder that takes long to list is listed at most this share of the time.
const LOOK_COST_FACTOR: u32 = 5;
/// Deeper folders are not entered.
const DEPTH_LIMIT: usize = 64;

/// What a look at the disk brought. Paths are relative to the tree's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new or changed file has settled.
    Ready(PathBuf, Stamp),
    /// A file that was known, or was settling, is gone.
    Removed(PathBuf),
    /// Something that is never opened, said once.
    Skipped(PathBuf, &'static str),
    /// The folder's file system (named) may change without hints, so it is also looked at regularly; said once.
    Eventless(PathBuf, &'static str),
}

/// The state of one watched folder.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    /// Never take an empty or missing root for an emptied one.
    keeps_when_empty: bool,
    identity: Option<(u64, u64)>,
    is_offline: bool,
    accepts_empty: bool,
    folders: BTreeMap<PathBuf, Folder>,
    dirty: HashMap<PathBuf, Dirty>,
    settle: Settle,
    said_skipped: HashSet<PathBuf>,
}

#[derive(Debug, Default)]
struct Folder {
    known: HashMap<OsString, Known>,
    children: BTreeSet<OsString>,
    look_cost: Duration,
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
    /// A tree of which so much is `known` from before. `keeps_when_empty`: a root that is suddenly empty or missing is
    /// taken to be offline, and what is known of it is kept.
    pub fn new(root: &Path, keeps_when_empty: bool, known: impl IntoIterator<Item = (PathBuf, Known)>) -> Self {
        let mut tree = Self {
            root: root.to_path_buf(),
            keeps_when_empty,
            identity: None,
            is_offline: false,
            accepts_empty: false,
            folders: BTreeMap::from([(PathBuf::new(), Folder::default())]),
            dirty: HashMap::new(),
            settle: Settle::default(),
            said_skipped: HashSet::new(),
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

    /// A path in the tree as the system knows it.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.root.join(path)
    }

    /// Whether the root is missing or suddenly empty, so that what is known of it is out of reach.
    pub fn is_offline(&self) -> bool {
        self.is_offline
    }

    /// Files that are settling.
    pub fn settling(&self) -> usize {
        self.settle.len()
    }

    /// Of everything at the top of the root, what has files that are settling, or folders still to be looked at.
    pub fn restless_tops(&self) -> HashSet<&OsStr> {
        let dirty = self.dirty.keys().map(PathBuf::as_path);
        self.settle.paths().chain(dirty).filter_map(|path| path.iter().next()).collect()
    }

    /// Whether every folder has been looked at.
    pub fn is_seen(&self) -> bool {
        self.dirty.is_empty()
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

    /// Files known below `folder`, readable or not.
    pub fn known_below(&self, folder: &Path) -> Vec<PathBuf> {
        self.below(folder).flat_map(|(path, folder)| folder.known.keys().map(move |name| path.join(name))).collect()
    }

    /// Records what a file was when it was read.
    pub fn learn(&mut self, path: &Path, known: Known) {
        if let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
            self.folder_at(folder).known.insert(name.to_os_string(), known);
        }
    }

    /// Lets a file become ready once more after `quiet`: it could not be used yet, or not be kept.
    pub fn settle_again(&mut self, path: &Path, stamp: Stamp, now: Duration, quiet: Duration) {
        if let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
            self.folder_at(folder).known.remove(name);
        }
        self.settle.saw(path, stamp, true, now, quiet);
    }

    /// The state of a folder, with all folders on the way to it known to their parents.
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

    /// Every folder has to be looked at: at the start, after lost hints, and from time to time.
    pub fn mark_all(&mut self, now: Duration) {
        for folder in self.folders.keys().cloned().collect::<Vec<_>>() {
            self.mark(folder, now, None);
        }
    }

    /// Every folder that may change without hints has to be looked at (all of them if `everything` may), and watches
    /// that could not be had are tried again. Returns how long the last looks at these folders took.
    pub fn mark_polled(&mut self, now: Duration, everything: bool) -> Duration {
        let is_polled = |folder: &Folder| {
            everything || folder.unwatched.is_some() || folder.eventless.is_some() || folder.unreadable.is_some()
        };
        let polled: Vec<(PathBuf, Duration)> = self
            .folders
            .iter()
            .filter(|(_, folder)| is_polled(folder))
            .map(|(path, folder)| (path.clone(), folder.look_cost))
            .collect();
        let cost = polled.iter().map(|(_, cost)| *cost).sum();
        polled.into_iter().for_each(|(path, _)| self.mark(path, now, None));
        cost
    }

    /// The user says that the root was emptied on purpose: from the next look on its files are gone.
    pub fn accept_empty(&mut self, now: Duration) {
        self.accepts_empty = true;
        self.mark_all(now);
    }

    fn mark(&mut self, folder: PathBuf, now: Duration, touched: Option<OsString>) {
        let cost = self.folders.get(&folder).map_or(Duration::ZERO, |folder| folder.look_cost);
        let due = now + COALESCE.max(cost * LOOK_COST_FACTOR);
        self.dirty.entry(folder).or_insert_with(|| Dirty { due, touched: HashSet::new() }).touched.extend(touched);
    }

    /// When there is something to do next.
    pub fn next_due(&self) -> Option<Duration> {
        self.dirty.values().map(|dirty| dirty.due).chain(self.settle.next_due()).min()
    }

    /// Finds out whether the root has gone, come back, or become another folder.
    pub fn check_root(&mut self, now: Duration, hints: &mut Hints) {
        let identity = fs::metadata(&self.root).ok().filter(Metadata::is_dir).map(|found| (found.dev(), found.ino()));
        if identity != self.identity {
            hints.disarm_below(&self.root);
            self.identity = identity;
            self.mark_all(now);
        }
    }

    /// Looks at every folder that is due, arming its watch first, and at every file whose time has come.
    pub fn turn(&mut self, now: Duration, quiet: Duration, hints: &mut Hints) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut due: Vec<(PathBuf, Dirty)> = self.dirty.extract_if(|_, dirty| dirty.due <= now).collect();
        while let Some((folder, dirty)) = due.pop() {
            let found = self.look(&folder, &dirty.touched, (now, quiet), hints, &mut changes);
            due.extend(found.into_iter().map(|folder| (folder, Dirty { due: now, touched: HashSet::new() })));
        }
        for (path, stamp) in self.settle.take_due(now) {
            match fs::metadata(self.absolute(&path)) {
                Ok(metadata) if Stamp::of(&metadata) == stamp => {
                    // Known from now on, so that the next look at its folder does not make it ready once more.
                    self.learn(&path, Known { stamp, has_failed: false });
                    changes.push(Change::Ready(path, stamp));
                }
                Ok(metadata) => self.settle.saw(&path, Stamp::of(&metadata), false, now, quiet),
                Err(_) => self.mark(path.parent().unwrap_or(Path::new("")).to_path_buf(), now, None),
            }
        }
        changes
    }

    /// Looks at one folder and returns the sub-folders that are new.
    fn look(
        &mut self,
        folder: &Path,
        touched: &HashSet<OsString>,
        (now, quiet): (Duration, Duration),
        hints: &mut Hints,
        changes: &mut Vec<Change>,
    ) -> Vec<PathBuf> {
        let started = Instant::now();
        let absolute = self.absolute(folder);
        let is_root = folder.as_os_str().is_empty();
        // First the watch, then the look: what comes in between is hinted at.
        let armed = hints.arm(&absolute);
        let listing = match list(&absolute, &self.root) {
            Ok(listing) => listing,
            Err(error) if error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::NotADirectory => {
                hints.disarm_below(&absolute);
                match folder.parent() {
                    // Whether a sub-folder is gone is for the listing of its parent to say: the root may be offline.
                    Some(parent) => self.mark(parent.to_path_buf(), now, None),
                    None if self.keeps_when_empty && !self.accepts_empty => self.is_offline = true,
                    None => self.drop_below(folder, changes),
                }
                return Vec::new();
            }
            Err(error) => {
                let trouble = Trouble::system("look into the folder", &absolute, &error);
                self.folders.entry(folder.to_path_buf()).or_default().unreadable = Some(trouble);
                return Vec::new();
            }
        };
        if is_root && self.keeps_when_empty {
            let is_bare = listing.files.is_empty() && listing.folders.is_empty();
            let had_files = self.folders.values().any(|folder| !folder.known.is_empty());
            self.is_offline = is_bare && had_files && !self.accepts_empty;
            self.accepts_empty = false;
            if self.is_offline {
                return Vec::new();
            }
        }
        self.take_listing(folder, &listing, touched, (now, quiet), changes);
        let state = self.folders.entry(folder.to_path_buf()).or_default();
        state.unwatched = if let Armed::Polled(trouble) = armed { Some(trouble) } else { None };
        state.unreadable = None;
        state.look_cost = started.elapsed();
        let eventless = without_events(&absolute);
        if let Some(kind) = eventless.filter(|_| is_root && state.eventless.is_none()) {
            changes.push(Change::Eventless(folder.to_path_buf(), kind));
        }
        state.eventless = eventless;
        self.follow_folders(folder, listing, hints, changes)
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
            self.settle.saw(&folder.join(&name), stamp, touched.contains(&name), now, quiet);
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
            if self.said_skipped.insert(path.clone()) {
                changes.push(Change::Skipped(path, skipped.reason));
            }
        }
    }

    fn follow_folders(
        &mut self,
        folder: &Path,
        listing: Listing,
        hints: &mut Hints,
        changes: &mut Vec<Change>,
    ) -> Vec<PathBuf> {
        let present: BTreeSet<OsString> = listing.folders.into_iter().collect();
        let is_too_deep = folder.components().count() >= DEPTH_LIMIT;
        let state = self.folders.entry(folder.to_path_buf()).or_default();
        let before = std::mem::take(&mut state.children);
        let gone: Vec<PathBuf> = before.difference(&present).map(|name| folder.join(name)).collect();
        let new: Vec<PathBuf> = present.difference(&before).map(|name| folder.join(name)).collect();
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

    /// `folder` and everything in it is gone.
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

    /// `folder` and its sub-folders at every depth: they follow each other in the order of paths.
    fn below(&self, folder: &Path) -> impl Iterator<Item = (&PathBuf, &Folder)> {
        let from_here = self.folders.range::<Path, _>((Bound::Included(folder), Bound::Unbounded));
        from_here.take_while(move |(path, _)| path.starts_with(folder))
    }

    /// What is wrong with this tree right now: one entry a kind of trouble, with the first folder it holds for.
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
                "the folder is missing or suddenly empty; what was known of it is kept and still answered from",
                &self.root,
                "mount or restore it; `artificio check` says what to do if it was emptied on purpose",
            ));
        } else if self.identity.is_none() {
            troubles.push(Trouble::new(
                "the folder is missing",
                &self.root,
                format!("make it or mount it: mkdir -p '{}'", self.root.display()),
            ));
        }
        troubles
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;

    use super::*;

    const QUIET: Duration = Duration::from_millis(100);

    struct World {
        _place: tempfile::TempDir,
        root: PathBuf,
        tree: Tree,
        hints: Hints,
        now: Duration,
    }

    /// A tree whose hints nobody listens to: every look is asked for by the test.
    fn world(keeps_when_empty: bool) -> World {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        fs::create_dir(&root).unwrap();
        let hints = Hints::start(bounded(1).0, bounded(1).0);
        let tree = Tree::new(&root, keeps_when_empty, []);
        World { _place: place, root, tree, hints, now: Duration::ZERO }
    }

    impl World {
        fn put(&self, path: &str, content: &str) {
            let path = self.root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }

        /// Looks everywhere and lets everything settle.
        fn look(&mut self) -> Vec<String> {
            let mut said = Vec::new();
            self.tree.check_root(self.now, &mut self.hints);
            self.tree.mark_all(self.now);
            for _ in 0..4 {
                self.now += Duration::from_secs(1);
                for change in self.tree.turn(self.now, QUIET, &mut self.hints) {
                    said.push(match change {
                        Change::Ready(path, _) => format!("+{}", path.display()),
                        Change::Removed(path) => format!("-{}", path.display()),
                        Change::Skipped(path, _) => format!("!{}", path.display()),
                        Change::Eventless(..) => continue,
                    });
                }
            }
            said.sort();
            said
        }
    }

    #[test]
    fn files_at_every_depth_are_found_once() {
        let mut world = world(false);
        world.put("a.jpg", "a");
        world.put("one/two/three/b.jpg", "b");
        assert_eq!(world.look(), ["+a.jpg", "+one/two/three/b.jpg"]);
        assert_eq!(world.look(), Vec::<String>::new());
        assert_eq!(world.hints.watched(), 4);
    }

    #[test]
    fn a_moved_and_a_removed_folder_are_noticed() {
        let mut world = world(false);
        world.put("one/a.jpg", "a");
        world.put("two/b.jpg", "b");
        world.look();
        fs::rename(world.root.join("one"), world.root.join("three")).unwrap();
        fs::remove_dir_all(world.root.join("two")).unwrap();
        assert_eq!(world.look(), ["+three/a.jpg", "-one/a.jpg", "-two/b.jpg"]);
        assert_eq!(world.hints.watched(), 2);
    }

    #[test]
    fn what_went_while_nobody_looked_is_noticed_at_the_next_start() {
        let mut world = world(false);
        world.put("one/two/a.jpg", "a");
        world.put("one/b.jpg", "b");
        world.look();
        let known: Vec<_> = ["one/two/a.jpg", "one/b.jpg"]
            .into_iter()
            .map(|path| {
                let stamp = Stamp::of(&fs::metadata(world.root.join(path)).unwrap());
                (PathBuf::from(path), Known { stamp, has_failed: false })
            })
            .collect();
        fs::remove_dir_all(world.root.join("one/two")).unwrap();
        world.tree = Tree::new(&world.root, false, known);
        assert_eq!(world.look(), ["-one/two/a.jpg"]);
    }

    #[test]
    fn a_replaced_file_is_ready_again() {
        let mut world = world(false);
        world.put("a.jpg", "a");
        world.look();
        world.put("a.jpg", "longer");
        assert_eq!(world.look(), ["+a.jpg"]);
    }

    #[test]
    fn a_suddenly_empty_root_is_offline_and_nothing_is_removed() {
        let mut world = world(true);
        world.put("a.jpg", "a");
        world.put("sub/b.jpg", "b");
        world.look();
        let aside = world.root.with_file_name("aside");
        fs::rename(&world.root, &aside).unwrap();
        assert_eq!(world.look(), Vec::<String>::new());
        assert!(world.tree.is_offline());
        fs::create_dir(&world.root).unwrap();
        assert_eq!(world.look(), Vec::<String>::new());
        assert!(world.tree.is_offline());
        assert!(world.tree.troubles()[0].what.contains("suddenly empty"));
        fs::remove_dir(&world.root).unwrap();
        fs::rename(&aside, &world.root).unwrap();
        assert_eq!(world.look(), Vec::<String>::new());
        assert!(!world.tree.is_offline());
        fs::remove_file(world.root.join("a.jpg")).unwrap();
        assert_eq!(world.look(), ["-a.jpg"]);
    }

    #[test]
    fn a_root_emptied_on_purpose_is_believed_when_the_user_says_so() {
        let mut world = world(true);
        world.put("a.jpg", "a");
        world.look();
        fs::remove_file(world.root.join("a.jpg")).unwrap();
        assert_eq!(world.look(), Vec::<String>::new());
        world.tree.accept_empty(world.now);
        assert_eq!(world.look(), ["-a.jpg"]);
        assert!(!world.tree.is_offline());
        world.put("b.jpg", "b");
        world.look();
        fs::remove_file(world.root.join("b.jpg")).unwrap();
        assert_eq!(world.look(), Vec::<String>::new(), "said once, it holds once");
    }

    #[test]
    fn a_root_made_again_is_watched_again() {
        let mut world = world(false);
        world.put("a.jpg", "a");
        world.look();
        fs::remove_dir_all(&world.root).unwrap();
        assert_eq!(world.look(), ["-a.jpg"]);
        assert_eq!(world.hints.watched(), 0);
        world.put("b.jpg", "b");
        assert_eq!(world.look(), ["+b.jpg"]);
        assert_eq!(world.hints.watched(), 1);
    }

    #[test]
    fn what_is_never_opened_is_said_once() {
        let mut world = world(false);
        std::os::unix::fs::symlink("/nowhere", world.root.join("x.jpg")).unwrap();
        assert_eq!(world.look(), ["!x.jpg"]);
        assert_eq!(world.look(), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_could_not_be_used_yet_is_ready_again_and_only_then() {
        let mut world = world(false);
        world.put("a.jpg", "half");
        world.look();
        let stamp = Stamp::of(&fs::metadata(world.root.join("a.jpg")).unwrap());
        world.tree.settle_again(Path::new("a.jpg"), stamp, world.now, QUIET);
        assert_eq!(world.tree.restless_tops(), HashSet::from([OsStr::new("a.jpg")]));
        assert_eq!(world.look(), ["+a.jpg"]);
        assert_eq!(world.look(), Vec::<String>::new());
    }
}
