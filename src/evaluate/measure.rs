//! Measures labelled pictures by what the daemon would answer and by the measures to beat.

use std::cell::Cell;
use std::collections::HashSet;
use std::path::PathBuf;

use super::fits::{FitInput, Fold, FolderUse, folds, most_folds};
use super::look::{EvaluationOptions, LabelledPictures, MeasuredNetwork};
use super::measured::Baselines;
use super::metrics::QueryOutcome;
use super::per_label::per_label;
use super::queries::{JudgedAnswer, Origin, PLAIN, Question, SearchedInventory, sets, singles};
use super::report::{AnsweredQuery, Evaluation, MethodFigures, ModelFigures};
use crate::base::eight_bits;
use crate::base::rows::Rows;
use crate::config::{Metric, ModelSettings, SetMode};
use crate::error::Fatal;
use crate::index::SearchMode;
use crate::model::{FeatureKind, FolderReport, Model, TrainingError};
use crate::progress::{Part, Progress};

impl LabelledPictures {
    /// Trains models in memory and measures what they answer. `None` when it was cancelled.
    ///
    /// # Errors
    /// When the pictures teach nothing.
    pub fn measure(self, options: &EvaluationOptions, progress: &dyn Progress) -> Result<Option<Evaluation>, Fatal> {
        match self.measured(options, progress) {
            Ok(report) => Ok(Some(Evaluation { left_out: self.left_out, ..report })),
            Err(TrainingError::Cancelled) => Ok(None),
            Err(TrainingError::Failed(reason)) => Err(Fatal::Failed(format!("no model could be trained: {reason}"))),
        }
    }

    fn measured(&self, options: &EvaluationOptions, progress: &dyn Progress) -> Result<Evaluation, TrainingError> {
        let questions = singles(&self.labels, self.origin);
        let mut report = Evaluation {
            rows: Vec::new(),
            inventory: self.inventory.paths.len(),
            queries: questions.len(),
            trained_on: 0,
            folds: 0,
            label_by: self.label_by,
            models: Vec::new(),
            labels: Vec::new(),
            engine: None,
            left_out: Vec::new(),
            answers: Vec::new(),
        };
        let networks = options.networks.len().max(1) as f32;
        for (at, network) in options.networks.iter().enumerate() {
            let progress = Part { progress, start: at as f32 / networks, share: 1.0 / networks };
            let measurement = Measurement::new(self, options, at, &progress)?;
            report.trained_on = measurement.trained_on;
            report.models.push(measurement.figures.clone());
            if at > 0 {
                let how = SearchMode { metric: options.metric, set_mode: SetMode::Mean };
                let [answered] = measurement.ask(&questions, FolderUse::Teach, [how])?;
                report.rows.push(measurement.row(network.name(), &answered));
                if let MeasuredNetwork::File(_) = network {
                    report.rows.push(measurement.untrained_row(format!("{} raw", network.name()), &questions)?);
                }
                continue;
            }
            let (rows, answered) = measurement.every_way(&questions)?;
            report.rows = rows;
            report.folds = measurement.folds(&questions).iter().filter(|fold| !fold.without.is_empty()).count();
            report.labels = per_label(&questions, &answered, &self.labels);
            report.answers = self.answers(&questions, answered);
        }
        Ok(report)
    }

    /// By path and label.
    fn answers(&self, questions: &[Question], answered: Vec<JudgedAnswer>) -> Vec<AnsweredQuery> {
        let found = |at: &usize| {
            let (path, label) = (&self.inventory.paths[*at], self.labels.inventory[*at]);
            (path.clone(), self.labels.names[label].clone())
        };
        let answer = |(question, answered): (&Question, JudgedAnswer)| AnsweredQuery {
            path: question.members.first().map_or_else(PathBuf::new, |&at| self.asking().paths[at].clone()),
            label: self.labels.names[question.label].clone(),
            first: answered.first.iter().map(found).collect(),
            outcome: answered.outcome,
        };
        questions.iter().zip(answered).map(answer).collect()
    }
}

