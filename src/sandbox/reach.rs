//! Which folders a confined process can reach: those that were there when it was confined, and what is below them.
//!
//! The kernel's rules are bound to folders, not to paths. Another folder at the same path, or a disk mounted there later, has no
//! rule of its own; it can be reached if it lies below another one that has.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::SandboxFolders;
use crate::watch::Identity;

/// The folders with rules.
#[derive(Debug)]
pub(super) struct Reach {
    folders: Vec<ReachableFolder>,
}

#[derive(Debug)]
struct ReachableFolder {
    /// Without links.
    path: PathBuf,
    identity: Identity,
    is_written: bool,
}

impl Reach {
    /// Of a process that is confined to these folders now.
    pub fn of(folders: &SandboxFolders) -> Self {
        let read = folders.read.iter().map(|folder| (folder, false));
        let written = folders.written.iter().chain(&folders.rearranged).map(|folder| (folder, true));
        let reachable = |(folder, is_written): (&PathBuf, bool)| {
            let path = folder.canonicalize().ok()?;
            Some(ReachableFolder { identity: Identity::of(&path)?, path, is_written })
        };
        Self { folders: read.chain(written).filter_map(reachable).collect() }
    }

    /// Whether what is at `folder` now can be read; if `is_written`, also written.
    pub fn allows(&self, folder: &Path, is_written: bool) -> bool {
        let Ok(path) = folder.canonicalize() else { return false };
        self.folders.iter().any(|reachable| {
            (reachable.is_written || !is_written)
                && path.starts_with(&reachable.path)
                && Identity::of(&reachable.path) == Some(reachable.identity)
        })
    }
}

/// Whether nothing is at `folder`, and this user could make it there. Asking for that is not restricted.
pub(super) fn can_be_made(folder: &Path) -> bool {
    let is_missing = fs::symlink_metadata(folder).is_err_and(|error| error.kind() == ErrorKind::NotFound);
    let above = folder.ancestors().skip(1).find(|above| fs::symlink_metadata(above).is_ok());
    is_missing
        && above.is_some_and(|above| {
            above.is_dir() && rustix::fs::access(above, Access::WRITE_OK | Access::EXEC_OK).is_ok()
        })
}
