//! Tests of what hints say of files: that one was renamed to its place, or which one in a large folder changed.

use super::*;

/// Whoever renames a finished file into a folder waits for nothing; whoever writes there waits until it is quiet.
#[test]
fn what_was_renamed_into_the_folder_is_ready_at_once() {
    let mut test = test_tree(false);
    test.scan();
    // A machine with much to do takes long for a scan, and then pauses before the next one.
    test.tree.folders.values_mut().for_each(|folder| folder.scan_cost = Duration::ZERO);
    let outside = test.root.parent().unwrap().join("outside");
    fs::create_dir_all(outside.join("set/not")).unwrap();
    ["a.jpg", "b.jpg", "set/c.jpg", "set/not/d.jpg"]
        .iter()
        .for_each(|name| fs::write(outside.join(name), "x").unwrap());
    let arrive = |test: &mut TestTree, name: &str| {
        fs::rename(outside.join(name), test.root.join(name)).unwrap();
        test.tree.renamed_hint(&test.root.join(name), test.now);
    };
    arrive(&mut test, "a.jpg");
    arrive(&mut test, "set");
    arrive(&mut test, "b.jpg");
    // Something has happened to it since.
    test.tree.hint(&test.root.join("b.jpg"), test.now);
    test.put("written.jpg", "x");
    test.tree.hint(&test.root.join("written.jpg"), test.now);
    test.now += COALESCE;
    let mut seen = test.turns(usize::MAX);
    seen.sort();
    assert_eq!(seen, ["+a.jpg", "+set/c.jpg", "+set/not/d.jpg"]);
    test.now += QUIET;
    let mut seen = test.turns(usize::MAX);
    seen.sort();
    assert_eq!(seen, ["+b.jpg", "+written.jpg"]);
    assert!(test.tree.whole.is_empty());
    // One that is gone before it was listed is not remembered.
    test.tree.renamed_hint(&test.root.join("gone.jpg"), test.now);
    test.now += COALESCE;
    assert!(test.turns(usize::MAX).is_empty() && test.tree.whole.is_empty());
}

/// A large folder is scanned seldom; what hints name in it does not wait for that.
#[test]
fn a_file_that_a_hint_names_does_not_wait_for_the_scan_of_a_large_folder() {
    let mut test = test_tree(false);
    test.put("large/a.jpg", "a");
    test.scan();
    let minute = Duration::from_secs(60);
    test.tree.folders.get_mut(Path::new("large")).unwrap().scan_cost = minute;
    test.put("large/b.jpg", "b");
    test.put("large/sub/c.jpg", "c");
    fs::remove_file(test.root.join("large/a.jpg")).unwrap();
    for name in ["a.jpg", "b.jpg", "sub", "never.jpg"] {
        assert!(test.tree.hint(&test.root.join("large").join(name), test.now));
    }
    assert!(test.turns(9).is_empty() && test.tree.settling() == 1, "it has not settled");
    test.now += QUIET;
    assert_eq!(test.turns(9), ["+large/b.jpg"]);
    // One that was renamed to its place need not settle.
    test.put("large/whole.jpg", "w");
    test.tree.renamed_hint(&test.root.join("large/whole.jpg"), test.now);
    assert_eq!(test.turns(9), ["+large/whole.jpg"]);
    assert!(test.tree.whole.is_empty());
    // The same file once more: nothing is new.
    test.tree.hint(&test.root.join("large/b.jpg"), test.now);
    assert!(test.turns(9).is_empty() && test.tree.settling() == 0);
    test.now += SCAN_COST_FACTOR * minute;
    assert_eq!(test.turns(9), ["-large/a.jpg"]);
    test.now += QUIET;
    assert_eq!(test.turns(9), ["+large/sub/c.jpg"]);
}
