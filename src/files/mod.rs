//! Writes files atomically: to a temporary file in the same folder, flushed to disk and then renamed.
//!
//! The folder is flushed as well, so that the rename survives a crash. No other module renames files.

mod lock;
mod stamp;

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::Trouble;

pub use lock::{Lock, LockPlace};
pub use stamp::Stamp;

/// Starts the names of half-written files, so that a crash leaves nothing that looks like an answer.
const TEMPORARY_PREFIX: &str = ".artificio-";

/// Writes `bytes` to `path` so that a reader sees either the old content or the new, never a part of it. `doing` is for
/// the error message.
pub fn write_whole(path: &Path, bytes: &[u8], doing: &str) -> Result<(), Trouble> {
    let temporary = temporary_path(path);
    let written = write_flushed(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| flush_folder(path.parent().unwrap_or(Path::new("."))));
    written.map_err(|error| {
        // Best effort: the error below is the one to report.
        let _ = fs::remove_file(&temporary);
        Trouble::system(doing, path, &error)
    })
}

/// The same without waiting for the disk, for a file that is written again at the next start anyway: a reader sees the old content
/// or the new, but a loss of power may leave an empty file.
pub fn replace_quick(path: &Path, bytes: &[u8], doing: &str) -> Result<(), Trouble> {
    let temporary = temporary_path(path);
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&temporary);
        Trouble::system(doing, path, &error)
    })
}

/// Whether a file of so many bytes can be written into `folder` right now. It is tried, because quota, inodes and
/// permissions matter as well as free space.
pub fn has_room(folder: &Path, bytes: usize) -> bool {
    let path = temporary_path(&folder.join("room"));
    let tried = fs::write(&path, vec![0; bytes]);
    let _ = fs::remove_file(&path);
    tried.is_ok()
}

/// Writes a small file without flushing it: nobody reads it, and it may be lost in a crash.
pub fn write_quick(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    fs::write(path, bytes).map_err(|error| Trouble::system("write", path, &error))
}

/// Removes a file that this program has written.
pub fn remove_own(path: &Path) -> Result<(), Trouble> {
    fs::remove_file(path).map_err(|error| Trouble::system("remove", path, &error))
}

/// Creates `folder` and its parents where they are missing.
pub fn make_folder(folder: &Path) -> Result<(), Trouble> {
    fs::create_dir_all(folder).map_err(|error| Trouble::system("make the folder", folder, &error))
}

/// Moves `from`, a finished file or folder on the same disk, to `to`.
pub fn move_into_place(from: &Path, to: &Path) -> Result<(), Trouble> {
    fs::rename(from, to).map_err(|error| Trouble::system("move into place", to, &error))
}

/// A name beside `path` for a file that is being made: what a crash leaves of it is swept.
pub fn unfinished_path(path: &Path) -> PathBuf {
    temporary_path(path)
}

/// Puts `new`, a finished file on the same disk, in the place of `path`, in one step. The former file stays as `former`;
/// `false` where the file system cannot give a file two names, which is what that takes.
pub fn exchange(new: &Path, path: &Path, former: &Path) -> Result<bool, Trouble> {
    let exchanged = File::open(new).and_then(|file| file.sync_all()).and_then(|()| {
        if former.exists() {
            fs::remove_file(former)?;
        }
        let is_kept = fs::hard_link(path, former).is_ok();
        fs::rename(new, path)?;
        flush_folder(path.parent().unwrap_or(Path::new(".")))?;
        Ok(is_kept)
    });
    exchanged.map_err(|error| Trouble::system("put a new file in the place of the former one", path, &error))
}

/// Removes half-written files that a crash left in `folder`.
pub fn sweep_half_written(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().as_bytes().starts_with(TEMPORARY_PREFIX.as_bytes()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn write_flushed(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn flush_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn temporary_path(path: &Path) -> PathBuf {
    // A hash keeps the name short: `path` may already use all 255 bytes. The process id keeps two writers apart.
    let name = blake3::hash(path.as_os_str().as_bytes()).to_hex();
    path.with_file_name(format!("{TEMPORARY_PREFIX}{}-{}", &name[..16], std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_no_temporary_file_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answer.json");
        write_whole(&path, b"old", "write").unwrap();
        write_whole(&path, b"new", "write").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        replace_quick(&path, b"newest", "write").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"newest");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_former_file_stays_under_its_other_name() {
        let folder = tempfile::tempdir().unwrap();
        let [path, former] = ["catalog", "catalog.former"].map(|name| folder.path().join(name));
        for content in ["first", "second", "third"] {
            let new = unfinished_path(&path);
            fs::write(&new, content).unwrap();
            if content == "first" {
                fs::rename(&new, &path).unwrap();
            } else {
                assert!(exchange(&new, &path, &former).unwrap());
            }
        }
        assert_eq!([&path, &former].map(|path| fs::read_to_string(path).unwrap()), ["third", "second"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_name_of_255_bytes_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n".repeat(255));
        write_whole(&path, b"x", "write").unwrap();
        assert!(path.exists());
    }

    #[test]
    fn room_is_found_where_there_is_some_and_no_trial_file_is_left() {
        let folder = tempfile::tempdir().unwrap();
        assert!(has_room(folder.path(), 100_000));
        assert!(!has_room(&folder.path().join("missing"), 0));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_failed_write_names_the_path_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing/answer.json");
        assert_eq!(replace_quick(&path, b"x", "write").unwrap_err().path, path);
        let trouble = write_whole(&path, b"x", "write the record").unwrap_err();
        assert_eq!(trouble.path, path);
        assert!(trouble.what.starts_with("could not write the record: no such file"), "{}", trouble.what);
    }

    #[test]
    fn files_left_by_a_crash_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(temporary_path(&folder.path().join("a.png")), b"half").unwrap();
        fs::write(folder.path().join(".hidden"), b"the user's").unwrap();
        sweep_half_written(folder.path());
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [".hidden"]);
    }
}
