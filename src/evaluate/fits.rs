//! The models that are measured: fitted as the daemon fits them, and to all pictures but those that ask.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::measured::MeasuredPictures;
use super::queries::Question;
use crate::base::rows::Rows;
use crate::config::{Encoder, ModelSettings};
use crate::model::{Autoencoder, FolderLabels, TrainingError, TrainingSet};
use crate::picture::Hash;
use crate::progress::Progress;

/// Whether the folders that pictures lie in teach a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FolderUse {
    /// As in the daemon.
    Teach,
    /// To see what they give.
    Ignored,
}

/// Questions that one model answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Fold {
    /// Positions of the questions.
    pub(super) questions: Vec<usize>,
    /// Contents that the model must not have seen: those of the questions.
    pub(super) without: HashSet<Hash>,
}

/// What models of one encoder are fitted to.
pub(super) struct FitInput<'a> {
    pub(super) inventory: &'a MeasuredPictures,
    /// Empty where the inventory is all there is.
    pub(super) training: &'a MeasuredPictures,
    /// Which of the inputs of each picture.
    pub(super) input: usize,
    pub(super) settings: ModelSettings,
    pub(super) seed: u64,
}

impl FitInput<'_> {
    /// What a fit takes of both folders, but for the contents `without`: chosen by the same function as the daemon's.
    pub(super) fn training_set(&self, without: &HashSet<Hash>, folders: FolderUse) -> TrainingSet {
        let (inventory, inventory_paths) = self.taken(self.inventory, without);
        let (set, paths) = if self.training.paths.is_empty() {
            (TrainingSet::of_inventory(inventory), inventory_paths)
        } else {
            let (training, mut paths) = self.taken(self.training, without);
            if self.settings.train_on_inventory {
                paths.extend(inventory_paths);
                (TrainingSet::of_training(training, inventory), paths)
            } else {
                (TrainingSet::of_training(training, Rows::empty(inventory.width())), paths)
            }
        };
        let set = set.seeded(self.seed);
        match folders {
            FolderUse::Teach => set.taught_by(FolderLabels::of(&paths)),
            FolderUse::Ignored => set,
        }
    }

    /// The model of that training set.
    pub(super) fn train(
        &self,
        without: &HashSet<Hash>,
        folders: FolderUse,
        progress: &dyn Progress,
    ) -> Result<Autoencoder, TrainingError> {
        self.training_set(without, folders).train(&self.settings, progress)
    }

    /// Rows of the contents that are taken, and where each lies below its root.
    fn taken(&self, pictures: &MeasuredPictures, without: &HashSet<Hash>) -> (Rows, Vec<Vec<PathBuf>>) {
        let Some(inputs) = pictures.inputs.get(self.input) else { return Default::default() };
        let mut positions: BTreeMap<Hash, Vec<usize>> = BTreeMap::new();
        for (at, content) in pictures.contents.iter().enumerate().filter(|(_, content)| !without.contains(content)) {
            positions.entry(*content).or_default().push(at);
        }
        let sorted: Vec<Hash> = positions.keys().copied().collect();
        let (mut rows, mut paths) = (Rows::empty(inputs.width()), Vec::new());
        for positions in TrainingSet::contents_taken(&sorted, inputs.width()).iter().map(|content| &positions[content])
        {
            rows.push(inputs.row(positions[0]));
            paths.push(positions.iter().map(|&at| below_its_root(&pictures.paths[at])).collect());
        }
        (rows, paths)
    }
}

/// `hats/1.jpg` of `inventory/hats/1.jpg`.
fn below_its_root(path: &Path) -> PathBuf {
    path.components().skip(1).collect()
}

/// Folds of the `questions` that pictures of the inventory ask, at most so many; `contents` are those of the inventory. The
/// pictures of a label are spread over all folds, so that hardly more than the one who asks is missing from its fit.
pub(super) fn folds(questions: &[Question], contents: &[Hash], count: usize) -> Vec<Fold> {
    let mut order: Vec<usize> = (0..questions.len()).collect();
    let content = |at: usize| questions[at].members.first().map(|&member| contents[member]);
    order.sort_by_key(|&at| (questions[at].label, content(at)));
    let mut folds = vec![Fold::default(); count.min(questions.len())];
    for (number, at) in order.into_iter().enumerate() {
        let fold = number % folds.len();
        folds[fold].questions.push(at);
        folds[fold].without.extend(questions[at].members.iter().map(|&member| contents[member]));
    }
    folds
}

