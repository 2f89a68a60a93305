//! Tests of a tree on a real folder, with a clock that the test sets.

mod arriving;
mod excluded;
mod sliced;

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt};

use crossbeam_channel::bounded;

use super::*;
use crate::watch::{Hints, TurnBudget};

const QUIET: Duration = Duration::from_millis(100);

struct TestTree {
    _place: tempfile::TempDir,
    root: PathBuf,
    tree: Tree,
    hints: Hints,
    now: Duration,
}

/// A tree that receives no hints: the test asks for every scan.
fn test_tree(keeps_when_empty: bool) -> TestTree {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("root");
    fs::create_dir(&root).unwrap();
    let hints = Hints::start(bounded(1).0, bounded(1).0);
    let tree = Tree::new(&root, keeps_when_empty, BTreeSet::new(), KnownFiles::default());
    TestTree { _place: place, root, tree, hints, now: Duration::ZERO }
}

impl TestTree {
    fn put(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Scans every folder and lets everything settle.
    fn scan(&mut self) -> Vec<String> {
        let mut seen = Vec::new();
        self.tree.check_root(self.now, &mut self.hints);
        self.tree.mark_all(false);
        for _ in 0..4 {
            self.now += Duration::from_secs(1);
            seen.extend(self.turns(usize::MAX));
        }
        seen.sort();
        seen
    }

    /// Turns of so many entries until nothing is left to do at this time.
    fn turns(&mut self, entries: usize) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            let mut budget = TurnBudget::of(entries);
            seen.extend(self.tree.turn(self.now, QUIET, &mut self.hints, &mut budget).iter().filter_map(shown));
            if self.tree.next_due().is_none_or(|due| due > self.now) {
                return seen;
            }
        }
    }
}

fn shown(change: &Change) -> Option<String> {
    match change {
        Change::Ready(path, _) => Some(format!("+{}", path.display())),
        Change::Touched(path, _) => Some(format!("~{}", path.display())),
        Change::Removed(path) => Some(format!("-{}", path.display())),
        Change::Skipped(path, _) => Some(format!("!{}", path.display())),
        Change::Eventless(..) => None,
    }
}

#[test]
fn files_at_every_depth_are_found_once() {
    let mut test = test_tree(false);
    test.put("a.jpg", "a");
    test.put("one/two/three/b.jpg", "b");
    assert_eq!(test.scan(), ["+a.jpg", "+one/two/three/b.jpg"]);
    assert_eq!(test.scan(), Vec::<String>::new());
    assert_eq!(test.hints.watched(), 4);
}

#[test]
fn a_moved_and_a_removed_folder_are_noticed() {
    let mut test = test_tree(false);
    test.put("one/a.jpg", "a");
    test.put("two/b.jpg", "b");
    test.scan();
    fs::rename(test.root.join("one"), test.root.join("three")).unwrap();
    fs::remove_dir_all(test.root.join("two")).unwrap();
    assert_eq!(test.scan(), ["+three/a.jpg", "-one/a.jpg", "-two/b.jpg"]);
    assert_eq!(test.hints.watched(), 2);
}

#[test]
fn what_was_removed_while_nothing_ran_is_noticed_at_the_next_start() {
    let mut test = test_tree(false);
    test.put("one/two/a.jpg", "a");
    test.put("one/b.jpg", "b");
    test.scan();
    let known: Vec<_> = ["one/two/a.jpg", "one/b.jpg"]
        .into_iter()
        .map(|path| {
            let stamp = Stamp::of(&fs::metadata(test.root.join(path)).unwrap());
            (PathBuf::from(path), Known { stamp, has_failed: false })
        })
        .collect();
    fs::remove_dir_all(test.root.join("one/two")).unwrap();
    test.tree = Tree::new(&test.root, false, BTreeSet::new(), known.into_iter().collect());
    assert_eq!(test.scan(), ["-one/two/a.jpg"]);
}

#[test]
fn a_replaced_file_is_ready_again() {
    let mut test = test_tree(false);
    test.put("a.jpg", "a");
    test.scan();
    test.put("a.jpg", "longer");
    assert_eq!(test.scan(), ["+a.jpg"]);
}

