//! Opens and writes files where others may write too, and keeps the service's own from them.
//!
//! A file is written atomically: under another name in the same folder (`unfinished`), flushed to disk and then renamed. The
//! folder is flushed as well, so that the rename survives a crash. No other module renames files.

mod arrival;
mod beneath;
mod links;
mod lock;
mod own;
mod stamp;
mod unfinished;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::Trouble;

pub use arrival::{Arrival, sweep_arrivals};
use beneath::read_at_most;
pub use beneath::{FileAt, Unopened, is_folder_of_links, open_folder_beneath};
pub use links::make_links;
pub use lock::{Lock, LockPlace};
pub use own::{
    create_own, empty_private_folder, make_private_folder, make_readable_folder, make_state_folder,
    narrow_state_folder, read_own,
};
pub use stamp::Stamp;
use unfinished::Unfinished;
pub use unfinished::sweep_half_written;

/// Writes `bytes` to `path` so that a reader sees either the old content or the new, never a part of it. `doing` is for
/// the error message.
pub fn write_whole(path: &Path, bytes: &[u8], doing: &str) -> Result<(), Trouble> {
    let written = write_unfinished(path, bytes).and_then(|file| file.replace_flushed(path));
    written.map_err(|error| Trouble::system(doing, path, &error))
}

/// The same without waiting for the disk, for a file that is written again at the next start anyway: a reader sees the old content
/// or the new, but a loss of power may leave an empty file.
pub fn replace_quick(path: &Path, bytes: &[u8], doing: &str) -> Result<(), Trouble> {
    let written = write_unfinished(path, bytes).and_then(|file| file.replace(path));
    written.map_err(|error| Trouble::system(doing, path, &error))
}

/// Whether a file of so many bytes can be written into `folder` right now. It is tried, because quota, inodes and
/// permissions matter as well as free space.
pub fn has_room(folder: &Path, bytes: usize) -> bool {
    write_unfinished(&folder.join("room"), &vec![0; bytes]).is_ok()
}

/// Writes a small file of the state folder without flushing it: nobody reads it, and it may be lost in a crash.
pub fn write_quick(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    let written = create_own(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| Trouble::system("write", path, &error))
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
pub fn unfinished_path(path: &Path) -> Result<PathBuf, Trouble> {
    let name = unfinished::random_name();
    name.map(|name| path.with_file_name(name)).map_err(|error| Trouble::system("name a new file", path, &error))
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
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(is_kept)
    });
    exchanged.map_err(|error| Trouble::system("put a new file in the place of the former one", path, &error))
}

fn write_unfinished(path: &Path, bytes: &[u8]) -> io::Result<Unfinished> {
    let mut file = Unfinished::beside(path)?;
    file.write(bytes)?;
    Ok(file)
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
            let new = unfinished_path(&path).unwrap();
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
}
