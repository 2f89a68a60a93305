//! Starts and cancels trainings when the policy or a command says so.

use std::sync::Arc;
use std::time::Duration;

use log::info;

use crate::catalog::Root;
use crate::catalog::{Choice, TrainingSource};
use crate::clock;
use crate::config::ModelSettings;
use crate::daemon::Daemon;
use crate::daemon::commands::Refusal;
use crate::daemon::retry::RETRY_PAUSE;
use crate::daemon::state::{Purpose, UnderWay};
use crate::error::Trouble;
use crate::model::Model;
use crate::quarantine::{Suspects, Unsupervised};
use crate::training::history::Attempt;
use crate::training::job::{TrainingInput, TrainingJob};
use crate::training::policy;
use crate::training::sketch::ContentSample;
use crate::watch::Tree;

/// A training that failed is tried again after this long.
pub(super) const TRAINING_RETRY: Duration = Duration::from_secs(30);
/// Files that are looked at in one turn of the loop where a sample is made again: a few milliseconds.
const FILES_A_TURN: usize = 50_000;
/// While the first model is in training, no more pictures are read than have so many values: 20,000 with those of the backbone, seven
/// times as many as a model's. Besides, the training gets the cores that the pictures leave.
const MOST_UNTRAINED_VALUES: usize = 20_000 * 1_280;

impl Daemon {
    /// The pictures to train on, or the settings for training, have changed.
    pub(super) fn training_pictures_changed(&mut self) {
        let now = self.now();
        self.training.pictures_changed(now);
    }

    /// How long nothing may change before a training begins.
    pub(super) fn training_quiet(&self) -> Duration {
        Duration::from_secs(self.config().model.quiet_s.get())
    }

    /// Starts a training when the policy says so.
    pub(super) fn consider_training(&mut self) {
        let roots = || [Root::Inventory, Root::Training].into_iter().map(|root| (root, self.tree(root)));
        let is_known = roots().all(|(_, tree)| tree.is_some_and(Tree::is_first_scan_done));
        let is_busy = roots().any(|(root, tree)| {
            self.plan.awaited(root) > 0 || tree.is_none_or(|tree| !tree.is_scanned() || tree.settling() > 0)
        });
        if self.is_follower() {
            if let Some(request) = self.training.take_request() {
                self.report_start(&request, Err(Refusal::Elsewhere));
            }
            return;
        }
        // Another model would take the place of the one that is on its way to all nodes.
        if self.exchanged_model().is_some() {
            return;
        }
        let now = self.now();
        let is_overdue = self.training.is_overdue(now);
        if !(is_known || is_overdue) || !self.training.is_due(now, self.training_quiet(), is_busy) {
            return;
        }
        // After most pictures have gone, this takes several turns.
        if self.pictures.renew_samples(FILES_A_TURN) {
            return;
        }
        self.training.look();
        let (training, inventory) = (self.pictures.sample_of(Root::Training), self.pictures.sample_of(Root::Inventory));
        self.note_refusal(training.count());
        let request = self.training.take_request();
        let settings = &self.config().model;
        if let Some(request) = request {
            let folder = &self.config().folders.training;
            let source = policy::requested(settings, &training, &inventory);
            let source = source.map_err(|why| Refusal::TooFew(why, folder.clone()));
            let started = source.and_then(|source| Ok(self.start_training(source, [training, inventory])?));
            self.report_start(&request, started);
        } else if let Some(source) = policy::due(settings, self.training.history(), &training, &inventory) {
            // An error was reported where it happened; the training is tried again later.
            let _ = self.start_training(source, [training, inventory]);
        }
    }

    /// Lets the inventory wait while it grows faster than its first model comes.
    pub(super) fn hold_back_untrained(&mut self) {
        let is_first = self.training.under_way().is_some_and(UnderWay::is_training);
        let untrained_values = {
            let serving = self.serving.read();
            if serving.model.is_trained() { 0 } else { serving.index.len() * serving.index.width() }
        };
        let must_wait = is_first && untrained_values >= MOST_UNTRAINED_VALUES;
        match must_wait {
            true => self.plan.close(Root::Inventory),
            false => self.plan.open(Root::Inventory),
        }
    }

