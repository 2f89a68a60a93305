//! Folders as weak labels: which pictures somebody put together, and what that taught a model.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Folders nested deeper than this count as the one at this depth.
const DEEPEST: usize = 6;

/// The folder of each row of a training set, at every depth at which folders differ. A row without a folder of its own, or whose
/// picture lies in several, has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderLabels {
    /// Depth and, for each row, the number of its folder there.
    levels: Vec<Level>,
}

/// Which folder each row lies in when paths are cut at one depth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// From 1, the folders right below a root.
    pub depth: usize,
    /// `[n]`
    pub folder_of: Vec<Option<u32>>,
}

impl FolderLabels {
    /// Of rows whose pictures lie at these paths, relative to their root.
    pub fn of(rows: &[Vec<PathBuf>]) -> Self {
        let mut levels: Vec<Level> = Vec::new();
        for depth in 1..=DEEPEST {
            let mut numbers = HashMap::new();
            let folder_of = rows.iter().map(|paths| {
                let folder = common_folder(paths, depth)?;
                let next = numbers.len() as u32;
                Some(*numbers.entry(folder).or_insert(next))
            });
            let folder_of: Vec<Option<u32>> = folder_of.collect();
            // Below the deepest folder nothing changes any more.
            if numbers.len() > 1 && levels.last().is_none_or(|level| level.folder_of != folder_of) {
                levels.push(Level { depth, folder_of });
            }
        }
        Self { levels }
    }

    /// Whether there are no two folders.
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// From the coarsest to the finest.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Those of the rows from `start` on.
    #[must_use]
    pub fn from_row(&self, start: usize) -> Self {
        let part = |level: &Level| Level {
            depth: level.depth,
            folder_of: level.folder_of.get(start..).map(<[_]>::to_vec).unwrap_or_default(),
        };
        Self { levels: self.levels.iter().map(part).collect() }
    }
}

/// The folder at most `depth` deep that all of `paths` lie in.
fn common_folder(paths: &[PathBuf], depth: usize) -> Option<PathBuf> {
    let folder =
        |path: &PathBuf| -> PathBuf { path.parent().unwrap_or(Path::new("")).components().take(depth).collect() };
    let mut folders = paths.iter().map(folder);
    let first = folders.next().filter(|folder| !folder.as_os_str().is_empty())?;
    folders.all(|other| other == first).then_some(first)
}

/// What the folders gave a model, or why nothing. The names in JSON are kept in models and records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FolderLesson {
    /// Whether the model was taught by them.
    pub taught: bool,
    /// Folders that pictures were sorted into.
    pub folders: usize,
    /// Pictures in them.
    pub pictures: usize,
    /// How deep these folders lie, from 1.
    pub depth: usize,
    /// How much of their scatter was used, 0 to 1.
    pub strength: f32,
    /// Share of held-out pictures whose nearest picture lay in their own folder before they taught, 0 to 1.
    pub before: f32,
    /// Likewise after.
    pub after: f32,
    /// How far ahead the pictures of a folder stood in the ranking for one of them before: the mean average precision, 0 to 1.
    #[serde(default)]
    pub precision_before: f32,
    /// Likewise after.
    #[serde(default)]
    pub precision_after: f32,
}

impl FolderLesson {
    /// In one sentence for a person, without a full stop.
    pub fn sentence(&self) -> String {
        let Self { taught, folders, before, after, .. } = self;
        match (taught, folders) {
            (true, _) => format!(
                "{folders} folders taught: found right first {:.0} % instead of {:.0} %",
                100.0 * after,
                100.0 * before
            ),
            (false, 0) => "no folders to learn from".into(),
            (false, _) => {
                format!("{folders} folders taught nothing: what lies in one of them is not more alike for it")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(rows: &[&[&str]]) -> FolderLabels {
        FolderLabels::of(&rows.iter().map(|paths| paths.iter().map(PathBuf::from).collect()).collect::<Vec<_>>())
    }

    #[test]
    fn a_level_for_every_depth_at_which_folders_differ() {
        let labels = labels(&[&["a/x/1.jpg"], &["a/y/2.jpg"], &["b/3.jpg"], &["4.jpg"], &["a/x/5.jpg", "a/y/5.jpg"]]);
        let levels: Vec<_> = labels.levels().iter().map(|level| (level.depth, level.folder_of.clone())).collect();
        let numbers = |row: [i32; 5]| row.map(|number| u32::try_from(number).ok()).to_vec();
        assert_eq!(levels, [(1, numbers([0, 0, 1, -1, 0])), (2, numbers([0, 1, 2, -1, -1]))]);
        assert_eq!(labels.from_row(3).levels()[1].folder_of, [None, None]);
    }

    #[test]
    fn one_folder_says_nothing() {
        assert!(labels(&[&["a/1.jpg"], &["a/2.jpg"]]).is_empty());
        assert!(labels(&[&["1.jpg"], &["2.jpg"]]).is_empty());
    }
}
