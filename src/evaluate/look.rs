//! The pictures of a labelled folder, each read once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::labels::{LabelSource, LabelsBy, NumberedLabels, labels_of};
use super::measured::{MeasuredPictures, Measurer, PictureUse, pictures_in};
use super::queries::Origin;
use crate::config::{Encoder, Metric, ModelSettings};
use crate::error::{Fatal, Trouble};
use crate::model::{Extractor, FeatureKind};
use crate::network::NetworkFile;
use crate::picture::Bounds;
use crate::progress::{Part, Progress};

/// What to measure.
#[derive(Debug, Clone)]
pub struct EvaluationOptions {
    /// Holds `inventory/`, and maybe `query/` and `train/`.
    pub folder: PathBuf,
    /// What says what a picture shows.
    pub label_by: LabelSource,
    /// Let the inventory query itself.
    pub leave_one_out: bool,
    /// One or several; the first is called "artificio" and measured in every way.
    pub networks: Vec<MeasuredNetwork>,
    /// How large a model, and how long trained.
    pub settings: ModelSettings,
    /// By which the daemon compares.
    pub metric: Metric,
    /// The same seed gives the same figures.
    pub seed: u64,
    /// What one picture may cost.
    pub bounds: Bounds,
}

/// What makes the features that models are trained on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeasuredNetwork {
    /// What comes with the program, for this encoder.
    Bundled(Encoder),
    /// A network of the user's own, in this file.
    File(PathBuf),
}

impl MeasuredNetwork {
    /// Its name in the report.
    pub fn name(&self) -> String {
        match self {
            Self::Bundled(encoder) => encoder.name().into(),
            Self::File(path) => path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        }
    }

    /// The encoder whose models take its features.
    pub fn encoder(&self) -> Encoder {
        match self {
            Self::Bundled(encoder) => *encoder,
            Self::File(_) => Encoder::Pretrained,
        }
    }

    /// # Errors
    /// When a network cannot be used, or the program's own copy of the weights is damaged.
    pub(super) fn load(&self) -> Result<Extractor, Trouble> {
        match self {
            Self::Bundled(encoder) => Extractor::load(*encoder),
            Self::File(path) => NetworkFile::read(path)?.load(),
        }
    }
}

/// The pictures of a labelled folder.
pub struct LabelledPictures {
    pub(super) origin: Origin,
    pub(super) inventory: MeasuredPictures,
    /// None where the inventory queries itself.
    pub(super) queries: MeasuredPictures,
    pub(super) training: MeasuredPictures,
    pub(super) label_by: LabelsBy,
    pub(super) labels: NumberedLabels,
    pub(super) left_out: Vec<Trouble>,
    /// What the inputs are that each measured network makes.
    pub(super) kinds: Vec<FeatureKind>,
}

/// The files of a labelled folder, found and not yet read.
pub struct LabelledFiles {
    origin: Origin,
    inventory: Vec<PathBuf>,
    queries: Vec<PathBuf>,
    training: Vec<PathBuf>,
    label_by: LabelsBy,
    label_of: HashMap<PathBuf, String>,
}

impl LabelledFiles {
    /// Lists the files and takes their labels: whatever is wrong with the folder shows now, and not after the minutes that reading
    /// takes.
    ///
    /// # Errors
    /// When there is no picture to be found, or one has no label.
    pub fn find(options: &EvaluationOptions) -> Result<Self, Fatal> {
        let folder = &options.folder;
        if !folder.is_dir() {
            return Err(Fatal::Usage(format!("{}: there is no such folder", folder.display())));
        }
        let [inventory, queries, training] = ["inventory", "query", "train"].map(|part| paths_in(folder, part));
        if inventory.is_empty() {
            return Err(Fatal::Usage(format!(
                "{}: no pictures; put them into inventory/ in there, named after what they show (burger_03.jpg) or in folders \
                 that are",
                folder.display()
            )));
        }
        let is_own = options.leave_one_out || queries.is_empty();
        let origin = if is_own { Origin::Inventory } else { Origin::Queries };
        let queries = if is_own { Vec::new() } else { queries };
        let judged: Vec<PathBuf> = inventory.iter().chain(&queries).cloned().collect();
        let (label_by, labels) = labels_of(&options.label_by, folder, &judged)?;
        let label_of = judged.into_iter().zip(labels).collect();
        Ok(Self { origin, inventory, queries, training, label_by, label_of })
    }

    /// Measures the pictures, which are only read. `None` when it was cancelled.
    ///
    /// # Errors
    /// When the program's own copy of the weights is damaged.
    pub fn look(self, options: &EvaluationOptions, progress: &dyn Progress) -> Result<Option<LabelledPictures>, Fatal> {
        let Self { origin, inventory, queries, training, label_by, label_of } = self;
        let measurer = Measurer::new(&options.networks, &options.bounds)?;
        let all = (inventory.len() + queries.len() + training.len()) as f32;
        let (mut left_out, mut done) = (Vec::new(), 0);
        let mut look = |paths: &[PathBuf], purpose| {
            let part = Part { progress, start: done as f32 / all, share: paths.len() as f32 / all };
            done += paths.len();
            measurer.look(&options.folder, paths, purpose, &mut left_out, &part)
        };
        let Some(inventory) = look(&inventory, PictureUse::Comparison) else { return Ok(None) };
        let Some(queries) = look(&queries, PictureUse::Comparison) else { return Ok(None) };
        let Some(training) = look(&training, PictureUse::Training) else { return Ok(None) };
        let asking = if origin == Origin::Inventory { &inventory } else { &queries };
        let labels = numbered(&label_of, &inventory, asking);
        let kinds = measurer.kinds();
        Ok(Some(LabelledPictures { origin, inventory, queries, training, label_by, labels, left_out, kinds }))
    }
}

impl LabelledPictures {
    /// The pictures that ask.
    pub(super) fn asking(&self) -> &MeasuredPictures {
        match self.origin {
            Origin::Inventory => &self.inventory,
            Origin::Queries => &self.queries,
        }
    }
}

/// Files below `part` of `folder`, relative to `folder`, in the order of their paths.
fn paths_in(folder: &Path, part: &str) -> Vec<PathBuf> {
    let relative = |path: PathBuf| path.strip_prefix(folder).map(Path::to_path_buf).unwrap_or(path);
    pictures_in(&folder.join(part)).into_iter().map(relative).collect()
}

/// The labels of those pictures that could be used.
fn numbered(
    label_of: &HashMap<PathBuf, String>,
    inventory: &MeasuredPictures,
    asking: &MeasuredPictures,
) -> NumberedLabels {
    let labels = |pictures: &MeasuredPictures| -> Vec<String> {
        pictures.paths.iter().map(|path| label_of.get(path).cloned().unwrap_or_default()).collect()
    };
    NumberedLabels::new(&labels(inventory), &labels(asking))
}
