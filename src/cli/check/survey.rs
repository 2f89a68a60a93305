//! One walk through the watched folders, shared by all checks of what is in them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::{ExcludePatterns, FolderSettings, Inventory};
use crate::watch::is_ignored;

/// Unreadable folders and unusual names beyond this many are left out: the first ones are enough.
const MOST_LISTED: usize = 3;

/// What the watched folders hold.
#[derive(Debug, Default)]
pub struct FolderSurvey {
    /// Folders, the watched ones included: each needs a watch.
    pub folders: usize,
    /// Files in the inventory and among the training pictures: each may get a row in the catalog.
    pub pictures: usize,
    /// Those of them in the inventory.
    pub inventory: usize,
    /// The first sub-folders and files that cannot be read, and why. The watched folders themselves are not among them.
    pub unreadable: Vec<(PathBuf, io::Error)>,
    /// The first names with characters beyond Latin, Greek and Cyrillic.
    pub unusual: Vec<PathBuf>,
}

/// A watched folder.
struct SurveyRoot<'a> {
    folder: &'a Path,
    /// What is passed over in it; `None` where queries lie, not pictures.
    exclude: Option<&'a ExcludePatterns>,
    inventory: &'a Inventory,
}

impl SurveyRoot<'_> {
    fn excludes(&self, path: &Path, is_folder: bool) -> bool {
        let of_folder = || path.strip_prefix(self.folder).ok().map(Path::to_path_buf);
        let inner = self.inventory.relative(path).or_else(of_folder);
        self.exclude.zip(inner).is_some_and(|(exclude, inner)| exclude.excludes(&inner, is_folder))
    }
}

impl FolderSurvey {
    /// Walks through all watched folders. Symbolic links are not followed.
    pub fn of(folders: &FolderSettings) -> Self {
        let mut survey = Self::default();
        for (name, folder) in folders.read() {
            let before = survey.pictures;
            let holds_pictures = folder != folders.query;
            let exclude = holds_pictures.then_some(&folders.exclude);
            let root = SurveyRoot { folder, exclude, inventory: &folders.inventory };
            survey.walk(&root, folder);
            if name == "inventory" {
                survey.inventory += survey.pictures - before;
            }
        }
        survey
    }

    fn walk(&mut self, root: &SurveyRoot<'_>, folder: &Path) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                if folder != root.folder
                    && error.kind() != io::ErrorKind::NotFound
                    && self.unreadable.len() < MOST_LISTED
                {
                    self.unreadable.push((folder.to_path_buf(), error));
                }
                return;
            }
        };
        self.folders += 1;
        for entry in entries.flatten().filter(|entry| !is_ignored(&entry.file_name())) {
            let Ok(kind) = entry.file_type() else { continue };
            if root.excludes(&entry.path(), kind.is_dir()) {
                continue;
            }
            if self.unusual.len() < MOST_LISTED && is_unusual(&entry.file_name().to_string_lossy()) {
                self.unusual.push(entry.path());
            }
            if kind.is_dir() {
                self.walk(root, &entry.path());
            } else if kind.is_file() {
                self.pictures += usize::from(root.exclude.is_some());
                self.try_file(&entry.path());
            }
        }
    }

    /// Asks the system whether a file can be read, without opening it.
    fn try_file(&mut self, path: &Path) {
        if self.unreadable.len() >= MOST_LISTED {
            return;
        }
        if let Err(error) = rustix::fs::access(path, rustix::fs::Access::READ_OK)
            && error != rustix::io::Errno::NOENT
        {
            self.unreadable.push((path.to_path_buf(), error.into()));
        }
    }
}

/// Whether a name has characters of scripts that the sheet's own font lacks.
fn is_unusual(name: &str) -> bool {
    name.chars().any(|character| character > '\u{52f}' && !('\u{1e00}'..='\u{214f}').contains(&character))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn folders_pictures_and_unusual_names_are_counted() {
        let root = tempfile::tempdir().unwrap();
        let settings = "[folders]\nexclude = [\"/drafts/\", \"*.psd\"]";
        let folders = parse(Path::new("x"), settings).unwrap().folders.below(root.path());
        fs::create_dir_all(folders.inventory.join("a/b")).unwrap();
        fs::create_dir_all(folders.inventory.join("@eaDir")).unwrap();
        fs::create_dir_all(&folders.query).unwrap();
        fs::create_dir_all(folders.inventory.join("drafts/b")).unwrap();
        for name in ["drafts/b/寿.jpg", "a/b.psd", "a/pho.jpg", "a/b/寿司.jpg", "Größe Ελλάδα Щи.jpg", ".hidden.jpg"]
        {
            fs::write(folders.inventory.join(name), b"x").unwrap();
        }
        fs::write(folders.query.join("q.jpg"), b"x").unwrap();
        let survey = FolderSurvey::of(&folders);
        assert_eq!((survey.folders, survey.pictures, survey.inventory), (4, 3, 3), "{survey:?}");
        assert_eq!(survey.unusual, [folders.inventory.join("a/b/寿司.jpg")]);
        assert!(survey.unreadable.is_empty());
    }
}
