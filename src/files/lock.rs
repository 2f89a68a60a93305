//! One daemon a root: a lock that the system lets go of when the process ends, however it ends.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::error::{Fatal, Trouble};

/// Held for as long as a daemon works on a root; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the state folder, which must exist.
    pub fn take(state: &Path) -> Result<Self, Fatal> {
        let path = state.join("lock");
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(|error| Trouble::system("open the lock", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Fatal::AlreadyRunning(format!(
                "{}: another artificio works on this folder; stop it first, or use another --root",
                path.display()
            ))),
            Err(TryLockError::Error(error)) => Err(Trouble::system("lock the state folder", &path, &error).into()),
        }
    }

    /// Whether some process holds the lock of the state folder right now.
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
}
