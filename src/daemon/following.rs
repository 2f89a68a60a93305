//! One node trains, and all answer with its model once all have prepared it. Here this daemon learns of it, and says what keeps it from
//! the others.

use std::sync::Arc;

use log::info;

use super::Daemon;
use super::retrain::TRAINING_RETRY;
use super::state::{Purpose, UnderWay};
use crate::catalog::ModelRow;
use crate::error::Trouble;
use crate::model::UNTRAINED_ID;
use crate::nodes::{AnnouncedModel, Publisher, generation_name};
use crate::service_status::LastTrainingPart;
use crate::training::job::Successor;
use crate::training::rollback::Restorer;

/// What this node may be kept from being one of many by.
const SUBJECTS: [&str; 4] = ["engine", "shared", "node", "exchange"];

impl Daemon {
    /// Whether another node trains.
    pub(super) fn is_follower(&self) -> bool {
        self.workers.nodes().is_some_and(|nodes| !nodes.trains())
    }

    /// The model that other nodes are being made ready for by this one.
    pub(super) fn exchanged_model(&self) -> Option<String> {
        self.workers.nodes().and_then(|nodes| nodes.exchanged()).map(|exchange| exchange.model)
    }

    /// Where others have pictures, a model just trained does not serve at once: it is proposed to them.
    pub(super) fn row_to_propose(&self, successor: &Successor) -> Option<ModelRow> {
        let is_trained = self.training.under_way().is_some_and(UnderWay::is_training);
        let nodes = self.workers.nodes().filter(|nodes| is_trained && nodes.trains() && nodes.has_others());
        nodes.and(successor.row.clone())
    }

    /// Proposes it; the training is under way until it is in the shared folder.
    pub(super) fn propose_model(&self, row: ModelRow) {
        self.workers.nodes().iter().for_each(|nodes| nodes.state().propose(row.clone()));
    }

    /// Keeps a proposed model once it is in the shared folder: from then on the nodes go on with it by themselves.
    fn keep_proposed(&mut self) {
        let proposed = self.workers.nodes().and_then(|nodes| nodes.state().take_proposed());
        let Some(row) = proposed else { return };
        info!(model = row.id.as_str(); "model {} passed ({}); it serves when all nodes have prepared it", row.id, row.reason);
        let kept = self.keep_model(&row).and_then(|()| {
            self.training.set_last(LastTrainingPart::of(&row));
            drop(self.training.end());
            self.training_ended()
        });
        if let Err(trouble) = kept {
            drop(self.training.end());
            self.delay_training(trouble, TRAINING_RETRY);
        }
    }

    /// The model of a training that is not needed any more is not proposed.
    pub(super) fn withdraw_proposal(&self, job: &UnderWay) {
        if job.is_training() {
            self.workers.nodes().iter().for_each(|nodes| nodes.state().drop_proposal());
        }
    }

    /// Another model serves than the one on its way, unless it is that one.
    pub(super) fn withdraw_exchange(&self) {
        let is_adoption = |job: &UnderWay| matches!(job.purpose, Purpose::Adoption(_));
        if !self.training.under_way().is_some_and(is_adoption) {
            self.workers.nodes().iter().for_each(|nodes| nodes.state().withdraw());
        }
    }

    /// Makes the model ready that all nodes are to answer with. What fails is announced again.
    pub(super) fn follow_trainer(&mut self) {
        self.keep_proposed();
        let announced = self.workers.nodes().and_then(|nodes| nodes.state().take_announced());
        let Some(announced) = announced else { return };
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
        info!("taking over model {id}, which all nodes are to answer with");
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
