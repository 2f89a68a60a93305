//! The watched folders, the watcher that sends hints of changes, and the self-test that checks whether hints arrive.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::catalog::Root;
use crate::config::{ExcludePatterns, WatchSettings};
use crate::daemon::mounts::MountPaths;
use crate::daemon::retry::RETRY_PAUSE;
use crate::error::Trouble;
use crate::files::Stamp;
use crate::watch::{Change, Hints, Known, Tree, TurnBudget, WatcherSelfTest};

/// A watcher that does not work is restarted this often.
const WATCHER_RETRY: Duration = Duration::from_secs(60);
/// Polling takes at most this fraction of the time: one part in so many.
const POLL_COST_FACTOR: u32 = 200;
/// Directory entries that are looked at in one turn of the loop, in each watched folder: a few milliseconds when the disk's
/// content is in memory.
const ENTRIES_A_TURN: usize = 2_000;
/// When it is not, the turn ends after this long.
const LOOK_LIMIT: Duration = Duration::from_millis(10);
/// The service is ready when all folders were scanned once, or when this much was looked at: the catalog knows the rest, and a
/// million files take seconds, on a cold disk minutes.
const LOOKED_AT_WHEN_READY: usize = 100_000;

/// Everything that is watched.
pub struct Folders {
    trees: BTreeMap<Root, Tree>,
    /// As they were last remembered on disk.
    mounts: MountPaths,
    next_mounts: Duration,
    hints: Hints,
    self_test: WatcherSelfTest,
    /// When a watcher was last started, while none works.
    watcher_tried: Duration,
    next_poll: Duration,
    next_rescan: Duration,
}

impl Folders {
    /// `trees` are as the catalog knows them; `self_test` writes into a folder of its own.
    pub fn new(
        trees: BTreeMap<Root, Tree>,
        hints: Hints,
        self_test: WatcherSelfTest,
        settings: &WatchSettings,
    ) -> Self {
        let mounts = mounts_of(&trees);
        Self {
            trees,
            mounts,
            next_mounts: Duration::ZERO,
            hints,
            self_test,
            watcher_tried: Duration::ZERO,
            next_poll: Duration::from_secs(settings.poll_s.get()),
            next_rescan: Duration::from_secs(settings.rescan_s.get()),
        }
    }

    /// The folder of a root; `None` where it is not watched.
    pub fn tree(&self, root: Root) -> Option<&Tree> {
        self.trees.get(&root)
    }

    /// All watched folders.
    pub fn trees(&self) -> impl Iterator<Item = &Tree> {
        self.trees.values()
    }

    /// Stops watching a root.
    pub fn ignore(&mut self, root: Root) {
        self.trees.remove(&root);
    }

    /// Files of a root that are still being written.
    pub fn settling(&self, root: Root) -> usize {
        self.tree(root).map_or(0, Tree::settling)
    }

    /// Files of a root that are passed over, because another of their stem stands for them.
    pub fn partners(&self, root: Root) -> usize {
        self.tree(root).map_or(0, Tree::partners)
    }

    /// Files and folders of a root that are passed over by the settings.
    pub fn excluded(&self, root: Root) -> usize {
        self.tree(root).map_or(0, Tree::excluded)
    }

    /// From now on these are passed over: what was read and is among them counts as removed, and what was passed over and is not is new.
    pub fn exclude(&mut self, patterns: &ExcludePatterns) {
        for tree in self.trees.iter_mut().filter(|(root, _)| **root != Root::Query).map(|(_, tree)| tree) {
            tree.exclude(patterns.clone());
        }
    }

    /// Whether each folder has been scanned since it was last marked.
    pub fn are_seen(&self) -> bool {
        self.trees().all(Tree::is_scanned)
    }

