//! What the publisher sends: what has changed, and what the engine lacks.

use std::collections::HashSet;
use std::path::Path;
use std::time::Instant;

use log::info;

use super::candidate::CandidateModel;
use super::comparison::compare;
use super::publisher::{Publisher, StepError};
use crate::catalog::{FileRow, FileState, Root};
use crate::engine::{EngineRow, PictureKey};
use crate::index::Name;
use crate::picture::Hash;

/// Pictures in one message.
pub(super) const AT_ONCE: usize = 500;

impl Publisher {
    pub(super) fn current(&self) -> Result<(&str, &str), StepError> {
        self.current
            .as_ref()
            .map(|(id, generation, _)| (id.as_str(), generation.name.as_str()))
            .ok_or(StepError::Outdated)
    }

    /// Makes the engine's copy what this node has.
    pub(super) fn compare_all(&mut self) -> Result<(), StepError> {
        // What changes from now on is noted again.
        let noted = self.nodes.journal().take_all();
        self.nodes.state().set_sending(noted.len());
        let compared = self.put_what_it_lacks();
        self.nodes.state().set_sending(0);
        if compared.is_err() {
            self.nodes.journal().give_back(noted);
        } else if !noted.is_empty() {
            // These went into one generation only.
            self.nodes.state().set_former("");
            self.candidate.iter_mut().for_each(CandidateModel::compare_again);
        }
        compared
    }

    fn put_what_it_lacks(&mut self) -> Result<(), StepError> {
        let started = Instant::now();
        let (model, generation) = self.current()?;
        let (model, generation) = (model.to_string(), generation.to_string());
        let mut own = Vec::new();
        self.each_picture(&model, |key, _, content| own.push((key, content)))?;
        let count = own.len();
        let goes_on = || !self.nodes.state().is_stopping() && self.serving.read().model.id() == model;
        let compared = compare(&*self.nodes.engine, &generation, self.nodes.name(), own, &goes_on)?;
        let lacking = compared.ok_or(StepError::Outdated)?;
        let missing = lacking.missing.len();
        self.put_missing(&model, &generation, lacking.missing)?;
        self.is_comparison_due = false;
        self.compared = Instant::now();
        if missing > 0 || lacking.strays > 0 {
            let took = started.elapsed().as_secs_f32();
            let strays = lacking.strays;
            info!("engine: {missing} of {count} pictures added to {generation}, {strays} removed, in {took:.1} s");
        }
        Ok(())
    }

    /// Visits the pictures of the inventory that can be searched.
    pub(super) fn each_picture(
        &self,
        model: &str,
        mut visit: impl FnMut(PictureKey, &Path, Hash),
    ) -> Result<(), StepError> {
        let searchable: HashSet<Name> = {
            let view = self.serving.view();
            if view.model.id() != model {
                return Err(StepError::Outdated);
            }
            view.snapshot.names().cloned().collect()
        };
        self.catalog.each_file(Root::Inventory, |FileRow { path, state, .. }| {
            if let FileState::Read(content) = state
                && searchable.contains(path.as_os_str())
            {
                visit(PictureKey::of(self.nodes.name(), &path), &path, content);
            }
        })?;
        Ok(())
    }

    fn put_missing(&self, model: &str, generation: &str, missing: HashSet<PictureKey>) -> Result<(), StepError> {
        if missing.is_empty() {
            return Ok(());
        }
        let mut names: Vec<Name> = Vec::new();
        self.each_picture(model, |key, path, _| {
            if missing.contains(&key) {
                names.push(path.as_os_str().into());
            }
        })?;
        for at in (0..names.len()).step_by(AT_ONCE) {
            let rest = &names[at..];
            self.nodes.state().set_sending(rest.len());
            if let Err(error) = self.send(model, generation, &rest[..AT_ONCE.min(rest.len())]) {
                rest.iter().for_each(|name| self.nodes.journal().note(name));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Sends what has changed since the last time.
    pub(super) fn send_changes(&self) -> Result<(), StepError> {
        let (model, generation) = self.current()?;
        loop {
            let names = self.nodes.journal().take(AT_ONCE);
            if names.is_empty() {
                return Ok(());
            }
            self.nodes.state().set_sending(names.len());
            self.nodes.state().set_former("");
            let sent = self.send(model, generation, &names).and_then(|()| self.send_changes_of_candidate(&names));
            self.nodes.state().set_sending(0);
            if let Err(error) = sent {
                names.iter().for_each(|name| self.nodes.journal().note(name));
                return Err(error);
            }
        }
    }

    /// Makes the engine's rows of these pictures what they are here.
    fn send(&self, model: &str, generation: &str, names: &[Name]) -> Result<(), StepError> {
        if self.nodes.state().is_stopping() {
            return Err(StepError::Outdated);
        }
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        for name in names {
            let path = Path::new(&**name);
            let content = self.catalog.content_of(Root::Inventory, path)?;
            let serving = self.serving.read();
            if serving.model.id() != model {
                return Err(StepError::Outdated);
            }
            let known = serving.index.embedding(path).zip(serving.index.date(path));
            match known.zip(content) {
                Some(((embedding, date), content)) => {
                    let (node, path) = (self.nodes.name().into(), path.into());
                    rows.push(EngineRow { node, path, content, date, embedding });
                }
                None => gone.push(PictureKey::of(self.nodes.name(), path)),
            }
        }
        self.nodes.engine.put(generation, &rows)?;
        self.nodes.engine.remove(generation, &gone)?;
        Ok(())
    }
}
