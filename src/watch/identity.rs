//! Whether a folder is still the same folder, or another one of the same name.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

/// Disk, number, and when it was made: numbers are given out again at once on some file systems (ext4), so that a folder
/// removed and made anew has the old one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    disk: u64,
    inode: u64,
    made: Option<SystemTime>,
}

impl Identity {
    /// Of the folder at `path`; `None` when there is none.
    pub fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_dir)?;
        Some(Self { disk: found.dev(), inode: found.ino(), made: found.created().ok() })
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
}