    /// Whether enough has been looked at since the start to be ready: all queries, and all or much of the rest.
    pub fn are_ready(&self) -> bool {
        let is_much = self.trees().map(Tree::looked_at).sum::<usize>() >= LOOKED_AT_WHEN_READY;
        self.trees.iter().all(|(root, tree)| tree.is_first_scan_done() || (is_much && *root != Root::Query))
    }

    /// New and changed files of a root that are still being written, and one for all that was not looked at yet since the start.
    pub fn settling_or_unseen(&self, root: Root) -> usize {
        let is_unseen = self.tree(root).is_some_and(|tree| !tree.is_first_scan_done());
        self.tree(root).map_or(0, Tree::settling_news) + usize::from(is_unseen)
    }

    /// When the next folder is due.
    pub fn next_due(&self) -> Option<Duration> {
        self.trees().filter_map(Tree::next_due).min()
    }

    /// Number of folders for which the system sends events.
    pub fn watched(&self) -> usize {
        self.hints.watched()
    }

    /// Watches the program's own folders.
    pub fn watch_own(&mut self, folders: &[&Path]) {
        self.hints.arm(self.self_test.folder());
        for folder in folders {
            self.hints.arm(folder);
        }
    }

    /// Where the self-test writes.
    pub fn self_test_folder(&self) -> &Path {
        self.self_test.folder()
    }

    /// Whether a change at `path` comes from the self-test.
    pub fn is_self_test(&mut self, path: &Path) -> bool {
        self.self_test.is_own_event(path)
    }

    /// Something changed at `path`, an absolute path.
    pub fn hint(&mut self, path: &Path, now: Duration) {
        self.trees.values_mut().for_each(|tree| {
            tree.hint(path, now);
        });
    }

    /// Something was renamed to `path`, an absolute path.
    pub fn renamed_hint(&mut self, path: &Path, now: Duration) {
        self.trees.values_mut().for_each(|tree| tree.renamed_hint(path, now));
    }

    /// The file that the self-test is to write now, if it is due.
    pub fn file_to_touch(&mut self, now: Duration) -> Option<PathBuf> {
        self.self_test.file_to_touch(now)
    }

    /// That file could not be written.
    pub fn not_touched(&mut self, now: Duration) {
        self.self_test.not_touched(now);
    }

    /// Why no hints arrive, if none do.
    pub fn watcher_trouble(&self, now: Duration) -> Option<Trouble> {
        self.is_polling(now).then(|| {
            self.hints.trouble().cloned().unwrap_or_else(|| {
                let what = "the system sends no events of changes in this folder's file system";
                Trouble::new(what, self.self_test.folder(), "there is nothing to do: every folder is scanned regularly")
            })
        })
    }

    /// Whether all folders are scanned on a timer, because hints do not arrive.
    pub fn is_polling(&self, now: Duration) -> bool {
        self.self_test.is_lost(now)
    }

    /// Restarts a watcher that does not work, if it is time; `true` if the program's own folders must be watched again.
    pub fn restart_watcher(&mut self, now: Duration) -> bool {
        if !self.is_polling(now) || now.saturating_sub(self.watcher_tried) < WATCHER_RETRY {
            return false;
        }
        self.watcher_tried = now;
        self.hints.restart();
        self.trees.values_mut().for_each(|tree| tree.mark_all(false));
        true
    }

    /// Hints were lost: scans every folder and sets every watch again. A folder created in that time has no watch, although its
    /// path may seem to have one.
    pub fn look_everywhere(&mut self) {
        for tree in self.trees.values_mut() {
            self.hints.distrust_below(tree.root());
            tree.mark_all(false);
        }
    }

    /// If it is time, marks the folders that may change without hints (`everything`: all) to be scanned; `true` if it was.
    pub fn poll(&mut self, now: Duration, settings: &WatchSettings, everything: bool) -> bool {
        if now < self.next_poll {
            return false;
        }
        let everything = everything || self.is_polling(now);
        let cost: Duration = self.trees.values_mut().map(|tree| tree.mark_polled(everything)).sum();
        self.next_poll = now + Duration::from_secs(settings.poll_s.get()).max(cost * POLL_COST_FACTOR);
        true
    }

