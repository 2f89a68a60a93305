//! Opens what lies below a folder into which others may write: no link is followed there, nothing is waited for, and only
//! ordinary files are opened.
//!
//! The folder itself is as configured, links and all. Below it the path is looked up from a handle of the folder: by `openat2`
//! with `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS`, and where the kernel (before 5.6) or a filter of system calls lacks that,
//! folder by folder with `O_NOFOLLOW`. A file that is a link to a file below the same folder counts as that file, as it does in
//! listings: the link is resolved to a path, and that path is opened in the same strict way. So whoever exchanges files for links
//! at any moment has nothing opened but files below the folder.
//!
//! An inventory of several folders is a folder of links, which only this program writes. What lies below such a link lies below the
//! folder that it leads to, in the same strict way.

use std::borrow::Cow;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2, statat};
use rustix::io::Errno;

use super::Stamp;
use crate::base::LINKS_FOLDER;

/// `O_NONBLOCK`: a FIFO has no writer, or somebody holds a lease on the file; neither is waited for. `O_NOCTTY`: a terminal
/// stays a file.
const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// A handle that can be looked at, but not read.
const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A file to be opened, and how far its path is trusted.
#[derive(Debug, Clone, Copy)]
pub struct FileAt<'a> {
    /// The folder below which it must lie; none for a file that a person named.
    root: Option<&'a Path>,
    path: &'a Path,
    /// What it was when its folder was listed.
    listed: Option<Stamp>,
}

/// Why a file was not opened.
#[derive(Debug)]
pub enum Unopened {
    /// It is a folder, a FIFO, a socket or a device.
    NotAFile,
    /// A link leads out of the folder, or in a circle.
    LeadsOutside,
    /// It is not the file that was listed, or somebody holds a lease on it.
    Changed,
    /// It has more than so many bytes.
    TooLarge(u64),
    /// The system refused.
    System(io::Error),
}

impl fmt::Display for Unopened {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFile => out.write_str("it is not an ordinary file"),
            Self::LeadsOutside => out.write_str("it is a link that leads out of the folder"),
            Self::Changed => out.write_str("it has just changed"),
            Self::TooLarge(most) => write!(out, "it has more than {most} bytes"),
            Self::System(error) => out.write_str(&crate::error::reason(error)),
        }
    }
}

impl From<Errno> for Unopened {
    fn from(error: Errno) -> Self {
        match error {
            Errno::LOOP | Errno::XDEV => Self::LeadsOutside,
            // A socket, or a device without a driver.
            Errno::NXIO => Self::NotAFile,
            // A lease, or folders were renamed while the path was looked up.
            Errno::AGAIN => Self::Changed,
            error => Self::System(error.into()),
        }
    }
}

impl From<Unopened> for io::Error {
    fn from(problem: Unopened) -> Self {
        match problem {
            Unopened::System(error) => error,
            problem => Self::new(io::ErrorKind::InvalidData, problem.to_string()),
        }
    }
}

impl<'a> FileAt<'a> {
    /// The file at `path`, relative to the folder `root`.
    pub fn below(root: &'a Path, path: &'a Path) -> Self {
        Self { root: Some(root), path, listed: None }
    }

    /// The file at `path`, which the person who runs this command has named: links are followed as everywhere.
    pub fn named(path: &'a Path) -> Self {
        Self { root: None, path, listed: None }
    }

    /// The same, provided that it is still the file with this stamp.
    pub fn as_listed(self, stamp: Stamp) -> Self {
        Self { listed: Some(stamp), ..self }
    }

    /// Its path for people.
    pub fn absolute(&self) -> PathBuf {
        self.root.map_or_else(|| self.path.to_path_buf(), |root| root.join(self.path))
    }

    /// Opens it for reading.
    pub fn open(&self) -> Result<(File, Stamp), Unopened> {
        self.open_with(READ)
    }

    /// Reads it whole, of `most_bytes` at most.
    pub fn read(&self, most_bytes: u64) -> Result<Vec<u8>, Unopened> {
        let (file, stamp) = self.open()?;
        read_at_most(file, stamp.size, most_bytes)
    }

    /// Looks at it without opening it for reading.
    pub fn stamp(&self) -> Result<Stamp, Unopened> {
        self.open_with(LOOK).map(|(_, stamp)| stamp)
    }

