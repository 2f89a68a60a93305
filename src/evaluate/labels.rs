//! The label of a picture, what it shows: by its file name, by the folder it lies in, or by a file that says so.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::label_file::LabelFile;
use crate::error::Fatal;

/// What says what a picture shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LabelSource {
    /// Its folder where every picture lies in one, else its file name.
    #[default]
    Auto,
    /// Its file name: see [`label`].
    Name,
    /// The first sub-folder below `inventory/` or `query/`.
    Folder,
    /// A CSV file with a path and a label a line.
    File(PathBuf),
}

impl LabelSource {
    /// From what is written on the command line.
    ///
    /// # Errors
    /// When it is none of the words and no CSV file.
    pub fn parse(text: &str) -> Result<Self, UnknownLabelSource> {
        match text {
            "auto" => Ok(Self::Auto),
            "name" => Ok(Self::Name),
            "folder" => Ok(Self::Folder),
            _ if text.to_ascii_lowercase().ends_with(".csv") => Ok(Self::File(text.into())),
            _ => Err(UnknownLabelSource),
        }
    }
}

/// What was asked for is none of the sources there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownLabelSource;

impl fmt::Display for UnknownLabelSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("labels come by \"auto\", \"name\", \"folder\" or from a file whose name ends with .csv")
    }
}

impl std::error::Error for UnknownLabelSource {}

/// Where labels were taken from in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelsBy {
    /// File names.
    Name,
    /// Folders.
    Folder,
    /// A CSV file.
    File,
}

impl LabelsBy {
    /// "labels by ...".
    pub fn words(self) -> &'static str {
        match self {
            Self::Name => "file name",
            Self::Folder => "folder",
            Self::File => "the CSV file",
        }
    }
}

/// The labels of pictures whose paths are relative to `folder`, as in `inventory/hats/1.jpg`: one for each.
///
/// # Errors
/// When a picture has none, or the file of labels holds mistakes.
pub(super) fn labels_of(
    source: &LabelSource,
    folder: &Path,
    pictures: &[PathBuf],
) -> Result<(LabelsBy, Vec<String>), Fatal> {
    let by_folder: Vec<Option<String>> = pictures.iter().map(|path| folder_label(path)).collect();
    let by_name = || (LabelsBy::Name, pictures.iter().map(|path| name_label(path)).collect());
    match source {
        LabelSource::Name => Ok(by_name()),
        LabelSource::Auto => Ok(match by_folder.into_iter().collect::<Option<Vec<String>>>() {
            // One folder for all of them distinguishes nothing.
            Some(labels) if labels.iter().any(|label| *label != labels[0]) => (LabelsBy::Folder, labels),
            _ => by_name(),
        }),
        LabelSource::Folder => {
            let labelled = by_folder.into_iter().zip(pictures).map(|(label, path)| label.ok_or(path));
            let labels: Result<Vec<String>, &PathBuf> = labelled.collect();
            let labels = labels.map_err(|path| {
                let (path, part) = (folder.join(path), path.iter().next().unwrap_or_default().to_string_lossy());
                Fatal::Usage(format!(
                    "{}: lies in no folder below {part}/; move it into one that is named after what it shows",
                    path.display()
                ))
            })?;
            Ok((LabelsBy::Folder, labels))
        }
        LabelSource::File(file) => Ok((LabelsBy::File, LabelFile::read(file, folder)?.labels_of(pictures)?)),
    }
}

/// "hats" of `inventory/hats/summer/1.jpg`.
fn folder_label(path: &Path) -> Option<String> {
    let parts: Vec<_> = path.iter().collect();
    (parts.len() > 2).then(|| parts[1].to_string_lossy().into_owned())
}

fn name_label(path: &Path) -> String {
    label(&path.file_name().unwrap_or_default().to_string_lossy())
}

/// The label in `file_name`: all up to the first `__`, as in `accordion__image-0006.jpg`, else the leading ASCII letters
/// in lower case, as in `Burger3_resized.jpg`.
///
/// A name that starts with neither has the empty label, and so counts as the same kind as the others like it.
pub fn label(file_name: &str) -> String {
    match file_name.split_once("__") {
        Some((label, _)) => label.to_owned(),
        None => file_name.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase(),
    }
}

/// Labels as numbers: of the pictures searched and of those that ask.
#[derive(Debug, Clone, Default)]
pub(super) struct NumberedLabels {
    /// The label of each number.
    pub(super) names: Vec<String>,
    /// Of the pictures that ask, `[m]`.
    pub(super) asking: Vec<usize>,
    /// Of the inventory, `[n]`.
    pub(super) inventory: Vec<usize>,
    /// Positions of the inventory's pictures of each label.
    pub(super) pictures_of: Vec<Vec<usize>>,
}

