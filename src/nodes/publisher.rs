//! The thread that keeps the engine's copy of this node's pictures, says that the node is there, and learns what others say.
//!
//! Whatever it sends can be sent again. What the engine lacks is found out by comparing keys: at the start, with every new model, after
//! every outage, and every hour; in between, changes of the index are sent as they come. Nothing of that is kept on the disk: a process
//! that dies leaves nothing to do but the comparison of the next.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use log::{debug, info, warn};

use super::candidate::CandidateModel;
use super::exchange::ExchangeWatch;
use super::roster::{self, NodeRecord, Roster};
use super::{Nodes, generation_of};
use crate::catalog::{Catalog, CatalogReaders, ModelRow};
use crate::clock;
use crate::engine::{EngineError, EngineGeneration};
use crate::error::Trouble;
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
/// A node that goes no step further with a new model for so long, or for `patience_s` where that is more, has not got it.
const LEAST_EXCHANGE_PATIENCE: Duration = Duration::from_secs(60);
/// Everything is compared this often.
const COMPARE_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Why a step did not go through.
pub(super) enum StepError {
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
    pub(super) nodes: Arc<Nodes>,
    pub(super) serving: Shared,
    pub(super) catalog: Catalog,
    roster: Roster,
    instance: String,
    /// The model whose embeddings are being sent, with where it is kept.
    pub(super) current: Option<(String, EngineGeneration, Option<ModelRow>)>,
    pub(super) is_comparison_due: bool,
    pub(super) compared: Instant,
    looked: Option<Instant>,
    looked_at_others: Option<Instant>,
    pub(super) look_interval: Duration,
    /// Since when a generation belongs to no node.
    pub(super) unused: Vec<(String, Instant)>,
    /// The model that serves, while it is not in the shared folder.
    pub(super) unshared: Option<ModelRow>,
    /// A model that does not serve yet.
    pub(super) candidate: Option<CandidateModel>,
    /// When it was read last.
    pub(super) opened: Option<Instant>,
    pub(super) watch: ExchangeWatch,
    pub(super) exchange_patience: Duration,
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
            unshared: None,
            candidate: None,
            opened: None,
            watch: ExchangeWatch::default(),
            exchange_patience: Duration::from_secs(nodes.index.patience_s.get()).max(LEAST_EXCHANGE_PATIENCE),
            reported: None,
        }
    }

    fn run(&mut self) {
        while !self.nodes.state().is_stopping() {
            let is_preparing = self.candidate.as_ref().is_some_and(CandidateModel::has_more);
            let pause = match self.turn() {
                true if is_preparing => Duration::ZERO,
                true => PAUSE,
                false => OUTAGE_PAUSE,
            };
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
                self.candidate.iter_mut().for_each(CandidateModel::compare_again);
                // Nobody goes on without the engine.
                self.watch = ExchangeWatch::default();
                if error.is_outage() {
                    state.is_away(&error.to_string());
                } else {
                    // The generation may have been dropped: it is made again.
                    (self.current, self.candidate) = (None, None);
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
        self.prepare_candidate()
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
        let state = self.nodes.state();
        let is_prepared = self.candidate.as_ref().is_some_and(|candidate| candidate.is_complete_as(&generation.name));
        let former = self.current.as_ref().filter(|_| state.is_published()).map(|(_, former, _)| &*former.name);
        state.set_former(former.unwrap_or_default());
        state.set_published(is_prepared);
        self.nodes.engine.prepare(&generation)?;
        self.unshared = row.clone().filter(|_| self.nodes.trains());
        self.nodes.state().set_generation(model.id(), &generation.name);
        if is_prepared {
            self.candidate = None;
            self.nodes.state().set_preparation(None);
        }
        self.current = Some((model.id().into(), generation, row));
        self.is_comparison_due = true;
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
            preparation: state.preparation(),
            former: state.former(),
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
