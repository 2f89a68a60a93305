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

/// A known entry of a folder: a sub-folder, or a file with a fingerprint of its stamp, and the mark of the listing that saw it last.
/// Of the fingerprint's 61 bits 40 are of what changes with the content, and 21 of the time at which anything changed: of 2⁶¹
/// changed files one is missed, and of 2⁴⁰ one is only taken for touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry(u64);

/// How a file compares with what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileComparison {
    /// It needs no reading.
    Same,
    /// It was renamed, linked, or given other permissions: its content is most likely the one that is known. Or it was rewritten in
    /// place, at the same length, and given its former time again; only reading it shows that.
    Touched,
    /// Its content is another one, or it could not be used before.
    Changed,
}

/// A listing gives its mark to what it sees; what still has the other one at its end was removed.
pub type SightMark = bool;

const MARK: u64 = 1;
const KIND: u64 = 0b110;
const FILE: u64 = 0;
const FAILED_FILE: u64 = 0b010;
const FOLDER: u64 = 0b100;
/// The part of a fingerprint that is of the time of the last change of any kind.
const OF_CTIME: u64 = 0xff_fff8;

impl Entry {
    /// A file.
    pub fn file(known: Known, mark: SightMark) -> Self {
        let kind = if known.has_failed { FAILED_FILE } else { FILE };
        Self(fingerprint(&known.stamp) | kind | u64::from(mark))
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

    /// How the file in this state compares with what is known.
    pub fn compare(self, stamp: &Stamp) -> FileComparison {
        let differing = (self.0 ^ fingerprint(stamp)) & !(MARK | KIND);
        if self.is_folder() || differing & !OF_CTIME != 0 {
            FileComparison::Changed
        } else if differing == 0 {
            FileComparison::Same
        } else if self.0 & KIND == FAILED_FILE {
            FileComparison::Changed
        } else {
            FileComparison::Touched
        }
    }
}

/// Of all that a stamp holds, without the bits that say other things.
fn fingerprint(stamp: &Stamp) -> u64 {
    let hash = |what: (u64, i64, u64)| {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        hasher.finish() & !(MARK | KIND)
    };
    let of_content = hash((stamp.size, stamp.mtime_ns, stamp.inode));
    (of_content & !OF_CTIME) | (hash((0, stamp.ctime_ns, 0)) & OF_CTIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(mtime_ns: i64, ctime_ns: i64) -> Stamp {
        Stamp { size: 1, mtime_ns, ctime_ns, inode: 1 }
    }

    #[test]
    fn changed_and_unchanged_are_distinguished() {
        use FileComparison::{Changed, Same, Touched};
        let known = |has_failed| Entry::file(Known { stamp: stamp(1, 1), has_failed }, false);
        let cases = [
            ("the same", false, stamp(1, 1), Same),
            ("renamed over", false, Stamp { inode: 2, ..stamp(1, 1) }, Changed),
            ("written", false, stamp(2, 2), Changed),
            ("longer", false, Stamp { size: 2, ..stamp(1, 1) }, Changed),
            ("chmod, or written and given its time again", false, stamp(1, 2), Touched),
            ("made readable", true, stamp(1, 2), Changed),
            ("still unusable", true, stamp(1, 1), Same),
        ];
        for (name, has_failed, now, expected) in cases {
            assert_eq!(known(has_failed).compare(&now), expected, "{name}");
            assert_eq!(known(has_failed).marked(true).compare(&now), expected, "{name}, seen by another listing");
        }
        let never = Entry::file(Known { stamp: Stamp::NEVER, has_failed: false }, false);
        assert_eq!(never.compare(&stamp(1, 1)), Changed);
    }

    #[test]
    fn every_time_of_a_change_is_told_from_the_others() {
        let known = Entry::file(Known { stamp: stamp(1, 0), has_failed: false }, false);
        let missed =
            (1..10_000).filter(|&ctime_ns| known.compare(&stamp(1, ctime_ns)) != FileComparison::Touched).count();
        assert!(missed <= 1, "{missed} of 10,000 were missed");
    }

    #[test]
    fn a_mark_changes_nothing_else() {
        let file = Entry::file(Known { stamp: stamp(1, 1), has_failed: true }, true);
        assert!(file.mark() && !file.marked(false).mark() && !file.is_folder());
        assert_eq!(file.marked(false).marked(true), file);
        let folder = Entry::folder(false);
        assert!(
            folder.is_folder()
                && folder.marked(true).is_folder()
                && folder.compare(&Stamp::NEVER) == FileComparison::Changed
        );
    }
}
