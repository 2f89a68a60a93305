//! Ensures that one daemon at a time works on a folder, with a lock that the system releases however the process ends.

use std::fs::{File, Metadata, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Fatal, Trouble};

/// The lock of a root folder; a daemon holds it as long as it runs.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

/// What is in the place of a lock that is held.
#[derive(Debug)]
pub enum LockPlace {
    /// The lock itself.
    Same,
    /// Another one: the state folder is another one too.
    Other,
    /// Nothing: the state folder was moved, removed, or its disk is away.
    None,
    /// Nobody can tell: the disk fails, or the folder may not be looked into.
    Unknown(Trouble),
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
    pub fn place(&self) -> LockPlace {
        let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let held = self.file.metadata().map(identity);
        match (held, std::fs::metadata(&self.path).map(identity)) {
            (Ok(held), Ok(there)) if held == there => LockPlace::Same,
            // Also where the lock that is held belongs to a disk that has died, and another one is mounted in its place.
            (_, Ok(_)) => LockPlace::Other,
            (_, Err(error)) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                LockPlace::None
            }
            (_, Err(error)) => LockPlace::Unknown(Trouble::system("look into the state folder", &self.path, &error)),
        }
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
    fn a_lock_that_was_moved_away_or_replaced_is_noticed() {
        let place = tempfile::tempdir().unwrap();
        let state = place.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let lock = Lock::take(&state).unwrap();
        assert!(matches!(lock.place(), LockPlace::Same));
        std::fs::rename(&state, place.path().join("aside")).unwrap();
        assert!(matches!(lock.place(), LockPlace::None));
        std::fs::create_dir(&state).unwrap();
        assert!(matches!(lock.place(), LockPlace::None), "as where a disk was unmounted");
        std::fs::write(state.join("lock"), b"").unwrap();
        assert!(matches!(lock.place(), LockPlace::Other), "another lock of the same name");
        std::fs::remove_dir_all(&state).unwrap();
        // Whether it is there cannot be told: root may look into everything, but not follow a link to itself.
        std::os::unix::fs::symlink(&state, &state).unwrap();
        let LockPlace::Unknown(trouble) = lock.place() else { panic!("it was looked into") };
        assert_eq!(trouble.path, state.join("lock"));
    }
}