/// How many folds there are: each costs a fit, which takes seconds with one encoder and minutes with the other.
pub(super) fn most_folds(encoder: Encoder) -> usize {
    match encoder {
        Encoder::Pretrained => 10,
        Encoder::Convolutional => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictures(paths: &[&str], contents: &[u8]) -> MeasuredPictures {
        let rows = contents.iter().flat_map(|content| [f32::from(*content), 1.0]).collect();
        MeasuredPictures {
            paths: paths.iter().map(PathBuf::from).collect(),
            contents: contents.iter().map(|content| Hash([*content; 32])).collect(),
            inputs: vec![Rows::from_values(2, rows).unwrap_or_default()],
            ..MeasuredPictures::default()
        }
    }

    #[test]
    fn a_fit_takes_each_content_once_in_the_order_of_their_hashes_with_all_its_folders() {
        let inventory = pictures(
            &["inventory/a/3.jpg", "inventory/b/1.jpg", "inventory/c/3.jpg", "inventory/c/2.jpg"],
            &[3, 1, 3, 2],
        );
        let (training, settings) = (MeasuredPictures::default(), ModelSettings::default());
        let input = FitInput { inventory: &inventory, training: &training, input: 0, settings, seed: 1 };
        let (rows, paths) = input.taken(&inventory, &HashSet::new());
        assert_eq!(rows.values(), [1.0, 1.0, 2.0, 1.0, 3.0, 1.0]);
        assert_eq!(
            paths,
            [vec![PathBuf::from("b/1.jpg")], vec!["c/2.jpg".into()], vec!["a/3.jpg".into(), "c/3.jpg".into()]]
        );
        let without = HashSet::from([Hash([3; 32])]);
        assert_eq!(input.training_set(&without, FolderUse::Teach).training().values(), [1.0, 1.0, 2.0, 1.0]);
    }

    #[test]
    fn with_a_training_folder_the_inventory_is_taken_along_where_the_settings_say_so() {
        let (inventory, training) =
            (pictures(&["inventory/1.jpg"], &[1]), pictures(&["train/1.jpg", "train/2.jpg"], &[1, 2]));
        let mut settings = ModelSettings::default();
        let counts = |settings: &ModelSettings, without: &[u8]| {
            let settings = settings.clone();
            let input = FitInput { inventory: &inventory, training: &training, input: 0, settings, seed: 1 };
            let without = without.iter().map(|content| Hash([*content; 32])).collect();
            let set = input.training_set(&without, FolderUse::Ignored);
            (set.training().len(), set.inventory_count())
        };
        assert_eq!(
            (counts(&settings, &[]), counts(&settings, &[1])),
            ((2, 1), (1, 0)),
            "copies in train/ are out as well"
        );
        settings.train_on_inventory = false;
        assert_eq!(counts(&settings, &[]), (2, 0));
    }

    #[test]
    fn each_label_is_spread_over_the_folds_and_who_asks_is_out() {
        let questions: Vec<Question> =
            (0..12).map(|at| Question { label: at % 3, members: vec![at], hidden: vec![at] }).collect();
        let contents: Vec<Hash> = (0..12).map(|at| Hash([at; 32])).collect();
        let folds = folds(&questions, &contents, 4);
        assert_eq!(folds.len(), 4);
        for fold in &folds {
            let mut labels: Vec<usize> = fold.questions.iter().map(|at| at % 3).collect();
            labels.sort_unstable();
            assert_eq!(labels, [0, 1, 2]);
            assert!(fold.questions.iter().all(|&at| fold.without.contains(&contents[at])));
            assert_eq!(fold.without.len(), 3);
        }
        let mut asked: Vec<usize> = folds.iter().flat_map(|fold| fold.questions.clone()).collect();
        asked.sort_unstable();
        assert_eq!(asked, (0..12).collect::<Vec<_>>());
        assert_eq!(super::folds(&questions[..2], &contents, 10).len(), 2);
        assert!(super::folds(&[], &contents, 10).is_empty());
    }
}
