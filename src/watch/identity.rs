//! Tells whether a folder is still the same folder, or another one of the same name.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// Device, inode number and creation time. Inode numbers alone are not enough: some file systems (ext4) reuse them at
/// once, so that a folder removed and created again can have the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    device: u64,
    inode: u64,
    created: Option<SystemTime>,
}

impl Identity {
    /// The identity of the folder at `path`; `None` when there is none.
    pub fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_dir)?;
        Some(Self { device: found.dev(), inode: found.ino(), created: found.created().ok() })
    }

    /// Whether the folder at `path`, with this identity, is on another disk than the folder that it lies in.
    pub fn is_mounted_at(&self, path: &Path) -> bool {
        path.parent().and_then(Self::of).is_some_and(|above| above.device != self.device)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_made_again_is_another_one() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("folder");
        assert_eq!(Identity::of(&folder), None);
        fs::create_dir(&folder).unwrap();
        let first = Identity::of(&folder);
        fs::write(folder.join("a"), b"x").unwrap();
        assert_eq!(Identity::of(&folder), first, "what is in it does not matter");
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        assert_ne!(Identity::of(&folder), first);
    }

    #[test]
    fn a_disk_is_known_by_the_folder_it_is_mounted_at() {
        let is_mounted = |path: &str| Identity::of(Path::new(path)).unwrap().is_mounted_at(Path::new(path));
        assert!(is_mounted("/proc") && !is_mounted("/proc/self") && !is_mounted("/"));
    }
}
