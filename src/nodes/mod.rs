//! This daemon among others: what it gives to the engine that they share, and what it is given.
//!
//! Every node owns its folders, its catalog and its index, and answers from them without anybody. What it has is also in the engine, so
//! that others find it: a thread keeps that copy ([`Publisher`]). What is searched for goes to the engine as well ([`Nodes::near`]),
//! which tells of the pictures of others. `docs/decisions/nodes-and-engine.md` says why so.

mod agreement;
mod candidate;
mod comparison;
pub mod exchange;
#[cfg(test)]
mod exchange_tests;
mod generation;
mod publisher;
pub mod roster;
mod sending;
pub mod shared_model;
mod state;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::answer::EnginePart;
use crate::base::rows::Rows;
use crate::catalog::{Catalog, ModelRow};
use crate::config::{Config, IndexSettings, NodeSettings, SearchScope};
use crate::engine::{Engine, EngineError, EngineRow, NearRequest};
use crate::error::Trouble;
use crate::index::{ChangeJournal, RemoteRow};
use crate::model::Model;

use exchange::Exchange;
pub use generation::{generation_name, generation_of};
pub use publisher::{Publisher, THREAD};
use state::NodesState;
pub use state::{EngineStatusPart, NodeStatusPart};

/// A search that failed is tried again after this long.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The others, and the engine in which all meet. Shared by all threads.
pub struct Nodes {
    engine: Arc<dyn Engine>,
    /// For people.
    kind: &'static str,
    index: IndexSettings,
    node: NodeSettings,
    journal: Arc<ChangeJournal>,
    state: NodesState,
}

/// Pictures of other nodes, and whether these are all.
pub struct OthersFound {
    /// The nearest.
    pub rows: Vec<RemoteRow>,
    /// For the record.
    pub engine: EnginePart,
}

/// A model of the node that trains, which this node is to answer with.
#[derive(Debug, Clone, PartialEq)]
pub struct AnnouncedModel {
    /// What its embeddings are called.
    pub generation: String,
    /// `None` is the untrained network.
    pub row: Option<ModelRow>,
}

impl Nodes {
    /// As the settings say; `None` where this daemon is alone.
    ///
    /// # Errors
    /// When a file of the settings cannot be read.
    pub fn of(config: &Config) -> Result<Option<Arc<Self>>, Trouble> {
        if !config.index.is_shared() {
            return Ok(None);
        }
        let (kind, engine) = connect(&config.index)?;
        Ok(Some(Arc::new(Self::with(engine, kind, config))))
    }

    fn with(engine: Arc<dyn Engine>, kind: &'static str, config: &Config) -> Self {
        Self {
            engine,
            kind,
            index: config.index.clone(),
            node: config.node.clone(),
            journal: Arc::default(),
            state: NodesState::default(),
        }
    }

    /// The engine of the settings, where they name one that several nodes share.
    ///
    /// # Errors
    /// When a file of the settings cannot be read.
    pub fn engine_of(settings: &IndexSettings) -> Result<Option<Arc<dyn Engine>>, Trouble> {
        match settings.is_shared() {
            true => connect(settings).map(|(_, engine)| Some(engine)),
            false => Ok(None),
        }
    }

    /// This node's name.
    pub fn name(&self) -> &str {
        &self.node.name
    }

    /// Whether it trains the models of all nodes.
    pub fn trains(&self) -> bool {
        self.node.trains
    }

    /// The folder of all nodes.
    pub fn shared(&self) -> &std::path::Path {
        &self.node.shared
    }

    /// Where the inventory of another node is mounted, if anywhere.
    pub fn inventory_of(&self, node: &str) -> Option<PathBuf> {
        self.node.inventory_of(node)
    }

    /// Where the changes of the index are noted.
    pub fn journal(&self) -> &Arc<ChangeJournal> {
        &self.journal
    }

    /// What of it is known.
    pub fn state(&self) -> &NodesState {
        &self.state
    }

    /// The engine.
    pub fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    /// Learns what the embeddings of the model that serves are called: for a command, which has no thread that keeps the engine's copy.
    pub fn look_up(&self, model: &Model, catalog: &Catalog) -> Result<(), Trouble> {
        let row = if model.is_trained() { catalog.model(model.id())? } else { None };
        self.state.set_generation(model.id(), &generation_of(model, row.as_ref()).name);
        if let Ok(others) = roster::read(&self.node.shared) {
            self.state.set_others(others);
        }
        Ok(())
    }

