//! Lists one folder as it is right now, entry by entry: its files with their stamps, its sub-folders, and what is skipped
//! and why.

use std::ffi::OsString;
use std::fs::{self, DirEntry, FileType, ReadDir};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::is_ignored;
use crate::files::Stamp;

/// One entry of a folder.
#[derive(Debug, PartialEq, Eq)]
pub enum Listed {
    /// An ordinary file.
    File(OsString, Stamp),
    /// A sub-folder.
    Folder(OsString),
    /// Something that is never opened, which may have been meant as a picture, and why.
    Skipped(OsString, &'static str),
    /// Something that is not even mentioned.
    Ignored,
}

/// A folder being listed. It may take long, so the folder changes meanwhile: what comes is seen or not.
#[derive(Debug)]
pub struct Listing {
    entries: ReadDir,
    root: PathBuf,
}

impl Listing {
    /// Begins to list `folder`, which lies in (or is) the watched folder `root`.
    pub fn open(folder: &Path, root: &Path) -> io::Result<Self> {
        Ok(Self { entries: fs::read_dir(folder)?, root: root.to_path_buf() })
    }

    fn look_at(&self, entry: &DirEntry) -> io::Result<Listed> {
        let name = entry.file_name();
        if is_ignored(&name) {
            return Ok(Listed::Ignored);
        }
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => return gone_or(error),
        };
        if kind.is_dir() {
            return Ok(Listed::Folder(name));
        }
        if kind.is_file() {
            return match entry.metadata() {
                Ok(metadata) => Ok(Listed::File(name, Stamp::of(&metadata))),
                Err(error) => gone_or(error),
            };
        }
        if kind.is_symlink() {
            return Ok(match stamp_of_link_target(entry, &self.root) {
                Ok(stamp) => Listed::File(name, stamp),
                Err(reason) => Listed::Skipped(name, reason),
            });
        }
        Ok(Listed::Skipped(name, kind_of_special(kind)))
    }
}

impl Iterator for Listing {
    type Item = io::Result<Listed>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        Some(entry.and_then(|entry| self.look_at(&entry)))
    }
}

/// An entry can be removed between the listing and the look at it: then it counts as not listed. If it cannot be read, the listing
/// fails: a partial one would report files as removed.
fn gone_or(error: io::Error) -> io::Result<Listed> {
    if error.kind() == io::ErrorKind::NotFound { Ok(Listed::Ignored) } else { Err(error) }
}

/// The stamp of a symbolic link's target, which must be a file in the same watched folder.
fn stamp_of_link_target(entry: &DirEntry, root: &Path) -> Result<Stamp, &'static str> {
    let target = fs::canonicalize(entry.path()).map_err(|_| "a symbolic link that leads nowhere")?;
    let root = fs::canonicalize(root).map_err(|_| "a symbolic link that leads nowhere")?;
    if !target.starts_with(root) {
        return Err("a symbolic link that leads out of the watched folder");
    }
    let metadata = fs::metadata(&target).map_err(|_| "a symbolic link that leads nowhere")?;
    if !metadata.is_file() {
        return Err("a symbolic link to something that is not a file");
    }
    Ok(Stamp::of(&metadata))
}

fn kind_of_special(kind: FileType) -> &'static str {
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn only_files_and_links_within_the_root_are_files() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        fs::create_dir_all(root.join("sub.png")).unwrap();
        fs::write(root.join("a.png"), b"x").unwrap();
        fs::write(root.join("a.png.part"), b"x").unwrap();
        fs::write(place.path().join("outside.png"), b"x").unwrap();
        symlink(root.join("a.png"), root.join("inside.png")).unwrap();
        symlink(place.path().join("outside.png"), root.join("outward.png")).unwrap();
        symlink(root.join("nothing"), root.join("dangling.png")).unwrap();
        symlink(&root, root.join("loop")).unwrap();
        let _socket = UnixListener::bind(root.join("socket.png")).unwrap();
        let (mut files, mut folders, mut skipped, mut ignored) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for entry in Listing::open(&root, &root).unwrap() {
            match entry.unwrap() {
                Listed::File(name, _) => files.push(name),
                Listed::Folder(name) => folders.push(name),
                Listed::Skipped(name, _) => skipped.push(name),
                Listed::Ignored => ignored += 1,
            }
        }
        files.sort_unstable();
        assert_eq!(files, ["a.png", "inside.png"]);
        assert_eq!((folders, ignored), (vec!["sub.png".into()], 1));
        skipped.sort_unstable();
        assert_eq!(skipped, ["dangling.png", "loop", "outward.png", "socket.png"]);
    }
}
