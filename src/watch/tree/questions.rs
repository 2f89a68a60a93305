//! What others ask of a tree: which files and folders are known, and what is wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Tree;
use crate::error::Trouble;

impl Tree {
    /// Whether `path` is a folder seen in this tree.
    pub fn is_folder(&self, path: &Path) -> bool {
        self.folders.contains_key(path)
    }

    /// Whether `path` is a file known in this tree, readable or not.
    pub fn is_known_file(&self, path: &Path) -> bool {
        let folder = path.parent().and_then(|parent| self.folders.get(parent));
        let entry = folder.zip(path.file_name()).and_then(|(folder, name)| folder.entries.get(name));
        entry.is_some_and(|entry| !entry.is_folder())
    }

    /// Whether `path` is a file known in this tree, or a folder with any below it.
    pub fn has_files(&self, path: &Path) -> bool {
        self.is_known_file(path) || self.below(path).any(|(_, folder)| folder.has_files())
    }

    /// Files known below `folder`, readable or not.
    pub fn known_below(&self, folder: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for (path, folder) in self.below(folder) {
            let names = folder.entries.iter().filter(|(_, entry)| !entry.is_folder());
            files.extend(names.map(|(name, _)| path.join(&**name)));
        }
        files
    }

    /// How many files are known below `folder`, counted up to `most`.
    pub fn known_below_at_most(&self, folder: &Path, most: usize) -> usize {
        let files = self.below(folder).flat_map(|(_, folder)| folder.entries.values());
        files.filter(|entry| !entry.is_folder()).take(most).count()
    }

    /// What is wrong with this tree right now: one entry for each kind of trouble, with the first folder concerned.
    pub fn troubles(&self) -> Vec<Trouble> {
        let kinds: BTreeMap<&str, &Trouble> = self
            .unwatched
            .firsts()
            .chain(self.unreadable.firsts())
            .map(|(_, trouble)| (&*trouble.what, trouble))
            .collect();
        let mut troubles: Vec<Trouble> = kinds.into_values().cloned().collect();
        if let Some(folder) = self.mounts.away().first() {
            troubles.push(Trouble::new(
                "the folder is missing or suddenly empty; its known pictures are kept and still found",
                self.shown(folder),
                "mount or restore it; `artificio check` says what to do if it was emptied on purpose",
            ));
        } else if self.identity.is_none() && !(self.keeps_when_empty && self.has_files(Path::new(""))) {
            troubles.push(Trouble::new(
                "the folder is missing",
                &self.root,
                format!("create it or mount it: mkdir -p '{}'", self.root.display()),
            ));
        }
        troubles
    }
}
