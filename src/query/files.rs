//! The files of a query by what they are for.

use std::path::{Path, PathBuf};

use crate::config::SET_FILE_NAME;

/// Pictures in this folder of a query set are positive examples: the answer is drawn towards them.
pub const POSITIVES_FOLDER: &str = "yes";
/// Pictures in this folder of a query set are negative examples: the answer keeps away from them.
pub const NEGATIVES_FOLDER: &str = "not";

/// The files of a query, each kind in the order of their paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct QueryFiles {
    /// Its pictures; of a set that has none, its positive examples.
    pub pictures: Vec<PathBuf>,
    /// Positive examples.
    pub positives: Vec<PathBuf>,
    /// Negative examples.
    pub negatives: Vec<PathBuf>,
    /// The set's own settings.
    pub settings: Option<PathBuf>,
}

impl QueryFiles {
    /// Of a query that is one picture.
    pub fn of_picture(picture: PathBuf) -> Self {
        Self { pictures: vec![picture], ..Self::default() }
    }

    /// Of the query set in `folder`, from all `files` in there.
    pub fn of_set(folder: &Path, mut files: Vec<PathBuf>) -> Self {
        files.sort_unstable();
        let settings_path = folder.join(SET_FILE_NAME);
        let [positives_folder, negatives_folder] = [POSITIVES_FOLDER, NEGATIVES_FOLDER].map(|name| folder.join(name));
        let mut sorted = Self::default();
        for file in files {
            match file {
                file if file == settings_path => sorted.settings = Some(file),
                file if file.starts_with(&positives_folder) => sorted.positives.push(file),
                file if file.starts_with(&negatives_folder) => sorted.negatives.push(file),
                file => sorted.pictures.push(file),
            }
        }
        // Who puts nothing but examples there asks for more like them.
        if sorted.pictures.is_empty() {
            sorted.pictures = std::mem::take(&mut sorted.positives);
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sets_files_are_told_apart_by_their_places() {
        let paths =
            ["set/yes/b.jpg", "set/query.toml", "set/z.jpg", "set/not/deep/a.jpg", "set/yes.jpg", "set/in/not/c.jpg"];
        let files = QueryFiles::of_set(Path::new("set"), paths.map(PathBuf::from).to_vec());
        let expected = QueryFiles {
            pictures: ["set/in/not/c.jpg", "set/yes.jpg", "set/z.jpg"].map(PathBuf::from).to_vec(),
            positives: vec!["set/yes/b.jpg".into()],
            negatives: vec!["set/not/deep/a.jpg".into()],
            settings: Some("set/query.toml".into()),
        };
        assert_eq!(files, expected);
    }

    #[test]
    fn positive_examples_alone_are_the_query() {
        let files =
            QueryFiles::of_set(Path::new("set"), ["set/yes/b.jpg", "set/not/a.jpg"].map(PathBuf::from).to_vec());
        let (pictures, negatives) = (vec!["set/yes/b.jpg".into()], vec!["set/not/a.jpg".into()]);
        assert_eq!(files, QueryFiles { pictures, negatives, ..QueryFiles::default() });
    }
}
