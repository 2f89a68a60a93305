//! Lists one folder as it is right now, entry by entry: its files with their stamps, its sub-folders, and what is skipped
//! and why.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, statat};
use rustix::io::Errno;

use super::is_ignored;
use crate::files::{FileAt, Stamp, Unopened, is_folder_of_links, open_folder_beneath};

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
    /// Entries are looked at from its handle: it is the same folder whatever its path leads to meanwhile.
    entries: Dir,
    root: PathBuf,
    folder: PathBuf,
    /// Each entry is a link to a folder of the inventory.
    is_of_links: bool,
}

impl Listing {
    /// Begins to list the folder at `folder`, relative to the watched folder `root`; an empty path is the root itself. A link in
    /// its place is no folder.
    pub fn open(root: &Path, folder: &Path) -> io::Result<Self> {
        let entries = Dir::new(open_folder_beneath(root, folder)?)?;
        let is_of_links = folder.as_os_str().is_empty() && is_folder_of_links(root);
        Ok(Self { entries, root: root.to_path_buf(), folder: folder.to_path_buf(), is_of_links })
    }

    fn look_at(&self, name: &OsStr, mut kind: FileType) -> io::Result<Listed> {
        if is_ignored(name) {
            return Ok(Listed::Ignored);
        }
        let mut found = None;
        // Some file systems say of what kind an entry is only when it is asked for.
        if matches!(kind, FileType::RegularFile | FileType::Unknown) {
            let looked_at = match statat(self.entries.fd()?, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(looked_at) => looked_at,
                // An entry can be removed between the listing and this call. Then it counts as not listed.
                Err(Errno::NOENT) => return Ok(Listed::Ignored),
                // If some entries cannot be read, the listing fails: a partial one would report files as removed.
                Err(error) => return Err(error.into()),
            };
            kind = FileType::from_raw_mode(looked_at.st_mode);
            found = Some(looked_at);
        }
        Ok(match (kind, found) {
            (FileType::RegularFile, Some(found)) => Listed::File(name.into(), Stamp::of_stat(&found)),
            (FileType::Directory, _) => Listed::Folder(name.into()),
            (FileType::Symlink, _) if self.is_of_links => Listed::Folder(name.into()),
            (FileType::Symlink, _) => match FileAt::below(&self.root, &self.folder.join(name)).stamp() {
                Ok(stamp) => Listed::File(name.into(), stamp),
                Err(problem) => Listed::Skipped(name.into(), why_not_followed(&problem)),
            },
            (kind, _) => Listed::Skipped(name.into(), kind_of_special(kind)),
        })
    }
}

impl Iterator for Listing {
    type Item = io::Result<Listed>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = match self.entries.read()? {
            Ok(entry) => entry,
            Err(error) => return Some(Err(error.into())),
        };
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            return Some(Ok(Listed::Ignored));
        }
        Some(self.look_at(name, entry.file_type()))
    }
}

/// Only a link to a file in the same watched folder counts as a file.
fn why_not_followed(problem: &Unopened) -> &'static str {
    match problem {
        Unopened::NotAFile => "a symbolic link to something that is not a file",
        Unopened::LeadsOutside => "a symbolic link that leads out of the watched folder",
        _ => "a symbolic link that leads nowhere",
    }
}

fn kind_of_special(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        _ => "a device",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
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
        for entry in Listing::open(&root, Path::new("")).unwrap() {
            match entry.unwrap() {
                Listed::File(name, _) => files.push(name),
                Listed::Folder(name) => folders.push(name),
                Listed::Skipped(name, _) => skipped.push(name),
                Listed::Ignored => ignored += 1,
            }
        }
        files.sort_unstable();
        assert_eq!(files, ["a.png", "inside.png"]);
        assert_eq!((folders, ignored), (vec!["sub.png".into()], 3), "with . and ..");
        skipped.sort_unstable();
        assert_eq!(skipped, ["dangling.png", "loop", "outward.png", "socket.png"]);
    }
}