/// What is needed to measure the models on the features of one network.
struct Measurement<'a> {
    kind: FeatureKind,
    pictures: &'a LabelledPictures,
    options: &'a EvaluationOptions,
    fit: FitInput<'a>,
    /// Fitted to all pictures: the daemon's.
    whole: Model,
    figures: ModelFigures,
    trained_on: usize,
    progress: &'a dyn Progress,
    /// Fits and searches that are done.
    steps: Cell<usize>,
}

impl<'a> Measurement<'a> {
    /// Of the network at position `at`.
    fn new(
        pictures: &'a LabelledPictures,
        options: &'a EvaluationOptions,
        at: usize,
        progress: &'a dyn Progress,
    ) -> Result<Self, TrainingError> {
        let (network, kind) = (&options.networks[at], pictures.kinds[at].clone());
        let settings = ModelSettings { encoder: network.encoder(), ..options.settings.clone() };
        let LabelledPictures { inventory, training, .. } = pictures;
        let fit = FitInput { inventory, training, input: at, settings, seed: options.seed };
        let training_set = fit.training_set(&HashSet::new(), FolderUse::Teach);
        let autoencoder = training_set.train(&fit.settings, progress)?;
        let trained_on = training_set.training().len();
        let figures = ModelFigures {
            encoder: network.encoder(),
            network: network.name(),
            feature_bytes: eight_bits::pack(&vec![0.0; kind.width]).len(),
            embedding_width: autoencoder.embedding_width(),
            reconstruction_error: autoencoder.reconstruction_error(training_set.training()),
            folders: autoencoder.folder_lesson().map(FolderReport::of),
        };
        let whole = Model::trained("evaluate".into(), kind.clone(), trained_on, autoencoder);
        Ok(Self { kind, pictures, options, fit, whole, figures, trained_on, progress, steps: Cell::new(0) })
    }

    fn folds(&self, questions: &[Question]) -> Vec<Fold> {
        match self.pictures.origin {
            Origin::Inventory => folds(questions, &self.pictures.inventory.contents, most_folds(self.figures.encoder)),
            Origin::Queries => {
                vec![Fold { questions: (0..questions.len()).collect(), without: HashSet::new() }]
            }
        }
    }

    /// What the daemon would answer by each of `modes`: no model has seen the pictures that ask it.
    fn ask<const N: usize>(
        &self,
        questions: &[Question],
        folders: FolderUse,
        modes: [SearchMode; N],
    ) -> Result<[Vec<JudgedAnswer>; N], TrainingError> {
        let mut answered = modes.map(|_| vec![JudgedAnswer::default(); questions.len()]);
        for fold in self.folds(questions) {
            let model = match folders {
                FolderUse::Teach if fold.without.is_empty() => self.whole.clone(),
                _ => match self.fit.train(&fold.without, folders, &self.step()) {
                    Ok(fitted) => Model::trained("evaluate".into(), self.kind.clone(), self.trained_on, fitted),
                    // Too few are left: the daemon would answer by the features as they are.
                    Err(TrainingError::Failed(_)) => Model::untrained(&self.fit.settings, self.kind.clone()),
                    Err(TrainingError::Cancelled) => return Err(TrainingError::Cancelled),
                },
            };
            let (inventory, asking) = self.embeddings(&model);
            let asked: Vec<&Question> = fold.questions.iter().map(|&at| &questions[at]).collect();
            for (answered, how) in answered.iter_mut().zip(modes) {
                let searched = SearchedInventory::new(&inventory, &self.pictures.labels, how);
                let asking = asking.as_ref().unwrap_or(&inventory);
                let found = searched.answers(&asked, asking, &self.step()).ok_or(TrainingError::Cancelled)?;
                fold.questions.iter().zip(found).for_each(|(&at, found)| answered[at] = found);
            }
        }
        Ok(answered)
    }

    /// Of the inventory, and of the queries where they are others.
    fn embeddings(&self, model: &Model) -> (Rows, Option<Rows>) {
        let LabelledPictures { origin, inventory, queries, .. } = self.pictures;
        let of = |inputs: &[Rows]| match inputs.get(self.fit.input) {
            Some(inputs) => model.encode(inputs),
            None => Rows::empty(model.embedding_width()),
        };
        (of(&inventory.inputs), (*origin == Origin::Queries).then(|| of(&queries.inputs)))
    }

