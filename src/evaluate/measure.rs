//! `artificio evaluate`: a labelled folder, measured by what the daemon would answer and by the measures to beat.

use std::path::PathBuf;

use serde::Serialize;

use super::measured::{MeasuredPictures, Measurer, pictures_in};
use super::metrics::{Figures, figures, leave_one_out};
use super::queries::{Origin, asked, sets, singles};
use crate::base::dot::dot;
use crate::base::rows::Rows;
use crate::config::{Encoder, Metric, ModelSettings, SetMode};
use crate::error::{Fatal, Trouble};
use crate::index::SearchMode;
use crate::model::{Model, TrainingError, TrainingSet};
use crate::picture::Bounds;
use crate::progress::{Part, Progress};

/// The figures of one method.
#[derive(Debug, Clone, Serialize)]
pub struct MethodFigures {
    /// "artificio", "features", "histogram", "pixels"; "euclidean" or "cosine", whichever is not set; "set_mean" and
    /// "set_nearest", where pictures of one label ask together; the name of a further encoder.
    pub method: &'static str,
    /// How often it was asked.
    pub queries: usize,
    /// How good it is.
    #[serde(flatten)]
    pub figures: Figures,
}

/// A model that was trained for this.
#[derive(Debug, Clone, Serialize)]
pub struct ModelFigures {
    /// Its encoder.
    pub encoder: Encoder,
    /// Values in an embedding.
    #[serde(rename = "code_width")]
    pub embedding_width: usize,
    /// ‖x − x′‖² / ‖x − mean‖² over the training pictures.
    pub reconstruction_error: f32,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    /// One row a method.
    pub rows: Vec<MethodFigures>,
    /// Pictures searched.
    pub inventory: usize,
    /// Pictures asked; with leave-one-out those of the inventory.
    pub queries: usize,
    /// Pictures the models were trained on.
    pub trained_on: usize,
    /// One a encoder.
    pub models: Vec<ModelFigures>,
    /// Files that could not be used.
    pub left_out: Vec<Trouble>,
}

/// What to measure.
#[derive(Debug, Clone)]
pub struct EvaluationOptions {
    /// Holds `inventory/`, and maybe `query/` and `train/`.
    pub folder: PathBuf,
    /// Let the inventory query itself.
    pub leave_one_out: bool,
    /// One or several; the first is called "artificio" and measured in every way.
    pub encoders: Vec<Encoder>,
    /// How large a model, and how long trained.
    pub settings: ModelSettings,
    /// By which the daemon compares.
    pub metric: Metric,
    /// The same seed gives the same figures.
    pub seed: u64,
    /// What one picture may cost.
    pub bounds: Bounds,
}

/// The pictures of a labelled folder.
pub struct LabelledPictures {
    origin: Origin,
    inventory: MeasuredPictures,
    /// None where the inventory queries itself.
    queries: MeasuredPictures,
    training: MeasuredPictures,
    left_out: Vec<Trouble>,
}

impl LabelledPictures {
    /// Measures the pictures of a folder, which are only read. `None` when it was cancelled.
    ///
    /// # Errors
    /// When there is no picture to be found, or the program's own copy of the weights is damaged.
    pub fn look(options: &EvaluationOptions, progress: &dyn Progress) -> Result<Option<Self>, Fatal> {
        if !options.folder.is_dir() {
            return Err(Fatal::Usage(format!("{}: there is no such folder", options.folder.display())));
        }
        let [inventory, queries, training] =
            ["inventory", "query", "train"].map(|name| pictures_in(&options.folder.join(name)));
        if inventory.is_empty() {
            return Err(Fatal::Usage(format!(
                "{}: no pictures; put them into inventory/ in there, named after what they show (burger_03.jpg)",
                options.folder.display()
            )));
        }
        let is_own = options.leave_one_out || queries.is_empty();
        let origin = if is_own { Origin::Inventory } else { Origin::Queries };
        let queries = if is_own { Vec::new() } else { queries };
        let measurer = Measurer::new(&options.encoders, &options.bounds)?;
        let all = (inventory.len() + queries.len() + training.len()) as f32;
        let (mut left_out, mut done) = (Vec::new(), 0);
        let mut look = |paths: &[PathBuf]| {
            let part = Part { progress, start: done as f32 / all, share: paths.len() as f32 / all };
            done += paths.len();
            measurer.look(paths, &mut left_out, &part)
        };
        let pictures = look(&inventory).zip(look(&queries)).zip(look(&training));
        let whole = |((inventory, queries), training)| Self { origin, inventory, queries, training, left_out };
        Ok(pictures.map(whole))
    }

