//! Files and folders that the settings take out of the inventory, and bring back.

use super::*;

fn patterns(list: &str) -> ExcludePatterns {
    let text = format!("[folders]\nexclude = {list}");
    crate::config::parse(Path::new("x"), &text).unwrap().folders.exclude
}

#[test]
fn what_is_excluded_is_neither_found_nor_watched_nor_mentioned() {
    let mut test = test_tree(true);
    test.tree.exclude(patterns("[\"*.psd\", \"/drafts/\", \"link\"]"));
    for path in ["a.jpg", "a.psd", "drafts/b/c.jpg", "x/drafts/d.jpg", "x/e.psd"] {
        test.put(path, path);
    }
    std::os::unix::fs::symlink("nowhere", test.root.join("x/link")).unwrap();
    assert_eq!(test.scan(), ["+a.jpg", "+x/drafts/d.jpg"]);
    assert_eq!((test.hints.watched(), test.tree.excluded()), (3, 4));
    // Named by a hint, and settling when the settings change.
    test.put("f.psd", "f");
    test.put("x/g.jpg", "g");
    for name in ["f.psd", "x/g.jpg"] {
        test.tree.hint(&test.root.join(name), test.now);
    }
    test.now += Duration::from_millis(30);
    assert_eq!(test.turns(usize::MAX), Vec::<String>::new());
    assert_eq!(test.tree.settling(), 1);
    test.tree.exclude(patterns("[\"*.psd\", \"/drafts/\", \"/x/\"]"));
    assert_eq!(test.scan(), ["-x/drafts/d.jpg"]);
    assert_eq!((test.hints.watched(), test.tree.excluded(), test.tree.settling()), (1, 4, 0));
}

#[test]
fn other_patterns_take_out_and_bring_in_what_was_known() {
    let mut test = test_tree(true);
    for path in ["a.jpg", "old/b.jpg", "old/c/d.jpg"] {
        test.put(path, path);
    }
    test.scan();
    test.tree.exclude(patterns("[\"*\"]"));
    assert_eq!(test.scan(), ["-a.jpg", "-old/b.jpg", "-old/c/d.jpg"]);
    assert!(!test.tree.is_offline(), "it is not empty, all in it is excluded");
    assert_eq!((test.hints.watched(), test.tree.excluded()), (1, 2));
    test.tree.exclude(patterns("[\"/old/*\", \"!/old/c/\"]"));
    assert_eq!(test.scan(), ["+a.jpg", "+old/c/d.jpg"]);
    test.tree.exclude(patterns("[]"));
    assert_eq!(test.scan(), ["+old/b.jpg"]);
    assert_eq!((test.hints.watched(), test.tree.excluded()), (3, 0));
}

#[test]
fn a_disk_that_is_away_is_not_waited_for_once_it_is_excluded() {
    let mut test = test_tree(true);
    test.put("a.jpg", "a");
    let known = [("nas/b.jpg".into(), Known { stamp: Stamp::NEVER, has_failed: false })];
    let disks = BTreeSet::from(["nas".into()]);
    test.tree = Tree::new(&test.root, true, disks, known.into_iter().collect());
    assert_eq!(test.scan(), ["+a.jpg"]);
    assert!(test.tree.is_offline());
    test.tree.exclude(patterns("[\"nas\"]"));
    assert_eq!(test.scan(), ["-nas/b.jpg"]);
    assert!(!test.tree.is_offline() && test.tree.mounts().iter().all(|mount| mount.is_absolute()));
}
