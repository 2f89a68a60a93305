//! What is wrong with single folders. Thousands may have the same trouble, and it is reported once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::Trouble;

/// By what is wrong, then by folder.
#[derive(Debug, Default)]
pub struct FolderTroubles(BTreeMap<String, BTreeMap<PathBuf, Trouble>>);

impl FolderTroubles {
    /// What is wrong with a folder now, if anything is.
    pub fn set(&mut self, folder: &Path, trouble: Option<Trouble>) {
        self.0.retain(|_, folders| {
            folders.remove(folder);
            !folders.is_empty()
        });
        if let Some(trouble) = trouble {
            self.0.entry(trouble.what.clone()).or_default().insert(folder.to_path_buf(), trouble);
        }
    }

    /// Whether something is wrong with a folder.
    pub fn concern(&self, folder: &Path) -> bool {
        self.0.values().any(|folders| folders.contains_key(folder))
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One entry for each kind of trouble, with the first folder concerned.
    pub fn firsts(&self) -> impl Iterator<Item = (&PathBuf, &Trouble)> {
        self.0.values().filter_map(BTreeMap::first_key_value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_trouble_is_reported_with_the_first_folder_that_has_it() {
        let mut troubles = FolderTroubles::default();
        for folder in ["b", "a"] {
            troubles.set(Path::new(folder), Some(Trouble::new("it is closed", folder, "")));
        }
        troubles.set(Path::new("c"), Some(Trouble::new("there are too many", "c", "")));
        let firsts = |troubles: &FolderTroubles| troubles.firsts().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        assert_eq!(firsts(&troubles), ["a", "c"].map(PathBuf::from));
        troubles.set(Path::new("a"), None);
        troubles.set(Path::new("c"), Some(Trouble::new("it is closed", "c", "")));
        assert_eq!(firsts(&troubles), [PathBuf::from("b")]);
        assert!(troubles.concern(Path::new("c")) && !troubles.concern(Path::new("a")));
        for folder in ["b", "c"] {
            troubles.set(Path::new(folder), None);
        }
        assert!(troubles.is_empty());
    }
}
