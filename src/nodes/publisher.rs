//! The thread that keeps the engine's copy of this node's pictures, says that the node is there, and learns what others say.
//!
//! Whatever it sends can be sent again. What the engine lacks is found out by comparing keys: at the start, with every new model, after
//! every outage, and every hour; in between, changes of the index are sent as they come. Nothing of that is kept on the disk: a process
//! that dies leaves nothing to do but the comparison of the next.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use log::{debug, info, warn};

use super::comparison::compare;
use super::roster::{self, NodeRecord, Roster};
use super::{AnnouncedModel, Nodes, generation_of, shared_model};
use crate::catalog::{Catalog, CatalogReaders, FileRow, FileState, ModelRow, Root};
use crate::clock;
use crate::engine::{EngineError, EngineGeneration, EngineRow, PictureKey};
use crate::error::Trouble;
use crate::index::Name;
use crate::model::UNTRAINED_ID;
use crate::picture::Hash;
use crate::serving::Shared;
use crate::threads::{self, ThreadEnd};

/// Name of the thread.
pub const THREAD: &str = "engine";
/// Changes are sent this often.
const PAUSE: Duration = Duration::from_millis(250);
/// The shared folder and what is announced are looked at this often.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// An engine that is away is tried again after this long.
const OUTAGE_PAUSE: Duration = Duration::from_secs(1);
/// Everything is compared this often.
const COMPARE_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// Pictures in one message.
const AT_ONCE: usize = 500;
/// A generation that no node answers with is dropped after this long.
const RETIRE_AFTER: Duration = Duration::from_secs(120);

/// Why a step did not go through.
enum StepError {
    Engine(EngineError),
    /// The catalog cannot be read.
    Catalog(Trouble),
    /// Another model serves by now, or the process ends.
    Outdated,
}

impl From<EngineError> for StepError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<Trouble> for StepError {
    fn from(trouble: Trouble) -> Self {
        Self::Catalog(trouble)
    }
}

/// Keeps the engine's copy.
pub struct Publisher {
    nodes: Arc<Nodes>,
    serving: Shared,
    catalog: Catalog,
    roster: Roster,
    instance: String,
    /// The model whose embeddings are being sent, with where it is kept.
    current: Option<(String, EngineGeneration, Option<ModelRow>)>,
    is_comparison_due: bool,
    compared: Instant,
    looked: Option<Instant>,
    looked_at_others: Option<Instant>,
    pub(super) look_interval: Duration,
    /// Since when a generation belongs to no node.
    unused: Vec<(String, Instant)>,
    reported: Option<String>,
}

impl Publisher {
    /// Starts the thread.
    pub fn start(
        nodes: &Arc<Nodes>,
        serving: &Shared,
        catalog: &CatalogReaders,
        ends: &Sender<ThreadEnd>,
    ) -> Result<(), Trouble> {
        let mut publisher = Self::new(nodes, serving, catalog.open()?);
        serving.write().index.follow(Arc::clone(nodes.journal()));
        threads::spawn(THREAD, ends.clone(), move || publisher.run()).map(drop)
    }

    pub(super) fn new(nodes: &Arc<Nodes>, serving: &Shared, catalog: Catalog) -> Self {
        Self {
            roster: Roster::new(nodes.shared()),
            nodes: Arc::clone(nodes),
            serving: serving.clone(),
            catalog,
            instance: format!("{}-{}", std::process::id(), clock::now_us()),
            current: None,
            is_comparison_due: true,
            compared: Instant::now(),
            looked: None,
            looked_at_others: None,
            look_interval: LOOK_INTERVAL,
            unused: Vec::new(),
            reported: None,
        }
    }

    fn run(&mut self) {
        while !self.nodes.state().is_stopping() {
            let pause = if self.turn() { PAUSE } else { OUTAGE_PAUSE };
            thread::sleep(pause);
        }
    }

    /// One turn; `false` where the engine cannot be used.
    pub(super) fn turn(&mut self) -> bool {
        let stepped = self.step();
        let (state, url) = (self.nodes.state(), &self.nodes.index.url);
        let went_well = match stepped {
            Ok(()) => {
                if let Some(reason) = self.reported.take() {
                    info!("{url}: the engine is back ({reason})");
                }
                state.is_reached();
                state.note("engine", None);
                true
            }
            Err(StepError::Outdated) => true,
            Err(StepError::Catalog(trouble)) => {
                debug!("{trouble}");
                true
            }
            Err(StepError::Engine(error)) => {
                // What was under way may have got lost.
                self.is_comparison_due = true;
                state.set_published(false);
                if error.is_outage() {
                    state.is_away(&error.to_string());
                } else {
                    // The generation may have been dropped: it is made again.
                    self.current = None;
                }
                if self.reported.is_none() {
                    warn!("{}", error.trouble(url));
                    self.reported = Some(error.to_string());
                }
                state.note("engine", Some(error.trouble(url)));
                false
            }
        };
        self.look_at_others();
        went_well
    }

    fn step(&mut self) -> Result<(), StepError> {
        let engine = &self.nodes.engine;
        if self.nodes.state().lacks_version() {
            let version = engine.version()?;
            info!("{}: the engine is {version}", self.nodes.index.url);
            self.nodes.state().set_version(version);
        }
        self.follow_model()?;
        if self.is_comparison_due || self.nodes.journal().has_overflowed() || self.compared.elapsed() > COMPARE_INTERVAL
        {
            self.nodes.state().set_comparing(true);
            let compared = self.compare_all();
            self.nodes.state().set_comparing(false);
            compared?;
        }
        self.send_changes()?;
        self.nodes.state().set_published(true);
        if self.looked.is_none_or(|looked| looked.elapsed() >= self.look_interval) {
            self.looked = Some(Instant::now());
            self.agree_on_model()?;
        }
        Ok(())
    }