    fn open_with(&self, flags: OFlags) -> Result<(File, Stamp), Unopened> {
        let Some((root, path)) = self.root.map(|root| past_link(root, self.path)) else {
            return self.checked(openat(CWD, self.path, flags.difference(OFlags::NOFOLLOW), Mode::empty())?);
        };
        match open_beneath(&root, path, flags) {
            Err(Errno::LOOP) => self.checked(open_beneath(&root, &target_beneath(&root, path)?, flags)?),
            opened => self.checked(opened?),
        }
    }

    fn checked(&self, opened: OwnedFd) -> Result<(File, Stamp), Unopened> {
        let file = File::from(opened);
        let metadata = file.metadata().map_err(Unopened::System)?;
        let stamp = Stamp::of(&metadata);
        match () {
            () if !metadata.is_file() => Err(Unopened::NotAFile),
            () if self.listed.is_some_and(|listed| listed != stamp) => Err(Unopened::Changed),
            () => Ok((file, stamp)),
        }
    }
}

/// Reads a file that has `size` bytes, or more by now, but not more than `most_bytes`.
pub(super) fn read_at_most(file: File, size: u64, most_bytes: u64) -> Result<Vec<u8>, Unopened> {
    if size > most_bytes {
        return Err(Unopened::TooLarge(most_bytes));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(most_bytes + 1).read_to_end(&mut bytes).map_err(Unopened::System)?;
    if bytes.len() as u64 > most_bytes { Err(Unopened::TooLarge(most_bytes)) } else { Ok(bytes) }
}

/// Whether `root` is the folder of links to the folders of the inventory.
pub fn is_folder_of_links(root: &Path) -> bool {
    root.file_name().is_some_and(|name| name == LINKS_FOLDER)
}

/// `root` and `path` as they are; in a folder of links, the folder that the first name leads to, and the rest.
fn past_link<'a>(root: &'a Path, path: &'a Path) -> (Cow<'a, Path>, &'a Path) {
    let mut names = path.components();
    match names.next() {
        Some(Component::Normal(name)) if is_folder_of_links(root) => (Cow::Owned(root.join(name)), names.as_path()),
        _ => (Cow::Borrowed(root), path),
    }
}

/// Opens the folder at `path`, relative to the folder `root`, to list it. A link in the place of a folder is no folder.
pub fn open_folder_beneath(root: &Path, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let (root, path) = past_link(root, path);
    if path.as_os_str().is_empty() {
        return Ok(openat(CWD, &*root, flags, Mode::empty())?);
    }
    open_beneath(&root, path, flags | OFlags::NOFOLLOW).map_err(|error| match error {
        Errno::LOOP => io::ErrorKind::NotADirectory.into(),
        error => error.into(),
    })
}

/// Opens `path`, relative to `root`, without following any link below `root`.
fn open_beneath(root: &Path, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    // The kernel would allow `..` that stays below; no listing gives such a path.
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(Errno::XDEV);
    }
    let folder = openat(CWD, root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    // With `O_NOFOLLOW`, `O_PATH` would open a link itself.
    match openat2(&folder, path, flags.difference(OFlags::NOFOLLOW), Mode::empty(), resolve) {
        // A filter of system calls may answer with either.
        Err(Errno::NOSYS | Errno::PERM) => walk(folder, path, flags),
        opened => opened,
    }
}

/// The same folder by folder: each is opened from the handle of the one above it, so that none can be exchanged on the way.
fn walk(root: OwnedFd, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let mut folder = root;
    let mut names = path.iter().peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            let opened = openat(&folder, name, flags, Mode::empty())?;
            let is_link = flags.contains(OFlags::PATH) && is_link(&fstat(&opened)?);
            return if is_link { Err(Errno::LOOP) } else { Ok(opened) };
        }
        let below = openat(&folder, name, LOOK | OFlags::DIRECTORY, Mode::empty());
        folder = below.map_err(|error| {
            let found = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW);
            if found.is_ok_and(|found| is_link(&found)) { Errno::LOOP } else { error }
        })?;
    }
    Err(Errno::NOENT)
}

fn is_link(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode) == FileType::Symlink
}

/// Where the links of `path` lead, relative to `root` again. Only a path: whoever opens it looks it up again.
fn target_beneath(root: &Path, path: &Path) -> Result<PathBuf, Unopened> {
    let [root, target] = [root.to_path_buf(), root.join(path)].map(fs::canonicalize);
    let (root, target) = (root.map_err(Unopened::System)?, target.map_err(Unopened::System)?);
    target.strip_prefix(root).map(Path::to_path_buf).map_err(|_| Unopened::LeadsOutside)
}

#[cfg(test)]
mod tests;
