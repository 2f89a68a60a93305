//! Trains a model on a thread of its own while the service runs. It reads the catalog and writes nothing: it sends its results
//! to the event loop in batches small enough not to delay anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::{Sender, bounded};
use log::debug;

use super::fit_pictures::{FitPictures, FitSamples};
use super::handle::{Stage, TrainingHandle};
use super::network_change::NetworkSuccessor;
use super::reencoding::EmbeddedContents;
use super::regrouping::FolderNumbers;
use super::sketch::ContentSample;
use crate::catalog::{Catalog, CatalogReaders, Decision, ModelRow, Root, TrainedPicture, TrainingSource};
use crate::config::Config;
use crate::error::Trouble;
use crate::index::Index;
use crate::model::{Extractor, FeatureKind, Model, TrainingError};
use crate::picture::Hash;
use crate::progress::Progress;
use crate::quarantine::Guard;
use crate::serving::Serving;
use crate::threads::{self, ThreadEnd};

/// Name of the thread.
pub const THREAD: &str = "training";
/// Contents in one message of what was trained on.
const CONTENTS_BATCH: usize = 2_000;
/// All other work comes first (see nice(1)).
const NICENESS: i32 = 19;

/// What to train.
pub struct TrainingInput {
    /// The catalog.
    pub catalog: CatalogReaders,
    /// The id of the new model.
    pub id: String,
    /// Where the pictures come from.
    pub source: TrainingSource,
    /// The training pictures.
    pub training: ContentSample,
    /// The inventory.
    pub inventory: ContentSample,
    /// The model to compare the new one with; `None` where they cannot be compared.
    pub against: Option<Model>,
    /// The settings in force.
    pub config: Arc<Config>,
    /// Makes features of changed pictures.
    pub extractor: Arc<Extractor>,
    /// Pictures are decoded through it. This thread's slot has no supervisor: its pictures were decoded in time before, and at
    /// its low priority elapsed time means nothing.
    pub guard: Guard,
    /// Seconds since 1970.
    pub now_s: i64,
}

/// A message of a training thread.
pub struct TrainingMessage {
    /// Which training: a cancelled one may still send messages.
    pub run: u64,
    /// What happened.
    pub event: TrainingEvent,
}

/// What happened in a training.
pub enum TrainingEvent {
    /// Embeddings of the new model; they are used once it serves.
    Embeddings(EmbeddedContents),
    /// Some of the pictures that it was trained on.
    TrainedOn(Vec<TrainedPicture>),
    /// Features with their version: of augmented pictures, so that the next training does not have to compute them again, or of a network
    /// that is to take the place of the one in force.
    Features(Vec<(Hash, String, Vec<f32>)>),
    /// It has ended.
    Ended {
        /// How.
        ending: Result<TrainingEnd, Trouble>,
        /// What served before goes back here: freeing a large index takes a while.
        retired: Sender<Serving>,
    },
}

/// How a training without trouble ended.
pub enum TrainingEnd {
    /// With a model that passed.
    Ready(Box<Successor>),
    /// With a model that was refused.
    Refused(Box<ModelRow>),
    /// It was cancelled.
    Cancelled,
    /// The network that the settings name is the one in force.
    SameNetwork,
    /// The network that the settings name cannot be used.
    NoNetwork(Trouble),
}

/// A model ready to serve; the loop has its embeddings already, but for the changes recorded since.
pub struct Successor {
    /// Makes the features that it takes.
    pub extractor: Arc<Extractor>,
    /// Ready to serve.
    pub model: Model,
    /// To be stored; `None` for one that is stored already.
    pub row: Option<ModelRow>,
    /// The inventory's embeddings.
    pub index: Index,
    /// Where it takes features of another network than the model before.
    pub network: Option<NetworkSuccessor>,
}

/// Why a training stopped early.
pub(super) enum Halt {
    Cancelled,
    Trouble(Trouble),
}

impl From<Trouble> for Halt {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// A training under way, as its thread sees it.
pub struct TrainingJob {
    /// Which training.
    pub run: u64,
    /// What to train.
    pub input: TrainingInput,
    /// To the loop.
    pub handle: Arc<TrainingHandle>,
    /// To the loop.
    pub sender: Sender<TrainingMessage>,
}

impl TrainingInput {
    /// The pictures of the source.
    pub fn pictures(&self) -> &ContentSample {
        match self.source {
            TrainingSource::Training => &self.training,
            TrainingSource::Inventory => &self.inventory,
        }
    }

    /// Path of a file of a root that has this content, relative to its folder.
    pub(super) fn file_with(&self, catalog: &Catalog, root: Root, content: Hash) -> Result<Option<PathBuf>, Trouble> {
        Ok(catalog.files_with(root, content)?.into_iter().next())
    }

    /// The folder of pictures to train on, or of the inventory.
    pub(super) fn folder(&self, root: Root) -> &Path {
        let folders = &self.config.folders;
        if root == Root::Training { &folders.training } else { &folders.inventory }
    }
}

impl TrainingJob {
    /// Starts the thread. It ends when the loop has ended.
    pub fn start(self, ends: Sender<ThreadEnd>) -> Result<(), Trouble> {
        let run = self.run;
        let work = move || {
            run_when_idle();
            let ending = match self.train() {
                Ok(ending) => Ok(ending),
                Err(Halt::Cancelled) => Ok(TrainingEnd::Cancelled),
                Err(Halt::Trouble(trouble)) => Err(trouble),
            };
            end_with(ending, |event| self.send(event));
        };
        threads::spawn(&thread_name(THREAD, run), ends, work).map(drop)
    }

