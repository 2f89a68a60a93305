//! The disks of a tree: folders on another disk than the one that they lie in. While such a disk is away, its folder is missing
//! or empty, and what is known below stays known.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::{Path, PathBuf};

/// Folders where a disk is mounted, or was when they were last looked at; and those that are away. The root of a tree may be away
/// without having been a disk.
#[derive(Debug, Default)]
pub struct Mounts {
    known: BTreeSet<PathBuf>,
    away: BTreeSet<PathBuf>,
}

impl Mounts {
    /// With those known from earlier.
    pub fn new(known: BTreeSet<PathBuf>) -> Self {
        Self { known, away: BTreeSet::new() }
    }

    /// Where disks are mounted, or were.
    pub fn known(&self) -> &BTreeSet<PathBuf> {
        &self.known
    }

    /// The folders that are away.
    pub fn away(&self) -> &BTreeSet<PathBuf> {
        &self.away
    }

    /// Whether a disk was mounted here.
    pub fn was_mounted(&self, folder: &Path) -> bool {
        self.known.contains(folder)
    }

    /// The folder is missing or empty, although files are known below it.
    pub fn goes_away(&mut self, folder: &Path) {
        self.away.insert(folder.to_path_buf());
    }

    /// The folder is there, with a disk or as an ordinary one.
    pub fn is_here(&mut self, folder: &Path, is_mounted: bool) {
        self.away.remove(folder);
        if is_mounted && !self.known.contains(folder) {
            self.known.insert(folder.to_path_buf());
        } else if !is_mounted {
            self.known.remove(folder);
        }
    }

    /// `folder` is missing: the disks that were mounted there or below are away; `false` if there are none.
    pub fn go_away_below(&mut self, folder: &Path) -> bool {
        let from_here = self.known.range::<Path, _>((Bound::Included(folder), Bound::Unbounded));
        let below: Vec<PathBuf> = from_here.take_while(|mount| mount.starts_with(folder)).cloned().collect();
        let are_any = !below.is_empty();
        self.away.extend(below);
        are_any
    }

    /// Whether a folder above this one is away, so that nothing can be said of it.
    pub fn is_above_away(&self, folder: &Path) -> bool {
        !self.away.is_empty() && folder.ancestors().skip(1).any(|above| self.away.contains(above))
    }

    /// What is away was removed on purpose: those folders are ordinary ones from now on. The root stays away until it is looked at.
    pub fn accept(&mut self) {
        self.known.retain(|mount| !self.away.contains(mount));
        self.away.retain(|folder| folder.as_os_str().is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_away_until_it_is_back_or_given_up() {
        let mut mounts = Mounts::default();
        let [disk, other, inside] = ["a/disk", "b", "a/disk/2019"].map(Path::new);
        mounts.is_here(disk, true);
        mounts.is_here(other, false);
        assert!(mounts.was_mounted(disk) && !mounts.was_mounted(other) && !mounts.go_away_below(other));
        assert!(mounts.go_away_below(Path::new("a")) && mounts.is_above_away(inside) && !mounts.is_above_away(disk));
        mounts.is_here(disk, true);
        assert!(mounts.away().is_empty() && mounts.was_mounted(disk));
        mounts.goes_away(disk);
        mounts.goes_away(Path::new(""));
        mounts.accept();
        assert!(!mounts.was_mounted(disk) && mounts.away().len() == 1 && mounts.is_above_away(disk));
        mounts.is_here(Path::new(""), false);
        assert!(!mounts.is_above_away(disk));
    }
}
