//! Ensures that one daemon at a time works on a folder, with a lock that the system releases however the process ends.

use std::fs::{File, Metadata, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Fatal, Trouble};

/// The lock of a root folder; a daemon holds it as long as it runs.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock of the state folder, which must exist.
    pub fn take(state: &Path) -> Result<Self, Fatal> {
        let path = state.join("lock");
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(|error| Trouble::system("open the lock", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, path }),
            Err(TryLockError::WouldBlock) => Err(Fatal::AlreadyRunning(format!(
                "{}: another artificio works on this folder; stop it first, or use another --root",
                path.display()
            ))),
            Err(TryLockError::Error(error)) => Err(Trouble::system("lock the state folder", &path, &error).into()),
        }
    }

    /// Whether the lock file is still the one in the state folder. If that folder was moved or removed, the next daemon
    /// would find a free lock.
    pub fn is_in_place(&self) -> bool {
        let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let held = self.file.metadata().map(identity);
        let there = std::fs::metadata(&self.path).map(identity);
        matches!((held, there), (Ok(held), Ok(there)) if held == there)
    }

    /// Whether any process holds the lock of the state folder right now.
    pub fn is_held(state: &Path) -> bool {
        let Ok(file) = File::open(state.join("lock")) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_held_once() {
        let state = tempfile::tempdir().unwrap();
        assert!(!Lock::is_held(state.path()));
        let lock = Lock::take(state.path()).unwrap();
        assert!(Lock::is_held(state.path()));
        assert_eq!(Lock::take(state.path()).unwrap_err().exit_code(), 3);
        drop(lock);
        assert!(!Lock::is_held(state.path()));
        Lock::take(state.path()).unwrap();
    }

    #[test]
    fn a_lock_that_was_moved_away_is_not_in_place() {
        let place = tempfile::tempdir().unwrap();
        let state = place.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let lock = Lock::take(&state).unwrap();
        assert!(lock.is_in_place());
        std::fs::rename(&state, place.path().join("aside")).unwrap();
        assert!(!lock.is_in_place());
        std::fs::create_dir(&state).unwrap();
        std::fs::write(state.join("lock"), b"").unwrap();
        assert!(!lock.is_in_place(), "another lock of the same name");
    }
}
