//! Going back to an earlier model: which one, and making it ready to serve.

use std::fmt;
use std::sync::Arc;

use crossbeam_channel::Sender;

use super::handle::{Stage, TrainingHandle};
use super::job::{Halt, Successor, TrainingEnd, TrainingEvent, TrainingMessage, end_with, thread_name};
use super::reencoding::Reencoding;
use crate::catalog::{Catalog, CatalogReaders, Decision, ModelRow};
use crate::config::ModelSettings;
use crate::error::{Fatal, Trouble};
use crate::files::Lock;
use crate::model::{Extractor, FeatureKind, Model, UNTRAINED_ID};
use crate::progress::Progress;
use crate::threads::{self, ThreadEnd};

/// Name of the thread.
pub const THREAD: &str = "rollback";

/// The model to go back to; `None` is the untrained network. `models` are all stored ones, the newest first, and whether each
/// serves; without an id in `requested` it is the last usable one before the model that serves.
///
/// # Errors
/// When there is no such model, or it cannot serve.
pub fn target<'a>(
    models: &'a [(ModelRow, bool)],
    requested: Option<&str>,
    kind: &FeatureKind,
) -> Result<Option<&'a ModelRow>, NoTarget> {
    let current = models.iter().position(|(_, serves)| *serves);
    let may_serve = |row: &ModelRow| may_serve(row, kind);
    match (requested, current) {
        (None, None) | (Some(UNTRAINED_ID), None) => Err(NoTarget::Nothing),
        (Some(UNTRAINED_ID), Some(_)) => Ok(None),
        (None, Some(current)) => Ok(models[current + 1..].iter().map(|(row, _)| row).find(|row| may_serve(row))),
        (Some(id), _) => match models.iter().find(|(row, _)| row.id == id) {
            None => Err(NoTarget::Unknown(id.into())),
            Some((_, true)) => Err(NoTarget::Serves(id.into())),
            Some((row, _)) if row.decision == Decision::Refused => {
                Err(NoTarget::Refused { id: id.into(), reason: row.reason.clone() })
            }
            Some((row, _)) if !may_serve(row) => Err(NoTarget::OtherFeatures(id.into())),
            Some((row, _)) => Ok(Some(row)),
        },
    }
}

/// Whether a stored model was good enough, and takes features of this kind.
pub fn may_serve(row: &ModelRow, kind: &FeatureKind) -> bool {
    row.decision != Decision::Refused && kind.are_taken_by(row)
}

/// Why there is no going back to a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoTarget {
    /// The untrained network serves already.
    Nothing,
    /// There is no model of that id.
    Unknown(String),
    /// The model of that id serves.
    Serves(String),
    /// It was not good enough.
    Refused {
        /// Its id.
        id: String,
        /// Why.
        reason: String,
    },
    /// The model of that id takes features that this program does not compute.
    OtherFeatures(String),
}

impl fmt::Display for NoTarget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(out, "no model serves but the network as it is: there is nothing to go back to"),
            Self::Unknown(id) => write!(out, "there is no model {id}; `artificio models` lists those there are"),
            Self::Serves(id) => write!(out, "model {id} serves already"),
            Self::Refused { id, reason } => write!(out, "model {id} was refused and cannot serve: {reason}"),
            Self::OtherFeatures(id) => {
                write!(out, "model {id} takes other features than this program makes; it cannot serve any more")
            }
        }
    }
}

/// Goes back while no daemon runs on this root. Returns the id of the model that serves from the next start on.
pub fn roll_back_alone(state: &std::path::Path, requested: Option<&str>, kind: &FeatureKind) -> Result<String, Fatal> {
    let _lock = Lock::take(state)?;
    let mut catalog = Catalog::open(state)?.catalog;
    let models = catalog.models()?;
    let row = target(&models, requested, kind).map_err(|why| Fatal::Failed(why.to_string()))?;
    let id = row.map(|row| row.id.as_str());
    catalog.together(|catalog| catalog.make_current(id))?;
    Ok(id.unwrap_or(UNTRAINED_ID).to_string())
}

/// Makes a stored model ready to serve, on a thread of its own.
pub struct Restorer {
    /// Which run of a job.
    pub run: u64,
    /// The catalog.
    pub catalog: CatalogReaders,
    /// The model; `None` is the untrained network.
    pub row: Option<ModelRow>,
    /// Whether the catalog does not have it: it comes from another node.
    pub is_new: bool,
    /// The settings of models.
    pub settings: ModelSettings,
    /// Makes the features that it takes.
    pub extractor: Arc<Extractor>,
    /// To the loop.
    pub handle: Arc<TrainingHandle>,
    /// To the loop.
    pub sender: Sender<TrainingMessage>,
}

