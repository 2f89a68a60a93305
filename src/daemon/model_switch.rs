//! Handles the messages of a training thread, and replaces the model that serves by the new one.

use std::sync::Arc;

use crossbeam_channel::Sender;
use log::{debug, info};

use super::retrain::TRAINING_RETRY;
use super::state::{Purpose, UnderWay};
use crate::catalog::ModelRow;
use crate::daemon::Daemon;
use crate::error::Trouble;
use crate::model::Model;
use crate::service_status::LastTrainingPart;
use crate::serving::Serving;
use crate::training::handle::TrainingHandle;
use crate::training::history::TrainingHistory;
use crate::training::job::{Successor, TrainingEnd, TrainingEvent, TrainingMessage};
use crate::training::reencoding::apply_changes;

/// Embeddings of deleted models that are deleted in one turn of the loop.
const DROPPED_AT_ONCE: usize = 1_000;

impl Daemon {
    /// Handles a message of a training thread.
    pub(super) fn take_training_event(&mut self, message: TrainingMessage) {
        let Some(job) = self.training.run(message.run) else { return };
        let (id, started, handle) = (job.id.clone(), job.started, Arc::clone(&job.handle));
        let kept = match message.event {
            TrainingEvent::Embeddings(embeddings) => self.store.catalog_mut().together(|catalog| {
                embeddings.iter().try_for_each(|(hash, embedding)| catalog.put_embedding(*hash, &id, embedding))
            }),
            TrainingEvent::TrainedOn(pictures) => self
                .store
                .catalog_mut()
                .together(|catalog| pictures.iter().try_for_each(|one| catalog.put_trained_picture(&id, one))),
            TrainingEvent::Features(rows) => self.store.catalog_mut().together(|catalog| {
                rows.iter().try_for_each(|(hash, kind, features)| catalog.put_features(*hash, kind, features))
            }),
            TrainingEvent::Ended { ending, retired } => {
                debug!("model {id} took {:.1} s", started.elapsed().as_secs_f64());
                ending.and_then(|ending| self.end_training(ending, &handle, &retired))
            }
        };
        if let Err(trouble) = kept {
            if let Some(job) = self.training.end() {
                self.report_failure(&job, &trouble.to_string());
                self.try_network_again(&job);
            }
            self.delay_training(trouble, TRAINING_RETRY);
        }
    }

    fn end_training(
        &mut self,
        ending: TrainingEnd,
        handle: &TrainingHandle,
        retired: &Sender<Serving>,
    ) -> Result<(), Trouble> {
        match ending {
            TrainingEnd::Cancelled => {}
            TrainingEnd::SameNetwork => self.note("network", None),
            TrainingEnd::NoNetwork(trouble) => self.note("network", Some(trouble)),
            TrainingEnd::Refused(row) => {
                self.keep_model(&row)?;
                info!(model = row.id.as_str(); "model {} is refused: {}; the model before stays in use", row.id, row.reason);
                self.training.set_last(LastTrainingPart::of(&row));
            }
            TrainingEnd::Ready(successor) => {
                if let Some(row) = self.row_to_propose(&successor) {
                    self.propose_model(row);
                    let Successor { extractor, model, index, .. } = *successor;
                    let _ = retired.send(Serving::new(extractor, model, index));
                    return Ok(());
                }
                let served = self.switch_model(*successor, handle)?;
                // The thread frees it: for a large index that takes longer than a turn of the loop may.
                let _ = retired.send(served);
                self.withdraw_exchange();
            }
        }
        let ended = self.training.end().map(UnderWay::take_purpose);
        if let Some(Purpose::Rollback(place)) = ended {
            self.report_rollback(&place);
        }
        self.training_ended()
    }

    /// The history of trainings is another one, and new pictures may have been read during the last.
    pub(super) fn training_ended(&mut self) -> Result<(), Trouble> {
        self.training.set_history(TrainingHistory::load(self.store.catalog(), &self.features())?);
        self.note("training", None);
        self.training_pictures_changed();
        Ok(())
    }

    /// Lets a new model serve, with the embeddings of all pictures; the last ones that came or went during the training are included.
    /// Returns what served before.
    fn switch_model(&mut self, successor: Successor, handle: &TrainingHandle) -> Result<Serving, Trouble> {
        let Successor { extractor, model, row, mut index, network } = successor;
        if let Some(network) = &network {
            self.put_network_in_force(network, model.features())?;
        }
        let keep = self.config().model.keep_models.count();
        let mut changed = Vec::new();
        self.store.catalog_mut().together(|catalog| {
            let changes = handle.take_changes();
            let late = apply_changes(catalog, &model, &mut index, &changes)?;
            changed.extend(changes);
            for (hash, embedding) in late.iter().filter(|_| model.is_trained()) {
                catalog.put_embedding(*hash, model.id(), embedding)?;
            }
            if let Some(row) = &row {
                catalog.put_model(row)?;
            }
            catalog.make_current(model.is_trained().then(|| model.id()))?;
            catalog.drop_old_models(keep)
        })?;
        self.training.mark_orphans();
        if let Some(network) = network {
            self.read_what_lacks_features(network, &changed, model.features())?;
        } else {
            self.log_new_model(&model, row.as_ref());
        }
        let mut serving = self.serving.write();
        index.take_over(&serving.index);
        Ok(std::mem::replace(&mut *serving, Serving::new(extractor, model, index)))
    }

    pub(super) fn log_new_model(&mut self, model: &Model, new: Option<&ModelRow>) {
        let Some(row) = new else { return info!("back to model {}: it serves from now on", model.id()) };
        let with_inventory = if row.inventory_count > 0 {
            format!(" and {} of the inventory", row.inventory_count)
        } else {
            String::new()
        };
        let folders = model.folder_lesson().map(|lesson| format!("; {}", lesson.sentence())).unwrap_or_default();
        info!(
            model = row.id.as_str();
            "model {} serves: trained on {} {} pictures{with_inventory}, {:.1} % of the variance between them kept in {} values; {}{folders}",
            row.id,
            row.trained_on,
            row.source.name(),
            100.0 * (1.0 - row.reconstruction_error),
            model.embedding_width(),
            row.reason
        );
        self.training.set_last(LastTrainingPart::of(row));
    }

    /// Stores a model that does not serve.
    pub(super) fn keep_model(&mut self, row: &ModelRow) -> Result<(), Trouble> {
        let keep = self.config().model.keep_models.count();
        self.training.mark_orphans();
        self.store.catalog_mut().together(|catalog| {
            catalog.put_model(row)?;
            catalog.drop_old_models(keep)
        })
    }

    /// Deletes some of the embeddings of deleted models: all at once would stall the loop.
    pub(super) fn drop_orphaned_embeddings(&mut self) {
        if self.training.may_have_orphans() && !self.store.is_failing() {
            match self.store.catalog_mut().drop_orphaned_embeddings(None, DROPPED_AT_ONCE) {
                Ok(true) => {}
                Ok(false) => self.training.orphans_are_gone(),
                Err(trouble) => self.catalog_failed(trouble),
            }
        }
    }
}