    /// If it is time, marks all folders to be scanned, in case hints were missed; `true` if it was.
    pub fn rescan(&mut self, now: Duration, settings: &WatchSettings) -> bool {
        if now < self.next_rescan {
            return false;
        }
        self.next_rescan = now + Duration::from_secs(settings.rescan_s.get());
        self.trees.values_mut().for_each(|tree| tree.mark_all(true));
        true
    }

    /// Looks at a bounded part of what is due and returns what changed. The folder of queries comes first.
    pub fn look(&mut self, now: Duration, quiet: Duration) -> Vec<(Root, Change)> {
        let mut changes = Vec::new();
        for (&root, tree) in &mut self.trees {
            tree.check_root(now, &mut self.hints);
            let mut budget = TurnBudget::of(ENTRIES_A_TURN).within(LOOK_LIMIT);
            let found = tree.turn(now, quiet, &mut self.hints, &mut budget);
            changes.extend(found.into_iter().map(|change| (root, change)));
        }
        changes
    }

    /// Where disks are mounted, if that is not what is on disk. What is not saved then is returned again after a pause.
    pub fn unsaved_mounts(&mut self, now: Duration) -> Option<MountPaths> {
        let is_same = self.trees.iter().all(|(root, tree)| {
            let known = self.mounts.get(root);
            known.map_or(tree.mounts().is_empty(), |known| known == tree.mounts())
        });
        if is_same || now < self.next_mounts {
            return None;
        }
        self.next_mounts = now + RETRY_PAUSE;
        Some(mounts_of(&self.trees))
    }

    /// These are on disk.
    pub fn mounts_are_saved(&mut self, mounts: MountPaths) {
        self.mounts = mounts;
        self.next_mounts = Duration::ZERO;
    }

    /// A file was read, or was unusable, in this state.
    pub fn learn(&mut self, root: Root, path: &Path, known: Known) {
        if let Some(tree) = self.trees.get_mut(&root) {
            tree.learn(path, known);
        }
    }

    /// Lets a file settle again for `pause`.
    pub fn settle_again(&mut self, root: Root, path: &Path, stamp: Stamp, now: Duration, pause: Duration) {
        if let Some(tree) = self.trees.get_mut(&root) {
            tree.settle_again(path, stamp, now, pause);
        }
    }

    /// A file disappeared while it was needed: scans its folder to see whether it was deleted, or its disk is away.
    pub fn recheck_file(&mut self, root: Root, path: &Path, now: Duration) {
        if let Some(tree) = self.trees.get_mut(&root) {
            tree.invalidate(path);
            let absolute = tree.absolute(path);
            tree.hint(&absolute, now);
        }
    }

    /// Accepts that what is away of the inventory was emptied on purpose.
    pub fn accept_empty(&mut self, root: Root, now: Duration, next_poll: Duration) {
        if let Some(tree) = self.trees.get_mut(&root) {
            tree.accept_empty();
        }
        self.next_poll = now + next_poll;
    }
}