impl Restorer {
    /// Starts the thread. It ends when the loop has ended.
    pub fn start(self, ends: Sender<ThreadEnd>) -> Result<(), Trouble> {
        let run = self.run;
        let work = move || {
            let ending = match self.restore() {
                Ok(successor) => Ok(TrainingEnd::Ready(Box::new(successor))),
                Err(Halt::Cancelled) => Ok(TrainingEnd::Cancelled),
                Err(Halt::Trouble(trouble)) => Err(trouble),
            };
            end_with(ending, |event| self.send(event));
        };
        threads::spawn(&thread_name(THREAD, run), ends, work).map(drop)
    }

    fn restore(&self) -> Result<Successor, Halt> {
        let catalog = self.catalog.open()?;
        self.handle.enter(Stage::Encoding);
        let kind = self.extractor.kind();
        let stored = self.row.as_ref().map_or(Ok(None), |row| Model::from_row(row, &kind))?;
        let model = stored.unwrap_or_else(|| Model::untrained(&self.settings, kind));
        let (handle, send) = (&*self.handle, &|event| self.send(event));
        let index =
            Reencoding { catalog: &catalog, model: &model, has_served: !self.is_new, expected: 0, handle, send }
                .run()?;
        if self.handle.is_cancelled() {
            return Err(Halt::Cancelled);
        }
        let row = self.row.clone().filter(|_| self.is_new);
        Ok(Successor { extractor: Arc::clone(&self.extractor), model, row, index, network: None })
    }

    fn send(&self, event: TrainingEvent) -> Result<(), Halt> {
        self.sender.send(TrainingMessage { run: self.run, event }).map_err(|_| Halt::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Encoder;

    fn row(id: &str, decision: Decision) -> ModelRow {
        ModelRow {
            id: id.into(),
            created_s: 1,
            encoder: Encoder::Pretrained.into(),
            features_version: FeatureKind::of(Encoder::Pretrained).version.to_string(),
            trained_on: 36,
            source: crate::catalog::TrainingSource::Inventory.into(),
            inventory_count: 0,
            reconstruction_error: 0.25,
            weights: Vec::new(),
            decision,
            reason: "its pictures are too similar".into(),
            figures: "null".into(),
        }
    }

    fn models(serving: &str) -> Vec<(ModelRow, bool)> {
        let foreign = ModelRow { features_version: "another".into(), ..row("m1", Decision::Passed) };
        [
            row("m5", Decision::Passed),
            row("m4", Decision::Refused),
            row("m3", Decision::Passed),
            row("m2", Decision::Unchecked),
            foreign,
        ]
        .map(|row| (row.clone(), row.id == serving))
        .to_vec()
    }

    fn id(models: &[(ModelRow, bool)], requested: Option<&str>) -> Result<String, String> {
        let row = target(models, requested, &FeatureKind::of(Encoder::Pretrained)).map_err(|why| why.to_string())?;
        Ok(row.map_or(UNTRAINED_ID, |row| &row.id).to_string())
    }

    #[test]
    fn without_a_name_it_goes_back_to_the_last_that_may_serve() {
        assert_eq!(id(&models("m5"), None).as_deref(), Ok("m3"));
        assert_eq!(id(&models("m3"), None).as_deref(), Ok("m2"));
        assert_eq!(id(&models("m2"), None).as_deref(), Ok(UNTRAINED_ID));
        assert!(id(&models("none"), None).unwrap_err().contains("nothing to go back to"));
    }

    #[test]
    fn with_a_name_it_goes_there_forward_as_well() {
        assert_eq!(id(&models("m3"), Some("m5")).as_deref(), Ok("m5"));
        assert_eq!(id(&models("m3"), Some(UNTRAINED_ID)).as_deref(), Ok(UNTRAINED_ID));
        assert!(id(&models("m3"), Some("m3")).unwrap_err().contains("serves already"));
        assert!(id(&models("m3"), Some("m4")).unwrap_err().contains("was refused"));
        assert!(id(&models("m3"), Some("m1")).unwrap_err().contains("other features"));
        assert!(id(&models("m3"), Some("m9")).unwrap_err().contains("no model m9"));
    }
}