    /// All rows, and the answers of the first.
    fn every_way(&self, questions: &[Question]) -> Result<(Vec<MethodFigures>, Vec<JudgedAnswer>), TrainingError> {
        let metric = self.options.metric;
        let (other, other_name) = match metric {
            Metric::Cosine => (Metric::Euclidean, "euclidean"),
            Metric::Euclidean => (Metric::Cosine, "cosine"),
        };
        let singly = [metric, other].map(|metric| SearchMode { metric, set_mode: SetMode::Mean });
        let [artificio, by_other] = self.ask(questions, FolderUse::Teach, singly)?;
        let mut rows = vec![self.row("artificio", &artificio)];
        if self.figures.folders.is_some() {
            let [untaught] = self.ask(questions, FolderUse::Ignored, [singly[0]])?;
            rows.push(self.row("untaught", &untaught));
        }
        rows.push(self.plainly("features", questions, |baselines| &baselines.features)?);
        rows.push(self.plainly("histogram", questions, |baselines| &baselines.histograms)?);
        rows.push(self.plainly("pixels", questions, |baselines| &baselines.pixels)?);
        rows.push(self.row(other_name, &by_other));
        let sets = sets(&self.pictures.labels, self.pictures.origin);
        if !sets.is_empty() {
            let modes = [SetMode::Mean, SetMode::Nearest].map(|set_mode| SearchMode { metric, set_mode });
            let [by_mean, by_nearest] = self.ask(&sets, FolderUse::Teach, modes)?;
            rows.push(self.row("set_mean", &by_mean));
            rows.push(self.row("set_nearest", &by_nearest));
        }
        Ok((rows, artificio))
    }

    /// By the features as they are, without any training.
    fn untrained_row(&self, method: String, questions: &[Question]) -> Result<MethodFigures, TrainingError> {
        let model = Model::untrained(&self.fit.settings, self.kind.clone());
        let (inventory, asking) = self.embeddings(&model);
        let asking = asking.as_ref().unwrap_or(&inventory);
        let searched = SearchedInventory::new(&inventory, &self.pictures.labels, PLAIN);
        let questions: Vec<&Question> = questions.iter().collect();
        let outcomes = searched.plain_outcomes(&questions, asking, &self.step()).ok_or(TrainingError::Cancelled)?;
        Ok(MethodFigures::of(method, &outcomes, self.options.seed))
    }

    fn row(&self, method: impl Into<String>, answered: &[JudgedAnswer]) -> MethodFigures {
        let outcomes: Vec<QueryOutcome> = answered.iter().map(|answered| answered.outcome.clone()).collect();
        MethodFigures::of(method.into(), &outcomes, self.options.seed)
    }

    /// By a measure that compares its rows as they are, by cosine.
    fn plainly(
        &self,
        method: &'static str,
        questions: &[Question],
        pick: fn(&Baselines) -> &Rows,
    ) -> Result<MethodFigures, TrainingError> {
        let [inventory, asking] =
            [&self.pictures.inventory, self.pictures.asking()].map(|views| pick(&views.baselines));
        let searched = SearchedInventory::new(inventory, &self.pictures.labels, PLAIN);
        let questions: Vec<&Question> = questions.iter().collect();
        let outcomes = searched.plain_outcomes(&questions, asking, &self.step()).ok_or(TrainingError::Cancelled)?;
        Ok(MethodFigures::of(method.into(), &outcomes, self.options.seed))
    }

    /// The progress of the next fit or search. Of how many is a guess: taught, untaught, and of sets.
    fn step(&self) -> Part<'a> {
        let folds = match self.pictures.origin {
            Origin::Inventory => most_folds(self.figures.encoder),
            Origin::Queries => 1,
        };
        let expected = 3.0 + 8.0 * folds as f32;
        let done = (self.steps.replace(self.steps.get() + 1) as f32).min(expected - 1.0);
        Part { progress: self.progress, start: done / expected, share: 1.0 / expected }
    }
}
