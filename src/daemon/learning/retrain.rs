//! Whether to train, and how a training begins and is broken off, as the loop sees it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::info;

use super::leash::Leash;
use super::trainer::{Order, Trainer};
use super::training::{self, Source, Stir};
use crate::catalog::Root;
use crate::clock;
use crate::daemon::Daemon;
use crate::daemon::reporting::status::TrainingPart;
use crate::error::Trouble;
use crate::model::Model;
use crate::picture::Hash;
use crate::watch::Tree;

/// A training that could not be kept is tried again after this long.
const TRAINING_RETRY: Duration = Duration::from_secs(30);
/// Codes as wide as this can be held against the network as it is.
const WIDE: usize = 64;

/// A thread that makes a model ready to serve: it learns one, or goes back to one.
pub struct Training {
    /// Which run of a thread.
    pub run: u64,
    /// The model's id.
    pub id: String,
    /// What it is for.
    pub purpose: Purpose,
    /// To the thread.
    pub leash: Arc<Leash>,
    /// When it began.
    pub started: Instant,
}

/// What a thread beside the service is for.
pub enum Purpose {
    /// A new model.
    Learning {
        /// Pictures it learns from.
        pictures: usize,
        /// Where they are from.
        source: Source,
    },
    /// A model of before; where the answer to whoever asked is awaited.
    Returning(PathBuf),
}

impl Training {
    /// What it was for, now that it has ended.
    pub fn take_purpose(mut self) -> Purpose {
        std::mem::replace(&mut self.purpose, Purpose::Returning(PathBuf::new()))
    }

    /// For `status.json`.
    pub fn part(&self) -> Option<TrainingPart> {
        let (stage, share) = self.leash.progress();
        match self.purpose {
            Purpose::Returning(_) => None,
            Purpose::Learning { pictures, source } => {
                Some(TrainingPart { id: self.id.clone(), pictures, source: source.name(), stage, share })
            }
        }
    }
}

impl Drop for Training {
    /// Whatever it is dropped for, nobody waits for its result.
    fn drop(&mut self) {
        self.leash.cancel();
    }
}

impl Daemon {
    /// The pictures to train on, or what is to be done with them, are not what they were.
    pub(in crate::daemon) fn stir(&mut self) {
        self.stir = Some(Stir::again(self.stir, self.now()));
    }

    fn quiet(&self) -> Duration {
        Duration::from_secs(self.config.model.quiet_s.get())
    }

    /// When it may be time to think about training.
    pub(in crate::daemon) fn training_due(&self) -> Option<Duration> {
        self.stir.filter(|_| self.training.is_none())?.next_look(self.now(), self.quiet())
    }

    /// Starts a training when the policy says so.
    pub(in crate::daemon) fn consider_training(&mut self) {
        let roots = || [Root::Inventory, Root::Training].into_iter().map(|root| (root, self.tree(root)));
        let is_known = roots().all(|(_, tree)| tree.is_some_and(Tree::was_seen));
        let is_busy = roots().any(|(root, tree)| {
            self.plan.pending(root) > 0 || tree.is_none_or(|tree| !tree.is_seen() || tree.settling() > 0)
        });
        let is_ripe = self.stir.is_some_and(|stir| stir.is_ripe(self.now(), self.quiet(), is_busy));
        let is_wished = self.wish.is_some() && !is_busy;
        if !(is_ripe || is_wished) || !is_known || self.training.is_some() {
            return;
        }
        self.stir = None;
        let (training, inventory) = (self.contents_of(Root::Training), self.contents_of(Root::Inventory));
        self.note_refusal(training.len());
        let settings = &self.config.model;
        if let Some(wish) = self.wish.take() {
            let folders = &self.config.folders;
            let source = training::wished(settings, &training, &inventory)
                .map_err(|why| format!("{why}; they go into {}", folders.training.display()));
            let started = source.and_then(|source| self.start_training(source).map_err(|trouble| trouble.to_string()));
            self.grant(&wish, started);
        } else if let Some(source) = training::due(settings, &self.tried, &training, &inventory) {
            // Noted by the one who met with it, and tried again later.
            let _ = self.start_training(source);
        }
    }