    /// Prepares the generation of the model that serves, where that is another one than before.
    fn follow_model(&mut self) -> Result<(), StepError> {
        let model = Arc::clone(&self.serving.read().model);
        if self.current.as_ref().is_some_and(|(id, ..)| id == model.id()) {
            return Ok(());
        }
        let row = if model.is_trained() { self.catalog.model(model.id())? } else { None };
        if model.is_trained() && row.is_none() {
            return Err(StepError::Outdated);
        }
        let generation = generation_of(&model, row.as_ref());
        self.nodes.state().set_published(false);
        self.nodes.engine.prepare(&generation)?;
        if self.nodes.trains()
            && let Some(row) = &row
        {
            let written = shared_model::write(self.nodes.shared(), row);
            self.nodes.state().note("shared", written.err());
        }
        self.nodes.state().set_generation(model.id(), &generation.name);
        self.current = Some((model.id().into(), generation, row));
        self.is_comparison_due = true;
        Ok(())
    }

    fn current(&self) -> Result<(&str, &str), StepError> {
        self.current
            .as_ref()
            .map(|(id, generation, _)| (id.as_str(), generation.name.as_str()))
            .ok_or(StepError::Outdated)
    }

    /// Makes the engine's copy what this node has.
    fn compare_all(&mut self) -> Result<(), StepError> {
        let started = Instant::now();
        let (model, generation) = self.current()?;
        let (model, generation) = (model.to_string(), generation.to_string());
        // What changes from now on is noted again.
        self.nodes.journal().clear();
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
    fn each_picture(&self, model: &str, mut visit: impl FnMut(PictureKey, &Path, Hash)) -> Result<(), StepError> {
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
        for some in names.chunks(AT_ONCE) {
            self.send(model, generation, some)?;
        }
        Ok(())
    }

    /// Sends what has changed since the last time.
    fn send_changes(&self) -> Result<(), StepError> {
        let (model, generation) = self.current()?;
        loop {
            let names = self.nodes.journal().take(AT_ONCE);
            if names.is_empty() {
                return Ok(());
            }
            self.nodes.state().set_sending(names.len());
            let sent = self.send(model, generation, &names);
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

    /// The node that trains says which model all answer with; the others learn it.
    fn agree_on_model(&mut self) -> Result<(), StepError> {
        let (_, own) = self.current()?;
        let own = own.to_string();
        let engine = &self.nodes.engine;
        if self.nodes.trains() {
            engine.serve(&own)?;
            return self.retire_unused(&own);
        }
        match engine.serving()? {
            Some(announced) if announced != own => {
                let read = match announced.starts_with(UNTRAINED_ID) {
                    true => Ok(None),
                    false => shared_model::read(self.nodes.shared(), &announced).map(Some),
                };
                let model = read.as_ref().ok().map(|row| AnnouncedModel { generation: announced, row: row.clone() });
                self.nodes.state().announce(model);
                self.nodes.state().note("shared", read.err());
            }
            _ => {
                self.nodes.state().announce(None);
                self.nodes.state().note("shared", None);
            }
        }
        Ok(())
    }

    /// Drops generations that no node has answered with for a while.
    fn retire_unused(&mut self, own: &str) -> Result<(), StepError> {
        let used: HashSet<String> = self.nodes.state().others().into_values().map(|node| node.generation).collect();
        let is_used = |name: &String| name == own || used.contains(name);
        let generations = self.nodes.engine.generations()?;
        self.unused.retain(|(name, _)| generations.contains(name) && !is_used(name));
        for name in generations.into_iter().filter(|name| !is_used(name)) {
            if !self.unused.iter().any(|(unused, _)| *unused == name) {
                self.unused.push((name, Instant::now()));
            }
        }
        if let Some((name, _)) = self.unused.iter().find(|(_, since)| since.elapsed() > RETIRE_AFTER) {
            info!("engine: {name} is dropped, no node answers with it");
            self.nodes.engine.retire(name)?;
        }
        Ok(())
    }

    /// Says that this node is there, and reads what others say.
    fn look_at_others(&mut self) {
        let serving = self.serving.read();
        let state = self.nodes.state();
        let own = NodeRecord {
            name: self.nodes.name().into(),
            instance: self.instance.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            features: serving.model.features().version.to_string(),
            trains: self.nodes.trains(),
            model: serving.model.id().into(),
            generation: self.current.as_ref().map_or_else(String::new, |(_, generation, _)| generation.name.clone()),
            is_published: state.is_published(),
            pictures: serving.index.len(),
            problem: state.trouble("engine").map_or_else(String::new, |trouble| trouble.what),
            written_s: 0,
        };
        drop(serving);
        let written = self.roster.write(&own);
        if written.is_ok() && self.looked_at_others.is_some_and(|looked| looked.elapsed() < self.look_interval) {
            return;
        }
        self.looked_at_others = Some(Instant::now());
        let now_s = clock::now_s();
        match written.and_then(|()| roster::read(self.nodes.shared())) {
            Ok(others) => {
                let misfit =
                    others.values().filter(|other| !other.is_silent(now_s)).find_map(|other| other.misfit(&own));
                state.note("node", misfit);
                state.set_others(others);
            }
            Err(trouble) => state.note("node", Some(trouble)),
        }
    }
}
