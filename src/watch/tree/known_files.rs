//! The files that are known before a tree is built: name by name, in the folders in which they lie.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::watch::Known;
use crate::watch::reconcile::Entry;

/// Runs of files of one folder. In the order of paths a folder has few runs; its map is then built at one go, which is faster and
/// leaves no gaps, and no list of whole paths is made.
#[derive(Debug, Default)]
pub struct KnownFiles(Vec<Run>);

#[derive(Debug)]
struct Run {
    folder: PathBuf,
    files: Vec<(Box<OsStr>, Entry)>,
}

impl KnownFiles {
    /// Adds a file.
    pub fn add(&mut self, path: &Path, known: Known) {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
        let file = (name.into(), Entry::file(known, false));
        match self.0.last_mut() {
            Some(run) if run.folder == folder => run.files.push(file),
            _ => self.0.push(Run { folder: folder.to_path_buf(), files: vec![file] }),
        }
    }
}

impl FromIterator<(PathBuf, Known)> for KnownFiles {
    fn from_iter<T: IntoIterator<Item = (PathBuf, Known)>>(files: T) -> Self {
        let mut known = Self::default();
        for (path, file) in files {
            known.add(&path, file);
        }
        known
    }
}

impl super::Tree {
    pub(super) fn learn_all(&mut self, known: KnownFiles) {
        for Run { folder, files } in known.0 {
            let state = self.folder_at(&folder);
            if state.entries.is_empty() {
                state.entries = files.into_iter().collect();
            } else {
                state.entries.extend(files);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::files::Stamp;
    use crate::watch::Tree;

    #[test]
    fn files_in_any_order_lie_in_their_folders() {
        let known = Known { stamp: Stamp::NEVER, has_failed: false };
        let paths = ["a/1", "a/2", "b/c/3", "4", "a/5", "b/c/6"].map(PathBuf::from);
        let files: KnownFiles = paths.iter().map(|path| (path.clone(), known)).collect();
        assert_eq!(files.0.len(), 5);
        let tree = Tree::new(Path::new("/nowhere"), false, BTreeSet::new(), files);
        assert_eq!(tree.known_below(Path::new("")), ["4", "a/1", "a/2", "a/5", "b/c/3", "b/c/6"].map(PathBuf::from));
        assert!(tree.is_folder(Path::new("b")) && tree.is_known_file(Path::new("b/c/6")));
    }
}
