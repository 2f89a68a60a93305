//! Folders and files that belong to the service alone: the state folder and those in it.
//!
//! Others may have planted something there before the folder was theirs no more, or may share it where an administrator has made it
//! so. What is read from it is an ordinary file of this user, of the folder's owner or of root, of bounded size; it is never waited
//! for, and no link is followed.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::{FileAt, read_at_most};
use crate::error::Trouble;

/// What others may have of the state folder: its group may read it, for `artificio status`, if the folder was made so.
const STATE_MODE: u32 = 0o750;
/// Of a folder in it: nothing.
const PRIVATE_MODE: u32 = 0o700;

/// Makes the state folder where it is missing: for this user alone.
pub fn make_state_folder(folder: &Path) -> Result<(), Trouble> {
    let made = fs::create_dir_all(folder.parent().unwrap_or(folder)).and_then(|()| make(folder));
    made.map_err(|error| Trouble::system("make the folder", folder, &error))
}

/// Takes away what others were given of the state folder and of the files in it by an earlier version or a wide umask: nobody else
/// writes there, and only its group reads.
pub fn narrow_state_folder(folder: &Path) -> Result<(), Trouble> {
    let narrowed = narrow(folder, STATE_MODE).and_then(|()| {
        for entry in fs::read_dir(folder)?.flatten() {
            // A file of somebody else's is refused when it is read.
            let is_ours = |found: fs::Metadata| found.is_file() && found.uid() == geteuid().as_raw();
            if entry.metadata().is_ok_and(is_ours) {
                narrow(&entry.path(), STATE_MODE)?;
            }
        }
        Ok(())
    });
    narrowed.map_err(|error| {
        let remedy = format!("sudo chmod -R g-w,o-rwx '{}', as its owner or root", folder.display());
        let what = format!("others may read or change what the service keeps there: {}", crate::error::reason(&error));
        Trouble::new(what, folder, remedy)
    })
}

/// Makes a folder in the state folder for this user alone; whatever else has its name is removed.
pub fn make_private_folder(folder: &Path) -> Result<(), Trouble> {
    let made = match fs::symlink_metadata(folder) {
        Ok(found) if found.is_dir() => narrow(folder, PRIVATE_MODE),
        Ok(_) => fs::remove_file(folder).and_then(|()| make(folder)),
        Err(_) => make(folder),
    };
    made.map_err(|error| Trouble::system("make the folder", folder, &error))
}

/// Makes a folder in the state folder where it is missing, for those who have the state folder: its group may read it.
pub fn make_readable_folder(folder: &Path) -> Result<(), Trouble> {
    let is_there = fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir());
    let made = match is_there {
        true => narrow(folder, STATE_MODE),
        false => DirBuilder::new().mode(STATE_MODE).create(folder),
    };
    made.map_err(|error| Trouble::system("make the folder", folder, &error))
}

/// Removes all that is in a folder of the state folder, without following links.
pub fn empty_private_folder(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        // Best effort: what stays is refused when it is read.
        let _ = if is_folder { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
    }
}

/// Reads a file of the state folder, of `most_bytes` at most.
pub fn read_own(path: &Path, most_bytes: u64) -> io::Result<Vec<u8>> {
    let (folder, name) = path.parent().zip(path.file_name()).ok_or(io::ErrorKind::InvalidFilename)?;
    let (file, _) = FileAt::below(folder, Path::new(name)).open()?;
    let (found, owner) = (file.metadata()?, fs::metadata(folder)?.uid());
    if ![geteuid().as_raw(), 0, owner].contains(&found.uid()) {
        let what = format!("it belongs to another user, {}", found.uid());
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    Ok(read_at_most(file, found.size(), most_bytes)?)
}

/// Makes or empties a file of the state folder, to be written; whatever else has its name is removed.
pub fn create_own(path: &Path) -> io::Result<File> {
    match open_own(path, OFlags::CREATE | OFlags::TRUNC) {
        // A link, a socket or a FIFO without a reader; one with a reader is no ordinary file.
        Err(Errno::LOOP | Errno::NXIO | Errno::ISDIR) => {}
        opened => {
            let file = File::from(opened?);
            if file.metadata()?.is_file() {
                return Ok(file);
            }
        }
    }
    fs::remove_file(path)?;
    Ok(open_own(path, OFlags::CREATE | OFlags::EXCL)?.into())
}

/// Opens a file of the state folder for writing; it is made, if at all, for this user alone.
fn open_own(path: &Path, how: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    openat(CWD, path, flags | how, Mode::RUSR | Mode::WUSR)
}

/// Leaves of a file's or folder's permissions no more than `most`.
fn narrow(path: &Path, most: u32) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode() & 0o7777;
    let narrower = mode & most;
    if narrower == mode { Ok(()) } else { fs::set_permissions(path, PermissionsExt::from_mode(narrower)) }
}

