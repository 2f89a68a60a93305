//! A model that does not serve yet: this node's pictures under its name, while it still answers with the model before.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use log::info;

use super::comparison::compare;
use super::exchange::{Exchange, Preparation};
use super::publisher::{Publisher, StepError};
use super::sending::AT_ONCE;
use super::shared_model;
use crate::base::rows::Rows;
use crate::catalog::Root;
use crate::clock::WallTime;
use crate::engine::{EngineGeneration, EngineRow, PictureKey};
use crate::error::Trouble;
use crate::index::Name;
use crate::model::Model;
use crate::picture::Hash;

/// So long it is sent at a stretch: changes of pictures do not wait.
const STRETCH: Duration = Duration::from_secs(1);

/// That model.
pub(super) struct CandidateModel {
    model: Model,
    generation: String,
    /// Pictures that the engine lacks; `None` before it was compared.
    missing: Option<Vec<Name>>,
    pictures: usize,
}

impl CandidateModel {
    /// What is there may have got lost.
    pub fn compare_again(&mut self) {
        self.missing = None;
    }

    /// Whether there is something to send.
    pub fn has_more(&self) -> bool {
        self.missing.as_ref().is_none_or(|missing| !missing.is_empty())
    }

    /// Whether all pictures are there, under that name.
    pub fn is_complete_as(&self, generation: &str) -> bool {
        self.generation == generation && !self.has_more()
    }

    fn preparation(&self) -> Preparation {
        let missing = self.missing.as_ref().map_or(self.pictures, Vec::len);
        Preparation {
            generation: self.generation.clone(),
            prepared: self.pictures.saturating_sub(missing),
            is_complete: !self.has_more(),
        }
    }
}

/// A picture that is to be encoded.
struct ToEncode {
    name: Name,
    content: Hash,
    date: WallTime,
}

impl Publisher {
    /// Makes this node ready for the model that is on its way to all, if there is one.
    pub(super) fn prepare_candidate(&mut self) -> Result<(), StepError> {
        let (_, own) = self.current()?;
        let exchange = self.nodes.state().exchange();
        let Some(exchange) = exchange.filter(|exchange| exchange.is_prepared() && exchange.generation != own) else {
            self.candidate = None;
            self.nodes.state().set_preparation(None);
            return Ok(());
        };
        if self.candidate.as_ref().is_none_or(|candidate| candidate.generation != exchange.generation) {
            // One that cannot be read is not tried at every turn.
            if self.opened.is_some_and(|tried| tried.elapsed() < self.look_interval) {
                return Ok(());
            }
            self.opened = Some(Instant::now());
            let candidate = self.open_candidate(&exchange);
            self.nodes.state().note("shared", candidate.as_ref().err().cloned());
            let Ok(candidate) = candidate else { return Ok(()) };
            let (name, width) = (candidate.generation.clone(), candidate.model.embedding_width());
            self.nodes.engine.prepare(&EngineGeneration { name, width })?;
            info!("engine: preparing model {} beside the one that serves", exchange.model);
            self.candidate = Some(candidate);
        }
        self.compare_candidate()?;
        let sent = self.send_candidate();
        self.nodes.state().set_preparation(self.candidate.as_ref().map(CandidateModel::preparation));
        sent
    }

    fn open_candidate(&self, exchange: &Exchange) -> Result<CandidateModel, Trouble> {
        let row = shared_model::read(self.nodes.shared(), &exchange.generation)?;
        let kind = self.serving.extractor().kind();
        let model = Model::from_row(&row, &kind)?.ok_or_else(|| {
            let remedy =
                "use the same version of artificio, and the same `encoder` and `network` in [model], on all nodes";
            Trouble::new("this model takes other features than this node computes", &exchange.generation, remedy)
        })?;
        Ok(CandidateModel { model, generation: exchange.generation.clone(), missing: None, pictures: 0 })
    }

    fn compare_candidate(&mut self) -> Result<(), StepError> {
        let (serving, _) = self.current()?;
        let serving = serving.to_string();
        let Some(candidate) = self.candidate.as_ref().filter(|candidate| candidate.missing.is_none()) else {
            return Ok(());
        };
        let mut own = Vec::new();
        self.each_picture(&serving, |key, _, content| own.push((key, content)))?;
        let pictures = own.len();
        let goes_on = || !self.nodes.state().is_stopping();
        let compared = compare(&*self.nodes.engine, &candidate.generation, self.nodes.name(), own, &goes_on)?;
        let lacking = compared.ok_or(StepError::Outdated)?;
        let mut missing = Vec::new();
        self.each_picture(&serving, |key, path, _| {
            if lacking.missing.contains(&key) {
                missing.push(path.as_os_str().into());
            }
        })?;
        if let Some(candidate) = &mut self.candidate {
            (candidate.pictures, candidate.missing) = (pictures, Some(missing));
        }
        Ok(())
    }

    /// Sends some of what is missing.
    fn send_candidate(&mut self) -> Result<(), StepError> {
        let started = Instant::now();
        let Some(mut candidate) = self.candidate.take() else { return Ok(()) };
        let mut sent = Ok(());
        while let Some(missing) = candidate.missing.as_mut().filter(|missing| !missing.is_empty())
            && started.elapsed() < STRETCH
        {
            let some = missing.split_off(missing.len().saturating_sub(AT_ONCE));
            sent = self.send_encoded(&candidate, &some);
            if sent.is_err() {
                candidate.compare_again();
                break;
            }
        }
        self.candidate = Some(candidate);
        sent
    }

    /// Makes the rows of these pictures under the candidate's name what they are here. Of a candidate that is still to be compared
    /// nothing is sent: the comparison finds it.
    pub(super) fn send_changes_of_candidate(&self, names: &[Name]) -> Result<(), StepError> {
        match self.candidate.as_ref().filter(|candidate| candidate.missing.is_some()) {
            Some(candidate) => self.send_encoded(candidate, names),
            None => Ok(()),
        }
    }

    fn send_encoded(&self, candidate: &CandidateModel, names: &[Name]) -> Result<(), StepError> {
        if self.nodes.state().is_stopping() {
            return Err(StepError::Outdated);
        }
        let mut pictures = Vec::new();
        for name in names {
            let path = Path::new(&**name);
            let content = self.catalog.content_of(Root::Inventory, path)?;
            let date = self.serving.read().index.date(path);
            pictures.extend(content.zip(date).map(|(content, date)| ToEncode { name: name.clone(), content, date }));
        }
        let kind = candidate.model.features();
        let (mut encoded, mut features) = (Vec::new(), Rows::empty(kind.width));
        for picture in pictures {
            let found = self.catalog.features(picture.content, &kind.version)?;
            if found.is_some_and(|row| features.push(&row)) {
                encoded.push(picture);
            }
        }
        let embeddings = candidate.model.encode(&features);
        let row = |(picture, embedding): (&ToEncode, &[f32])| EngineRow {
            node: self.nodes.name().into(),
            path: Path::new(&*picture.name).into(),
            content: picture.content,
            date: picture.date,
            embedding: embedding.to_vec(),
        };
        let rows: Vec<EngineRow> = encoded.iter().zip(embeddings.iter()).map(row).collect();
        let there: HashSet<&Name> = encoded.iter().map(|picture| &picture.name).collect();
        let gone = names.iter().filter(|name| !there.contains(name));
        let gone: Vec<PictureKey> = gone.map(|name| PictureKey::of(self.nodes.name(), Path::new(&**name))).collect();
        self.nodes.engine.put(&candidate.generation, &rows)?;
        self.nodes.engine.remove(&candidate.generation, &gone)?;
        Ok(())
    }
}
