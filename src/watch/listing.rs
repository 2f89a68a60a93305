//! Lists one folder as it is right now: its files with their stamps, its sub-folders, and what is skipped and why.

use std::ffi::OsString;
use std::fs::{self, DirEntry, FileType};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use super::is_ignored;
use crate::files::Stamp;

/// What a folder holds, without its sub-folders' content.
#[derive(Debug, Default)]
pub struct Listing {
    /// Ordinary files.
    pub files: Vec<(OsString, Stamp)>,
    /// Sub-folders.
    pub folders: Vec<OsString>,
    /// Other entries, which may have been meant as pictures.
    pub skipped: Vec<Skipped>,
}

/// An entry of a folder that is never opened.
#[derive(Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its name in the folder.
    pub name: OsString,
    /// Why.
    pub reason: &'static str,
}

/// Lists `folder`, which lies in (or is) the watched folder `root`.
pub fn list(folder: &Path, root: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if is_ignored(&name) {
            continue;
        }
        // An entry can be removed between the listing and this call. Then it counts as not listed.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            listing.folders.push(name);
        } else if kind.is_file() {
            match entry.metadata() {
                Ok(metadata) => listing.files.push((name, Stamp::of(&metadata))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // If some entries cannot be read, the listing fails: a partial one would report files as removed.
                Err(error) => return Err(error),
            }
        } else if kind.is_symlink() {
            match stamp_of_link_target(&entry, root) {
                Ok(stamp) => listing.files.push((name, stamp)),
                Err(reason) => listing.skipped.push(Skipped { name, reason }),
            }
        } else {
            listing.skipped.push(Skipped { name, reason: kind_of_special(kind) });
        }
    }
    Ok(listing)
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
        let listing = list(&root, &root).unwrap();
        let mut files: Vec<_> = listing.files.iter().map(|(name, _)| name.to_str().unwrap()).collect();
        files.sort_unstable();
        assert_eq!(files, ["a.png", "inside.png"]);
        assert_eq!(listing.folders, ["sub.png"]);
        let mut skipped: Vec<_> = listing.skipped.iter().map(|skipped| skipped.name.to_str().unwrap()).collect();
        skipped.sort_unstable();
        assert_eq!(skipped, ["dangling.png", "loop", "outward.png", "socket.png"]);
    }
}
