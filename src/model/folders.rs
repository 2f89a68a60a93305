//! Folders as weak labels: which pictures somebody put together, and what that taught a model.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Folders nested deeper than this count as the one at this depth.
pub const DEEPEST: usize = 6;
/// How much less often the nearest picture may be right where folders taught: they are chosen for how much of each folder is found.
pub const TOLERATED_LOSS: f32 = 0.06;

/// The folder of each row of a training set, at every depth at which folders differ. A row without a folder of its own, or whose
/// picture lies in several, has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderLabels {
    /// Depth and, for each row, the number of its folder there.
    levels: Vec<FolderLevel>,
}

/// Which folder each row lies in when paths are cut at one depth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderLevel {
    /// From 1, the folders right below a root.
    pub depth: usize,
    /// `[n]`
    pub folder_of: Vec<Option<u32>>,
}

impl FolderLabels {
    /// Of rows whose pictures lie at these paths, relative to their root.
    pub fn of(rows: &[Vec<PathBuf>]) -> Self {
        Self::at_depths(rows.len(), |row, depth| common_folder(&rows[row], depth))
    }

    /// Of `count` rows, where `folder_at` gives what stands for the folder of a row cut at a depth from 1 on.
    pub fn at_depths<F: Eq + Hash>(count: usize, folder_at: impl Fn(usize, usize) -> Option<F>) -> Self {
        let mut levels: Vec<FolderLevel> = Vec::new();
        for depth in 1..=DEEPEST {
            let mut numbers = HashMap::new();
            let folder_of = (0..count).map(|row| {
                let folder = folder_at(row, depth)?;
                let next = numbers.len() as u32;
                Some(*numbers.entry(folder).or_insert(next))
            });
            let folder_of: Vec<Option<u32>> = folder_of.collect();
            // Below the deepest folder nothing changes any more.
            if numbers.len() > 1 && levels.last().is_none_or(|level| level.folder_of != folder_of) {
                levels.push(FolderLevel { depth, folder_of });
            }
        }
        Self { levels }
    }

    /// Whether there are no two folders.
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// From the coarsest to the finest.
    pub fn levels(&self) -> &[FolderLevel] {
        &self.levels
    }

    /// Those of the rows that are not left out; `is_left_out` is `[n]`.
    #[must_use]
    pub fn without(&self, is_left_out: &[bool]) -> Self {
        let kept = |folder_of: &[Option<u32>]| {
            folder_of
                .iter()
                .zip(is_left_out)
                .filter(|(_, is_left_out)| !**is_left_out)
                .map(|(folder, _)| *folder)
                .collect()
        };
        let part = |level: &FolderLevel| FolderLevel { depth: level.depth, folder_of: kept(&level.folder_of) };
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
    #[serde(serialize_with = "four_digits")]
    pub strength: f32,
    /// Share of held-out pictures whose nearest picture lay in their own folder before they taught, 0 to 1.
    #[serde(serialize_with = "four_digits")]
    pub before: f32,
    /// Likewise after.
    #[serde(serialize_with = "four_digits")]
    pub after: f32,
    /// How far ahead the pictures of a folder stood in the ranking for one of them before: the mean average precision, 0 to 1.
    #[serde(default, serialize_with = "four_digits")]
    pub precision_before: f32,
    /// Likewise after.
    #[serde(default, serialize_with = "four_digits")]
    pub precision_after: f32,
}

/// To four digits: the same text whether it becomes a file or another value first.
fn four_digits<S: serde::Serializer>(figure: &f32, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64((f64::from(*figure) * 1e4).round() / 1e4)
}

impl FolderLesson {
    /// Whether more of a picture's folder is found, and the nearest picture lies in it about as often.
    pub fn is_no_worse(&self) -> bool {
        self.precision_after >= self.precision_before && self.after >= self.before - TOLERATED_LOSS
    }

    /// In one sentence for a person, without a full stop.
    pub fn sentence(&self) -> String {
        let Self { taught, folders, before, after, precision_before, precision_after, .. } = *self;
        let percent = |digits: usize| [before, after].map(|share| format!("{:.digits$} %", 100.0 * share));
        // A decimal where it takes one to see a difference.
        let [former, found] = if percent(0)[0] == percent(0)[1] { percent(1) } else { percent(0) };
        match (taught, folders) {
            (true, _) if after > before => {
                format!("{folders} folders taught: found right first {found} instead of {former}")
            }
            (true, _) => {
                let [all_before, all] =
                    [precision_before, precision_after].map(|share| format!("{:.0} %", 100.0 * share));
                let as_before = if found == former { "as before".into() } else { format!("(before: {former})") };
                format!(
                    "{folders} folders taught: of each {all} found instead of {all_before}, right first {found} {as_before}"
                )
            }
            (false, 0) => "no folders to learn from: pictures are not sorted into at least two".into(),
            (false, _) => format!("{folders} folders taught nothing: held-out pictures are not found better for them"),
        }
    }
}

/// What is shown of it, wherever a model is. The names in JSON are kept in records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FolderReport {
    /// What folders gave, or why nothing, as a sentence for a person.
    pub message: String,
    /// The figures; all 0 where folders were not asked.
    #[serde(flatten)]
    pub lesson: FolderLesson,
}

impl FolderReport {
    /// Of what a fit learned from folders.
    pub fn of(lesson: &FolderLesson) -> Self {
        Self { message: lesson.sentence(), lesson: lesson.clone() }
    }

    /// Where folders were not asked.
    pub fn none(why: &str) -> Self {
        Self { message: why.into(), lesson: FolderLesson::default() }
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
        assert_eq!(labels.without(&[true, false, true, false, false]).levels()[1].folder_of, [Some(1), None, None]);
    }

    #[test]
    fn one_folder_says_nothing() {
        assert!(labels(&[&["a/1.jpg"], &["a/2.jpg"]]).is_empty());
        assert!(labels(&[&["1.jpg"], &["2.jpg"]]).is_empty());
    }

    #[test]
    fn what_folders_gave_is_a_sentence() {
        let lesson = FolderLesson { taught: true, folders: 12, before: 0.684, after: 0.751, ..FolderLesson::default() };
        assert_eq!(lesson.sentence(), "12 folders taught: found right first 75 % instead of 68 %");
        let little = FolderLesson { before: 0.971, after: 0.974, ..lesson.clone() };
        assert_eq!(little.sentence(), "12 folders taught: found right first 97.4 % instead of 97.1 %");
        let more = FolderLesson { before: 0.76, precision_before: 0.5, precision_after: 0.613, ..lesson.clone() };
        assert_eq!(
            more.sentence(),
            "12 folders taught: of each 61 % found instead of 50 %, right first 75 % (before: 76 %)"
        );
        assert!(more.is_no_worse() && !FolderLesson { precision_after: 0.4, ..more.clone() }.is_no_worse());
        assert!(!FolderLesson { before: 0.9, ..more }.is_no_worse());
        let nothing = FolderReport::of(&FolderLesson { taught: false, ..lesson });
        let json = serde_json::to_value(&nothing).unwrap();
        assert_eq!((&json["taught"], &json["folders"]), (&false.into(), &12.into()), "{json}");
        assert_eq!(json["message"], "12 folders taught nothing: held-out pictures are not found better for them");
    }
}
