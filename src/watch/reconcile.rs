//! Compares an entry of a folder on disk with what is known of it. Pure.
//!
//! A million files are known at a time, so what is known of one takes eight bytes.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::files::Stamp;

/// What is known of a file from the last time it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The file's stamp at that time.
    pub stamp: Stamp,
    /// It could not be used then, so that any change, also of permissions, is a reason to read it again.
    pub has_failed: bool,
}

/// A known entry of a folder: a sub-folder, or a file with a fingerprint of its stamp (61 bits: of 2⁶¹ changed files one is
/// missed), and the mark of the listing that saw it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry(u64);

/// A listing gives its mark to what it sees; what still has the other one at its end was removed.
pub type SightMark = bool;

const MARK: u64 = 1;
const KIND: u64 = 0b110;
const FILE: u64 = 0;
const FAILED_FILE: u64 = 0b010;
const FOLDER: u64 = 0b100;

impl Entry {
    /// A file.
    pub fn file(known: Known, mark: SightMark) -> Self {
        let kind = if known.has_failed { FAILED_FILE } else { FILE };
        Self(fingerprint(&known.stamp, known.has_failed) | kind | u64::from(mark))
    }

    /// A sub-folder.
    pub fn folder(mark: SightMark) -> Self {
        Self(FOLDER | u64::from(mark))
    }

    /// Whether it is a sub-folder.
    pub fn is_folder(self) -> bool {
        self.0 & KIND == FOLDER
    }

    /// The mark of the listing that saw it last.
    pub fn mark(self) -> SightMark {
        self.0 & MARK == 1
    }

    /// The same with another mark.
    pub fn marked(self, mark: SightMark) -> Self {
        Self(self.0 & !MARK | u64::from(mark))
    }

    /// Whether the file needs no reading: its content is the one that is known.
    pub fn is_as_known(self, stamp: &Stamp) -> bool {
        let has_failed = self.0 & KIND == FAILED_FILE;
        !self.is_folder() && self.0 & !(MARK | KIND) == fingerprint(stamp, has_failed)
    }
}

/// Of all that must stay the same, without the bits that say other things.
fn fingerprint(stamp: &Stamp, has_failed: bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    (stamp.size, stamp.mtime_ns, stamp.inode).hash(&mut hasher);
    if has_failed {
        stamp.ctime_ns.hash(&mut hasher);
    }
    hasher.finish() & !(MARK | KIND)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(mtime_ns: i64, ctime_ns: i64) -> Stamp {
        Stamp { size: 1, mtime_ns, ctime_ns, inode: 1 }
    }

    #[test]
    fn changed_and_unchanged_are_distinguished() {
        let known = |has_failed| Entry::file(Known { stamp: stamp(1, 1), has_failed }, false);
        let cases = [
            ("the same", false, stamp(1, 1), true),
            ("renamed over", false, Stamp { inode: 2, ..stamp(1, 1) }, false),
            ("written", false, stamp(2, 2), false),
            ("longer", false, Stamp { size: 2, ..stamp(1, 1) }, false),
            ("chmod", false, stamp(1, 2), true),
            ("made readable", true, stamp(1, 2), false),
            ("still unusable", true, stamp(1, 1), true),
        ];
        for (name, has_failed, now, is_as_known) in cases {
            assert_eq!(known(has_failed).is_as_known(&now), is_as_known, "{name}");
            assert_eq!(
                known(has_failed).marked(true).is_as_known(&now),
                is_as_known,
                "{name}, seen by another listing"
            );
        }
    }

    #[test]
    fn a_mark_changes_nothing_else() {
        let file = Entry::file(Known { stamp: stamp(1, 1), has_failed: true }, true);
        assert!(file.mark() && !file.marked(false).mark() && !file.is_folder());
        assert_eq!(file.marked(false).marked(true), file);
        let folder = Entry::folder(false);
        assert!(folder.is_folder() && folder.marked(true).is_folder() && !folder.is_as_known(&Stamp::NEVER));
    }
}
