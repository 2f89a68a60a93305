//! A tree on a real folder, with the time in the test's hand.

use std::fs;

use crossbeam_channel::bounded;

use super::*;
use crate::watch::Hints;

const QUIET: Duration = Duration::from_millis(100);

struct TestTree {
    _place: tempfile::TempDir,
    root: PathBuf,
    tree: Tree,
    hints: Hints,
    now: Duration,
}

/// A tree whose hints nobody listens to: every look is asked for by the test.
fn world(keeps_when_empty: bool) -> TestTree {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("root");
    fs::create_dir(&root).unwrap();
    let hints = Hints::start(bounded(1).0, bounded(1).0);
    let tree = Tree::new(&root, keeps_when_empty, []);
    TestTree { _place: place, root, tree, hints, now: Duration::ZERO }
}

impl TestTree {
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
    assert_eq!(world.tree.unsettled_tops(), HashSet::from([OsStr::new("a.jpg")]));
    assert_eq!(world.look(), ["+a.jpg"]);
    assert_eq!(world.look(), Vec::<String>::new());
}

#[test]
fn folders_of_an_ignored_name_are_neither_entered_nor_watched() {
    let mut world = world(false);
    world.put("@eaDir/thumb.jpg", "x");
    world.put(".hidden/sub/a.jpg", "x");
    world.put("kept/a.jpg", "x");
    assert_eq!(world.look(), ["+kept/a.jpg"]);
    assert_eq!(world.hints.watched(), 2);
}

#[test]
fn polling_everything_finds_what_no_hint_told_of() {
    let mut world = world(false);
    world.put("sub/a.jpg", "a");
    world.look();
    world.put("sub/b.jpg", "b");
    let found_when_polling = |world: &mut TestTree, everything: bool| {
        world.tree.mark_polled(world.now, everything);
        let mut found = 0;
        for _ in 0..3 {
            world.now += Duration::from_secs(1);
            found += world.tree.turn(world.now, QUIET, &mut world.hints).len();
        }
        found
    };
    assert_eq!(found_when_polling(&mut world, false), 0, "its file system sends events");
    assert_eq!(found_when_polling(&mut world, true), 1);
}