fn mounts_of(trees: &BTreeMap<Root, Tree>) -> MountPaths {
    let mounts = trees.iter().map(|(root, tree)| (*root, tree.mounts().clone()));
    mounts.filter(|(_, paths)| !paths.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crossbeam_channel::unbounded;

    use super::*;
    use crate::watch::KnownFiles;

    /// All turns that there is something to do in at this time.
    fn look_to_the_end(folders: &mut Folders, now: Duration) -> Vec<(Root, Change)> {
        let mut changes = Vec::new();
        loop {
            changes.extend(folders.look(now, Duration::from_millis(100)));
            if folders.next_due().is_none_or(|due| due > now) {
                return changes;
            }
        }
    }

    #[test]
    fn what_is_there_is_found_once_and_rechecked_when_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let inventory = folder.path().join("inventory");
        std::fs::create_dir(&inventory).unwrap();
        std::fs::write(inventory.join("a.jpg"), b"a").unwrap();
        let trees =
            BTreeMap::from([(Root::Inventory, Tree::new(&inventory, false, BTreeSet::new(), KnownFiles::default()))]);
        let (hints, lost) = (unbounded(), unbounded());
        let self_test = WatcherSelfTest::new(folder.path().join("pulse"));
        let mut folders = Folders::new(trees, Hints::start(hints.0, lost.0), self_test, &WatchSettings::default());
        let second = Duration::from_secs;
        assert!(!folders.are_ready() && folders.settling_or_unseen(Root::Inventory) == 1);
        let found = (1..5).flat_map(|at| look_to_the_end(&mut folders, second(at))).collect::<Vec<_>>();
        let [(Root::Inventory, Change::Ready(path, stamp))] = &found[..] else { panic!("{found:?}") };
        assert_eq!(path, Path::new("a.jpg"));
        assert!(folders.are_seen() && folders.are_ready() && folders.watched() > 0);
        assert_eq!(folders.settling_or_unseen(Root::Inventory), 0);
        folders.learn(Root::Inventory, path, Known { stamp: *stamp, has_failed: false });
        std::fs::remove_file(inventory.join("a.jpg")).unwrap();
        folders.recheck_file(Root::Inventory, path, second(5));
        let gone = (6..9).flat_map(|at| look_to_the_end(&mut folders, second(at))).collect::<Vec<_>>();
        assert_eq!(gone, [(Root::Inventory, Change::Removed("a.jpg".into()))]);
        folders.ignore(Root::Inventory);
        assert!(folders.tree(Root::Inventory).is_none() && folders.settling(Root::Inventory) == 0);
    }

    #[test]
    fn mounts_are_remembered_when_they_change_and_again_when_that_failed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("nas")).unwrap();
        let tree = Tree::new(folder.path(), false, BTreeSet::from(["nas".into()]), KnownFiles::default());
        let self_test = WatcherSelfTest::new(folder.path().join("pulse"));
        let hints = Hints::start(unbounded().0, unbounded().0);
        let trees = BTreeMap::from([(Root::Inventory, tree)]);
        let mut folders = Folders::new(trees, hints, self_test, &WatchSettings::default());
        let second = Duration::from_secs;
        assert!(folders.unsaved_mounts(second(1)).is_none(), "as it was");
        look_to_the_end(&mut folders, second(1));
        let none = Some(MountPaths::new());
        assert_eq!(folders.unsaved_mounts(second(2)), none, "nothing was known there: an ordinary folder");
        assert_eq!((folders.unsaved_mounts(second(6)), folders.unsaved_mounts(second(7))), (None, none));
        folders.mounts_are_saved(MountPaths::new());
        assert!(folders.unsaved_mounts(second(99)).is_none());
    }

    #[test]
    fn polls_and_rescans_come_in_their_time() {
        let settings = WatchSettings::default();
        let (hints, lost) = (unbounded(), unbounded());
        let self_test = WatcherSelfTest::new("/nonexistent/pulse".into());
        let mut folders = Folders::new(BTreeMap::new(), Hints::start(hints.0, lost.0), self_test, &settings);
        let (poll, rescan) = (Duration::from_secs(settings.poll_s.get()), Duration::from_secs(settings.rescan_s.get()));
        assert!(!folders.poll(poll / 2, &settings, false) && folders.poll(poll, &settings, false));
        assert!(!folders.poll(poll * 3 / 2, &settings, false));
        assert!(!folders.rescan(rescan / 2, &settings) && folders.rescan(rescan, &settings));
        folders.accept_empty(Root::Inventory, poll, Duration::from_secs(1));
        assert!(folders.poll(poll + Duration::from_secs(1), &settings, false));
    }
}
