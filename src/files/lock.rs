//! Ensures that one daemon at a time works on a folder, with a lock that the system releases however the process ends.

use std::fs::{self, File, Metadata, Permissions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::{FileAt, Unopened, create_own};
use crate::error::{Fatal, Trouble};

/// Inside the state folder.
const NAME: &str = "lock";
/// The system's list of locks, which every user may read.
const LOCK_TABLE: &str = "/proc/locks";
/// Something may hold the lock for a moment: a command that looks whether anybody does, or a child that a service was starting when it
/// was killed.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);

/// The lock of a root folder; a daemon holds it as long as it runs. Nobody else can open the file: whoever could might hold the
/// lock and so keep the daemon from starting.
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
        let path = state.join(NAME);
        let file = create_own(&path).map_err(|error| Trouble::system("open the lock", &path, &error))?;
        // One made by an earlier version; where that cannot be changed, the lock is as good as it was.
        let _ = file.set_permissions(Permissions::from_mode(0o600));
        let end = Instant::now() + PATIENCE;
        let taken = loop {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) if Instant::now() < end => thread::sleep(PAUSE),
                taken => break taken,
            }
        };
        match taken {
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
        match (held, fs::metadata(&self.path).map(identity)) {
            (Ok(held), Ok(there)) if held == there => LockPlace::Same,
            // Also where the lock that is held belongs to a disk that has died, and another one is mounted in its place.
            (_, Ok(_)) => LockPlace::Other,
            (_, Err(error)) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                LockPlace::None
            }
            (_, Err(error)) => LockPlace::Unknown(Trouble::system("look into the state folder", &self.path, &error)),
        }
    }

    /// Whether any process holds the lock of the state folder right now. Who may not open it, as a member of the service's group,
    /// learns it from the system's list of locks.
    pub fn is_held(state: &Path) -> bool {
        match FileAt::below(state, Path::new(NAME)).open() {
            Ok((file, _)) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
            Err(Unopened::System(error)) if error.kind() == ErrorKind::PermissionDenied => {
                let inode = fs::symlink_metadata(state.join(NAME)).map(|found| found.ino());
                let table = fs::read_to_string(LOCK_TABLE);
                inode.is_ok_and(|inode| table.is_ok_and(|table| is_locked(&table, inode)))
            }
            Err(_) => false,
        }
    }
}

/// Whether the list of locks has one as a daemon holds it on a file of this inode number. The device is not compared: some file
/// systems (btrfs) give another one here than for the file.
fn is_locked(table: &str, inode: u64) -> bool {
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, "WRITE", _, file, ..] = fields[..] else { return false };
        file.rsplit(':').next() == Some(&inode.to_string())
    })
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
    fn the_list_of_locks_tells_who_may_not_open_the_lock() {
        let table = "1: POSIX  ADVISORY  WRITE 7 fe:00:11 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 8 fe:00:12 0 EOF\n\
                     2: FLOCK  ADVISORY  READ 9 fe:00:13 0 EOF\n3: FLOCK  ADVISORY  WRITE 9 fe:00:14 0 EOF\n";
        assert_eq!([11, 12, 13, 14, 4].map(|inode| is_locked(table, inode)), [false, false, false, true, false]);
        let state = tempfile::tempdir().unwrap();
        let lock = Lock::take(state.path()).unwrap();
        let is_listed = || is_locked(&fs::read_to_string(LOCK_TABLE).unwrap(), lock.file.metadata().unwrap().ino());
        assert!(is_listed());
        lock.file.unlock().unwrap();
        assert!(!is_listed());
    }

    #[test]
    fn others_cannot_open_the_lock_and_what_is_planted_in_its_place_is_removed() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join(NAME);
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        fs::write(&path, b"").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
        drop(Lock::take(state.path()).unwrap());
        assert_eq!(mode(), 0o600);
        fs::remove_file(&path).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
        assert!(!Lock::is_held(state.path()));
        let lock = Lock::take(state.path()).unwrap();
        assert!(matches!(lock.place(), LockPlace::Same) && Lock::is_held(state.path()) && mode() == 0o600);
    }

    #[test]
    fn a_lock_that_is_held_for_a_moment_is_waited_for() {
        let state = tempfile::tempdir().unwrap();
        let other = create_own(&state.path().join(NAME)).unwrap();
        other.lock_shared().unwrap();
        let looking = thread::spawn(move || {
            thread::sleep(PAUSE * 4);
            drop(other);
        });
        Lock::take(state.path()).unwrap();
        looking.join().unwrap();
    }

    #[test]
    fn a_lock_that_was_moved_away_or_replaced_is_noticed() {
        let place = tempfile::tempdir().unwrap();
        let state = place.path().join("state");
        fs::create_dir(&state).unwrap();
        let lock = Lock::take(&state).unwrap();
        assert!(matches!(lock.place(), LockPlace::Same));
        fs::rename(&state, place.path().join("aside")).unwrap();
        assert!(matches!(lock.place(), LockPlace::None));
        fs::create_dir(&state).unwrap();
        assert!(matches!(lock.place(), LockPlace::None), "as where a disk was unmounted");
        fs::write(state.join("lock"), b"").unwrap();
        assert!(matches!(lock.place(), LockPlace::Other), "another lock of the same name");
        fs::remove_dir_all(&state).unwrap();
        // Whether it is there cannot be told: root may look into everything, but not follow a link to itself.
        std::os::unix::fs::symlink(&state, &state).unwrap();
        let LockPlace::Unknown(trouble) = lock.place() else { panic!("it was looked into") };
        assert_eq!(trouble.path, state.join("lock"));
    }
}
