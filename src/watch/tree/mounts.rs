//! The disks of a tree: folders on another disk than the one that they lie in, and the disk that the tree itself lies on. While
//! such a disk is away, its folder is missing or empty, and what is known below stays known.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use crate::watch::identity::Identity;

/// Folders where a disk is mounted, or was when they were last looked at; and those that are away. Paths are relative to the root
/// of the tree; the one that is absolute is where the disk is mounted on which the root lies. The root may be away without having
/// been a disk.
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

    /// The root, which is at `root`, is there: remembers the disk on which it lies.
    pub fn root_is_at(&mut self, root: &Path) {
        let disk = root.ancestors().skip(1).find(|folder| is_mounted_now(folder));
        if self.disk_of_root() != disk {
            self.known.retain(|mount| !mount.is_absolute());
            self.known.extend(disk.map(Path::to_path_buf));
        }
    }

    /// Whether the disk on which the root, which is at `root`, lay is not mounted. Of a root that was elsewhere it says nothing.
    pub fn is_root_without_disk(&self, root: &Path) -> bool {
        self.disk_of_root().is_some_and(|disk| root.starts_with(disk) && !is_mounted_now(disk))
    }

    fn disk_of_root(&self) -> Option<&Path> {
        self.known.iter().map(PathBuf::as_path).find(|mount| mount.is_absolute())
    }

    /// `folder` is missing: the disks that were mounted there or below are away; `false` if there are none.
    pub fn go_away_below(&mut self, folder: &Path) -> bool {
        let from_here = self.known.range::<Path, _>((Bound::Included(folder), Bound::Unbounded));
        let below: Vec<PathBuf> = from_here.take_while(|mount| mount.starts_with(folder)).cloned().collect();
        let are_any = !below.is_empty();
        self.away.extend(below);
        are_any
    }

    /// Nothing at or below `folder` is looked at any more.
    pub fn forget_below(&mut self, folder: &Path) {
        self.known.retain(|mount| !mount.starts_with(folder));
        self.away.retain(|mount| !mount.starts_with(folder));
    }

    /// Whether a folder above this one is away, so that nothing can be said of it.
    pub fn is_above_away(&self, folder: &Path) -> bool {
        !self.away.is_empty() && folder.ancestors().skip(1).any(|above| self.away.contains(above))
    }

    /// What is away was removed on purpose: those folders are ordinary ones from now on. The root stays away until it is looked at.
    pub fn accept(&mut self) {
        let is_root_away = self.away.contains(Path::new(""));
        self.known.retain(|mount| {
            let is_given_up = self.away.contains(mount) || (is_root_away && mount.is_absolute());
            !is_given_up
        });
        self.away.retain(|folder| folder.as_os_str().is_empty());
    }
}

/// Whether a disk is mounted in this folder. The root of the file system does not count: it is never away.
fn is_mounted_now(folder: &Path) -> bool {
    Identity::of(folder).is_some_and(|found| found.is_mounted_at(folder))
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
        mounts.is_here(disk, true);
        mounts.goes_away(disk);
        mounts.forget_below(Path::new("b"));
        assert!(mounts.is_above_away(inside));
        mounts.forget_below(Path::new("a"));
        assert!(mounts.away().is_empty() && mounts.known().is_empty());
    }

    #[test]
    fn the_disk_that_the_root_lies_on_is_remembered() {
        let mut mounts = Mounts::default();
        mounts.root_is_at(Path::new("/proc/self/task"));
        assert_eq!(mounts.known(), &BTreeSet::from(["/proc".into()]));
        assert!(!mounts.is_root_without_disk(Path::new("/proc/self/task")));
        let place = tempfile::tempdir().unwrap();
        let mut mounts = Mounts::new(BTreeSet::from([place.path().to_path_buf(), "a/disk".into()]));
        let root = place.path().join("pictures");
        assert!(mounts.is_root_without_disk(&root), "an ordinary folder now");
        assert!(!mounts.is_root_without_disk(Path::new("/elsewhere/pictures")), "the settings name another folder");
        mounts.goes_away(Path::new(""));
        mounts.accept();
        assert!(!mounts.is_root_without_disk(&root) && mounts.was_mounted(Path::new("a/disk")));
    }
}
