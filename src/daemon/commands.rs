//! Carries out the requests of commands: a training, or going back to an earlier model.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::info;

use super::Daemon;
use super::requests::{self, Reply, Request};
use super::state::{Purpose, TrainRequest, UnderWay};
use crate::error::Trouble;
use crate::model::UNTRAINED_ID;
use crate::training::policy::TooFewPictures;
use crate::training::rollback::{self, NoTarget, Restorer};

/// Why a request is not carried out.
pub enum Refusal {
    /// A rollback is under way already.
    Busy,
    /// Another network is being taken over.
    NetworkChange,
    /// There is no going back to that model.
    NoTarget(NoTarget),
    /// There are too few pictures to train on; the folder is where to add more.
    TooFew(TooFewPictures, PathBuf),
    /// Another node trains, and says which model serves.
    Elsewhere,
    /// Something failed.
    Trouble(Trouble),
}

impl From<NoTarget> for Refusal {
    fn from(why: NoTarget) -> Self {
        Self::NoTarget(why)
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => write!(out, "a rollback is under way already; try again in a moment"),
            Self::NetworkChange => {
                write!(
                    out,
                    "another network is being taken over; try again when `artificio status` says that it is in force"
                )
            }
            Self::NoTarget(why) => why.fmt(out),
            Self::TooFew(why, folder) => write!(out, "{why}; they go into {}", folder.display()),
            Self::Elsewhere => {
                write!(
                    out,
                    "this node has `trains = false` in [node]: ask on the one that trains; all others follow it"
                )
            }
            Self::Trouble(trouble) => trouble.fmt(out),
        }
    }
}

impl Daemon {
    /// Handles the requests of commands.
    pub(super) fn take_requests(&mut self) {
        let now = self.now();
        if !self.channels.are_requests_due(now) {
            return;
        }
        for (place, reply) in self.store.take_replies() {
            self.reply(&place, &reply);
        }
        for (request, place) in requests::take_all(&self.config().folders.state) {
            match request {
                Err(invalid) => self.reply(&place, &Reply::failed(invalid.to_string())),
                Ok(Request::Train) => self.request_training(place),
                Ok(Request::Rollback { model }) => {
                    if let Err(refusal) = self.roll_back(model.as_deref(), &place) {
                        self.reply(&place, &Reply::failed(refusal.to_string()));
                    }
                }
            }
        }
    }

    fn request_training(&mut self, place: PathBuf) {
        if self.is_follower() {
            return self.reply(&place, &Reply::failed(Refusal::Elsewhere.to_string()));
        }
        if let Some(job) = self.training.under_way().filter(|job| job.is_training()) {
            let (id, message) = (job.id.clone(), format!("model {} is in training already", job.id));
            return self.reply(&place, &Reply { model: Some(id), message });
        }
        if let Some(id) = self.exchanged_model() {
            let message = format!(
                "model {id} is on its way to the other nodes; `artificio models` says how far it is: try again after that"
            );
            return self.reply(&place, &Reply::failed(message));
        }
        if !self.training.ask_for(TrainRequest::Command(place.clone())) {
            self.reply(&place, &Reply::failed("a training is asked for already"));
        }
    }

    /// Begins to go back to an earlier model. A training under way is cancelled: its model would replace that one at once.
    fn roll_back(&mut self, requested: Option<&str>, place: &Path) -> Result<(), Refusal> {
        match self.training.under_way() {
            Some(job) if job.is_rollback() => return Err(Refusal::Busy),
            Some(job) if job.is_network_change() => return Err(Refusal::NetworkChange),
            _ => {}
        }
        if self.is_follower() {
            return Err(Refusal::Elsewhere);
        }
        let models = self.store.catalog().models()?;
        let row = rollback::target(&models, requested, self.serving.read().model.features())?.cloned();
        let id = row.as_ref().map_or(UNTRAINED_ID, |row| &row.id).to_string();
        self.cancel_training();
        info!("going back to model {id}");
        let job = self.training.prepare(&id, Purpose::Rollback(place.to_path_buf()));
        let restorer = Restorer {
            run: job.run,
            catalog: self.store.catalog().readers(),
            row,
            is_new: false,
            settings: self.config().model.clone(),
            extractor: self.serving.extractor(),
            handle: Arc::clone(&job.handle),
            sender: self.channels.training_sender.clone(),
        };
        restorer.start(self.channels.end_sender.clone())?;
        self.training.begin(job);
        Ok(())
    }

    /// Replies that the model of a rollback serves.
    pub(super) fn report_rollback(&mut self, place: &Path) {
        let id = self.serving.read().model.id().to_string();
        let message = format!("model {id} serves");
        self.reply(place, &Reply { model: Some(id), message });
    }

    /// Replies to a request for a training that it has begun, or why not.
    pub(super) fn report_start(&mut self, request: &TrainRequest, started: Result<String, Refusal>) {
        match (request, started) {
            (TrainRequest::Command(place), Ok(id)) => {
                let message = format!("model {id} is in training");
                self.reply(place, &Reply { model: Some(id), message });
            }
            (TrainRequest::Command(place), Err(refusal)) => self.reply(place, &Reply::failed(refusal.to_string())),
            (TrainRequest::Owner, Ok(_)) => {}
            (TrainRequest::Owner, Err(refusal)) => self.life.fail(refusal.to_string()),
        }
    }

    /// Replies that `job` failed, if a command waits for it.
    pub(super) fn report_failure(&mut self, job: &UnderWay, why: &str) {
        if let Purpose::Rollback(place) = &job.purpose {
            self.reply(place, &Reply::failed(format!("model {} does not serve: {why}", job.id)));
        }
    }

    fn reply(&mut self, place: &Path, reply: &Reply) {
        let answered = requests::answer(place, reply);
        if answered.is_err() {
            // Its command waits for it.
            self.store.hold_reply(place, reply.clone());
        }
        self.note("requests", answered.err());
    }
}