#[test]
fn a_file_of_the_same_size_and_time_is_read_again_when_anything_else_changed() {
    let mut test = test_tree(false);
    test.put("a.jpg", "one");
    test.scan();
    let path = test.root.join("a.jpg");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let rewrite = |content| {
        let file = File::options().write(true).open(&path).unwrap();
        file.write_all_at(content, 0).unwrap();
        file.set_modified(modified).unwrap();
    };
    rewrite(b"two");
    assert_eq!(test.scan(), ["~a.jpg"]);
    assert_eq!(test.scan(), Vec::<String>::new());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    test.tree.mark_all(false);
    test.turns(usize::MAX);
    assert_eq!((test.tree.settling(), test.tree.settling_news()), (1, 0), "nobody waits for this");
    assert_eq!(test.scan(), ["~a.jpg"]);
    fs::rename(&path, test.root.join("b.jpg")).unwrap();
    assert_eq!(test.scan(), ["+b.jpg", "-a.jpg"], "a new name is a new file");
}

#[test]
fn a_folder_that_lies_too_deep_is_said_once_and_not_entered() {
    let mut test = test_tree(false);
    let deepest = "d/".repeat(DEPTH_LIMIT);
    test.put(&format!("{deepest}a.jpg"), "a");
    test.put(&format!("{deepest}d/b.jpg"), "b");
    assert_eq!(test.scan(), [format!("!{deepest}d"), format!("+{deepest}a.jpg")]);
    assert_eq!(test.scan(), Vec::<String>::new());
}

#[test]
fn a_suddenly_empty_root_is_offline_and_nothing_is_removed() {
    let mut test = test_tree(true);
    test.put("a.jpg", "a");
    test.put("sub/b.jpg", "b");
    test.scan();
    let aside = test.root.with_file_name("aside");
    fs::rename(&test.root, &aside).unwrap();
    assert_eq!(test.scan(), Vec::<String>::new());
    assert!(test.tree.is_offline());
    fs::create_dir(&test.root).unwrap();
    assert_eq!(test.scan(), Vec::<String>::new());
    assert!(test.tree.is_offline());
    assert!(test.tree.troubles()[0].what.contains("suddenly empty"));
    fs::remove_dir(&test.root).unwrap();
    fs::rename(&aside, &test.root).unwrap();
    assert_eq!(test.scan(), Vec::<String>::new());
    assert!(!test.tree.is_offline());
    fs::remove_file(test.root.join("a.jpg")).unwrap();
    assert_eq!(test.scan(), ["-a.jpg"]);
}

#[test]
fn a_disk_below_the_root_is_away_until_it_is_back_or_given_up() {
    let mut test = test_tree(false);
    test.put("a.jpg", "a");
    test.put("disks/usb/b.jpg", "b");
    test.put("disks/usb/2019/c.jpg", "c");
    test.scan();
    // No test may mount anything, so the tree is told that a disk was mounted there. It goes, and leaves an empty folder.
    let known = test.tree.known_below(Path::new("")).into_iter().map(|path| {
        let stamp = Stamp::of(&fs::metadata(test.root.join(&path)).unwrap());
        (path, Known { stamp, has_failed: false })
    });
    let known: Vec<_> = known.collect();
    let (usb, aside) = (test.root.join("disks/usb"), test.root.with_file_name("aside"));
    fs::rename(&usb, &aside).unwrap();
    fs::create_dir(&usb).unwrap();
    let start =
        |root: &Path| Tree::new(root, false, BTreeSet::from(["disks/usb".into()]), known.iter().cloned().collect());
    test.tree = start(&test.root);
    assert_eq!(test.scan(), Vec::<String>::new());
    assert!(test.tree.is_offline() && test.tree.has_files(Path::new("disks/usb/2019")));
    assert_eq!(test.tree.troubles()[0].path, usb);
    // Its folder goes as well, and the one above.
    fs::remove_dir_all(test.root.join("disks")).unwrap();
    assert_eq!(test.scan(), Vec::<String>::new());
    assert!(test.tree.is_offline());
    fs::create_dir(test.root.join("disks")).unwrap();
    fs::rename(&aside, &usb).unwrap();
    fs::remove_file(usb.join("b.jpg")).unwrap();
    assert_eq!(test.scan(), ["-disks/usb/b.jpg"]);
    assert!(!test.tree.is_offline());
    fs::remove_dir_all(&usb).unwrap();
    test.tree = start(&test.root);
    assert_eq!(test.scan(), Vec::<String>::new());
    test.tree.accept_empty();
    assert_eq!(test.scan(), ["-disks/usb/2019/c.jpg", "-disks/usb/b.jpg"]);
    assert!(!test.tree.is_offline() && test.tree.mounts().is_empty());
}

