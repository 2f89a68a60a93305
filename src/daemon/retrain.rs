//! Training beside the service, and the exchange of models.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use log::info;

use super::Daemon;
use super::serving::Serving;
use super::start::{code_of, load_index};
use super::status::TrainingPart;
use super::training::{self, Former, Order, Source, Trained};
use crate::catalog::Root;
use crate::clock;
use crate::error::Trouble;
use crate::picture::Hash;
use crate::watch::Tree;

/// A training that could not be kept is tried again after this long.
const TRAINING_RETRY: Duration = Duration::from_secs(30);

impl Daemon {
    /// When the pictures have been quiet long enough to think about training.
    pub(super) fn training_due(&self) -> Option<Duration> {
        let changed = self.supply_changed?;
        Some(changed + Duration::from_secs(self.config.model.quiet_s.get()))
    }

    /// Starts a training when the policy says so.
    pub(super) fn consider_training(&mut self) {
        let is_quiet = self.training_due().is_some_and(|due| due <= self.now());
        let is_busy = self.plan.pending(Root::Inventory) + self.plan.pending(Root::Training) > 0
            || [Root::Inventory, Root::Training]
                .iter()
                .any(|root| self.tree(*root).is_none_or(|tree: &Tree| !tree.is_seen() || tree.settling() > 0));
        if !is_quiet || is_busy || self.training.is_some() {
            return;
        }
        self.supply_changed = None;
        let (training, inventory) = (self.contents_of(Root::Training), self.contents_of(Root::Inventory));
        if let Some(source) = training::due(&self.config.model, &self.former, &training, &inventory) {
            let pictures = if source == Source::Training { &training } else { &inventory };
            self.start_training(source, pictures, &inventory);
        }
    }

    fn contents_of(&self, root: Root) -> HashSet<Hash> {
        self.contents.iter().filter(|((of, _), _)| *of == root).map(|(_, hash)| *hash).collect()
    }

    fn start_training(&mut self, source: Source, pictures: &HashSet<Hash>, inventory: &HashSet<Hash>) {
        let number = match self.catalog.models_trained() {
            Ok(number) => number + 1,
            Err(trouble) => {
                self.supply_changed = Some(self.now() + TRAINING_RETRY);
                return self.note("catalog", Some(trouble));
            }
        };
        let sorted = |hashes: &HashSet<Hash>| {
            let mut hashes: Vec<Hash> = hashes.iter().copied().collect();
            // The same pictures give the same model, to the bit, whatever order they came in.
            hashes.sort_unstable();
            hashes
        };
        let order = Order {
            state: self.config.folders.state.clone(),
            id: format!("m{number}-{}", clock::today()),
            source,
            pictures: sorted(pictures),
            inventory: sorted(inventory),
            code_width: self.config.model.code_width.count(),
            now_s: clock::now_s(),
        };
        info!("training model {} on {} {} pictures", order.id, order.pictures.len(), source.name());
        self.training = Some(TrainingPart { id: order.id.clone(), pictures: order.pictures.len() });
        let sender = self.channels.trained_sender.clone();
        let started = Instant::now();
        let work = move || {
            let result = training::train(order);
            log::debug!("training took {:.1} s", started.elapsed().as_secs_f64());
            // The daemon is on its way out when nobody receives this; nothing is lost but the work.
            let _ = sender.send(Box::new(result));
        };
        if let Err(error) = thread::Builder::new().name("training".into()).spawn(work) {
            self.training = None;
            self.supply_changed = Some(self.now() + TRAINING_RETRY);
            self.note("training", Some(Trouble::system("start the training thread", "artificio", &error)));
        }
    }

    /// A training has ended: its model is kept and serves from now on.
    pub(super) fn take_over(&mut self, result: Result<Option<Trained>, Trouble>) {
        self.training = None;
        match result {
            Err(trouble) => {
                self.note("training", Some(trouble));
                self.supply_changed = Some(self.now() + TRAINING_RETRY);
            }
            Ok(None) => {
                info!("the training pictures are too much alike to learn from; the model stays as it is");
                self.note("training", None);
            }
            Ok(Some(trained)) => match self.keep_model(&trained) {
                Err(trouble) => {
                    self.note("training", Some(trouble));
                    self.supply_changed = Some(self.now() + TRAINING_RETRY);
                }
                Ok(()) => self.serve(trained),
            },
        }
    }

    /// The new model, the codes of the whole inventory under it, and its being current: one transaction.
    fn keep_model(&mut self, trained: &Trained) -> Result<(), Trouble> {
        let keep = self.config.model.keep_models.count();
        let (hashes, codes) = &trained.codes;
        let coded: HashSet<Hash> = hashes.iter().copied().collect();
        let late: Vec<Hash> = self.contents_of(Root::Inventory).difference(&coded).copied().collect();
        self.catalog.together(|catalog| {
            for (hash, code) in hashes.iter().zip(codes.iter()) {
                catalog.put_code(*hash, &trained.row.id, code)?;
            }
            // Pictures that arrived while the model was trained.
            for hash in late {
                if let Some(code) = code_of(catalog, &trained.model, hash)? {
                    catalog.put_code(hash, &trained.row.id, &code)?;
                }
            }
            for hash in &trained.pictures {
                catalog.put_trained_picture(&trained.row.id, *hash)?;
            }
            catalog.put_current_model(&trained.row, keep)
        })
    }

    fn serve(&mut self, trained: Trained) {
        match load_index(&self.catalog, &self.config, &trained.model, &self.contents) {
            Err(trouble) => self.note("catalog", Some(trouble)),
            Ok(index) => {
                info!(
                    "model {} serves: trained on {} {} pictures, {:.1} % of what tells them apart kept in {} values",
                    trained.row.id,
                    trained.row.trained_on,
                    trained.row.source,
                    100.0 * (1.0 - trained.row.reconstruction_error),
                    trained.model.code_width()
                );
                self.former = Former { pictures: trained.pictures.into_iter().collect(), source: trained.row.source };
                *self.serving.write() = Serving::new(trained.model, index);
                self.note("training", None);
                // Pictures may have come meanwhile.
                self.supply_changed = Some(self.now());
            }
        }
    }
}