    /// Reports a refused model of the training folder, whose pictures a person can change, and one that is narrower than the model that
    /// serves and than usual, which is a setting. Of other refused models of the inventory nothing is reported: nothing can be done about them.
    fn note_refusal(&mut self, training_pictures: usize) {
        let is_enough = training_pictures >= self.config().model.min_train.count();
        let refused = |attempt: &Option<Attempt>| attempt.as_ref().and_then(|last| last.refused.clone());
        let history = self.training.history();
        let of_training = refused(&history.training).filter(|_| is_enough).map(|reason| {
            let folder = &self.config().folders.training;
            let what = format!("a model trained on these pictures was refused: {reason}");
            let remedy = format!(
                "look at the training folder: take out what does not show your kind of picture; the model before stays in use, and training is tried again when pictures have changed: ls '{}'",
                folder.display()
            );
            Trouble::new(what, folder, remedy)
        });
        let width = self.config().model.code_width.count();
        let serving = self.serving.read().model.clone();
        let is_narrower = width < serving.embedding_width().min(ModelSettings::default().code_width.count());
        let of_setting = refused(&history.inventory).filter(|_| is_narrower).map(|reason| {
            let what = format!("a model with code_width = {width} was refused: {reason}");
            let remedy = format!("raise code_width in [model]; until then \"{}\" stays in use", serving.id());
            Trouble::new(what, self.settings.path(), remedy)
        });
        self.note("refused", of_training.or(of_setting));
    }

    /// The model that a new one is compared with: the one that serves, unless it learned from what the settings forbid by now.
    fn model_to_beat(&self) -> Model {
        let settings = &self.config().model;
        let serving = Model::clone(&self.serving.read().model);
        let is_inventory_allowed = settings.train_on_inventory || self.training.history().serves_training_alone;
        let was_taught = serving.folder_lesson().is_some_and(|lesson| lesson.taught);
        let is_allowed = is_inventory_allowed && (settings.asks_folders() || !was_taught);
        if serving.trained_on() > 0 && is_allowed { serving } else { Model::untrained(settings, self.features()) }
    }

    /// The id of the new model.
    fn start_training(
        &mut self,
        source: TrainingSource,
        [training, inventory]: [ContentSample; 2],
    ) -> Result<String, Trouble> {
        let number = self.store.catalog_mut().reserve_model_number();
        // Nothing was done in vain: it is tried again soon.
        let number = number.inspect_err(|trouble| self.delay_training(trouble.clone(), RETRY_PAUSE))?;
        let node = self.workers.nodes().map(|nodes| format!("-{}", nodes.name())).unwrap_or_default();
        let id = format!("m{number}-{}{node}", clock::today());
        let input = TrainingInput {
            catalog: self.store.catalog().readers(),
            id: id.clone(),
            source,
            training,
            inventory,
            against: Some(self.model_to_beat()),
            config: Arc::clone(self.settings.config()),
            extractor: self.serving.extractor(),
            guard: self.workers.quarantine().guard("training", Suspects::Leave, Arc::new(Unsupervised)),
            now_s: clock::now_s(),
        };
        let pictures = input.pictures().hashes().len();
        info!(model = id.as_str(); "training model {id} on {pictures} {} pictures", source.name());
        let job = self.training.prepare(&id, Purpose::Training { pictures, source });
        let (run, handle) = (job.run, Arc::clone(&job.handle));
        let trainer = TrainingJob { run, input, handle, sender: self.channels.training_sender.clone() };
        let started = trainer.start(self.channels.end_sender.clone());
        started.inspect_err(|trouble| self.delay_training(trouble.clone(), TRAINING_RETRY))?;
        self.training.begin(job);
        Ok(id)
    }

    /// Delays the next training after one that failed.
    pub(super) fn delay_training(&mut self, trouble: Trouble, pause: Duration) {
        let until = self.now() + pause;
        self.training.put_off(until);
        if self.store.catalog().is_about(&trouble) {
            // It may be over long before the next training is.
            self.note("training", None);
            self.catalog_failed(trouble);
        } else {
            self.note("training", Some(trouble));
        }
    }

    /// Cancels the training under way, whose result is not needed any more.
    pub(super) fn cancel_training(&mut self) {
        if let Some(job) = self.training.end() {
            self.withdraw_proposal(&job);
            if job.is_network_change() {
                self.training.network_may_differ();
            } else {
                info!("the training of model {} is cancelled", job.id);
            }
            self.report_failure(&job, "it was cancelled");
            self.training.mark_orphans();
            self.training_pictures_changed();
        }
    }

    /// The thread of the job under way panicked, which is a bug.
    pub(super) fn training_panicked(&mut self, trouble: Trouble) {
        if let Some(job) = self.training.end() {
            self.report_failure(&job, &trouble.what);
            self.try_network_again(&job);
            self.training.mark_orphans();
            self.delay_training(trouble, TRAINING_RETRY);
        }
    }
}
