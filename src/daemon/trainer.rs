//! The training itself, on a thread beside the running service. It reads the catalog and writes nothing: what is to be
//! kept it sends to the loop, in pieces that do not hold up anybody.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::Sender;
use log::debug;

use super::leash::{Leash, Stage};
use super::training::Source;
use crate::catalog::{Catalog, Decision, ModelRow};
use crate::config::Metric;
use crate::error::Trouble;
use crate::index::Index;
use crate::model::{Autoencoder, Model, PRETRAINED, Trunk};
use crate::picture::Hash;
use crate::progress::Progress;
use crate::rows::Rows;

/// Pictures whose features are in memory at a time while the inventory gets its codes, and whose codes the loop writes
/// as one transaction of a few milliseconds.
const BATCH: usize = 1_000;
/// Contents in one message of what was trained on.
const CONTENTS_BATCH: usize = 5_000;
/// Everybody else comes first (see nice(1)).
const NICENESS: i32 = 19;

/// What to train.
pub struct Order {
    /// Where the catalog is.
    pub state: PathBuf,
    /// The id of the new model.
    pub id: String,
    /// Where the pictures come from.
    pub source: Source,
    /// What to train on.
    pub pictures: Vec<Hash>,
    /// What needs codes: paths and contents.
    pub inventory: HashMap<PathBuf, Hash>,
    /// Values in a code.
    pub code_width: usize,
    /// How codes are compared.
    pub metric: Metric,
    /// Seconds since 1970.
    pub now_s: i64,
}

/// What a training thread says.
pub struct Message {
    /// Which training: one that was cancelled may still have something to say.
    pub run: u64,
    /// What of it.
    pub news: News,
}

/// What there is to say of a training.
pub enum News {
    /// Codes of the model to be; they become of use when it serves.
    Codes(Vec<(Hash, Vec<f32>)>),
    /// Some of the contents that it was trained on.
    TrainedOn(Vec<Hash>),
    /// It has ended.
    Ended(Result<Ending, Trouble>),
}

/// How a training ended that met with no trouble.
pub enum Ending {
    /// With a model that is to serve.
    Ready(Box<Successor>),
    /// With one that is not to.
    Refused(Box<ModelRow>),
    /// Before its end, as it was told to.
    Cancelled,
}

/// A model ready to take over; its codes are with the loop.
pub struct Successor {
    /// Ready to serve.
    pub model: Model,
    /// Ready to be kept.
    pub row: ModelRow,
    /// The inventory's codes.
    pub index: Index,
    /// What is in the index: paths and contents.
    pub inventory: HashMap<PathBuf, Hash>,
}

/// Why a training did not go on.
enum Halt {
    Cancelled,
    Trouble(Trouble),
}

impl From<Trouble> for Halt {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// A training under way, as its thread sees it.
pub struct Trainer {
    /// Which training.
    pub run: u64,
    /// What to train.
    pub order: Order,
    /// To the loop.
    pub leash: Arc<Leash>,
    /// To the loop.
    pub sender: Sender<Message>,
}

impl Trainer {
    /// Starts the thread. It ends by itself when the loop is gone.
    pub fn start(self) -> Result<(), Trouble> {
        let started = thread::Builder::new().name("training".into()).spawn(move || {
            step_back();
            let ending = match self.train() {
                Ok(ending) => Ok(ending),
                Err(Halt::Cancelled) => Ok(Ending::Cancelled),
                Err(Halt::Trouble(trouble)) => Err(trouble),
            };
            // Nobody hears this when the daemon is on its way out; nothing is lost but the work.
            let _ = self.send(News::Ended(ending));
        });
        started.map(drop).map_err(|error| Trouble::system("start the training thread", "artificio", &error))
    }

    fn train(&self) -> Result<Ending, Halt> {
        let Order { id, source, pictures, code_width, .. } = &self.order;
        let catalog = Catalog::open_reader(&self.order.state)?;
        self.enter(Stage::Reading)?;
        let (pictures, features) = catalog.many_features(pictures, Trunk::VERSION, Trunk::WIDTH)?;
        self.enter(Stage::Fitting)?;
        let autoencoder = Autoencoder::fit(&features, *code_width);
        let mut row = ModelRow {
            id: id.clone(),
            created_s: self.order.now_s,
            encoder: PRETRAINED.into(),
            trunk: Trunk::VERSION.into(),
            trained_on: pictures.len(),
            source: source.name().into(),
            beside: 0,
            reconstruction_error: 1.0,
            weights: Vec::new(),
            decision: Decision::Refused,
            reason: "the pictures are too much alike to learn from".into(),
            figures: "null".into(),
        };
        self.check()?;
        for contents in pictures.chunks(CONTENTS_BATCH) {
            self.send(News::TrainedOn(contents.to_vec()))?;
        }
        let Some(autoencoder) = autoencoder else { return Ok(Ending::Refused(Box::new(row))) };
        row.reconstruction_error = autoencoder.reconstruction_error(&features);
        row.weights = autoencoder.to_safetensors();
        (row.decision, row.reason) = (Decision::Passed, "it is the best for its pictures".into());
        drop(features);
        let model = Model::trained(id.clone(), row.trained_on, autoencoder);
        let index = self.encode_inventory(&catalog, &model)?;
        let inventory = self.order.inventory.clone();
        Ok(Ending::Ready(Box::new(Successor { model, row, index, inventory })))
    }

    /// Codes of the whole inventory: to the loop to be kept, and into an index.
    fn encode_inventory(&self, catalog: &Catalog, model: &Model) -> Result<Index, Halt> {
        self.enter(Stage::Encoding)?;
        let mut paths_of: HashMap<Hash, Vec<&PathBuf>> = HashMap::new();
        for (path, hash) in &self.order.inventory {
            paths_of.entry(*hash).or_default().push(path);
        }
        let mut contents: Vec<Hash> = paths_of.keys().copied().collect();
        contents.sort_unstable();
        let mut index = Index::empty(model.code_width(), self.order.metric);
        for (at, batch) in contents.chunks(BATCH).enumerate() {
            self.check()?;
            let (found, features) = catalog.many_features(batch, Trunk::VERSION, Trunk::WIDTH)?;
            let codes: Rows = model.codes(&features);
            let codes: Vec<(Hash, Vec<f32>)> = found.into_iter().zip(codes.iter().map(<[f32]>::to_vec)).collect();
            for (hash, code) in &codes {
                for path in paths_of.get(hash).into_iter().flatten() {
                    index.put(path, code);
                }
            }
            self.send(News::Codes(codes))?;
            self.leash.told((at * BATCH) as f32 / contents.len() as f32);
        }
        Ok(index)
    }

    fn enter(&self, stage: Stage) -> Result<(), Halt> {
        self.leash.enter(stage);
        self.check()
    }

    fn check(&self) -> Result<(), Halt> {
        if self.leash.is_cancelled() { Err(Halt::Cancelled) } else { Ok(()) }
    }

    fn send(&self, news: News) -> Result<(), Halt> {
        self.sender.send(Message { run: self.run, news }).map_err(|_| Halt::Cancelled)
    }
}

/// Makes this thread one that runs when nobody else wants to.
fn step_back() {
    // A hardened service may be forbidden to; then the thread competes as an equal.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        debug!("the training runs with the urgency of everything else: {error}");
    }
}
