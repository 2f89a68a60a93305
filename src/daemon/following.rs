//! One node trains; the others answer with its model. Here this daemon learns of it, and says what keeps it from the others.

use std::sync::Arc;

use log::info;

use super::Daemon;
use super::state::{Purpose, UnderWay};
use crate::catalog::ModelRow;
use crate::error::Trouble;
use crate::model::UNTRAINED_ID;
use crate::nodes::{AnnouncedModel, Publisher, generation_name};
use crate::training::rollback::Restorer;

/// What this node may be kept from being one of many by.
const SUBJECTS: [&str; 3] = ["engine", "shared", "node"];

impl Daemon {
    /// Whether another node trains.
    pub(super) fn is_follower(&self) -> bool {
        self.workers.nodes().is_some_and(|nodes| !nodes.trains())
    }

    /// Makes the model ready that the node which trains answers with. What fails is announced again.
    pub(super) fn follow_trainer(&mut self) {
        let announced = self.workers.nodes().and_then(|nodes| nodes.state().take_announced());
        let Some(announced) = announced.filter(|_| self.is_follower()) else { return };
        let is_it = |job: &UnderWay| matches!(&job.purpose, Purpose::Adoption(of) if *of == announced.generation);
        if self.training.under_way().is_some_and(is_it) {
            return;
        }
        self.cancel_training();
        let adopted = self.adopt_model(announced);
        self.note("adoption", adopted.err());
    }

    fn adopt_model(&mut self, announced: AnnouncedModel) -> Result<(), Trouble> {
        let AnnouncedModel { generation, row } = announced;
        let (row, is_new) = self.model_to_adopt(&generation, row)?;
        if is_new {
            self.store.catalog_mut().reserve_model_number()?;
        }
        let id = row.as_ref().map_or(UNTRAINED_ID, |row| &row.id).to_string();
        info!("taking over model {id} of the node that trains");
        let job = self.training.prepare(&id, Purpose::Adoption(generation));
        let restorer = Restorer {
            run: job.run,
            catalog: self.store.catalog().readers(),
            row,
            is_new,
            settings: self.config().model.clone(),
            extractor: self.serving.extractor(),
            handle: Arc::clone(&job.handle),
            sender: self.channels.training_sender.clone(),
        };
        restorer.start(self.channels.end_sender.clone())?;
        self.training.begin(job);
        Ok(())
    }

    /// The model as it is to be kept here, and whether it is new to this catalog.
    fn model_to_adopt(&self, generation: &str, row: Option<ModelRow>) -> Result<(Option<ModelRow>, bool), Trouble> {
        let features = self.serving.extractor().kind();
        let remedy = "use the same version of artificio, and the same `encoder` in [model], on all nodes";
        let unfit = |what: &str| Trouble::new(what, generation, remedy);
        let Some(row) = row else {
            let own = generation_name(UNTRAINED_ID, &features.version, &[]);
            return match own == generation {
                true => Ok((None, false)),
                false => Err(unfit("the node that trains has an untrained model of other features")),
            };
        };
        if !features.are_taken_by(&row) {
            return Err(unfit("the model of the node that trains takes other features than this node computes"));
        }
        match self.store.catalog().model(&row.id)? {
            None => Ok((Some(row), true)),
            Some(present) if present.weights == row.weights => Ok((Some(present), false)),
            Some(_) => {
                let remedy = "run `artificio train` on the node that trains: its next model has another id";
                Err(Trouble::new("this node has another model of the same id", generation, remedy))
            }
        }
    }

    /// Reports what keeps this node from being one of many.
    pub(super) fn note_nodes(&mut self) {
        let Some(nodes) = self.workers.nodes().map(Arc::clone) else { return };
        for subject in SUBJECTS {
            self.note(subject, nodes.state().trouble(subject));
        }
    }

    /// The thread that keeps the engine's copy has panicked: another takes its place, and compares everything.
    pub(super) fn restart_publisher(&mut self) {
        let Some(nodes) = self.workers.nodes() else { return };
        let catalog = self.store.catalog().readers();
        let started = Publisher::start(nodes, &self.serving, &catalog, &self.channels.end_sender);
        self.note("engine-thread", started.err());
    }
}