fn make(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(PRIVATE_MODE).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::fs::{Gid, Uid, chown, mkfifoat};

    use super::*;

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_state_folder_is_for_its_user_and_at_most_read_by_its_group() {
        let place = tempfile::tempdir().unwrap();
        let state = place.path().join("db/state");
        make_state_folder(&state).unwrap();
        assert_eq!(mode_of(&state), 0o700);
        for (before, after) in [(0o700, 0o700), (0o750, 0o750), (0o755, 0o750), (0o2777, 0o750), (0o711, 0o710)] {
            set_mode(&state, before);
            make_state_folder(&state).unwrap();
            narrow_state_folder(&state).unwrap();
            assert_eq!(mode_of(&state), after, "{before:o}");
        }
        let [catalog, outside] = [state.join("catalog"), place.path().join("outside")];
        [&catalog, &outside].iter().for_each(|file| fs::write(file, b"x").unwrap());
        [&catalog, &outside].iter().for_each(|file| set_mode(file, 0o666));
        symlink(&outside, state.join("link")).unwrap();
        narrow_state_folder(&state).unwrap();
        assert_eq!((mode_of(&catalog), mode_of(&outside)), (0o640, 0o666));
    }

    #[test]
    fn what_was_planted_in_the_place_of_a_private_folder_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let [requests, elsewhere] = ["requests", "elsewhere"].map(|name| place.path().join(name));
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("kept"), b"x").unwrap();
        symlink(&elsewhere, &requests).unwrap();
        make_private_folder(&requests).unwrap();
        assert!(fs::symlink_metadata(&requests).unwrap().is_dir() && mode_of(&elsewhere) != 0o700);
        set_mode(&requests, 0o775);
        make_private_folder(&requests).unwrap();
        assert_eq!(mode_of(&requests), 0o700);
        fs::create_dir(requests.join("a.json")).unwrap();
        mkfifoat(CWD, requests.join("b.json"), Mode::RWXU).unwrap();
        symlink(&elsewhere, requests.join("c.json")).unwrap();
        empty_private_folder(&requests);
        assert_eq!(fs::read_dir(&requests).unwrap().count(), 0);
        assert!(elsewhere.join("kept").exists());
    }

    #[test]
    fn only_ordinary_files_of_its_own_are_read_and_no_more_than_allowed() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::write(at("status"), b"ready").unwrap();
        assert_eq!(read_own(&at("status"), 5).unwrap(), b"ready");
        assert!(read_own(&at("status"), 4).unwrap_err().to_string().contains("more than 4 bytes"));
        symlink("/dev/zero", at("endless")).unwrap();
        mkfifoat(CWD, at("fifo"), Mode::RWXU).unwrap();
        for name in ["endless", "fifo", "missing", "."] {
            assert!(read_own(&at(name), 5).is_err(), "{name}");
        }
        // Only root can give a file away.
        if geteuid().is_root() {
            chown(at("status"), Some(Uid::from_raw(65_533)), Some(Gid::from_raw(65_533))).unwrap();
            assert!(read_own(&at("status"), 5).unwrap_err().to_string().contains("another user, 65533"));
            chown(place.path(), Some(Uid::from_raw(65_533)), None).unwrap();
            assert_eq!(read_own(&at("status"), 5).unwrap(), b"ready", "of the folder's owner");
        }
    }

    #[test]
    fn what_waits_under_the_name_of_a_file_to_be_written_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let [mark, other] = ["worker-0", "other"].map(|name| place.path().join(name));
        fs::write(&other, b"of another").unwrap();
        symlink(&other, &mark).unwrap();
        drop(create_own(&mark).unwrap());
        fs::remove_file(&mark).unwrap();
        mkfifoat(CWD, &mark, Mode::RWXU).unwrap();
        drop(create_own(&mark).unwrap());
        assert!(fs::symlink_metadata(&mark).unwrap().is_file() && mode_of(&mark) == 0o600);
        fs::write(&mark, b"former").unwrap();
        drop(create_own(&mark).unwrap());
        assert_eq!((fs::read(&mark).unwrap(), fs::read(&other).unwrap()), (vec![], b"of another".to_vec()));
    }
}