#[test]
fn a_root_whose_disk_is_not_mounted_is_away_and_one_on_the_same_disk_is_emptied() {
    let mut test = test_tree(false);
    test.put("2019/a.jpg", "a");
    test.scan();
    let stamp = Stamp::of(&fs::metadata(test.root.join("2019/a.jpg")).unwrap());
    let known = || KnownFiles::from_iter([("2019/a.jpg".into(), Known { stamp, has_failed: false })]);
    fs::remove_dir_all(&test.root).unwrap();
    // A disk was mounted in the folder in which the root lies, as far as the tree is told; now that is an ordinary folder.
    let disk = test.root.parent().unwrap().to_path_buf();
    test.tree = Tree::new(&test.root, false, BTreeSet::from([disk.clone()]), known());
    assert_eq!(test.scan(), Vec::<String>::new());
    assert!(test.tree.is_offline() && test.tree.troubles()[0].remedy.contains("artificio check"));
    // The service makes a missing root again.
    fs::create_dir(&test.root).unwrap();
    assert_eq!(test.scan(), Vec::<String>::new());
    assert!(test.tree.is_offline() && test.tree.mounts().contains(&disk));
    test.tree.accept_empty();
    assert_eq!(test.scan(), ["-2019/a.jpg"]);
    assert!(!test.tree.is_offline() && !test.tree.mounts().contains(&disk));
    test.tree = Tree::new(&test.root, false, BTreeSet::new(), known());
    assert_eq!(test.scan(), ["-2019/a.jpg"], "no disk is missing");
}

#[test]
fn a_root_emptied_on_purpose_is_accepted_when_the_user_confirms_it() {
    let mut test = test_tree(true);
    test.put("a.jpg", "a");
    test.scan();
    fs::remove_file(test.root.join("a.jpg")).unwrap();
    assert_eq!(test.scan(), Vec::<String>::new());
    test.tree.accept_empty();
    assert_eq!(test.scan(), ["-a.jpg"]);
    assert!(!test.tree.is_offline());
    test.put("b.jpg", "b");
    test.scan();
    fs::remove_file(test.root.join("b.jpg")).unwrap();
    assert_eq!(test.scan(), Vec::<String>::new(), "one confirmation counts once");
}

#[test]
fn a_root_made_again_is_watched_again() {
    let mut test = test_tree(false);
    test.put("a.jpg", "a");
    test.scan();
    fs::remove_dir_all(&test.root).unwrap();
    assert_eq!(test.scan(), ["-a.jpg"]);
    assert_eq!(test.hints.watched(), 0);
    test.put("b.jpg", "b");
    assert_eq!(test.scan(), ["+b.jpg"]);
    assert_eq!(test.hints.watched(), 1);
}

#[test]
fn what_is_never_opened_is_reported_once() {
    let mut test = test_tree(false);
    std::os::unix::fs::symlink("/nowhere", test.root.join("x.jpg")).unwrap();
    assert_eq!(test.scan(), ["!x.jpg"]);
    assert_eq!(test.scan(), Vec::<String>::new());
}

