//! Carrying out what commands ask for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use log::info;

use super::Daemon;
use super::requests::{self, Reply, Request};
use super::retrain::{Purpose, Training};
use crate::error::Trouble;
use crate::model::UNTRAINED_ID;
use crate::training::rollback::{self, Restorer};

/// Where no event tells of a request, it is found after this long.
const REQUEST_INTERVAL: Duration = Duration::from_secs(1);

/// A training that somebody wants whatever the policy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrainRequest {
    /// A command beside the daemon; where its answer is awaited.
    Asked(PathBuf),
    /// The one for whom this daemon runs.
    Own,
}

impl Daemon {
    /// Takes in what commands ask for.
    pub(super) fn hear_requests(&mut self) {
        let now = self.now();
        if now < self.next_request_look {
            return;
        }
        self.next_request_look = now + REQUEST_INTERVAL;
        for (request, place) in requests::take_all(&self.config.folders.state) {
            match request {
                Err(message) => self.reply(&place, &Reply::failed(message)),
                Ok(Request::Train) => self.wish_for_training(place),
                Ok(Request::Rollback { model }) => {
                    if let Err(message) = self.roll_back(model.as_deref(), &place) {
                        self.reply(&place, &Reply::failed(message));
                    }
                }
            }
        }
    }

    fn wish_for_training(&mut self, place: PathBuf) {
        match (&self.training, &self.train_request) {
            (Some(Training { purpose: Purpose::Learning { .. }, id, .. }), _) => {
                let message = format!("model {id} is in training already");
                self.reply(&place, &Reply { model: Some(id.clone()), message });
            }
            (_, Some(_)) => self.reply(&place, &Reply::failed("a training is asked for already")),
            (_, None) => self.train_request = Some(TrainRequest::Asked(place)),
        }
    }

    /// Begins to go back to a model of before. A training under way would take over right after it, and is broken off.
    fn roll_back(&mut self, wanted: Option<&str>, place: &Path) -> Result<(), String> {
        if matches!(&self.training, Some(Training { purpose: Purpose::Returning(_), .. })) {
            return Err("another model is being gone back to; try again in a moment".into());
        }
        let text = |trouble: Trouble| trouble.to_string();
        let models = self.catalog.models().map_err(text)?;
        let row = rollback::target(&models, wanted, self.config.model.encoder)?.cloned();
        let id = row.as_ref().map_or(UNTRAINED_ID, |row| &row.id).to_string();
        self.cancel_training();
        info!("going back to model {id}");
        let training = self.new_training(&id, Purpose::Returning(place.to_path_buf()));
        let restorer = Restorer {
            run: training.run,
            state: self.config.folders.state.clone(),
            row,
            paths: self.inventory(),
            settings: self.config.model.clone(),
            metric: self.config.similarity.metric,
            handle: Arc::clone(&training.handle),
            sender: self.channels.training_sender.clone(),
        };
        restorer.start().map_err(text)?;
        self.training = Some(training);
        Ok(())
    }

    /// The model that was gone back to serves.
    pub(super) fn grant_return(&mut self, place: &Path) {
        let id = self.serving.read().model.id().to_string();
        let message = format!("model {id} serves");
        self.reply(place, &Reply { model: Some(id), message });
    }

    /// Tells whoever wished for a training that it has begun, or why not.
    pub(super) fn grant(&mut self, request: &TrainRequest, started: Result<String, String>) {
        match (request, started) {
            (TrainRequest::Asked(place), Ok(id)) => {
                let message = format!("model {id} is in training");
                self.reply(place, &Reply { model: Some(id), message });
            }
            (TrainRequest::Asked(place), Err(message)) => self.reply(place, &Reply::failed(message)),
            (TrainRequest::Own, Ok(_)) => {}
            (TrainRequest::Own, Err(message)) => self.fatal_reason = Some(message),
        }
    }

    /// Tells whoever waits for `training` that nothing comes of it.
    pub(super) fn give_up(&mut self, training: &Training, why: &str) {
        if let Purpose::Returning(place) = &training.purpose {
            self.reply(place, &Reply::failed(format!("model {} does not serve: {why}", training.id)));
        }
    }

    fn reply(&mut self, place: &Path, reply: &Reply) {
        let answered = requests::answer(place, reply);
        self.note("requests", answered.err());
    }
}