impl NumberedLabels {
    /// Numbers in the order of the labels.
    pub(super) fn new(inventory: &[String], asking: &[String]) -> Self {
        let mut names: Vec<String> = inventory.iter().chain(asking).cloned().collect();
        names.sort_unstable();
        names.dedup();
        let numbers: HashMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let numbered = |labels: &[String]| -> Vec<usize> {
            labels.iter().filter_map(|label| numbers.get(label.as_str()).copied()).collect()
        };
        let (inventory, asking) = (numbered(inventory), numbered(asking));
        let mut pictures_of = vec![Vec::new(); names.len()];
        inventory.iter().enumerate().for_each(|(at, &label)| pictures_of[label].push(at));
        Self { names, asking, inventory, pictures_of }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_ends_at_two_underscores() {
        assert_eq!(label("accordion__image-0006.jpg"), "accordion");
        assert_eq!(label("Alpro-Fresh-Soy-Milk__Alpro-Fresh-Soy-Milk-014.jpg"), "Alpro-Fresh-Soy-Milk");
        assert_eq!(label("a__b__c.jpg"), "a");
    }

    #[test]
    fn without_them_the_leading_letters_are_the_label_whatever_their_case() {
        assert_eq!(label("burger1_resized.jpeg"), "burger");
        assert_eq!(label("Salad_test.jpg"), "salad");
        assert_eq!(label("crème.png"), "cr");
    }

    #[test]
    fn a_name_that_says_nothing_has_the_empty_label() {
        assert_eq!(label("0001.jpg"), "");
        assert_eq!(label("__.jpg"), "");
        assert_eq!(label(""), "");
    }

    fn labelled(source: LabelSource, pictures: &[&str]) -> Result<(LabelsBy, Vec<String>), String> {
        let pictures: Vec<PathBuf> = pictures.iter().map(PathBuf::from).collect();
        labels_of(&source, Path::new("set"), &pictures).map_err(|fatal| fatal.to_string())
    }

    #[test]
    fn the_first_folder_is_the_label_where_every_picture_lies_in_one() {
        let sorted = ["inventory/hats/summer/dog__1.jpg", "inventory/shoes/2.jpg", "query/hats/3.jpg"];
        let kinds = || ["hats", "shoes", "hats"].map(String::from).to_vec();
        assert_eq!(labelled(LabelSource::Auto, &sorted), Ok((LabelsBy::Folder, kinds())));
        assert_eq!(labelled(LabelSource::Folder, &sorted), Ok((LabelsBy::Folder, kinds())));
        let names = ["dog", "", ""].map(String::from).to_vec();
        assert_eq!(labelled(LabelSource::Name, &sorted), Ok((LabelsBy::Name, names)));
    }

    #[test]
    fn else_the_file_name_is() {
        let (by, labels) = labelled(LabelSource::Auto, &["inventory/hats/a1.jpg", "inventory/b2.jpg"]).unwrap();
        assert_eq!((by, labels), (LabelsBy::Name, vec!["a".into(), "b".into()]));
        let (by, _) = labelled(LabelSource::Auto, &["inventory/all/a1.jpg", "inventory/all/b2.jpg"]).unwrap();
        assert_eq!(by, LabelsBy::Name, "one folder for all says nothing");
        let problem = labelled(LabelSource::Folder, &["inventory/hats/a1.jpg", "query/b2.jpg"]).unwrap_err();
        assert_eq!(
            problem,
            "set/query/b2.jpg: lies in no folder below query/; move it into one that is named after what it shows"
        );
    }

    #[test]
    fn sources_are_words_or_files() {
        assert_eq!(LabelSource::parse("auto"), Ok(LabelSource::Auto));
        assert_eq!(LabelSource::parse("my/Labels.CSV"), Ok(LabelSource::File("my/Labels.CSV".into())));
        assert_eq!(LabelSource::parse("folders"), Err(UnknownLabelSource));
    }

    #[test]
    fn numbers_stand_for_labels() {
        let texts = |letters: &str| letters.chars().map(String::from).collect::<Vec<_>>();
        let labels = NumberedLabels::new(&texts("bab"), &texts("zb"));
        assert_eq!((labels.inventory, labels.asking), (vec![1, 0, 1], vec![2, 1]));
        assert_eq!(labels.pictures_of, [vec![1], vec![0, 2], vec![]]);
    }
}