    /// Trains models in memory and measures what they answer. `None` when it was cancelled.
    ///
    /// # Errors
    /// When the pictures teach nothing.
    pub fn measure(self, options: &EvaluationOptions, progress: &dyn Progress) -> Result<Option<Evaluation>, Fatal> {
        let (mut rows, mut models, mut trained_on) = (Vec::new(), Vec::new(), 0);
        for (at, &encoder) in options.encoders.iter().enumerate() {
            let training_set = self.training_set(at).seeded(options.seed);
            let settings = ModelSettings { encoder, ..options.settings.clone() };
            let autoencoder = match training_set.train(&settings, progress) {
                Ok(autoencoder) => autoencoder,
                Err(TrainingError::Cancelled) => return Ok(None),
                Err(TrainingError::Failed(reason)) => {
                    return Err(Fatal::Failed(format!("no model could be trained: {reason}")));
                }
            };
            trained_on = training_set.training().len();
            let reconstruction_error = autoencoder.reconstruction_error(training_set.training());
            models.push(ModelFigures { encoder, embedding_width: autoencoder.embedding_width(), reconstruction_error });
            let embeddings = self.embeddings(at, &Model::trained("evaluate".into(), trained_on, autoencoder));
            match at {
                0 => rows.extend(self.every_way(&embeddings, options.metric)),
                _ => rows.push(self.singly(encoder.name(), &embeddings, options.metric)),
            }
        }
        let (inventory, queries) = (self.inventory.labels.len(), self.asking().labels.len());
        Ok(Some(Evaluation { rows, inventory, queries, trained_on, models, left_out: self.left_out }))
    }

    /// Of inventory and queries, by a model of the encoder at this place.
    fn embeddings(&self, at: usize, model: &Model) -> [Rows; 2] {
        [&self.inventory, &self.queries].map(|views| match views.inputs.get(at) {
            Some(inputs) => model.encode(inputs),
            None => Rows::empty(model.embedding_width()),
        })
    }

    /// Of the encoder at this place. As the daemon trains: the inventory is taken along.
    fn training_set(&self, at: usize) -> TrainingSet {
        let inventory = self.inventory.inputs.get(at).cloned().unwrap_or_default();
        match self.training.inputs.get(at) {
            None => TrainingSet::of_inventory(inventory),
            Some(training) => TrainingSet::of_training(training.clone(), inventory),
        }
    }

    fn asking(&self) -> &MeasuredPictures {
        match self.origin {
            Origin::Inventory => &self.inventory,
            Origin::Queries => &self.queries,
        }
    }

    /// What the daemon would answer to each picture, embeddings of inventory and queries given.
    fn singly(&self, method: &'static str, [inventory, queries]: &[Rows; 2], metric: Metric) -> MethodFigures {
        let asking = if self.origin == Origin::Inventory { inventory } else { queries };
        let queries = singles(asking, &self.asking().labels, self.origin);
        let figures =
            asked(&queries, inventory, &self.inventory.labels, SearchMode { metric, set_mode: SetMode::Mean });
        MethodFigures { method, queries: queries.len(), figures }
    }

    /// What it would answer to sets of pictures of one label.
    fn in_sets(
        &self,
        method: &'static str,
        [inventory, queries]: &[Rows; 2],
        metric: Metric,
        mode: SetMode,
    ) -> Option<MethodFigures> {
        let asking = if self.origin == Origin::Inventory { inventory } else { queries };
        let queries = sets(asking, &self.asking().labels, self.origin);
        let figures = asked(&queries, inventory, &self.inventory.labels, SearchMode { metric, set_mode: mode });
        (!queries.is_empty()).then_some(MethodFigures { method, queries: queries.len(), figures })
    }

    /// By a measure that compares its rows as they are, by cosine.
    fn plainly(&self, method: &'static str, pick: fn(&MeasuredPictures) -> &Rows) -> MethodFigures {
        let inventory = pick(&self.inventory);
        let figures = match self.origin {
            Origin::Inventory => leave_one_out(&cosines(inventory, inventory), &self.inventory.labels),
            Origin::Queries => {
                figures(&cosines(pick(&self.queries), inventory), &self.inventory.labels, &self.queries.labels)
            }
        };
        MethodFigures { method, queries: self.asking().labels.len(), figures }
    }

    fn every_way(&self, embeddings: &[Rows; 2], metric: Metric) -> Vec<MethodFigures> {
        let (other, name) = match metric {
            Metric::Cosine => (Metric::Euclidean, "euclidean"),
            Metric::Euclidean => (Metric::Cosine, "cosine"),
        };
        let mut rows = vec![
            self.singly("artificio", embeddings, metric),
            self.plainly("features", |views| &views.features),
            self.plainly("histogram", |views| &views.histograms),
            self.plainly("pixels", |views| &views.pixels),
            self.singly(name, embeddings, other),
        ];
        rows.extend(self.in_sets("set_mean", embeddings, metric, SetMode::Mean));
        rows.extend(self.in_sets("set_nearest", embeddings, metric, SetMode::Nearest));
        rows
    }
}

/// Cosines between queries `[m, d]` and inventory `[n, d]`: `[m, n]`.
fn cosines(queries: &Rows, inventory: &Rows) -> Rows {
    let (queries, inventory) = (queries.at_unit_length(), inventory.at_unit_length());
    let values = queries.iter().flat_map(|query| inventory.iter().map(|other| dot(query, other))).collect();
    Rows::from_values(inventory.len(), values).unwrap_or_default()
}