    /// The pictures of other nodes nearest to `members`, embeddings of the model of that id. Waits for an engine that went away a
    /// moment ago; what is missing then is said.
    pub fn near(&self, model: &str, members: &Rows, scope: &SearchScope, count: usize) -> OthersFound {
        let patience = Duration::from_secs(self.index.patience_s.get());
        let started = Instant::now();
        // Others have waited for it; the thread that keeps its copy finds out when it is back.
        if let Some((_, reason)) = self.state.outage().filter(|(away_for, _)| *away_for >= patience) {
            return OthersFound { rows: Vec::new(), engine: self.part(Some(reason)) };
        }
        loop {
            match self.try_near(model, members, scope, count) {
                Ok((generation, rows)) => {
                    self.state.is_reached();
                    let (pictures, missing) = self.state.others_in(&generation, &self.node.name);
                    let problem = match missing.is_empty() {
                        true => None,
                        false => Some(format!("not all pictures of {} are there yet", missing.join(", "))),
                    };
                    return OthersFound {
                        rows: rows.into_iter().map(RemoteRow::from).collect(),
                        engine: EnginePart { pictures, generation: Some(generation), missing, ..self.part(problem) },
                    };
                }
                Err(error) => {
                    let away_for = if error.is_outage() { self.state.is_away(&error.to_string()) } else { patience };
                    if away_for >= patience || started.elapsed() >= patience {
                        return OthersFound { rows: Vec::new(), engine: self.part(Some(error.to_string())) };
                    }
                    std::thread::sleep(RETRY_PAUSE);
                }
            }
        }
    }

    fn try_near(
        &self,
        model: &str,
        members: &Rows,
        scope: &SearchScope,
        count: usize,
    ) -> Result<(String, Vec<EngineRow>), EngineError> {
        let Some(generation) = self.state.generation_of(model) else {
            return Err(EngineError::Outage("it is being prepared for this model".into()));
        };
        let request = NearRequest { members, asker: &self.node.name, scope, count };
        self.engine.near(&generation, &request).map(|rows| (generation, rows))
    }

    fn part(&self, problem: Option<String>) -> EnginePart {
        EnginePart {
            kind: self.kind,
            node: self.node.name.clone(),
            pictures: 0,
            generation: None,
            is_complete: problem.is_none(),
            missing: Vec::new(),
            problem,
        }
    }

    /// Whether there are others whose pictures a new model is to be made ready for.
    pub fn has_others(&self) -> bool {
        self.state.others().keys().any(|name| *name != self.node.name)
    }

    /// The model that all nodes are being made ready for by this one, which trains.
    pub fn exchanged(&self) -> Option<Exchange> {
        let is_ours = |exchange: &Exchange| self.node.trains && exchange.is_under_way();
        self.state.exchange().filter(is_ours)
    }

    /// For `status.json`.
    pub fn status(&self) -> EngineStatusPart {
        self.state.part(self.kind, &self.index.url, self.journal.len() + self.state.sending())
    }

    /// Whether answers that lacked pictures of other nodes may be whole by now.
    pub fn may_be_complete(&self, model: &str) -> bool {
        self.state.may_be_complete(model, &self.node.name)
    }
}

#[cfg(feature = "milvus")]
fn connect(settings: &IndexSettings) -> Result<(&'static str, Arc<dyn Engine>), Trouble> {
    use crate::engine::{MilvusAccess, MilvusEngine};
    /// A call that takes longer has failed.
    const CALL_TIMEOUT: Duration = Duration::from_secs(10);
    /// A search does, sooner: somebody waits for it.
    const LEAST_SEARCH_TIMEOUT: Duration = Duration::from_secs(2);
    let patience = Duration::from_secs(settings.patience_s.get());
    let access = MilvusAccess {
        url: settings.url.clone(),
        ca_file: settings.ca_file.clone(),
        token_file: settings.token_file.clone(),
        prefix: "artificio".into(),
        timeout: CALL_TIMEOUT,
        search_timeout: patience.clamp(LEAST_SEARCH_TIMEOUT, CALL_TIMEOUT),
    };
    Ok(("milvus", Arc::new(MilvusEngine::new(&access)?)))
}

#[cfg(not(feature = "milvus"))]
fn connect(settings: &IndexSettings) -> Result<(&'static str, Arc<dyn Engine>), Trouble> {
    // The settings are refused before.
    Err(Trouble::new("this program was built without the feature `milvus`", &settings.url, "build it with that"))
}
