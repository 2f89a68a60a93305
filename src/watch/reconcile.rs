//! Compares the files of one folder on disk with what the catalog knows of them. Pure.

use std::collections::HashMap;
use std::ffi::OsString;

use super::Listing;
use crate::files::Stamp;

/// What is known of a file from the last time it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The file's stamp at that time.
    pub stamp: Stamp,
    /// It could not be used then, so that any change, also of permissions, is a reason to read it again.
    pub has_failed: bool,
}

/// How a folder differs from what is known of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Files to be read, once they have settled.
    pub new_or_changed: Vec<(OsString, Stamp)>,
    /// Files that are the same.
    pub unchanged: Vec<OsString>,
    /// Files that were removed.
    pub removed: Vec<OsString>,
}

/// Compares a folder's listing with what is known of the same folder.
pub fn reconcile(listing: &Listing, known: &HashMap<OsString, Known>) -> Differences {
    let mut differences = Differences::default();
    let mut unseen: HashMap<&OsString, &Known> = known.iter().collect();
    for (name, stamp) in &listing.files {
        let is_as_known = unseen.remove(name).is_some_and(|known| match known.has_failed {
            true => known.stamp == *stamp,
            false => known.stamp.same_content(stamp),
        });
        match is_as_known {
            true => differences.unchanged.push(name.clone()),
            false => differences.new_or_changed.push((name.clone(), *stamp)),
        }
    }
    differences.removed = unseen.into_keys().cloned().collect();
    differences.removed.sort_unstable();
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(mtime_ns: i64, ctime_ns: i64) -> Stamp {
        Stamp { size: 1, mtime_ns, ctime_ns, inode: 1 }
    }

    #[test]
    fn new_changed_unchanged_and_removed_are_distinguished() {
        let known = |stamp, has_failed| Known { stamp, has_failed };
        let before = HashMap::from([
            ("same".into(), known(stamp(1, 1), false)),
            ("renamed over".into(), known(stamp(1, 1), false)),
            ("chmod".into(), known(stamp(1, 1), false)),
            ("made readable".into(), known(stamp(1, 1), true)),
            ("gone".into(), known(stamp(1, 1), false)),
        ]);
        let listing = Listing {
            files: vec![
                ("same".into(), stamp(1, 1)),
                ("renamed over".into(), Stamp { inode: 2, ..stamp(1, 1) }),
                ("chmod".into(), stamp(1, 2)),
                ("made readable".into(), stamp(1, 2)),
                ("new".into(), stamp(3, 3)),
            ],
            ..Listing::default()
        };
        let found = reconcile(&listing, &before);
        let names: Vec<_> = found.new_or_changed.iter().map(|(name, _)| name.to_str().unwrap()).collect();
        assert_eq!(names, ["renamed over", "made readable", "new"]);
        assert_eq!(found.unchanged, ["same", "chmod"]);
        assert_eq!(found.removed, ["gone"]);
    }
}