    pub(super) fn train(&self) -> Result<TrainingEnd, Halt> {
        let TrainingInput { id, source, config, .. } = &self.input;
        let catalog = self.input.catalog.open()?;
        self.enter(Stage::Reading)?;
        let pictures = self.read_pictures(&catalog)?;
        let training_set = &pictures.set;
        self.record_pictures()?;
        let mut row = ModelRow {
            id: id.clone(),
            created_s: self.input.now_s,
            encoder: config.model.encoder.into(),
            features_version: self.features().version.to_string(),
            trained_on: training_set.training().len(),
            source: (*source).into(),
            inventory_count: if training_set.inventory_count() > 0 { self.input.inventory.count() } else { 0 },
            reconstruction_error: 1.0,
            weights: Vec::new(),
            decision: Decision::Refused,
            reason: String::new(),
            figures: "null".into(),
        };
        let mut evidence = self.evidence_of(&pictures);
        self.enter(Stage::Fitting)?;
        let learned = match evidence.has_enough_distinct() {
            true => training_set.train(&config.model, &*self.handle),
            false => Err(TrainingError::Failed(evidence.verdict().reason)),
        };
        let autoencoder = match learned {
            Ok(autoencoder) => autoencoder,
            Err(TrainingError::Cancelled) => return Err(Halt::Cancelled),
            Err(TrainingError::Failed(reason)) => {
                row.figures = serde_json::to_string(&evidence).unwrap_or_default();
                row.reason = reason;
                return Ok(TrainingEnd::Refused(Box::new(row)));
            }
        };
        self.enter(Stage::Checking)?;
        row.reconstruction_error = autoencoder.reconstruction_error(training_set.training());
        row.weights = autoencoder.to_safetensors();
        let model = Model::trained(id.clone(), self.features(), row.trained_on, autoencoder);
        self.examine(&catalog, &pictures, &model, &mut evidence)?;
        // What it was fitted to is as large as a second index.
        drop(pictures);
        let verdict = evidence.verdict();
        row.figures = serde_json::to_string(&evidence).unwrap_or_default();
        row.reason = verdict.reason;
        if !verdict.passes {
            return Ok(TrainingEnd::Refused(Box::new(row)));
        }
        row.decision = Decision::Passed;
        let index = self.encode_inventory(&catalog, &model)?;
        Ok(TrainingEnd::Ready(Box::new(Successor {
            extractor: Arc::clone(&self.input.extractor),
            model,
            row: Some(row),
            index,
            network: None,
        })))
    }

    /// Sends what the policy will compare with, and from which the training can be repeated: the pictures of the source, those of the
    /// inventory that is trained on as well, and which folders they lie in.
    fn record_pictures(&self) -> Result<(), Halt> {
        let TrainingInput { source, inventory, config, .. } = &self.input;
        let asks_folders = config.model.asks_folders();
        let has_inventory = *source == TrainingSource::Training && config.model.train_on_inventory;
        let samples =
            [(source.root(), Some(self.input.pictures())), (Root::Inventory, has_inventory.then_some(inventory))];
        for (root, sample) in samples {
            let trained = |(content, folders): (Hash, FolderNumbers)| TrainedPicture {
                root,
                content,
                folders: asks_folders.then(|| folders.to_bytes()),
            };
            let pictures: Vec<TrainedPicture> =
                sample.into_iter().flat_map(ContentSample::pictures).map(trained).collect();
            for some in pictures.chunks(CONTENTS_BATCH) {
                self.send(TrainingEvent::TrainedOn(some.to_vec()))?;
            }
        }
        Ok(())
    }

    /// What is trained on: what the samples hold, or as much of it as a fit takes.
    fn read_pictures(&self, catalog: &Catalog) -> Result<FitPictures, Trouble> {
        let TrainingInput { source, inventory, config, .. } = &self.input;
        let samples = FitSamples {
            source: *source,
            pictures: self.input.pictures(),
            inventory: config.model.train_on_inventory.then_some(inventory),
            asks_folders: config.model.asks_folders(),
        };
        FitPictures::read(catalog, &self.features(), &samples)
    }

    /// The features that the model takes.
    pub fn features(&self) -> FeatureKind {
        self.input.extractor.kind()
    }

    pub(super) fn enter(&self, stage: Stage) -> Result<(), Halt> {
        self.handle.enter(stage);
        self.check()
    }

    pub(super) fn check(&self) -> Result<(), Halt> {
        if self.handle.is_cancelled() { Err(Halt::Cancelled) } else { Ok(()) }
    }

    pub(super) fn send(&self, event: TrainingEvent) -> Result<(), Halt> {
        self.sender.send(TrainingMessage { run: self.run, event }).map_err(|_| Halt::Cancelled)
    }
}

/// The last message of a thread that prepares a model. It then frees what served before: that takes a while.
pub(super) fn end_with(ending: Result<TrainingEnd, Trouble>, send: impl FnOnce(TrainingEvent) -> Result<(), Halt>) {
    let (retired, receiver) = bounded(1);
    // There is no receiver when the daemon is stopping; only the work is lost.
    if send(TrainingEvent::Ended { ending, retired }).is_ok() {
        drop(receiver.recv());
    }
}

/// Gives this thread the lowest priority.
pub fn run_when_idle() {
    // A hardened service may not be allowed to; then the thread runs at normal priority.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        debug!("this thread runs at normal priority: {error}");
    }
}

/// The thread of one run, so that the end of one is not taken for that of the next.
pub fn thread_name(kind: &str, run: u64) -> String {
    format!("{kind}-{run}")
}
