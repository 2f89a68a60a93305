//! Training beside the service, and the exchange of models, as the loop sees them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{debug, info};

use super::Daemon;
use super::leash::Leash;
use super::serving::Serving;
use super::start::{code_of, load_tried};
use super::status::{LastTrainingPart, TrainingPart};
use super::trainer::{Ending, Message, News, Order, Successor, Trainer};
use super::training::{self, Source, Stir};
use crate::catalog::{ModelRow, Root};
use crate::clock;
use crate::error::Trouble;
use crate::model::Model;
use crate::picture::Hash;
use crate::watch::Tree;

/// A training that could not be kept is tried again after this long.
const TRAINING_RETRY: Duration = Duration::from_secs(30);
/// Codes as wide as this can be held against the network as it is.
const WIDE: usize = 64;
/// Codes of models no longer kept that are dropped in one turn of the loop.
const DROPPED_AT_ONCE: usize = 1_000;

/// The training under way.
pub struct Training {
    run: u64,
    id: String,
    pictures: usize,
    source: Source,
    leash: Arc<Leash>,
    started: Instant,
}

impl Training {
    /// For `status.json`.
    pub fn part(&self) -> TrainingPart {
        let (stage, share) = self.leash.progress();
        TrainingPart { id: self.id.clone(), pictures: self.pictures, source: self.source.name(), stage, share }
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
    pub(super) fn stir(&mut self) {
        self.stir = Some(Stir::again(self.stir, self.now()));
    }

    fn quiet(&self) -> Duration {
        Duration::from_secs(self.config.model.quiet_s.get())
    }

    /// When it may be time to think about training.
    pub(super) fn training_due(&self) -> Option<Duration> {
        self.stir.filter(|_| self.training.is_none())?.next_look(self.now(), self.quiet())
    }

    /// Starts a training when the policy says so.
    pub(super) fn consider_training(&mut self) {
        let roots = || [Root::Inventory, Root::Training].into_iter().map(|root| (root, self.tree(root)));
        let is_known = roots().all(|(_, tree)| tree.is_some_and(Tree::was_seen));
        let is_busy = roots().any(|(root, tree)| {
            self.plan.pending(root) > 0 || tree.is_none_or(|tree| !tree.is_seen() || tree.settling() > 0)
        });
        let is_ripe = self.stir.is_some_and(|stir| stir.is_ripe(self.now(), self.quiet(), is_busy));
        if !is_ripe || !is_known || self.training.is_some() {
            return;
        }
        self.stir = None;
        let (training, inventory) = (self.contents_of(Root::Training), self.contents_of(Root::Inventory));
        self.note_refusal(training.len());
        if let Some(source) = training::due(&self.config.model, &self.tried, &training, &inventory) {
            self.start_training(source);
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

    fn inventory(&self) -> HashMap<PathBuf, Hash> {
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
        let to_beat = if serving.trained_on() > 0 && is_allowed { serving } else { Model::untrained() };
        // Whoever asks for narrower codes knows that they tell less apart.
        let is_comparable = if to_beat.trained_on() > 0 { to_beat.code_width() <= width } else { width >= WIDE };
        is_comparable.then_some(to_beat)
    }

    fn start_training(&mut self, source: Source) {
        match self.catalog.models_trained() {
            // One that was cancelled has a number too, and maybe codes: none is given twice.
            Ok(number) => self.runs = self.runs.max(number.unsigned_abs()) + 1,
            Err(trouble) => return self.put_training_off("catalog", trouble),
        }
        let order = Order {
            state: self.config.folders.state.clone(),
            id: format!("m{}-{}", self.runs, clock::today()),
            source,
            training: self.files_of(Root::Training),
            inventory: self.files_of(Root::Inventory),
            paths: self.inventory(),
            against: self.model_to_beat(),
            config: Arc::clone(&self.config),
            trunk: Arc::clone(&self.trunk),
            now_s: clock::now_s(),
        };
        let pictures = if source == Source::Training { order.training.len() } else { order.inventory.len() };
        info!("training model {} on {pictures} {} pictures", order.id, source.name());
        let leash = Arc::<Leash>::default();
        let training = Training {
            run: self.runs,
            id: order.id.clone(),
            pictures,
            source,
            leash: Arc::clone(&leash),
            started: Instant::now(),
        };
        let trainer = Trainer { run: self.runs, order, leash, sender: self.channels.training_sender.clone() };
        match trainer.start() {
            Ok(()) => self.training = Some(training),
            Err(trouble) => self.put_training_off("training", trouble),
        }
    }

    fn put_training_off(&mut self, about: &'static str, trouble: Trouble) {
        self.training = None;
        self.stir = Some(Stir::later(self.now() + TRAINING_RETRY));
        self.note(about, Some(trouble));
    }

    /// Ends the training under way, whose result would not be what is wanted now.
    pub(super) fn cancel_training(&mut self) {
        if let Some(training) = self.training.take() {
            info!("the training of model {} is broken off", training.id);
            self.has_ownerless_codes = true;
            self.stir();
        }
    }

    /// Takes in what a training thread says.
    pub(super) fn take_news(&mut self, message: Message) {
        let Some(training) = self.training.as_ref().filter(|training| training.run == message.run) else { return };
        let id = training.id.clone();
        let kept = match message.news {
            News::Codes(codes) => self
                .catalog
                .together(|catalog| codes.iter().try_for_each(|(hash, code)| catalog.put_code(*hash, &id, code))),
            News::TrainedOn(contents) => self
                .catalog
                .together(|catalog| contents.iter().try_for_each(|hash| catalog.put_trained_picture(&id, *hash))),
            News::Views(views) => self.catalog.together(|catalog| {
                views.iter().try_for_each(|(hash, kind, features)| catalog.put_features(*hash, kind, features))
            }),
            News::Ended(Ok(ending)) => {
                debug!("training took {:.1} s", training.started.elapsed().as_secs_f64());
                self.training = None;
                self.end_training(ending)
            }
            News::Ended(Err(trouble)) => Err(trouble),
        };
        if let Err(trouble) = kept {
            self.put_training_off("training", trouble);
        }
    }

    fn end_training(&mut self, ending: Ending) -> Result<(), Trouble> {
        match ending {
            Ending::Cancelled => {}
            Ending::Refused(row) => {
                self.keep_refused(&row)?;
                info!("model {} is refused: {}; what served serves on", row.id, row.reason);
                self.last_training = Some(LastTrainingPart::of(&row));
            }
            Ending::Ready(successor) => self.take_over(*successor)?,
        }
        self.tried = load_tried(&self.catalog)?;
        self.note("training", None);
        // Pictures may have come meanwhile.
        self.stir();
        Ok(())
    }

    /// A new model serves from now on, with the codes of all pictures, those that came or went meanwhile included.
    fn take_over(&mut self, successor: Successor) -> Result<(), Trouble> {
        let Successor { model, row, mut index, inventory } = successor;
        let now = self.inventory();
        let late: Vec<_> = now.iter().filter(|(path, hash)| inventory.get(*path) != Some(hash)).collect();
        let gone = inventory.keys().filter(|path| !now.contains_key(*path));
        index.remove(gone.map(PathBuf::as_path));
        let keep = self.config.model.keep_models.count();
        self.catalog.together(|catalog| {
            for (path, &hash) in late {
                index.remove([path.as_path()]);
                if let Some(code) = code_of(catalog, &model, hash)? {
                    catalog.put_code(hash, &row.id, &code)?;
                    index.put(path, &code);
                }
            }
            catalog.put_model(&row)?;
            catalog.make_current(Some(&row.id))?;
            catalog.drop_old_models(keep)
        })?;
        self.has_ownerless_codes = true;
        let beside = if row.beside > 0 { format!(" beside {} of the inventory", row.beside) } else { String::new() };
        info!(
            "model {} serves: trained on {} {} pictures{beside}, {:.1} % of what tells them apart kept in {} values; {}",
            row.id,
            row.trained_on,
            row.source,
            100.0 * (1.0 - row.reconstruction_error),
            model.code_width(),
            row.reason
        );
        self.last_training = Some(LastTrainingPart::of(&row));
        // What served is taken apart after the lock is given back: queries do not wait for that.
        let served = std::mem::replace(&mut *self.serving.write(), Serving::new(model, index));
        drop(served);
        Ok(())
    }

    /// Records a model that is not to serve.
    fn keep_refused(&mut self, row: &ModelRow) -> Result<(), Trouble> {
        let keep = self.config.model.keep_models.count();
        self.has_ownerless_codes = true;
        self.catalog.together(|catalog| {
            catalog.put_model(row)?;
            catalog.drop_old_models(keep)
        })
    }

    /// Drops some of the codes of models that are no longer kept: all at once would hold up everybody.
    pub(super) fn drop_ownerless_codes(&mut self) {
        if self.has_ownerless_codes && self.training.is_none() {
            match self.catalog.drop_ownerless_codes(None, DROPPED_AT_ONCE) {
                Ok(were_some) => self.has_ownerless_codes = were_some,
                Err(trouble) => self.note("catalog", Some(trouble)),
            }
        }
    }
}