    /// What a person can do something about: what lies in the training folder. That a model of the inventory was not
    /// better than the one before it is nobody's fault.
    fn note_refusal(&mut self, training_pictures: usize) {
        let last = self.tried.training.as_ref().filter(|_| training_pictures >= self.config.model.min_train.count());
        let trouble = last.and_then(|last| last.refused.as_ref()).map(|reason| {
            let folder = &self.config.folders.training;
            let what = format!("a model trained on these pictures was refused: {reason}");
            let remedy = format!(
                "look at the training folder: take out what does not show your kind of picture; the model that served serves on, and it is tried again when pictures have changed: ls '{}'",
                folder.display()
            );
            Trouble::new(what, folder, remedy)
        });
        self.note("refused", trouble);
    }

    fn contents_of(&self, root: Root) -> HashSet<Hash> {
        self.contents.iter().filter(|((of, _), _)| *of == root).map(|(_, hash)| *hash).collect()
    }

    pub(in crate::daemon) fn inventory(&self) -> HashMap<PathBuf, Hash> {
        let of_inventory = self.contents.iter().filter(|((root, _), _)| *root == Root::Inventory);
        of_inventory.map(|((_, path), hash)| (path.clone(), *hash)).collect()
    }

    /// Contents of a root, each with a file that has it.
    fn files_of(&self, root: Root) -> BTreeMap<Hash, PathBuf> {
        let of_root = self.contents.iter().filter(|((of, _), _)| *of == root);
        of_root.map(|((_, path), hash)| (*hash, self.absolute(root, path))).collect()
    }

    /// The model that a new one is held against: the one that serves, unless the settings ask for another kind.
    fn model_to_beat(&self) -> Option<Model> {
        let settings = &self.config.model;
        let serving = self.serving.read().model.clone();
        let width = settings.code_width.count();
        let is_allowed = settings.train_on_inventory || self.tried.serves_training_alone;
        let to_beat = if serving.trained_on() > 0 && is_allowed { serving } else { Model::untrained(settings) };
        // Whoever asks for narrower codes knows that they tell less apart.
        let is_comparable = if to_beat.trained_on() > 0 { to_beat.embedding_width() <= width } else { width >= WIDE };
        is_comparable.then_some(to_beat)
    }

    /// The id of the new model.
    fn start_training(&mut self, source: Source) -> Result<String, Trouble> {
        let number = self.catalog.models_trained().inspect_err(|trouble| self.put_training_off(trouble.clone()))?;
        // One that was broken off has a number too, and maybe codes: none is given twice.
        self.last_number = self.last_number.max(number.unsigned_abs()) + 1;
        let id = format!("m{}-{}", self.last_number, clock::today());
        let order = Order {
            state: self.config.folders.state.clone(),
            id: id.clone(),
            source,
            training: self.files_of(Root::Training),
            inventory: self.files_of(Root::Inventory),
            paths: self.inventory(),
            against: self.model_to_beat(),
            config: Arc::clone(&self.config),
            extractor: Arc::clone(&self.extractor),
            guard: self.quarantine.guard("training", &Arc::default()),
            now_s: clock::now_s(),
        };
        let pictures = if source == Source::Training { order.training.len() } else { order.inventory.len() };
        info!(model = id.as_str(); "training model {id} on {pictures} {} pictures", source.name());
        let training = self.new_training(&id, Purpose::Learning { pictures, source });
        let (run, leash) = (training.run, Arc::clone(&training.leash));
        let trainer = Trainer { run, order, leash, sender: self.channels.training_sender.clone() };
        trainer.start().inspect_err(|trouble| self.put_training_off(trouble.clone()))?;
        self.training = Some(training);
        Ok(id)
    }

    /// The next run of a thread.
    pub(in crate::daemon) fn new_training(&mut self, id: &str, purpose: Purpose) -> Training {
        self.runs += 1;
        Training { run: self.runs, id: id.into(), purpose, leash: Arc::default(), started: Instant::now() }
    }

    /// Lets a training that met with trouble rest for a while.
    pub(in crate::daemon) fn put_training_off(&mut self, trouble: Trouble) {
        self.stir = Some(Stir::later(self.now() + TRAINING_RETRY));
        self.note("training", Some(trouble));
    }

    /// Ends the training under way, whose result would not be what is wanted now.
    pub(in crate::daemon) fn cancel_training(&mut self) {
        if let Some(training) = self.training.take() {
            info!("the training of model {} is broken off", training.id);
            self.give_up(&training, "it was broken off");
            self.has_ownerless_codes = true;
            self.stir();
        }
    }
}
