//! What `artificio evaluate` found out.

use std::path::PathBuf;

use serde::Serialize;

use super::intervals::Interval;
use super::labels::LabelsBy;
use super::metrics::{Figures, QueryOutcome};
use super::per_label::LabelFigures;
use super::through_engine::EngineFigures;
use crate::config::Encoder;
use crate::error::Trouble;
use crate::model::FolderReport;

/// The figures of one method.
#[derive(Debug, Clone, Serialize)]
pub struct MethodFigures {
    /// "artificio", "untaught", "features", "histogram", "pixels"; "euclidean" or "cosine", whichever is not set; "set_mean" and
    /// "set_nearest", where pictures of one label ask together; the name of a further encoder, or of a network's file, which with
    /// " raw" after it is compared by its features as they are.
    pub method: String,
    /// How often it was asked.
    pub queries: usize,
    /// How good it is.
    #[serde(flatten)]
    pub figures: Figures,
    /// How far each figure may be off, other queries of the same kinds being asked.
    pub interval_95: Interval,
}

impl MethodFigures {
    /// The means over queries, and how far they may be off.
    pub(super) fn of(method: String, outcomes: &[QueryOutcome], seed: u64) -> Self {
        let (figures, interval_95) = (Figures::mean(outcomes), Interval::of(outcomes, seed));
        Self { method, queries: outcomes.len(), figures, interval_95 }
    }
}

/// A model that was trained for this, on all pictures.
#[derive(Debug, Clone, Serialize)]
pub struct ModelFigures {
    /// Its encoder.
    pub encoder: Encoder,
    /// What makes the features that it takes: the encoder's name, or that of a network's file.
    pub network: String,
    /// Bytes that the features of a picture take in the catalog.
    pub feature_bytes: usize,
    /// Values in an embedding.
    #[serde(rename = "code_width")]
    pub embedding_width: usize,
    /// ‖x − x′‖² / ‖x − mean‖² over the training pictures.
    pub reconstruction_error: f32,
    /// What folders gave it; `None` where there were none.
    pub folders: Option<FolderReport>,
}

/// How the daemon would answer one query.
#[derive(Debug, Clone)]
pub struct AnsweredQuery {
    /// Relative to the measured folder.
    pub path: PathBuf,
    /// What it shows.
    pub label: String,
    /// How well.
    pub outcome: QueryOutcome,
    /// The first matches: path, relative to the measured folder, and label.
    pub first: Vec<(PathBuf, String)>,
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
    /// Where the inventory asks itself: how many fits answered, each to all pictures but those that it answered. Else 0.
    pub folds: usize,
    /// Where the labels were taken from.
    pub label_by: LabelsBy,
    /// One a encoder.
    pub models: Vec<ModelFigures>,
    /// Of the row "artificio", by label.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelFigures>,
    /// How an engine answers the same, where one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineFigures>,
    /// Files that could not be used.
    pub left_out: Vec<Trouble>,
    /// Of the row "artificio", every query.
    #[serde(skip)]
    pub answers: Vec<AnsweredQuery>,
}