#[test]
fn a_file_that_could_not_be_used_yet_is_ready_again_and_only_then() {
    let mut test = test_tree(false);
    test.put("a.jpg", "half");
    test.scan();
    let stamp = Stamp::of(&fs::metadata(test.root.join("a.jpg")).unwrap());
    test.tree.settle_again(Path::new("a.jpg"), stamp, test.now, QUIET);
    assert!(test.tree.is_unsettled(Path::new("a.jpg")) && !test.tree.is_unsettled(Path::new("b.jpg")));
    assert_eq!(test.scan(), ["+a.jpg"]);
    assert_eq!(test.scan(), Vec::<String>::new());
}

#[test]
fn folders_of_an_ignored_name_are_neither_entered_nor_watched() {
    let mut test = test_tree(false);
    test.put("@eaDir/thumb.jpg", "x");
    test.put(".hidden/sub/a.jpg", "x");
    test.put("kept/a.jpg", "x");
    assert_eq!(test.scan(), ["+kept/a.jpg"]);
    assert_eq!(test.hints.watched(), 2);
}

#[test]
fn polling_everything_finds_changes_without_hints() {
    let mut test = test_tree(false);
    test.put("sub/a.jpg", "a");
    test.scan();
    test.put("sub/b.jpg", "b");
    let found_when_polling = |test: &mut TestTree, everything: bool| {
        test.tree.mark_polled(everything);
        let mut found = 0;
        for _ in 0..3 {
            test.now += Duration::from_secs(1);
            found += test.turns(usize::MAX).len();
        }
        found
    };
    assert_eq!(found_when_polling(&mut test, false), 0, "its file system sends events");
    assert_eq!(found_when_polling(&mut test, true), 1);
}

#[test]
fn of_a_pair_the_photograph_is_the_file_whichever_comes_or_goes_first() {
    let mut test = test_tree(false);
    test.tree = Tree::new(&test.root, false, BTreeSet::new(), KnownFiles::default()).with_pairs_as_one();
    // Both at once, the raw file alone, and a film.
    for name in ["one/a.JPG", "one/a.CR2", "one/b.CR2", "one/c.HEIC", "one/c.MOV"] {
        test.put(name, name);
    }
    assert_eq!(test.scan(), ["+one/a.JPG", "+one/b.CR2", "+one/c.HEIC"]);
    assert_eq!(test.tree.partners(), 2);
    assert_eq!(test.scan(), Vec::<String>::new());
    // The photograph appears later, and stands for the raw file from then on.
    test.put("one/b.JPG", "b");
    assert_eq!(test.scan(), ["+one/b.JPG", "-one/b.CR2"]);
    assert_eq!(test.tree.partners(), 3);
    assert_eq!(test.scan(), Vec::<String>::new());
    // It goes: the raw file is read again.
    fs::remove_file(test.root.join("one/a.JPG")).unwrap();
    fs::rename(test.root.join("one/b.JPG"), test.root.join("one/d.JPG")).unwrap();
    assert_eq!(test.scan(), ["+one/a.CR2", "+one/b.CR2", "+one/d.JPG", "-one/a.JPG", "-one/b.JPG"]);
    assert_eq!(test.tree.partners(), 1);
    fs::remove_dir_all(test.root.join("one")).unwrap();
    assert_eq!(test.scan(), ["-one/a.CR2", "-one/b.CR2", "-one/c.HEIC", "-one/d.JPG"]);
    assert_eq!(test.tree.partners(), 0);
}

#[test]
fn a_raw_file_that_still_settles_is_not_read_once_its_photograph_is_there() {
    let mut test = test_tree(false);
    test.tree = Tree::new(&test.root, false, BTreeSet::new(), KnownFiles::default()).with_pairs_as_one();
    test.put("a.nef", "raw");
    assert_eq!(test.turns(usize::MAX), Vec::<String>::new(), "it settles");
    test.put("a.jpg", "photograph");
    assert_eq!(test.scan(), ["+a.jpg"]);
    // Each is a file where that is asked for.
    let mut each = test_tree(false);
    each.put("a.nef", "raw");
    each.put("a.jpg", "photograph");
    assert_eq!(each.scan(), ["+a.jpg", "+a.nef"]);
    assert_eq!(each.tree.partners(), 0);
}
